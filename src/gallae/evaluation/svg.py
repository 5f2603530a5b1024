"""From a matplotlib figure to a small, self-contained, reproducible SVG."""

from __future__ import annotations

import hashlib
import html
import io
import re
from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gallae.evaluation.font import drawable, plot_settings

# Okabe and Ito's blue, orange and green, toned down: they stay apart for colour-blind readers.
BLUE, ORANGE, GREEN, GREY = "#2f6fa8", "#d17a22", "#2a9175", "#9aa5b1"
PALE = "#c6d8e8"
INK, FAINT, GRID = "#1f2a36", "#66717e", "#dde2e8"
RAMP = ["#f4f7fa", "#d3e2ef", "#9fc3de", "#5f9ac7", "#2f6fa8", "#1b4a78"]

# In a page these follow its light or dark mode; alone, the colour after the comma counts.
THEMED = {INK: f"var(--ink,{INK})", FAINT: f"var(--faint,{FAINT})", GRID: f"var(--grid,{GRID})"}

SETTINGS: dict[str, Any] = {
    "svg_fonttype": "path",
    "svg_hashsalt": "gallae",
    "svg_image_inline": True,
    "font_size": 9.0,
    "text_color": INK,
    "axes_edgecolor": GRID,
    "axes_labelcolor": FAINT,
    "axes_titlecolor": INK,
    "axes_titlesize": 10.0,
    "axes_titlelocation": "left",
    "axes_linewidth": 0.8,
    "axes_axisbelow": True,
    "xtick_color": GRID,
    "ytick_color": GRID,
    "xtick_labelcolor": INK,
    "ytick_labelcolor": INK,
    "grid_color": GRID,
    "grid_linewidth": 0.7,
    "legend_frameon": False,
    "figure_facecolor": "none",
    "axes_facecolor": "none",
    "savefig_facecolor": "none",
}


def draw(build: Callable[[], Figure], description: str, format: str = "svg") -> Any:
    """Build a figure under our settings and render it.

    Args:
        build: Makes the figure; called once, with the settings on.
        description: What the picture shows, for screen readers.
        format: "svg", or "png" for a look at the same figure.

    Returns:
        An SVG element as str, or PNG bytes.
    """
    buffer = io.BytesIO()
    with plot_settings(**SETTINGS):
        figure = build()
        if format == "png":
            figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", facecolor="white")
            return buffer.getvalue()
        undated = {"Date": None, "Creator": None}
        figure.savefig(buffer, format="svg", bbox_inches="tight", pad_inches=0.04, metadata=undated)
    return tidy(buffer.getvalue().decode("utf-8"), description)


def tidy(svg: str, description: str) -> str:
    """Strip what depends on the day or says nothing, and give the ids names that clash with no other plot."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = svg.replace("xlink:href", "href").replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    svg = re.sub(r"\bd=\"[^\"]+\"", _short_path, svg)
    svg = re.sub(r"\s*\n\s*", "\n", svg)
    for colour, themed in THEMED.items():
        svg = svg.replace(colour, themed)
    return name_ids(_as_picture(svg, description))


def _short_path(match: re.Match[str]) -> str:
    short = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", match[0])
    return " ".join(short.split())


def _as_picture(svg: str, description: str) -> str:
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()  # type: ignore[union-attr]
    # A point is 4/3 CSS pixels: 9 pt text then reads as 12 px, like the page around it.
    size = f'width="{float(width) * 4 / 3:.0f}" height="{float(height) * 4 / 3:.0f}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} '
        f'role="img" aria-label="{html.escape(drawable(description))}">'
    )
    return head + svg[svg.index(">") + 1 :]


def name_ids(svg: str) -> str:
    """Drop ids that nothing refers to; number the others after a prefix made from the content."""
    used = dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    numbers = {name: str(number) for number, name in enumerate(used)}

    def renamed(prefix: str) -> str:
        def declared(match: re.Match[str]) -> str:
            return f' id="{prefix}{numbers[match[1]]}"' if match[1] in numbers else ""

        def referred(match: re.Match[str]) -> str:
            return f"{match[1]}{prefix}{numbers[match[2]]}"

        return re.sub(r'(href="#|url\(#)([^")]+)', referred, re.sub(r' id="([^"]+)"', declared, svg))

    return renamed(f"g{hashlib.sha1(renamed('').encode()).hexdigest()[:8]}-")


def quiet(axes: Axes, *, grid: str = "", keep: str = "") -> None:
    """Leave an axes only the spines in `keep` (like "left bottom") and grid lines along `grid` ("x", "y")."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in keep.split())
    axes.tick_params(length=0)
    if grid:
        axes.grid(axis=grid)  # type: ignore[arg-type]


def short(label: str, limit: int = 24) -> str:
    """`label` as plots can draw it, cut in the middle of nothing but its end when longer than `limit`."""
    text = drawable(label)
    return text if len(text) <= limit else text[: limit - 1] + "…"
