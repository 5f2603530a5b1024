"""How much memory do encoders of the usual sizes take, to fine-tune and to predict?

Random weights in the layout of the hub (memory does not ask what they learned), texts of 128 tokens made of
the embedded headlines, two steps. Peak of the whole process.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

from common import GALLAE, command, note, start, table

SIZES = {"base": (768, 12, 12), "large": (1024, 24, 16)}  # hidden, layers, heads
WAYS = {
    "batch 8": ["training.batch_size=8"],
    "batch 32": ["training.batch_size=32"],
    "batch 32, gradient checkpointing": ["training.batch_size=32", "model.gradient_checkpointing=true"],
    "batch 32, LoRA": ["training.batch_size=32", "model.lora.rank=8"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    options = parser.parse_args()
    start("Memory of encoders", "64 texts of 128 tokens; a vocabulary of 32,000")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = write_texts(folder / "texts.csv")
        for size in options.sizes:
            checkpoint = write(folder / size, *SIZES[size])
            for way, fields in WAYS.items():
                run = folder / f"{size}-{way}"
                given = [
                    f"model.checkpoint={checkpoint}",
                    "training.epochs=1",
                    "model.max_length=128",
                    *fields,
                ]
                sets = [part for field in given for part in ("--set", field)]
                note(f"{size}, {way}")
                seconds, peak, _ = command(
                    [GALLAE, "train", str(texts), "-r", "encoder", "-o", str(run), "--quiet", *sets]
                )
                rows.append([f"{size}: fine-tune, {way}", f"{peak:,.0f}", f"{seconds:.0f}"])
            seconds, peak, _ = command([GALLAE, "predict", str(run), str(texts), "--quiet"])
            rows.append([f"{size}: predict", f"{peak:,.0f}", f"{seconds:.0f}"])
    table(rows, ["command", "peak MB", "seconds"])


def write_texts(path: Path) -> Path:
    """Write 64 long texts with labels."""
    from gallae.data import sample

    corpus = sample()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(64):
            parts = [corpus.texts[(number + step) % len(corpus)] for step in range(40)]
            writer.writerow([" ".join(parts), corpus.labels[number]])
    return path


def write(folder: Path, hidden: int, layers: int, heads: int) -> Path:
    """Write a checkpoint of a size, its vocabulary filled up to 32,000."""
    from gallae.data import sample
    from gallae.pretrained.scratch import write_checkpoint

    names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    config = dict(zip(names, (hidden, layers, heads, 4 * hidden), strict=True))
    return write_checkpoint(folder, sample().texts, min_count=1, rows=32_000, **config)


if __name__ == "__main__":
    main()
