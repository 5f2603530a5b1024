"""Charts that know nothing of classifiers: heat map, histogram, bars. Each returns an SVG string."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from gallae.evaluation.svg import BLUE, FAINT, INK, ORANGE, PALE, RAMP, draw, quiet, short

ROW = 0.29
MAP = LinearSegmentedColormap.from_list("gallae", RAMP)


def heat_map(
    values: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    texts: Sequence[Sequence[str]] | None = None,
    *,
    low: float = 0.0,
    high: float = 1.0,
    xlabel: str = "",
    ylabel: str = "",
    description: str = "heat map",
    gamma: float = 1.0,
) -> str:
    """A grid of coloured cells.

    Args:
        values: (n_rows, n_columns), coloured from `low` to `high`.
        rows: Row names.
        columns: Column names.
        texts: What to write in the cells (left out where they are too many); the values by default.
        low: Value of the lightest colour.
        high: Value of the darkest.
        xlabel: What the columns are.
        ylabel: What the rows are.
        description: For screen readers.
        gamma: Below 1 it spreads the low values over more of the colours.
    """
    table = np.asarray(values, dtype=float)
    written = texts or [[f"{value:.2f}" for value in row] for row in table.tolist()]

    def build() -> Figure:
        n_rows, n_columns = table.shape
        many = max(n_rows, n_columns)
        size = 0.56 if many <= 9 else 0.42 if many <= 20 else 0.19
        figure = Figure(figsize=(size * n_columns * 1.15, size * n_rows * 0.85))
        axes = figure.add_axes((0, 0, 1, 1))
        norm = PowerNorm(gamma, low, high)
        axes.pcolormesh(table, cmap=MAP, norm=norm, edgecolors="white", linewidth=1.2)
        axes.invert_yaxis()
        font = 9 if many <= 20 else 6.5
        names = [short(name, 16) for name in columns]
        tilted = max(map(len, names), default=0) > (5 if many <= 9 else 3)
        axes.set_xticks(np.arange(n_columns) + 0.5, names, fontsize=font, rotation=40 if tilted else 0,
                        ha="left" if tilted else "center", rotation_mode="anchor")  # fmt: skip
        axes.set_yticks(np.arange(n_rows) + 0.5, [short(name) for name in rows], fontsize=font)
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xlabel(xlabel, labelpad=7)
        axes.set_ylabel(ylabel)
        if many <= 20:
            _write_cells(axes, np.asarray(norm(table)), written, 8.5 if many <= 9 else 7)
        quiet(axes)
        return figure

    return draw(build, description)


def _write_cells(
    axes: Axes, shades: NDArray[np.floating], texts: Sequence[Sequence[str]], size: float
) -> None:
    for row, values in enumerate(shades):
        for column, value in enumerate(values):
            # Not INK: the cell keeps its light colour when the page is dark. Contrast is 4.5 to 1 or more.
            colour = "#ffffff" if value > 0.745 else "#000000"
            axes.text(column + 0.5, row + 0.5, texts[row][column], ha="center", va="center",
                      fontsize=size, color=colour)  # fmt: skip


def rows_figure(n_rows: int, width: float = 6.0, grid: str = "x") -> tuple[Figure, Axes]:
    """A figure for `n_rows` horizontal bars, first at the top."""
    figure = Figure(figsize=(width, ROW * n_rows + 0.15))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_ylim(n_rows - 0.45, -0.55)
    quiet(axes, grid=grid)
    return figure, axes


def name_rows(axes: Axes, names: Sequence[str], limit: int = 28) -> None:
    """Write the names of the bars."""
    axes.set_yticks(range(len(names)), [short(name, limit) for name in names])


def histogram(
    values: ArrayLike, *, label: str, ylabel: str = "rows", marks: bool = True, language: str = "en"
) -> str:
    """Histogram of whole or real numbers; the last bar gathers the highest half percent.

    Args:
        values: (n,) numbers, as text lengths.
        label: What they are, with the unit.
        ylabel: What is counted.
        marks: Whether to mark the median and the 95th percentile.
        language: "en" or "ko", of the marks.
    """
    numbers = np.asarray(values, dtype=float).ravel()
    words = {"en": ("median", "95 %"), "ko": ("중앙값", "95 %")}[language]

    def build() -> Figure:
        figure = Figure(figsize=(6.0, 2.3))
        axes = figure.add_axes((0, 0, 1, 1))
        if numbers.size:
            edges = _edges(numbers)
            axes.hist(np.minimum(numbers, edges[-1]), bins=edges.tolist(), color=BLUE, rwidth=0.92)
            axes.set_xlim(edges[0], edges[-1])
        if numbers.size and marks:
            for name, share, line in ((words[0], 50, "-"), (words[1], 95, (0, (3, 2)))):
                at = float(np.percentile(numbers, share))
                axes.axvline(at, color=ORANGE, linewidth=1.4, linestyle=line)
                axes.annotate(f"{name} {at:,.3g}", (at, 1), xycoords=("data", "axes fraction"),
                              xytext=(3, 2), textcoords="offset points", fontsize=8, color=INK)  # fmt: skip
        whole = bool((numbers == np.round(numbers)).all())
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=whole))
        axes.set_xlabel(short(label, 60))
        axes.set_ylabel(short(ylabel, 40))
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        quiet(axes, grid="y", keep="bottom")
        return figure

    return draw(build, f"histogram of {label}")


def _edges(numbers: NDArray[np.floating], most: int = 40) -> NDArray[np.floating]:
    """Bin edges up to the 99.5th percentile; whole numbers get bins of a whole width around them."""
    low, high = float(numbers.min()), float(np.percentile(numbers, 99.5))
    if high <= low:
        return np.array([low - 0.5, low + 0.5])
    if np.all(numbers == np.round(numbers)):
        width = int(np.ceil((high - low + 1) / most))
        return np.arange(low - 0.5, high + width + 0.5, width)
    return np.linspace(low, high, most + 1)


def bar_plot(
    values: Mapping[str, float], *, label: str = "", format: str = "{:,.3g}", width: float = 6.0
) -> str:
    """Plain horizontal bars, in the order given.

    Args:
        values: Name to number.
        label: What the numbers are, with the unit.
        format: How to write a number.
        width: In inches, without the names.
    """

    def build() -> Figure:
        figure, axes = rows_figure(len(values), width, grid="")
        axes.barh(range(len(values)), list(values.values()), height=0.62, color=BLUE)
        for y, value in enumerate(values.values()):
            axes.annotate(format.format(value), (max(0.0, value), y), xytext=(4, 0),
                          textcoords="offset points", va="center", fontsize=8, color=FAINT)  # fmt: skip
        name_rows(axes, list(values))
        axes.margins(x=0.12)
        axes.set_xticks([])
        axes.set_xlabel(short(label, 60))
        return figure

    return draw(build, label or "bars")


def terms_plot(terms: Mapping[str, Sequence[tuple[str, float]]], *, top: int = 10, columns: int = 4) -> str:
    """The most telling terms of each class, as small multiples of bars.

    Args:
        terms: Label to (term, weight), strongest first.
        top: Terms shown a class.
        columns: Panels side by side.
    """
    panels = [(label, list(pairs)[:top]) for label, pairs in terms.items()]
    across = max(1, min(columns, len(panels)))
    down = max(1, -(-len(panels) // across))
    deep = max([1, *(len(pairs) for _, pairs in panels)])

    def build() -> Figure:
        figure = Figure(figsize=(2.2 * across, (0.2 * deep + 0.42) * down))
        grid = figure.add_gridspec(down, across, left=0, right=1, bottom=0, top=1, wspace=0.85,
                                   hspace=0.42 / (0.2 * deep))  # fmt: skip
        for number, (label, pairs) in enumerate(panels):
            axes = figure.add_subplot(grid[number // across, number % across])
            axes.barh(range(len(pairs)), [weight for _, weight in pairs], height=0.62, color=PALE)
            axes.set_yticks(range(len(pairs)), [short(term, 12) for term, _ in pairs], fontsize=8)
            axes.set_ylim(deep - 0.45, -0.55)
            axes.set_xlim(left=0)
            axes.set_xticks([])
            axes.set_title(short(label, 18))
            quiet(axes)
        return figure

    return draw(build, "most telling terms per class")
