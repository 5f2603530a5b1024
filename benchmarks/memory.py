"""How much memory do a million lines take, to predict and to learn from?

The lines are made of real headlines: the first half of one, the second half of another, no two the same.
`default` predicts fewer by default, since it spends minutes of Kiwi on a million; its memory does not grow
with the number of lines (`--lines` sets it).
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from common import GALLAE, YNAT, command, data, note, start, table

MILLION = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=200_000, help="that default predicts")
    parser.add_argument("--only", choices=["fast", "default", "train", "network"], nargs="+")
    parser.add_argument("--network", default="bow-torch", help="the network that learns, one epoch")
    options = parser.parse_args()
    wanted = options.only or ["fast", "default", "train", "network"]
    file = data(YNAT)
    sizes = {"fast": MILLION, "default": options.lines}
    start("Memory for a million lines", "lines recombined from YNAT headlines; peak of the whole process")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for recipe in [recipe for recipe in sizes if recipe in wanted]:
            run, lines = folder / recipe, folder / f"{recipe}.csv"
            write(file, lines, sizes[recipe], labelled=False)
            note(f"training {recipe}")
            command([GALLAE, "train", str(file), "-r", recipe, "-o", str(run), "--quiet"])
            note(f"predicting {sizes[recipe]:,} lines")
            arguments = [GALLAE, "predict", str(run), str(lines), "-o", str(folder / "out.csv")]
            seconds, peak, _ = command([*arguments, "--force", "--quiet"])
            rows.append(
                [f"predict, {recipe}", f"{sizes[recipe]:,}", f"{seconds:.0f}", f"{peak:,.0f}", "1,000"]
            )
        trained = {"train": ("fast", "8,000"), "network": (options.network, "6,000")}
        for name, (recipe, most) in trained.items():
            if name in wanted:
                lines = folder / "labelled.csv"
                write(file, lines, MILLION, labelled=True)
                note(f"training {recipe} on {MILLION:,} lines")
                arguments = [GALLAE, "train", str(lines), "-r", recipe, "-o", str(folder / name), "--quiet"]
                epoch = ["--set", "training.epochs=1"] if name == "network" else []
                seconds, peak, _ = command([*arguments, *epoch])
                rows.append([f"train, {recipe}", f"{MILLION:,}", f"{seconds:.0f}", f"{peak:,.0f}", most])
    table(rows, ["command", "lines", "seconds", "peak MB", "wanted under"])


def write(file: Path, target: Path, count: int, labelled: bool) -> None:
    """Write `count` distinct lines; each has the label of the headline that it begins with."""
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["title", "topic"] if labelled else ["title"])
        for text, label in recombined(file, count):
            writer.writerow([text, label] if labelled else [text])


def recombined(file: Path, count: int) -> Iterator[tuple[str, str]]:
    with file.open(encoding="utf-8", newline="") as handle:
        headlines = [(row["title"], row["topic_idx"]) for row in csv.DictReader(handle)]
    chance, seen = random.Random(42), set()
    while len(seen) < count:
        (first, label), (second, _) = chance.choice(headlines), chance.choice(headlines)
        text = f"{first[: len(first) // 2]}{second[len(second) // 2 :]}"
        key = hash(text)
        if key not in seen:
            seen.add(key)
            yield text, label


if __name__ == "__main__":
    main()
