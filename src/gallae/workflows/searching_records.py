"""What is known of a search's trials that have ended, and the table of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FACTS, TABLE, BEST, JOURNAL, TESTED = "search.json", "trials.csv", "best.toml", "trials.log", "best"
FINISHED, PRUNED, FAILED = "finished", "pruned", "failed"
METRICS = {
    "macro_f1": "macro-F1",
    "accuracy": "accuracy",
    "log_loss": "log loss",
    "micro_f1": "micro-F1",
    "subset_accuracy": "subset accuracy",
}
SMALLER_IS_BETTER = ("log_loss",)
OF_SEVERAL_LABELS = ("micro_f1", "subset_accuracy")


@dataclass(frozen=True)
class Answer:
    """How a trial ended.

    Attributes:
        state: "finished", "pruned" or "failed".
        value: Its figure on the held-out rows, if it finished.
        interval: The figure's 95 % interval, (low, high).
        seconds: Wall time.
        reason: Why it failed.
        same_as: An earlier trial of the same values, whose answer was taken over.
    """

    state: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    seconds: float = 0.0
    reason: str = ""
    same_as: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "state": self.state,
            "value": self.value,
            "interval": list(self.interval) if self.interval else None,
            "seconds": round(self.seconds, 3),
            "reason": self.reason,
            "same_as": self.same_as,
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Answer:
        """Return what `to_json` wrote."""
        interval = facts["interval"]
        return cls(**{**facts, "interval": (interval[0], interval[1]) if interval else None})


@dataclass(frozen=True)
class Record:
    """A trial that has ended.

    Attributes:
        number: From 0.
        values: What was tried, by dotted key.
        answer: How it ended.
    """

    number: int
    values: dict[str, Any]
    answer: Answer


def best_of(records: Sequence[Record], metric: str) -> Record | None:
    """Return the best finished trial, the earliest of equals; None if none has finished."""
    return next(iter(ranked(records, metric)), None)


def ranked(records: Sequence[Record], metric: str) -> list[Record]:
    """Return the finished trials, the best first."""
    sign = 1 if metric in SMALLER_IS_BETTER else -1
    found = [(sign * r.answer.value, r.number, r) for r in records if r.answer.value is not None]
    return [record for _, _, record in sorted(found, key=lambda item: item[:2])]


def recipe_itself(records: Sequence[Record], before: Mapping[str, Any]) -> Record | None:
    """Return trial 0, if it has ended and is the recipe as it was."""
    first = next(iter(records), None)
    return first if first is not None and first.number == 0 and first.values == before else None


def counts(records: Sequence[Record]) -> dict[str, int]:
    """Return how many trials ended in each way."""
    return {state: sum(r.answer.state == state for r in records) for state in (FINISHED, PRUNED, FAILED)}


def trials_table(records: Sequence[Record], keys: Sequence[str], metric: str) -> pd.DataFrame:
    """Return the trials as trials.csv has them.

    Columns: trial, state, the metric with its 95 % interval (_low, _high), seconds, same_as, the fields
    that vary (lists as JSON), reason.
    """
    import pandas as pd

    rows = []
    for record in records:
        answer = record.answer
        low, high = answer.interval or (None, None)
        head = {"trial": record.number, "state": answer.state, metric: answer.value}
        head |= {f"{metric}_low": low, f"{metric}_high": high, "seconds": round(answer.seconds, 3)}
        head["same_as"] = answer.same_as
        values = {key: plain(record.values.get(key)) for key in keys}
        rows.append({**head, **values, "reason": answer.reason})
    columns = ["trial", "state", metric, f"{metric}_low", f"{metric}_high", "seconds", "same_as"]
    table = pd.DataFrame(rows, columns=[*columns, *keys, "reason"])
    return table.astype({"same_as": "Int64"})


def plain(value: Any) -> Any:
    """Return a value as a table holds it: lists and tables as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def shown(value: Any) -> str:
    """Return a value for a person to read, real numbers with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(plain(value))


def trial_line(record: Record, best: Record | None, metric: str) -> str:
    """Return a trial that has ended as a line for a terminal."""
    answer, name = record.answer, f"trial {record.number}"
    values = "; ".join(f"{key} = {shown(value)}" for key, value in record.values.items())
    if answer.state == FAILED:
        return f"{name} failed: {answer.reason} ({values})"
    if answer.state == PRUNED:
        return f"{name} given up after {answer.seconds:.1f} s ({values})"
    lead = "the best so far" if best is record else f"best {best.answer.value:.4f}" if best else ""
    took = f"as trial {answer.same_as}" if answer.same_as is not None else f"{answer.seconds:.1f} s"
    return f"{name}: {METRICS[metric]} {answer.value:.4f}, {lead}, {took} ({values})"
