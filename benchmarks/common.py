"""What the benchmarks share: the data, clocks, whole commands with their peak memory, tables.

Every benchmark is run as `python benchmarks/NAME.py`, with GALLAE_DATA naming the folder of the data sets.
Nothing heavy is imported here: a child process's peak memory would count its parent's.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from gallae.data import Corpus

DATA = Path(os.environ.get("GALLAE_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
YNAT = "ynat/train_data.csv"
YNAT_TEST = "ynat/test_data.csv"
NSMC = "nsmc/ratings_train.txt"
NSMC_TEST = "nsmc/ratings_test.txt"
AG_NEWS = "ag_news/train_part.csv"
GALLAE = str(Path(sys.executable).with_name("gallae"))


def data(name: str) -> Path:
    """Return a data set's file, or end with a message."""
    path = DATA / name
    if not path.is_file():
        sys.exit(f"There is no {name} in {DATA}. Set GALLAE_DATA to the folder of the data sets.")
    return path


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start(question: str, size: str) -> None:
    """Say what is measured, on what."""
    packages = ("gallae", "scikit-learn", "numpy", "kiwipiepy")
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(f"# {question}")
    print(f"{time.strftime('%Y-%m-%d')}, {cores()} cores ({platform.machine()}), load {load} at the start, "
          f"Python {platform.python_version()}, "
          + ", ".join(f"{name} {version(name)}" for name in packages))  # fmt: skip
    print(f"data: {size}\n", flush=True)


def table(rows: Sequence[Sequence[Any]], header: Sequence[str]) -> None:
    """Print a Markdown table, the first column to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        first = row[0].ljust(widths[0])
        return (
            "| " + " | ".join([first, *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]) + " |"
        )

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (w + 1) + ":" for w in widths[1:])]) + "|"
    print("\n".join([line(cells[0]), rule, *map(line, cells[1:]), ""]), flush=True)


def note(text: str) -> None:
    """Say on standard error how far it is."""
    print(text, file=sys.stderr, flush=True)


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a call takes, and its result."""
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def alternate(functions: Sequence[Callable[[], Any]], rounds: int) -> tuple[list[list[float]], list[Any]]:
    """Time functions in turn, A B A B, so that a busy machine is as busy for each.

    Returns:
        The seconds of each function's rounds, and the last results.
    """
    seconds: list[list[float]] = [[] for _ in functions]
    results: list[Any] = [None] * len(functions)
    for _ in range(rounds):
        for number, function in enumerate(functions):
            results[number] = None
            spent, results[number] = timed(function)
            seconds[number].append(spent)
    return seconds, results


def ratio(a: Sequence[float], b: Sequence[float]) -> str:
    """Return the median of the rounds' ratios a / b, with the lowest and the highest."""
    ratios = sorted(x / y for x, y in zip(a, b, strict=True))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


# Python 3's own start is 10 MB: what it starts begins to count its memory there, not at this process's.
_LAUNCHER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
child = subprocess.Popen(sys.argv[2:], stdout=open(sys.argv[1], "wb"))
_, status, used = os.wait4(child.pid, 0)
seconds = time.perf_counter() - started
print(json.dumps([seconds, used.ru_maxrss, os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime]))
"""


def command(
    arguments: Sequence[str], output: str = os.devnull, **environment: str
) -> tuple[float, float, float]:
    """Run a command in a process of its own.

    Args:
        arguments: The command; its standard output goes to the file `output`.
        output: A file.
        environment: Variables that it gets besides ours.

    Returns:
        Seconds, peak memory in MB (2**20 bytes), and seconds of processor time.
    """
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, output, *map(str, arguments)]
    done = subprocess.run(launcher, stdout=subprocess.PIPE, env={**os.environ, **environment}, check=True)
    seconds, peak, code, processor = json.loads(done.stdout)
    if code:
        sys.exit(f"{' '.join(map(str, arguments))} ended with code {code}.")
    return seconds, peak / (2**20 if sys.platform == "darwin" else 2**10), processor


def read(name: str) -> Corpus:
    """Read a data set."""
    from gallae.data import read as read_corpus

    return read_corpus(data(name))


def random_fifth(corpus: Corpus, seed: int = 42) -> tuple[Corpus, Corpus]:
    """Hold out a stratified fifth; return what is left and it."""
    from gallae.data import holdout

    train, valid = holdout(corpus, 0.2, seed)
    return corpus.take(train), corpus.take(valid)


def figures(gold: Sequence[str], predicted: Sequence[str]) -> tuple[float, float]:
    """Return accuracy and macro-F1."""
    from sklearn.metrics import accuracy_score, f1_score

    return float(accuracy_score(gold, predicted)), float(f1_score(gold, predicted, average="macro"))


def most_likely(classes: np.ndarray, probabilities: np.ndarray) -> list[str]:
    """Return the label of each row's highest probability."""
    return [str(label) for label in classes[probabilities.argmax(axis=1)]]
