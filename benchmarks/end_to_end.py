"""How long does `gallae train` take on the YNAT headlines, from reading to the saved model?

Each run is a whole command with a fresh cache folder: no morphemes and no Kiwi vectors known.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from common import GALLAE, YNAT, command, data, note, start, table

WANTED = {"fast": 15, "default": 90}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    file = data(YNAT)
    lines = len(file.read_text(encoding="utf-8").splitlines()) - 1
    start("`gallae train` as a whole command", f"YNAT, {lines:,} headlines; median of {options.rounds} runs")
    rows = []
    for recipe, wanted in WANTED.items():
        for cache in ("cold", "warm"):
            found = []
            with tempfile.TemporaryDirectory() as folder:
                for number in range(options.rounds):
                    name = f"cache-{number}" if cache == "cold" else "cache"
                    if cache == "warm" and not number:
                        train(file, recipe, Path(folder, "warming"), Path(folder, name))
                    found.append(train(file, recipe, Path(folder, f"run-{number}"), Path(folder, name)))
                    note(f"{recipe}, {cache}: {found[-1][0]:.1f} s, {found[-1][1]:.0f} MB")
            seconds, peaks, processor = zip(*found, strict=True)
            rows.append(
                [
                    f"{recipe}, {cache} cache",
                    f"{statistics.median(seconds):.1f}",
                    wanted,
                    f"{statistics.median(processor):.1f}",
                    f"{max(peaks):,.0f}",
                ]
            )
            if recipe == "fast":
                break
    table(rows, ["`gallae train`", "seconds", "wanted under", "processor s", "peak MB"])


def train(file: Path, recipe: str, run: Path, cache: Path) -> tuple[float, float, float]:
    arguments = [GALLAE, "train", str(file), "-r", recipe, "-o", str(run), "--quiet"]
    return command(arguments, GALLAE_CACHE=str(cache))


if __name__ == "__main__":
    main()
