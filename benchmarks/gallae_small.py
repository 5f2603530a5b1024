"""What does gallae-small know? Four tasks, its weights beside random ones of the same architecture.

Both begin with the same tokenizer, and are trained in the same way; every figure has its 95 % interval.
YNAT: a random stratified fifth is held out (seed 42). NSMC: `--rows` of its training file to learn from, all
of its test file. NER and similarity: their own test files.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from common import NSMC, NSMC_TEST, YNAT, data, note, start, table, timed

import gallae
from gallae.workflows.tasks import train_task

KORNLU, KMOU = "kornlu/sts-{}.tsv", "ner_kmou_2016klp/ner.{}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default="gallae-small")
    parser.add_argument("--rows", type=int, default=30_000, help="of NSMC to learn from")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    options = parser.parse_args()
    start("gallae-small and random weights", f"NSMC with {options.rows:,} rows to learn from")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        random = random_weights(options.checkpoint, Path(folder) / "random")
        for task in options.tasks:
            for name, checkpoint in (("pretrained", options.checkpoint), ("random", str(random))):
                out = Path(folder) / f"{task}-{name}"
                seconds, (figure, value, interval) = timed(
                    partial(TASKS[task], checkpoint, out, options.rows)
                )
                note(f"{task}, {name}: {value:.4f}, {seconds:.0f} s")
                between = "-".join(f"{end:.4f}" for end in interval)
                rows.append([task, name, figure, f"{value:.4f}", between, f"{seconds:.0f}"])
    table(rows, ["task", "weights", "figure", "value", "95 %", "seconds"])


def random_weights(checkpoint: str, folder: Path) -> Path:
    """Write the checkpoint's architecture and tokenizer with random weights."""
    import transformers

    from gallae.pretrained.finding import resolve
    from gallae.pretrained.loading import load_config
    from gallae.pretrained.scratch import write_checkpoint
    from gallae.pretrained.tokenizing import load_tokenizer

    source = resolve(checkpoint)
    transformers.logging.set_verbosity_error()
    config = load_config(source)
    return write_checkpoint(folder, [], config.model_type, load_tokenizer(source), **sizes(config))


def sizes(config: Any) -> dict[str, Any]:
    """Return what differs from the architecture's defaults, but for what the tokenizer says."""
    given = config.to_diff_dict()
    unsaid = ("model_type", "architectures", "dtype", "transformers_version", "vocab_size")
    return {key: value for key, value in given.items() if key not in unsaid and not key.endswith("token_id")}


def ynat(checkpoint: str, out: Path, rows: int) -> tuple[str, float, Any]:
    found = classify(data(YNAT), checkpoint, out, holdout=0.2)
    return "macro-F1", found["macro_f1"], found["macro_f1_interval"]


def nsmc(checkpoint: str, out: Path, rows: int) -> tuple[str, float, Any]:
    corpus = gallae.read(data(NSMC))
    some = corpus.take(range(0, len(corpus), max(1, len(corpus) // rows))).take(range(rows))
    found = classify(some, checkpoint, out, valid=data(NSMC_TEST))
    return "accuracy", found["accuracy"], found["accuracy_interval"]


def classify(corpus: Any, checkpoint: str, out: Path, **held: Any) -> dict[str, Any]:
    given = [f"model.checkpoint='{checkpoint}'"]
    return gallae.train(corpus, "gallae-small", overrides=given, output=out, report=False, **held).metrics


def ner(checkpoint: str, out: Path, rows: int) -> tuple[str, float, Any]:
    files = {"data": data(KMOU.format("train")), "valid": data(KMOU.format("test"))}
    given = ["training.learning_rate=5e-4", "training.epochs=6", "replaced=1"]
    found = train_task("ner", checkpoint=checkpoint, output=out, overrides=given, **files).metrics
    return "entity F1", found["f1"], found["f1_interval"]


def similarity(checkpoint: str, out: Path, rows: int) -> tuple[str, float, Any]:
    files = {"data": data(KORNLU.format("train")), "valid": data(KORNLU.format("test"))}
    given = ["training.learning_rate=3e-4", "head=siamese"]
    found = train_task("similarity", checkpoint=checkpoint, output=out, overrides=given, **files).metrics
    return "Pearson", found["pearson"], found["pearson_interval"]


TASKS = {"ynat": ynat, "nsmc": nsmc, "ner": ner, "similarity": similarity}

if __name__ == "__main__":
    main()
