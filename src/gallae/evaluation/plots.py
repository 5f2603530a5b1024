"""Plots of a classifier's results, each a function from figures to an SVG string."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from gallae.evaluation.charts import heat_map, name_rows, rows_figure
from gallae.evaluation.svg import BLUE, FAINT, GREY, ORANGE, PALE, draw, quiet, short


def confusion_plot(matrix: ArrayLike, classes: Sequence[str], *, language: str = "en") -> str:
    """Counts of gold label by predicted label, coloured by the share of the gold label's rows.

    Args:
        matrix: (n_classes, n_classes) row counts, gold by predicted.
        classes: The labels.
        language: "en" or "ko".
    """
    counts = np.asarray(matrix)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    texts = [[f"{count:,}" if count else "" for count in row] for row in counts.tolist()]
    words = {"en": ("predicted", "gold"), "ko": ("예측", "정답")}[language]
    return heat_map(shares, classes, classes, texts, xlabel=words[0], ylabel=words[1],
                    description="confusion matrix", gamma=0.6)  # fmt: skip


def _whiskers(axes: Axes, at: Sequence[float], intervals: Sequence[Sequence[float] | None]) -> None:
    for y, bounds in zip(at, intervals, strict=True):
        if bounds is not None:
            axes.plot(bounds, [y, y], color=BLUE, linewidth=1.6, solid_capstyle="round", zorder=3)


def class_plot(per_class: Mapping[str, Mapping[str, Any]], *, score: str = "f1", language: str = "en") -> str:
    """One bar a class, best first, with its 95 % interval and its number of rows.

    Args:
        per_class: As `evaluate` gives it.
        score: "f1", "precision" or "recall".
        language: "en" or "ko".
    """
    ranked = sorted(per_class.items(), key=lambda item: -item[1][score])
    rows = {"en": "rows", "ko": "건"}[language]

    def build() -> Figure:
        figure, axes = rows_figure(len(ranked))
        values = [figures[score] for _, figures in ranked]
        axes.barh(range(len(ranked)), values, height=0.62, color=PALE)
        _whiskers(axes, range(len(ranked)), [f.get(f"{score}_interval") for _, f in ranked])
        axes.plot(values, range(len(ranked)), "o", color=BLUE, markersize=4.5, zorder=4)
        for y, (_, figures) in enumerate(ranked):
            axes.text(1.02, y, f"{figures[score]:.3f}", va="center")
            axes.text(1.12, y, f"{figures['support']:,} {rows}", va="center", color=FAINT, fontsize=8)
        name_rows(axes, [name for name, _ in ranked])
        axes.set_xlim(0, 1)
        return figure

    return draw(build, f"{score} per class")


def model_plot(
    models: Sequence[Mapping[str, Any]], *, figure: str = "macro_f1", label: str = "macro-F1"
) -> str:
    """Dot and whisker: one figure of several models with its 95 % interval, in the order given.

    Args:
        models: Each with "name", the figure, and `<figure>_interval` if known.
        figure: Key of the figure.
        label: What to call it under the axis.
    """

    def build() -> Figure:
        drawn, axes = rows_figure(len(models))
        values = [float(model[figure]) for model in models]
        intervals = [model.get(f"{figure}_interval") for model in models]
        _whiskers(axes, range(len(models)), intervals)
        axes.plot(values, range(len(models)), "o", color=BLUE, markersize=6, zorder=4)
        ends = [edge for bounds in intervals if bounds for edge in bounds] + values
        margin = max(0.01, (max(ends) - min(ends)) * 0.06)
        axes.set_xlim(max(0.0, min(ends) - margin), min(1.0, max(ends) + margin))
        for y, value in enumerate(values):
            axes.annotate(f"{value:.3f}", (1, y), xycoords=("axes fraction", "data"), xytext=(8, 0),
                          textcoords="offset points", va="center")  # fmt: skip
        name_rows(axes, [str(model["name"]) for model in models])
        axes.set_xlabel(short(label, 60))
        return drawn

    return draw(build, f"{label} of {len(models)} models")


def distribution_plot(
    counts: Mapping[str, Mapping[str, int]], *, names: Mapping[str, str] | None = None, description: str = ""
) -> str:
    """Rows per label, one bar a side (like gold and predicted), with count and share.

    Args:
        counts: {label: {side: count}}, one or two sides, as `label_distribution` gives it.
        names: What to call the sides in the legend.
        description: For screen readers.
    """
    sides = list(next(iter(counts.values()), {}))
    totals = {side: max(1, sum(values[side] for values in counts.values())) for side in sides}
    titles = names or {}

    def build() -> Figure:
        paired = len(sides) > 1
        figure, axes = rows_figure(len(counts) * (2 if paired else 1), grid="")
        axes.set_ylim(len(counts) - 0.45, -0.55)
        height = 0.36 if paired else 0.62
        most = max((value for values in counts.values() for value in values.values()), default=1) or 1
        for number, side in enumerate(sides):
            shift = (number - 0.5) * 0.38 if paired else 0
            at = np.arange(len(counts)) + shift
            values = [entry[side] for entry in counts.values()]
            axes.barh(at, values, height=height, color=(GREY, BLUE)[number] if paired else BLUE,
                      label=short(titles.get(side, side)))  # fmt: skip
            for y, value in zip(at, values, strict=True):
                axes.text(value + most * 0.012, y, f"{value:,} · {value / totals[side]:.1%}", va="center",
                          fontsize=8, color=FAINT)  # fmt: skip
        name_rows(axes, list(counts))
        axes.set_xlim(0, most * 1.18)
        axes.set_xticks([])
        if paired:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, handlelength=1)
        return figure

    return draw(build, description or "labels")


def reliability_plot(curve: Sequence[Mapping[str, Any]], ece: float, *, language: str = "en") -> str:
    """Share right against confidence, bin by bin, over a histogram of the confidences.

    Args:
        curve: As `calibration_curve` gives it.
        ece: The expected calibration error.
        language: "en" or "ko".
    """
    words = {"en": ("confidence", "share right", "rows"), "ko": ("확신도", "맞은 비율", "건")}[language]

    def build() -> Figure:
        figure = Figure(figsize=(4.2, 4.9))
        axes = figure.add_axes((0, 0.25, 1, 0.75))
        below = figure.add_axes((0, 0, 1, 0.19))
        at = [bin["confidence"] for bin in curve]
        right = [bin["accuracy"] for bin in curve]
        counts = np.array([bin["count"] for bin in curve])
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        for x, y in zip(at, right, strict=True):
            axes.plot([x, x], [x, y], color=ORANGE, linewidth=2.4, alpha=0.55, solid_capstyle="butt")
        axes.plot(at, right, color=BLUE, linewidth=1.4)
        axes.scatter(at, right, s=14 + 90 * counts / max(1, counts.max(initial=1)), color=BLUE,
                     zorder=3, clip_on=False)  # fmt: skip
        axes.text(0.04, 0.95, f"ECE {ece:.3f}", fontsize=11, va="top")
        axes.set_ylabel(words[1])
        axes.tick_params(labelbottom=False)
        widths = [bin["high"] - bin["low"] for bin in curve]
        below.bar([bin["low"] for bin in curve], counts, width=widths, align="edge", color=PALE)
        below.set_xlabel(words[0])
        below.set_ylabel(words[2])
        below.yaxis.set_major_formatter("{x:,.0f}")
        below.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        for each in (axes, below):
            quiet(each, grid="both")
            each.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        figure.align_ylabels()
        return figure

    return draw(build, f"reliability diagram, ECE {ece:.3f}")
