"""Does pretraining keep up with a bare loop over the same network and batches?

    python benchmarks/pretraining.py --corpus corpus.txt --tokenizer FOLDER --recipe electra

Both learn from the same batches in turns, several times, and each is told by its fastest. The engine counts
and writes its history; the loop does nothing but forward, backward, clip and step. On a processor it is its
time that counts, since others may use the machine.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from common import start, table

from gallae.pretraining.batches import Batches
from gallae.pretraining.corpora import parse_sources
from gallae.pretraining.encoding import encode, hold_out
from gallae.pretraining.engine import Pretraining
from gallae.pretraining.networks import find_tokenizer
from gallae.pretraining.objectives import find_objective
from gallae.pretraining.recipe import pretraining_recipe
from gallae.training.devices import find_device, use_bf16
from gallae.training.seeding import isolated


def clock(device: torch.device) -> float:
    """Return the seconds of now."""
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def bare(objective: Any, batches: Batches, options: Any, steps: int) -> float:
    """Return the seconds of a bare loop."""
    device = find_device(options.device)
    network = objective.network.to(device).train()
    weights = list(network.parameters())
    optimizer = torch.optim.AdamW(
        weights, options.learning_rate, options.betas, weight_decay=options.weight_decay, fused=True
    )
    bf16 = use_bf16(options.precision, device)
    started = clock(device)
    for number in range(steps):
        batch = objective.collate(batches.rows(number), batches.rng(number))
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            loss = network(**{name: value.to(device) for name, value in batch.items()})["loss"]
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, options.max_grad_norm)
        optimizer.step()
    return clock(device) - started


def engine(objective: Any, batches: Batches, held: Any, recipe: Any, folder: Path) -> float:
    """Return the seconds of our engine."""
    device = find_device(recipe.training.device)
    started = clock(device)
    Pretraining(objective, batches, held, recipe.training, recipe.seed, folder).run()
    return clock(device) - started


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpus", nargs="+", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--recipe", nargs="+", default=["mlm", "electra"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", nargs="*", default=[])
    told = parser.parse_args()
    start("Pretraining against a bare loop", ", ".join(Path(name).name for name in told.corpus))
    rows = []
    for name in told.recipe:
        overrides = [*told.set, f"training.steps={told.steps}"]
        recipe = pretraining_recipe(name, overrides, tokenizer=told.tokenizer)
        tokenizer = find_tokenizer(recipe)
        with tempfile.TemporaryDirectory() as place, isolated(recipe.seed):
            encoded = encode(parse_sources(told.corpus), tokenizer, Path(place) / "corpus")
            train, held = hold_out(encoded, recipe.corpus.held_out, recipe.seed)
            size = recipe.training.batch_tokens
            batches = Batches(train, recipe.corpus, size, recipe.seed)
            measured = held and Batches(held, recipe.corpus, size, recipe.seed)
            tokens = sum(map(batches.n_tokens, range(told.steps)))
            objective = find_objective(recipe.objective.kind)(recipe, tokenizer, recipe.seed)
            best = {"loop": float("inf"), "engine": float("inf"), "engine, measuring": float("inf")}
            for turn in range(told.rounds):
                seconds = {
                    "loop": bare(objective, batches, recipe.training, told.steps),
                    "engine": engine(objective, batches, None, recipe, Path(place) / f"{turn}"),
                    "engine, measuring": engine(
                        objective, batches, measured, recipe, Path(place) / f"m{turn}"
                    ),
                }
                best = {key: min(best[key], seconds[key]) for key in best}
        speeds = {key: tokens / value for key, value in best.items()}
        rows.append(
            [
                name,
                *(f"{speed:,.0f}" for speed in speeds.values()),
                f"{speeds['engine'] / speeds['loop']:.2f}",
            ]
        )
    table(rows, ["recipe", *(f"{key}, tokens/s" for key in best), "engine : loop"])


if __name__ == "__main__":
    main()
