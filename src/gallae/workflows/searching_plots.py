"""Pictures of a search, each a function from its trials to an SVG string."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from gallae.evaluation.charts import MAP
from gallae.evaluation.svg import BLUE, FAINT, GREY, ORANGE, draw, quiet, short
from gallae.recipes.space import Parameter
from gallae.workflows.searching_records import METRICS, SMALLER_IS_BETTER, Record, ranked, shown

_ACROSS = 3


def history_plot(
    records: Sequence[Record], metric: str, itself: Record | None, *, label: str = "trial"
) -> str:
    """The figure of each trial, and the best so far.

    Args:
        records: The trials, by number.
        metric: A key of `METRICS`.
        itself: The trial that is the recipe as it is, if there is one.
        label: What to call a trial.
    """
    finished = [(r.number, r.answer.value) for r in records if r.answer.value is not None]
    others = [r.number for r in records if r.answer.value is None]
    at, values = [number for number, _ in finished], [value for _, value in finished]

    def build() -> Figure:
        figure = Figure(figsize=(6.4, 2.7))
        axes = figure.add_axes((0, 0, 1, 1))
        low, high = window(values, metric)
        worst = high if metric in SMALLER_IS_BETTER else low
        best = np.minimum if metric in SMALLER_IS_BETTER else np.maximum
        axes.plot([*at, records[-1].number], [*best.accumulate(values), best.reduce(values)],
                  color=ORANGE, linewidth=1.6, drawstyle="steps-post", zorder=2)  # fmt: skip
        inside = [low <= value <= high for value in values]
        face = ["white" if itself and number == itself.number else BLUE for number in at]
        _dots(axes, at, values, inside, face)
        far = [number for number, drawn in zip(at, inside, strict=True) if not drawn]
        down = "^" if metric in SMALLER_IS_BETTER else "v"
        axes.scatter(far, [worst] * len(far), marker=down, s=30, color=BLUE, clip_on=False, zorder=3)
        axes.scatter(others, [worst] * len(others), marker="x", s=24, color=GREY, clip_on=False, zorder=3)
        axes.set_ylim(low, high)
        axes.set_xlim(-0.5, max(records[-1].number, 1) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
        axes.set_xlabel(label)
        axes.set_ylabel(METRICS[metric])
        quiet(axes, grid="y", keep="bottom")
        return figure

    return str(draw(build, f"{METRICS[metric]} of {len(records)} trials"))


def _dots(
    axes: Axes, at: Sequence[float], values: Sequence[float], inside: Sequence[bool], face: Sequence[Any]
) -> None:
    rows = [row for row in zip(at, values, inside, face, strict=True) if row[2]]
    axes.scatter([x for x, *_ in rows], [y for _, y, *_ in rows], s=26, c=[c for *_, c in rows],
                 edgecolors=BLUE, linewidths=1.2, zorder=4, clip_on=False)  # fmt: skip


def window(values: Sequence[float], metric: str) -> tuple[float, float]:
    """Return the limits of a figure's axis: all values, less those so bad that the rest would not be seen."""
    sign = -1.0 if metric in SMALLER_IS_BETTER else 1.0
    good = sign * np.asarray(values, dtype=float)
    low, middle = np.quantile(good, [0.25, 0.5])
    floor = max(float(good.min()), float(low - 3 * max(good.max() - middle, middle - low)))
    margin = max(0.06 * float(good.max() - floor), 1e-4)
    ends = sorted((sign * (floor - margin), sign * (float(good.max()) + margin)))
    return ends[0], ends[1]


def slice_plot(records: Sequence[Record], parameters: Sequence[Parameter], metric: str) -> str:
    """The figure against each field's value, as small multiples.

    Args:
        records: The trials.
        parameters: The fields.
        metric: A key of `METRICS`.
    """
    order = ranked(records, metric)
    rows = sorted(order[1:], key=lambda record: record.number)
    across = min(_ACROSS, len(parameters))
    down = -(-len(parameters) // across)

    def build() -> Figure:
        figure = Figure(figsize=(2.35 * across, 1.75 * down + 0.35 * (down - 1)))
        grid = figure.add_gridspec(down, across, left=0, right=1, bottom=0, top=1, wspace=0.14, hspace=0.62)
        limits = window([record.answer.value or 0.0 for record in order], metric)
        for number, parameter in enumerate(parameters):
            axes = figure.add_subplot(grid[number // across, number % across])
            _slice(axes, rows, order[0], parameter)
            axes.set_ylim(*limits)
            axes.set_title(short(parameter.key, 34), fontsize=8.5)
            axes.yaxis.set_major_locator(MaxNLocator(5))
            if number % across:
                axes.tick_params(labelleft=False)
            elif number == 0:
                axes.set_ylabel(METRICS[metric])
            quiet(axes, grid="y", keep="bottom")
        return figure

    return str(draw(build, f"{METRICS[metric]} against each field"))


def _slice(axes: Axes, rows: Sequence[Record], best: Record, parameter: Parameter) -> None:
    _scale(axes, parameter)
    last = max([record.number for record in rows], default=1) or 1
    axes.scatter(
        [_place(parameter, record.values[parameter.key]) for record in rows],
        [record.answer.value or 0.0 for record in rows],
        s=22, c=[MAP(0.3 + 0.6 * record.number / last) for record in rows], zorder=3,
    )  # fmt: skip
    axes.scatter([_place(parameter, best.values[parameter.key])], [best.answer.value or 0.0],
                 s=38, color=ORANGE, zorder=4)  # fmt: skip


def _place(parameter: Parameter, value: Any) -> float:
    """Return where a value stands on its axis: choices by their number."""
    if parameter.choices:
        return float([str(choice) for choice in parameter.choices].index(str(value)))
    return float(value)


def _scale(axes: Axes, parameter: Parameter) -> None:
    if parameter.choices:
        names = [short(str(name), 14) for name in parameter.names]
        tilted = sum(map(len, names)) > 18
        turned: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if tilted else {}
        axes.set_xticks(range(len(names)), names, fontsize=7.5 if tilted else 8.5, **turned)
        axes.set_xlim(-0.5, len(names) - 0.5)
        return
    assert parameter.low is not None and parameter.high is not None
    low, high = float(parameter.low), float(parameter.high)
    if parameter.log:
        axes.set_xscale("log")
        edge = (high / low) ** 0.04 if high > low else 1.1
        axes.set_xlim(low / edge, high * edge)
        axes.xaxis.set_minor_locator(NullLocator())
        ticks = _log_ticks(low, high)
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        return
    edge = (high - low) * 0.05 or 0.5
    axes.set_xlim(low - edge, high + edge)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=parameter.whole))


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten inside the range, or its ends where there are not two."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, -(-(last - first + 1) // 4))
    ticks = [10.0**power for power in range(first, last + 1, every)]
    return ticks if len(ticks) > 1 else [low, high] if high > low else [low]


def parallel_plot(records: Sequence[Record], parameters: Sequence[Parameter], metric: str) -> str:
    """Each finished trial as a line through the values that it tried, the better the darker.

    Args:
        records: The trials.
        parameters: The fields, two or more.
        metric: A key of `METRICS`.
    """
    order = ranked(records, metric)[::-1]
    low, high = window([record.answer.value or 0.0 for record in order], metric)

    def build() -> Figure:
        figure = Figure(figsize=(max(4.5, 1.25 * len(parameters) + 1.0), 2.9))
        axes = figure.add_axes((0, 0, 1, 1))
        for number, record in enumerate(order):
            height = ((record.answer.value or 0.0) - low) / (high - low)
            heights = [_height(p, record.values[p.key]) for p in parameters] + [min(max(height, 0.0), 1.0)]
            last = number == len(order) - 1
            shade = MAP(0.15 + 0.75 * number / max(1, len(order) - 1))
            axes.plot(heights, color=ORANGE if last else shade, linewidth=2.2 if last else 1.1, zorder=3)
        for number, parameter in enumerate(parameters):
            axes.axvline(number, color=GREY, linewidth=0.8, zorder=1)
            _mark(axes, number, _marks(parameter))
        axes.axvline(len(parameters), color=GREY, linewidth=0.8, zorder=1)
        _mark(axes, len(parameters), [(0.0, f"{low:.3f}"), (1.0, f"{high:.3f}")])
        names = [short(_brief(parameter.key), 22) for parameter in parameters]
        axes.set_xticks(range(len(names) + 1), [*names, METRICS[metric]], rotation=25, ha="right",
                        rotation_mode="anchor", fontsize=8)  # fmt: skip
        axes.tick_params(axis="x", pad=14)
        axes.set_yticks([])
        axes.set_ylim(0, 1)
        for line in axes.lines:
            line.set_clip_on(False)
        quiet(axes)
        return figure

    return str(draw(build, f"{len(order)} trials as lines through their values"))


def _brief(key: str) -> str:
    """Return the end of a long key, a place in a list together with its list."""
    parts = key.split(".")
    return key if len(key) <= 22 else ".".join(parts[-2:] if parts[-1].isdigit() else parts[-1:])


def _mark(axes: Axes, at: int, marks: Sequence[tuple[float, str]]) -> None:
    """Write names beside a line, those of its ends above and below it, where no trial's line runs."""
    for place, name in marks:
        end = {0.0: (0, -3, "center", "top"), 1.0: (0, 3, "center", "bottom")}.get(place)
        right, up, across, along = end or (4, 0, "left", "center")
        axes.annotate(short(name, 12), (at, place), xytext=(right, up), textcoords="offset points",
                      fontsize=7.5, color=FAINT, ha=across, va=along, zorder=5)  # fmt: skip


def _height(parameter: Parameter, value: Any) -> float:
    """Return a value's place between 0 and 1."""
    if parameter.choices:
        return _place(parameter, value) / max(1, len(parameter.choices) - 1)
    assert parameter.low is not None and parameter.high is not None
    scale = math.log if parameter.log else float
    low, high, here = scale(parameter.low), scale(parameter.high), scale(value)
    return (here - low) / (high - low) if high > low else 0.5


def _marks(parameter: Parameter) -> list[tuple[float, str]]:
    """Return places and names to write beside a field's line."""
    ends = parameter.ends if len(parameter.ends) <= 6 else (parameter.ends[0], parameter.ends[-1])
    return [(_height(parameter, end), shown(end)) for end in ends]
