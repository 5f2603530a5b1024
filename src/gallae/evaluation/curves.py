"""How a network learned, epoch by epoch: loss and score curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gallae.evaluation.page import Part, Plot, Section, Text
from gallae.evaluation.svg import BLUE, GREY, ORANGE, draw, quiet

History = Sequence[Mapping[str, Any]]

_WORDS = {
    "en": {
        "epoch": "epoch",
        "loss": "loss",
        "valid_loss": "loss, held out",
        "macro_f1": "macro-F1, held out",
    },
    "ko": {"epoch": "에포크", "loss": "손실", "valid_loss": "검증 손실", "macro_f1": "검증 macro-F1"},
}


def curves_plot(histories: Sequence[History], language: str = "en") -> str:
    """Loss in training and, where rows were held out to watch, loss and macro-F1 on them.

    Args:
        histories: A row an epoch with `epoch`, `loss` and maybe `valid_loss`, `macro_f1`; one for each
            network, such as those of K folds.
        language: "en" or "ko".
    """
    say = _WORDS[language]
    watched = any("macro_f1" in row for history in histories for row in history)

    def build() -> Figure:
        figure = Figure(figsize=(7.4 if watched else 3.9, 2.5))
        axes = figure.subplots(1, 2 if watched else 1, squeeze=False)[0]
        _lines(axes[0], histories, "loss", BLUE, say)
        if watched:
            _lines(axes[0], histories, "valid_loss", ORANGE, say)
            _lines(axes[1], histories, "macro_f1", ORANGE, say)
        for axis in axes:
            axis.set_xlabel(say["epoch"])
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.legend(frameon=False, fontsize=8)
            quiet(axis, grid="y", keep="bottom")
        figure.tight_layout()
        return figure

    return draw(build, "training curves")


def _lines(axes: Axes, histories: Sequence[History], key: str, colour: str, say: Mapping[str, str]) -> None:
    label: str | None = say[key]
    for history in histories:
        points = [(row["epoch"], row[key]) for row in history if key in row]
        if points:
            axes.plot(
                *zip(*points, strict=True), color=colour, marker="o", markersize=3, linewidth=1.4, label=label
            )
            label = None
        if key == "macro_f1" and points:
            best = max(points, key=lambda point: point[1])
            axes.axvline(best[0], color=GREY, linewidth=0.8, linestyle=":")


def training_section(histories: Sequence[History], say: Mapping[str, str], language: str) -> Section:
    """The report's section on how its networks learned."""
    parts: list[Part] = [Plot(curves_plot(histories, language), say["training_plot"])]
    if len(histories) > 1:
        parts.append(Text(say["training_several"].format(len(histories))))
    return Section(say["training"], parts)
