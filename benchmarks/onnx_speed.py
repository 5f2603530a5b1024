"""How fast is a Transformer encoder on the processor: torch, ONNX Runtime, and ONNX Runtime with 8 bits?

Two BERTs with random weights (speed does not depend on them), the same threads for all, in one run and in
turn. Texts are of random words, sorted by length into batches as `gallae predict` does: of 1,024 tokens for
torch, of 512 for ONNX Runtime. Only the network is timed.

    python benchmarks/onnx_speed.py [--size small|base|both] [--threads 1] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
from functools import partial
from typing import Any

import numpy as np
from common import alternate, note, ratio, start, table, timed

SIZES = {
    "small": ("6 layers of 384 (MiniLM)", 6, 384, 1536),
    "base": ("12 layers of 768 (BERT-base)", 12, 768, 3072),
}
LENGTHS = {"headlines": (20, 6), "texts": (60, 20)}
ROWS = {"small": 256, "base": 64}
WORDS = 8000


def random_texts(count: int, mean: int, spread: int) -> list[str]:
    generator = np.random.default_rng(0)
    lengths = np.clip(generator.normal(mean, spread, count).round(), 4, 120).astype(int)
    return [" ".join(f"w{number}" for number in generator.integers(0, WORDS, length)) for length in lengths]


def network(layers: int, hidden: int, feed_forward: int, threads: int) -> tuple[Any, dict[str, Any]]:
    """Return inputs, and what computes logits of rows, by name."""
    import torch

    from gallae.models.neural import NeuralClassifier
    from gallae.models.onnx_export import exported
    from gallae.models.parts import set_threads

    config = {"model_type": "bert", "num_hidden_layers": layers, "hidden_size": hidden}
    config |= {"num_attention_heads": 12, "intermediate_size": feed_forward}
    options = {"family": "from_config", "config": config, "unit": "word", "min_count": 1}
    model = NeuralClassifier(options, {"track": "none", "device": "cpu"})
    texts = [f"w{number}" for number in range(WORDS)]
    model.prepare(texts, [str(number % 7) for number in range(WORDS)])
    seconds, (whole, _) = timed(lambda: exported(model))
    note(f"exported and checked in {seconds:.0f} seconds")
    bits = exported(model, int8=True)[0]
    for made in (model, whole, bits):
        set_threads(made, threads)

    def bf16(rows: Any) -> np.ndarray:
        with torch.autocast("cpu", torch.bfloat16):
            return model.logits_of(rows)

    ways = {"torch float32": model.logits_of, "torch bfloat16": bf16}
    return model.inputs_, ways | {"ONNX float32": whole.logits_of, "ONNX int8": bits.logits_of}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=[*SIZES, "both"], default="both")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for size in SIZES if options.size == "both" else [options.size]:
        title, *shape = SIZES[size]
        start(title, f"{ROWS[size]} texts, {options.threads} thread(s), {options.rounds} rounds in turn")
        inputs, ways = network(*shape, options.threads)
        lines = []
        for kind, (mean, spread) in LENGTHS.items():
            rows = inputs.transform(random_texts(ROWS[size], mean, spread))
            seconds, _ = alternate([partial(way, rows) for way in ways.values()], options.rounds)
            about = f"{kind}, {rows.lengths.mean():.0f} tokens"
            for name, spent in zip(ways, seconds, strict=True):
                speed = len(rows) / statistics.median(spent)
                lines.append([about, name, f"{speed:.0f}", ratio(seconds[0], spent)])
        table(lines, ["texts", "computed by", "texts a second", "times torch float32"])


if __name__ == "__main__":
    main()
