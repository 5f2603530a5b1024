"""The page of a search for the learning rate, with its plot."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from gallae.evaluation.page import Card, Cards, Note, Part, Plot, Section, Table, Text, page, written
from gallae.evaluation.svg import BLUE, FAINT, GREY, INK, ORANGE, PALE, draw, quiet, short
from gallae.evaluation.wording import words

if TYPE_CHECKING:
    from gallae.training.finder import Finding

_SAY = {
    "en": {
        "title": "{recipe}: learning rates on {data}",
        "summary": "In short (요약)",
        "suggestion": "suggested rate (권장 학습률)",
        "own": "the recipe's",
        "lowest": "loss lowest at",
        "none": (
            "The loss fell at no rate, so nothing is suggested. Try more steps or a higher last rate, or "
            "look whether the labels fit the texts."
        ),
        "use": "To train with it: gallae train DATA -r {recipe} --set training.learning_rate={rate}",
        "careful": (
            "A hint, not a proof: it is the rate at which the loss falls most steeply while the rate rises. "
            "Take it, a third of it and three times as much, and compare them on held-out rows."
        ),
        "plot": (
            "Loss of each step's batch (dots) and averaged with its neighbours (line), while the learning "
            "rate rises (Smith 2017). Far right the steps are too long and the loss explodes."
        ),
        "curve": "Loss by learning rate (학습률에 따른 손실)",
        "rate": "learning rate",
        "loss": "loss",
        "mark": "suggested",
        "mark_own": "recipe",
        "facts": "Facts (정보)",
    },
    "ko": {
        "title": "{recipe}: {data}의 학습률 탐색",
        "summary": "요약",
        "suggestion": "권장 학습률",
        "own": "레시피의 학습률",
        "lowest": "손실이 가장 낮은 학습률",
        "none": (
            "어느 학습률에서도 손실이 줄지 않아 권장값이 없습니다. 단계 수나 마지막 학습률을 늘리거나, "
            "라벨이 글과 맞는지 살펴보세요."
        ),
        "use": "이 값으로 학습하려면: gallae train DATA -r {recipe} --set training.learning_rate={rate}",
        "careful": (
            "증명이 아니라 실마리입니다. 학습률을 올리는 동안 손실이 가장 가파르게 줄어든 곳의 값이므로, "
            "이 값과 그 3분의 1, 3배를 따로 떼어 둔 자료에서 견주어 보세요."
        ),
        "plot": (
            "학습률을 올리는 동안 단계마다 잰 배치의 손실(점)과 이웃과의 평균(선)입니다(Smith 2017). 오른쪽 "
            "끝에서는 걸음이 너무 커서 손실이 치솟습니다."
        ),
        "curve": "학습률에 따른 손실",
        "rate": "학습률",
        "loss": "손실",
        "mark": "권장",
        "mark_own": "레시피",
        "facts": "정보",
    },
}


def lr_plot(finding: Finding, own: float | None = None, *, language: str = "en") -> str:
    """The loss against the learning rate, with the suggestion, as SVG.

    Args:
        finding: The sweep.
        own: The recipe's rate, marked if the sweep holds it.
        language: "en" or "ko".
    """
    say = _SAY[language]

    def build() -> Figure:
        figure = Figure(figsize=(6.4, 3.0))
        axes = figure.add_axes((0, 0, 1, 1))
        low, high = _window(finding)
        axes.plot(finding.rates, finding.losses, "o", color=PALE, markersize=3.2)
        axes.plot(finding.rates, finding.smooth, color=BLUE, linewidth=1.8)
        first, last = float(finding.rates[0]), float(finding.rates[-1])
        if finding.suggestion is not None:
            _mark(axes, finding.suggestion, say["mark"], ORANGE, "-", lift=0)
        if own is not None and first <= own <= last:
            apart = abs(math.log(own / (finding.suggestion or first))) / math.log(last / first)
            _mark(axes, own, say["mark_own"], GREY, (0, (3, 2)), lift=11 if apart < 0.2 else 0)
        axes.set_xscale("log")
        axes.set_xlim(first, last * 1.02)
        axes.set_ylim(low, high)
        ticks = _ticks(first, last)
        axes.set_xticks(ticks, [shown(tick) for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(short(say["rate"]))
        axes.set_ylabel(short(say["loss"]))
        quiet(axes, grid="y", keep="bottom")
        return figure

    return draw(build, f"{say['loss']}, {say['rate']}")


def _mark(axes: Axes, rate: float, name: str, colour: str, line: Any, lift: int) -> None:
    axes.axvline(rate, color=colour, linewidth=1.4, linestyle=line)
    axes.annotate(f"{name} {shown(rate)}", (rate, 1), xycoords=("data", "axes fraction"),
                  xytext=(3, 2 + lift), textcoords="offset points", fontsize=8,
                  color=INK if colour == ORANGE else FAINT)  # fmt: skip


def _window(finding: Finding) -> tuple[float, float]:
    """Return the limits of the losses' axis: the fall in full, of the explosion its beginning."""
    smooth = finding.smooth
    low, start = float(smooth.min()), float(smooth[0])
    fall = max(start - low, 0.05 * abs(start), 1e-6)
    high = min(float(finding.losses.max()), start + fall) + 0.05 * fall
    return min(low, float(finding.losses.min())) - 0.05 * fall, max(high, start + 0.1 * fall)


def _ticks(first: float, last: float) -> list[float]:
    powers = range(math.ceil(math.log10(first) - 1e-9), math.floor(math.log10(last) + 1e-9) + 1)
    return [10.0**power for power in powers] or [first, last]


def shown(rate: float | None) -> str:
    """Return a rate for a person to read, and for `--set`; a dash where there is none."""
    return "–" if rate is None else f"{rate:.2g}"


def lr_page(finding: Finding, facts: Mapping[str, Any], *, language: str = "en") -> str:
    """A sweep over the learning rates, as a self-contained HTML page.

    Args:
        finding: The sweep.
        facts: recipe, data, rows, learning_rate (the recipe's), and whatever else is to be listed.
        language: "en" (with the Korean terms) or "ko".

    Raises:
        GallaeError: for another language.
    """
    words(language)
    say, own = _SAY[language], float(facts["learning_rate"])
    cards = Cards(
        [
            Card(say["suggestion"], shown(finding.suggestion)),
            Card(say["own"], shown(own)),
            Card(say["lowest"], shown(finding.lowest)),
        ]
    )
    then: list[Part] = [Note(say["none"], warning=True)]
    if finding.suggestion is not None:
        rate = shown(finding.suggestion)
        then = [Text(say["use"].format(recipe=facts["recipe"], rate=rate)), Text(say["careful"], faint=True)]
    plot = Plot(lr_plot(finding, own, language=language), say["plot"])
    rows = [(key, written(value)) for key, value in facts.items() if key != "learning_rate"]
    sections = [
        Section(say["summary"], [cards, *then]),
        Section(say["curve"], [plot]),
        Section(say["facts"], [Table(("", ""), rows)]),
    ]
    return page(say["title"].format(recipe=facts["recipe"], data=facts["data"]), sections, language)
