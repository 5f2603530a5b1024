"""Training throughput of `textcnn` and `bilstm` beside a plain PyTorch loop with the same sizes.

The plain loop does it the usual way (as simple-ntc does): random batches, padded, float32, Adam, the
gradients of the whole embedding; once every batch padded to the corpus's longest text, once to its own.
"gallae without Trainer" is our own training in a bare loop, for what Trainer costs.

    python benchmarks/padded_loop.py DATA [--recipe textcnn] [--rows 20000] [--repeat 3]
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

import numpy as np
import torch
from torch import nn

import gallae
from gallae.models.architectures.factory import make_network
from gallae.models.architectures.options import FAMILIES
from gallae.recipes import find_recipe
from gallae.text import TextPipeline
from gallae.text.token_ids import TokenIds
from gallae.training.batches import Examples
from gallae.training.engine import Training
from gallae.training.inference import logits
from gallae.training.objective import Objective
from gallae.training.optimizers import clip_gradients, make_optimizer
from gallae.training.options import TrainingOptions
from gallae.training.samplers import make_batches
from gallae.training.schedules import make_schedule


class PlainCnn(nn.Module):
    """Kim's network as most write it."""

    def __init__(self, vocabulary: int, width: int, windows: list[int], filters: int, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=0)
        self.convolutions = nn.ModuleList(nn.Conv2d(1, filters, (w, width)) for w in windows)
        self.dropout, self.out = nn.Dropout(0.5), nn.Linear(filters * len(windows), classes)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return logits of padded ids."""
        ids = nn.functional.pad(ids, (0, max(0, 8 - ids.shape[1])))
        x = self.embedding(ids).unsqueeze(1)
        found = [torch.relu(c(x)).squeeze(3).amax(2) for c in self.convolutions]
        return self.out(self.dropout(torch.cat(found, 1)))


class PlainLstm(nn.Module):
    """A bidirectional LSTM over the padding, the last step's answer."""

    def __init__(self, vocabulary: int, width: int, hidden: int, layers: int, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=0)
        self.lstm = nn.LSTM(width, hidden, layers, batch_first=True, bidirectional=True)
        self.dropout, self.out = nn.Dropout(0.5), nn.Linear(2 * hidden, classes)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return logits of padded ids."""
        states, _ = self.lstm(self.embedding(ids))
        return self.out(self.dropout(states[:, -1]))


def plain_seconds(network: nn.Module, ids: TokenIds, target: np.ndarray, batch: int, to_batch: bool) -> float:
    """Return the seconds of an epoch of the plain loop."""
    texts = [ids.flat[a:b].tolist() for a, b in zip(ids.offsets, ids.offsets[1:], strict=False)]
    longest = int(ids.lengths.max())
    optimizer, loss = torch.optim.Adam(network.parameters(), 1e-3), nn.CrossEntropyLoss()
    network.train()
    order = np.random.default_rng(0).permutation(len(texts))
    started = time.perf_counter()
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        width = max(len(texts[r]) for r in rows) if to_batch else longest
        x = torch.tensor([texts[r] + [0] * (width - len(texts[r])) for r in rows])
        optimizer.zero_grad()
        loss(network(x), torch.from_numpy(target[rows])).backward()
        optimizer.step()
    return time.perf_counter() - started


def bare_seconds(network: Any, examples: Examples, settings: TrainingOptions) -> float:
    """Return the seconds of an epoch of the very same training without Trainer around it."""
    batches = make_batches(settings.sampler, examples.rows.lengths, examples.targets, settings.batch_size, 0)
    optimizer = make_optimizer(
        network, settings.optimizer, settings.learning_rate, settings.weight_decay,
        embedding_rate=settings.embedding_rate,
    )  # fmt: skip
    schedule = make_schedule(optimizer, settings.schedule, settings.warmup, len(batches))
    objective = Objective(settings, None, False)
    network.train()
    started = time.perf_counter()
    for rows in batches:
        objective(network, examples.__getitems__(rows)).backward()
        clip_gradients(network.parameters(), settings.max_grad_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return time.perf_counter() - started


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data")
    parser.add_argument("--recipe", default="textcnn", help="textcnn or bilstm")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()

    corpus = gallae.read(options.data)
    texts, labels = corpus.texts[: options.rows], corpus.labels[: options.rows]
    classes, target = np.unique(labels, return_inverse=True)
    recipe = find_recipe(options.recipe, ["training.epochs=1", "training.min_steps=0"])
    table = FAMILIES[recipe.model.family](**recipe.model.model_dump())
    model = gallae.build(recipe)
    model = getattr(model, "estimator", model)
    clean = TextPipeline(recipe.text.steps).apply(texts)
    model._make_inputs(table, clean)
    rows = model.inputs_.fit(clean)
    width = table.embedding or 256
    fields = table.model_dump() | {"embedding": width}
    settings = TrainingOptions(**recipe.training.model_dump())
    lengths, threads = rows.lengths, torch.get_num_threads()
    print(f"{len(texts):,} texts of {lengths.mean():.1f} tokens, {lengths.max()} at most;")
    print(f"batches of {settings.batch_size}; {os.cpu_count()} cores, {threads} threads")

    def ours() -> float:
        network = make_network(table.family, fields, model.inputs_.size, len(classes))
        started = time.perf_counter()
        Training(network, Examples(rows, target, len(classes)), None, settings, 0, False).run()
        seconds = time.perf_counter() - started
        network.eval()
        began = time.perf_counter()
        logits(network, rows, len(classes))
        speed = len(texts) / (time.perf_counter() - began)
        print(f"    gallae predicts {speed:,.0f} rows/s (morphemes not counted)")
        return seconds

    def bare() -> float:
        network = make_network(table.family, fields, model.inputs_.size, len(classes))
        return bare_seconds(network, Examples(rows, target, len(classes)), settings)

    def plain(to_batch: bool) -> float:
        size, all_width = model.inputs_.size, width + table.extra_channel
        if table.family == "convolutional":
            network: nn.Module = PlainCnn(size, all_width, table.windows, table.filters, len(classes))
        else:
            network = PlainLstm(size, all_width, table.hidden, table.layers, len(classes))
        return plain_seconds(network, rows.ids, target, settings.batch_size, to_batch)

    for number in range(options.repeat):
        seconds = {
            "gallae": ours(),
            "gallae without Trainer": bare(),
            "plain loop, padded to the corpus": plain(False),
            "plain loop, padded to the batch": plain(True),
        }
        for name, value in seconds.items():
            ratio = value / seconds["gallae"]
            print(f"{number + 1}. {name}: {len(texts) / value:,.0f} rows/s, {ratio:.2f} x gallae's time")


if __name__ == "__main__":
    main()
