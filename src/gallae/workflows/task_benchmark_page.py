"""The benchmark's table: for a program, for a terminal, and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gallae import __version__
from gallae.evaluation.page import Part, Plot, Section, Table, Text, page
from gallae.evaluation.plots import model_plot

if TYPE_CHECKING:
    import pandas as pd

_WORDS = {
    "en": {
        "title": "Checkpoints ({}) on tasks ({})",
        "table": "Table",
        "checkpoint": "checkpoint",
        "parameters": "parameters",
        "seconds": "seconds",
        "failed": "failed",
        "interval": "95 % interval",
        "baseline": "{}: {:.3f}",
        "measured": "Trained on {:,} examples, measured on {:,} ({}).",
        "facts": "Seed {}. Each checkpoint is fine-tuned for every task. A cell is the task's main figure "
        "with its 95 % interval. Seconds are those of fine-tuning, on this machine.",
        "errors": "What failed",
        "reason": "reason",
        "task": "task",
    },
    "ko": {
        "title": "체크포인트 {}개, 과제 {}개",
        "table": "표",
        "checkpoint": "체크포인트",
        "parameters": "매개변수",
        "seconds": "초",
        "failed": "실패",
        "interval": "95 % 구간",
        "baseline": "{}: {:.3f}",
        "measured": "{:,}건으로 학습하고 {:,}건으로 측정했습니다 ({}).",
        "facts": "시드 {}. 체크포인트마다 모든 과제에 미세 조정했습니다. 칸에는 과제의 주 지표와 95 % 구간이 "
        "있습니다. 초는 이 컴퓨터에서 미세 조정에 걸린 시간입니다.",
        "errors": "실패한 칸",
        "reason": "까닭",
        "task": "과제",
    },
}
Cell = Mapping[str, Any]


def _ordered(cells: Sequence[Cell], key: str) -> list[str]:
    return list(dict.fromkeys(cell[key] for cell in cells))


def _at(cells: Sequence[Cell], checkpoint: str, task: str) -> Cell:
    return next(cell for cell in cells if (cell["checkpoint"], cell["task"]) == (checkpoint, task))


def _parameters(cells: Sequence[Cell], checkpoint: str) -> int | None:
    """Return the weights of a checkpoint under its first head that worked."""
    sizes = [
        cell["parameters"] for cell in cells if cell["checkpoint"] == checkpoint and "parameters" in cell
    ]
    return sizes[0] if sizes else None


def benchmark_table(cells: Sequence[Cell]) -> pd.DataFrame:
    """Return a row a checkpoint; what failed is empty.

    Columns: checkpoint, parameters, and for each task TASK, TASK_low, TASK_high and TASK_seconds.
    """
    import pandas as pd

    rows = []
    for name in _ordered(cells, "checkpoint"):
        row: dict[str, Any] = {"checkpoint": name, "parameters": _parameters(cells, name)}
        for task in _ordered(cells, "task"):
            cell = _at(cells, name, task)
            low, high = cell.get("interval", (None, None))
            row |= {task: cell.get("value"), f"{task}_low": low, f"{task}_high": high}
            row[f"{task}_seconds"] = cell.get("fit_seconds")
        rows.append(row)
    return pd.DataFrame(rows)


def benchmark_lines(cells: Sequence[Cell]) -> list[str]:
    """Return the table as lines for a terminal, and what failed."""
    tasks, names = _ordered(cells, "task"), _ordered(cells, "checkpoint")
    width = max(10, *map(len, names))
    head = [f"{'checkpoint':<{width}}{'weights':>13}", *(f"{task:>26}" for task in tasks), f"{'seconds':>9}"]
    lines = ["".join(head)]
    for name in names:
        own = [_at(cells, name, task) for task in tasks]
        parameters = _parameters(cells, name)
        seconds = sum(cell.get("fit_seconds", 0.0) for cell in own)
        texts = [f"{name:<{width}}{'-' if parameters is None else f'{parameters:,}':>13}"]
        texts += [f"{_written(cell):>26}" for cell in own]
        lines.append("".join([*texts, f"{seconds:>9.1f}"]))
    lines += [f"{c['checkpoint']} on {c['task']} failed: {c['error']}" for c in cells if "error" in c]
    return lines


def _written(cell: Cell) -> str:
    if "error" in cell:
        return "failed"
    low, high = cell["interval"]
    return f"{cell['value']:.3f} [{low:.3f}, {high:.3f}]"


def benchmark_page(
    cells: Sequence[Cell], splits: Mapping[str, Mapping[str, Any]], seed: int, language: str = "en"
) -> str:
    """Return the benchmark as an HTML page.

    Args:
        cells: As `gallae.workflows.task_benchmark.TaskBenchmark` has them.
        splits: Task to "split", "trained_on" and "n".
        seed: Of everything.
        language: "en" or "ko".
    """
    say = _WORDS[language]
    tasks, names = _ordered(cells, "task"), _ordered(cells, "checkpoint")
    rows = []
    for name in names:
        own = [_at(cells, name, task) for task in tasks]
        seconds = sum(cell.get("fit_seconds", 0.0) for cell in own)
        texts = [say["failed"] if "error" in cell else _written(cell) for cell in own]
        rows.append([name, _parameters(cells, name), *texts, round(seconds, 1)])
    columns = [say["checkpoint"], say["parameters"], *tasks, say["seconds"]]
    sections = [Section(say["table"], [Text(say["facts"].format(seed)), Table(columns, rows, decimals=1)])]
    sections += [_task_section(task, cells, splits[task], say) for task in tasks]
    failed = [[cell["checkpoint"], cell["task"], cell["error"]] for cell in cells if "error" in cell]
    if failed:
        heads = [say["checkpoint"], say["task"], say["reason"]]
        sections.append(Section(say["errors"], [Table(heads, failed)]))
    title = say["title"].format(len(names), len(tasks))
    return page(title, sections, language, footer=f"gallae {__version__}")


def _task_section(
    task: str, cells: Sequence[Cell], split: Mapping[str, Any], say: Mapping[str, str]
) -> Section:
    done = [cell for cell in cells if cell["task"] == task and "error" not in cell]
    parts: list[Part] = [Text(say["measured"].format(split["trained_on"], split["n"], split["split"]))]
    if not done:
        return Section(task, parts)
    figure, baseline = done[0]["figure"], done[0]["baseline"]
    models = [{"name": c["checkpoint"], "value": c["value"], "value_interval": c["interval"]} for c in done]
    parts.append(Plot(model_plot(models, figure="value", label=figure)))
    if baseline["value"] is not None:
        parts.append(Text(say["baseline"].format(baseline["name"], baseline["value"])))
    rows = [
        [c["checkpoint"], c["value"], f"[{c['interval'][0]:.3f}, {c['interval'][1]:.3f}]", c["fit_seconds"]]
        for c in done
    ]
    parts.append(Table([say["checkpoint"], figure, say["interval"], say["seconds"]], rows))
    return Section(task, parts)
