"""How fast is the bundled headline classifier, beside an encoder of BERT-base's size in 8 bits?

From raw text to label: tokens, network and all, on YNAT's unlabelled titles. The encoder has random weights
(speed does not depend on them) and a tokenizer trained on the same titles, and is exported as any other; both
run in ONNX Runtime, in one process, in turn. Also: seconds to load, and milliseconds of one warm record.

    python benchmarks/bundled.py [--rows 8192] [--rounds 3] [--model headlines]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import YNAT_TEST, alternate, data, ratio, start, table, timed

import gallae

_LOAD = """
import time
started = time.perf_counter()
import gallae
gallae.load({!r}).predict(["한은 기준금리 동결"])
print(time.perf_counter() - started)
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="headlines")
    options = parser.parse_args()
    texts = gallae.read(data(YNAT_TEST), labels="optional").texts[: options.rows]
    start("The bundled classifier", f"{len(texts):,} headlines, {options.rounds} rounds in turn")
    bundled = gallae.load(options.model)
    with tempfile.TemporaryDirectory() as folder:
        base = base_sized(texts, Path(folder))
    few = texts[: max(256, len(texts) // 16)]
    ways = [lambda: bundled.predict(texts), lambda: base.predict(few)]
    seconds, _ = alternate(ways, options.rounds)
    each = [
        [spent / len(given) for spent in times] for times, given in zip(seconds, (texts, few), strict=True)
    ]
    names = (f"bundled: {options.model}", "12 layers of 768, int8")
    table(
        [
            [name, f"{1 / statistics.median(own):,.0f}", ratio(each[1], own)]
            for name, own in zip(names, each, strict=True)
        ],
        ["model", "headlines a second", "times BERT-base int8"],
    )
    single = [1000 * timed(lambda text=text: bundled.predict([text]))[0] for text in texts[:500]]
    loads = [
        float(
            subprocess.run(
                [sys.executable, "-c", _LOAD.format(options.model)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for _ in range(options.rounds)
    ]
    table(
        [
            ["one warm record, median", f"{statistics.median(single):.2f} ms"],
            ["one warm record, 99th percentile", f"{sorted(single)[int(0.99 * len(single))]:.2f} ms"],
            ["import, load and the first prediction", f"{statistics.median(loads):.2f} s"],
        ],
        ["bundled", ""],
    )


def base_sized(texts: list[str], folder: Path) -> Any:
    """Return an exported classifier of BERT-base's size."""
    from gallae.models.neural import NeuralClassifier
    from gallae.models.onnx_export import exported

    config = {"model_type": "bert", "num_hidden_layers": 12, "hidden_size": 768, "num_attention_heads": 12}
    options = {"family": "from_config", "config": config, "unit": "wordpiece", "vocabulary": 16_000}
    model = NeuralClassifier(options, {"track": "none", "device": "cpu"})
    model.prepare(texts, [str(number % 7) for number in range(len(texts))])
    return exported(model, int8=True)[0]


if __name__ == "__main__":
    main()
