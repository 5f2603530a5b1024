"""How fast are predictions: many at once, one by one, and from a cold start?

The models are trained on the YNAT headlines and predict the same ones, which no cache helps. Kiwi alone is
`Kiwi.tokenize` over the same headlines with as many threads, once with its tokens left untouched and once
with the form and tag of each read, as any use of them must.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from common import GALLAE, YNAT, YNAT_TEST, alternate, command, cores, data, note, ratio, start, table

BARE = (sys.executable, "-c", "pass")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    train, test = data(YNAT), data(YNAT_TEST)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for recipe in ("fast", "default"):
            note(f"training {recipe}")
            command([GALLAE, "train", str(train), "-r", recipe, "-o", str(folder / recipe), "--quiet"])
        start_up(options.rounds * 4)
        commands(folder, train, options.rounds)
        many(folder, train, options.rounds)
        single(folder, test)


def start_up(rounds: int) -> None:
    start("Starting", f"medians of {rounds} starts in turn")
    asked = {
        "bare Python": (BARE, None),
        "`import gallae`": ((sys.executable, "-c", "import gallae"), 0.3),
        "`gallae --help`": ((GALLAE, "--help"), 0.5),
    }
    runs = [lambda a=arguments: subprocess.run(a, stdout=subprocess.DEVNULL, check=True)
            for arguments, _ in asked.values()]  # fmt: skip
    seconds = [statistics.median(times) for times in alternate(runs, rounds)[0]]
    table(
        [
            [name, f"{spent:.3f}", f"{spent - seconds[0]:.3f}", wanted or ""]
            for (name, (_, wanted)), spent in zip(asked.items(), seconds, strict=True)
        ],
        ["", "seconds", "over bare Python", "wanted under"],
    )


def commands(folder: Path, file: Path, rounds: int) -> None:
    """`gallae predict` on a file, with its start and without (the time for one line taken off)."""
    lines = file.read_text(encoding="utf-8").splitlines()
    one = folder / "one.csv"
    one.write_text("\n".join(lines[:2]) + "\n", encoding="utf-8")
    count = len(lines) - 1
    start("`gallae predict` on a file", f"{count:,} headlines; median of {rounds} rounds in turn")
    rows = []
    for recipe in ("fast", "default"):
        runs = [lambda f=f, r=recipe: command([GALLAE, "predict", str(folder / r), str(f), "-o",
                                               str(folder / "out.csv"), "--force", "--quiet"])
                for f in (file, one)]  # fmt: skip
        (whole, short), (result, _) = alternate(runs, rounds)
        middle, begin = statistics.median(whole), statistics.median(short)
        rows.append(
            [
                recipe,
                f"{middle:.2f}",
                f"{begin:.2f}",
                f"{count / middle:,.0f}",
                f"{count / (middle - begin):,.0f}",
                f"{result[1]:,.0f}",
            ]
        )
    header = ["model", "seconds", "of them start", "headlines/s", "without the start", "peak MB"]
    table(rows, header)


def many(folder: Path, file: Path, rounds: int) -> None:
    """`predict_proba` in one process, beside Kiwi alone."""
    import gallae

    texts = gallae.read(file).texts
    start("`predict_proba` on many headlines", f"{len(texts):,} headlines; median of {rounds} rounds in turn")
    fast, default = gallae.load(folder / "fast"), gallae.load(folder / "default")
    functions: dict[str, Callable[[], Any]] = {
        "fast": lambda: fast.predict_proba(texts),
        "default": lambda: default.predict_proba(texts),
        **kiwi_alone(texts),
    }
    for function in functions.values():
        function()
    seconds = dict(zip(functions, alternate(list(functions.values()), rounds)[0], strict=True))
    rows = []
    for name, spent in seconds.items():
        rate = f"{len(texts) / statistics.median(spent):,.0f}"
        rates = [ratio(seconds[kiwi], spent) if name == "default" else "" for kiwi in list(seconds)[2:]]
        rows.append([name, rate, "15,000" if name == "fast" else "", *rates])
    shares = [f"share of {name}" for name in list(seconds)[2:]]
    table(rows, ["", "headlines/s", "wanted", *shares])
    print("`default` is wanted at 0.80 or more of Kiwi alone.\n")


def kiwi_alone(texts: Sequence[str]) -> dict[str, Callable[[], Any]]:
    from kiwipiepy import Kiwi

    kiwi = Kiwi(num_workers=cores(), load_multi_dict=False)

    def untouched() -> int:
        return sum(len(tokens) for tokens in kiwi.tokenize(texts))

    def read() -> list[Any]:
        return [[(token.form, token.tag) for token in tokens] for tokens in kiwi.tokenize(texts)]

    return {"Kiwi, tokens untouched": untouched, "Kiwi, form and tag read": read}


def single(folder: Path, file: Path) -> None:
    """One warm record at a time."""
    import gallae

    texts = gallae.read(file, labels="none").texts[:1100]
    start("One warm record", "1,000 single calls after 100")
    rows = []
    for recipe, wanted in (("fast", 1), ("default", 3)):
        model = gallae.load(folder / recipe)
        spent = []
        for text in texts:
            began = time.perf_counter()
            model.predict_proba([text])
            spent.append((time.perf_counter() - began) * 1000)
        spent = sorted(spent[100:])
        rows.append([recipe, f"{statistics.median(spent):.2f}", wanted, f"{spent[949]:.2f}"])
    table(rows, ["model", "median ms", "wanted under", "95th percentile ms"])


if __name__ == "__main__":
    main()
