"""The page that a search writes for a person to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gallae.evaluation.charts import bar_plot
from gallae.evaluation.page import (
    Card,
    Cards,
    Cell,
    Heading,
    Note,
    Part,
    Plot,
    Section,
    Table,
    Text,
    page,
    written,
)
from gallae.recipes.space import Parameter, Space
from gallae.workflows.searching_plots import history_plot, parallel_plot, slice_plot
from gallae.workflows.searching_records import (
    BEST,
    FAILED,
    FINISHED,
    METRICS,
    PRUNED,
    Record,
    counts,
    ranked,
    recipe_itself,
    shown,
)
from gallae.workflows.searching_wording import words
from gallae.workflows.showing import one_line

FEW = 20  # finished trials, for importances
MOST = 100  # trials in the table

Say = Mapping[str, str]


def searching_page(
    facts: Mapping[str, Any],
    records: Sequence[Record],
    space: Space,
    *,
    importances: Mapping[str, float],
    tested: Mapping[str, Any] | None = None,
    language: str = "en",
) -> str:
    """A search's trials, as a self-contained HTML page.

    Args:
        facts: What search.json says, and "folder".
        records: The trials, by number; at least one has finished.
        space: What was varied.
        importances: Share of the variance that each field explains, the most first; may be empty.
        tested: What `evaluate` says of the best recipe on rows that no trial has seen.
        language: "en" (with the Korean terms) or "ko".

    Raises:
        GallaeError: for another language.
    """
    say, metric = words(language), facts["metric"]
    itself = recipe_itself(records, space.before())
    order = ranked(records, metric)
    sections = [
        Section(say["summary"], _summary(facts, records, order[0], itself, tested, space, say)),
        Section(
            say["history"],
            [Plot(history_plot(records, metric, itself, label=say["trial"]), say["history_plot"])],
        ),
        Section(say["importance"], _importance(importances, len(order), say)),
        Section(say["slices"], [Plot(slice_plot(records, space.parameters, metric), say["slices_plot"])]),
    ]
    if len(space.parameters) > 1:
        lines = Plot(parallel_plot(records, space.parameters, metric), say["parallel_plot"], wide=True)
        sections.append(Section(say["parallel"], [lines]))
    sections.append(Section(say["all"], _all(records, order, space, metric, say)))
    sections.append(Section(say["facts"], [_facts(facts)]))
    title = say["title"].format(recipe=facts["recipe"], trials=len(records), data=Path(facts["data"]).name)
    return page(title, sections, language, footer=say["footer"])


def _summary(
    facts: Mapping[str, Any],
    records: Sequence[Record],
    best: Record,
    itself: Record | None,
    tested: Mapping[str, Any] | None,
    space: Space,
    say: Say,
) -> list[Part]:
    ended, metric = counts(records), facts["metric"]
    cards = [Card(say["best_card"].format(metric=METRICS[metric], trial=best.number), best.answer.value,
                  _range(best.answer.interval, say))]  # fmt: skip
    if itself is not None and itself.answer.value is not None:
        cards.append(Card(say["before_card"], itself.answer.value, _range(itself.answer.interval, say)))
    if tested is not None:
        cards.append(Card(say["tested_card"], tested[metric], _range(tested[f"{metric}_interval"], say)))
    minutes = sum(record.answer.seconds for record in records) / 60
    cards += [
        Card(say["trials_card"], len(records), say["trials_detail"].format(**ended)),
        Card(say["seconds_card"], f"{minutes:,.1f}"),
    ]
    notes = [Note(text, warning=True) for text in (*facts["warnings"], *_warnings(records, space, best, say))]
    return [
        Note(_optimistic(facts, ended, tested, say), warning=True),
        *notes,
        Cards(cards),
        *(Note(text) for text in _gain(best, itself, metric, say)),
        Heading(say["values"]),
        _values(space, best, say),
        Text(say["use"].format(path=Path(facts["folder"]) / BEST)),
    ]


def _optimistic(
    facts: Mapping[str, Any], ended: Mapping[str, int], tested: Mapping[str, Any] | None, say: Say
) -> str:
    then = say["untested"] if tested is None else say["tested"].format(rows=f"{tested['n']:,}")
    return say["optimistic"].format(
        trials=ended[FINISHED] + ended[PRUNED], rows=f"{facts['held_out']:,}", then=then
    )


def _warnings(records: Sequence[Record], space: Space, best: Record, say: Say) -> list[str]:
    found = [
        say["edge"].format(key=p.key, value=shown(best.values[p.key]), range=p.describe())
        for p in space.parameters
        if _at_edge(p, best.values[p.key])
    ]
    failed = [record for record in records if record.answer.state == FAILED]
    if failed:
        found.append(say["failed"].format(count=len(failed), reason=failed[-1].answer.reason))
    return found


def _at_edge(parameter: Parameter, value: Any) -> bool:
    """Whether a number lies within a fortieth of an end of its range; shares and counts end at 0 and 1."""
    if parameter.choices or parameter.low is None or parameter.high is None:
        return False
    if parameter.low == parameter.high:
        return False
    if parameter.whole:
        return bool(value == parameter.high or (value == parameter.low and value > 1))
    if parameter.log:
        reach = (parameter.high / parameter.low) ** (1 / 40)
        return bool(value < parameter.low * reach or value > parameter.high / reach)
    reach = (parameter.high - parameter.low) / 40
    return bool(value > parameter.high - reach or (value < parameter.low + reach and parameter.low != 0))


def _gain(best: Record, itself: Record | None, metric: str, say: Say) -> list[str]:
    """Say whether the search was worth it."""
    if itself is None or itself.answer.value is None or best.answer.value is None:
        return []
    if best is itself:
        return [say["no_gain"]]
    low, high = best.answer.interval or (best.answer.value, best.answer.value)
    lead = abs(best.answer.value - itself.answer.value)
    if low <= itself.answer.value <= high:
        return [say["within"].format(lead=f"{lead:.4f}")]
    return []


def _range(bounds: Sequence[float] | None, say: Say) -> str:
    return say["interval"].format(f"{bounds[0]:.3f}", f"{bounds[1]:.3f}") if bounds else ""


def _values(space: Space, best: Record, say: Say) -> Table:
    before = space.before()
    rows = [(p.key, p.describe(), shown(before[p.key]), shown(best.values[p.key])) for p in space.parameters]
    return Table([say[name] for name in ("field", "range", "before", "best")], rows)


def _importance(importances: Mapping[str, float], finished: int, say: Say) -> list[Part]:
    if not importances:
        return [Text(say["no_importance"])]
    shares = {key: 100 * share for key, share in importances.items()}
    parts: list[Part] = [Plot(bar_plot(shares, format="{:.0f} %"), say["importance_plot"])]
    return [Note(say["few"].format(count=finished)), *parts] if finished < FEW else parts


def _all(
    records: Sequence[Record], order: Sequence[Record], space: Space, metric: str, say: Say
) -> list[Part]:
    rest = [record for record in records if record.answer.value is None]
    rows = [_row(record, space, say) for record in [*order, *rest][:MOST]]
    heads = [say["trial"], METRICS[metric], "95 %", say["state"], say["seconds"]]
    table = Table([*heads, *(p.key for p in space.parameters)], rows, decimals=4)
    more = [Text(say["more"].format(count=MOST), faint=True)] if len(records) > MOST else []
    return [table, *more]


def _row(record: Record, space: Space, say: Say) -> list[Cell]:
    answer = record.answer
    state = say[{FAILED: "failed_state"}.get(answer.state, answer.state)]
    if answer.same_as is not None:
        state = say["same"].format(number=answer.same_as)
    if answer.reason:
        state += f": {one_line(answer.reason)}"
    low, high = answer.interval or (None, None)
    between = f"[{low:.3f}, {high:.3f}]" if low is not None else "–"
    values = [shown(record.values.get(p.key, "")) for p in space.parameters]
    return [str(record.number), answer.value, between, state, f"{answer.seconds:.1f}", *values]


def _facts(facts: Mapping[str, Any]) -> Table:
    keys = ("recipe", "data", "rows", "held_out", "split", "test_rows", "seed", "metric", "gallae")
    return Table(("", ""), [(key, written(facts[key])) for key in keys])
