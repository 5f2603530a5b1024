"""Which learning rate to take: raise it step by step, and watch the loss fall and explode."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gallae.errors import ModelError, RecipeError
from gallae.progress import track

if TYPE_CHECKING:
    from torch import Tensor

    from gallae.training.engine import Training

MIN_STEPS = 20
_EXPLODED = 4.0  # times the lowest loss
_HIGHEST = 0.25  # above the first losses, as share of them: what is higher counts as that
_MEMORY = 0.9  # of the running mean that tells whether it explodes


@dataclass(frozen=True)
class Finding:
    """What the sweep over the rates has shown.

    Attributes:
        rates: (n,) learning rates tried, rising, up to where the loss exploded.
        losses: (n,) loss of each step's batch, before the step.
        smooth: (n,) the losses, each averaged with its neighbours.
        suggestion: The rate at which the smooth loss falls most steeply; None if it does not fall.
        lowest: The rate at which the smooth loss is lowest: a training should stay below.
    """

    rates: np.ndarray
    losses: np.ndarray
    smooth: np.ndarray
    suggestion: float | None
    lowest: float


def find_learning_rate(
    step: Callable[[float], float], low: float = 1e-6, high: float = 1.0, steps: int = 100
) -> Finding:
    """Take steps at learning rates that rise evenly on a log scale, until the loss explodes.

    Smith, "Cyclical Learning Rates for Training Neural Networks" (2017).

    Args:
        step: Takes a training step at a rate, and returns the loss before it.
        low: The first rate.
        high: The last rate.
        steps: How many, `MIN_STEPS` or more.

    Raises:
        RecipeError: for rates or steps that cannot be.
        ModelError: if the loss is no number from the first step on.
    """
    _check(low, high, steps)
    rates = np.geomspace(low, high, steps)
    losses: list[float] = []
    mean, best = 0.0, math.inf
    for number, rate in enumerate(track(rates.tolist(), "learning rates"), start=1):
        loss = step(rate)
        if not math.isfinite(loss):
            break
        losses.append(loss)
        mean = _MEMORY * mean + (1 - _MEMORY) * loss
        now = mean / (1 - _MEMORY**number)
        best = min(best, now)
        if now > _EXPLODED * best:
            break
    if not losses:
        raise ModelError(
            f"the loss is no number at the first step already, at a learning rate of {low:.1e}. "
            "Look for what the batch holds, or compute in training.precision=float32."
        )
    return _found(rates[: len(losses)], np.array(losses), steps)


def _check(low: float, high: float, steps: int) -> None:
    if not (0 < low < high < math.inf):
        raise RecipeError(
            f"the learning rates go from {low:g} to {high:g}: give a low one above 0 and a higher high one, "
            "such as 1e-6 and 1."
        )
    if steps < MIN_STEPS:
        raise RecipeError(f"{steps} steps are too few to see how the loss falls; give {MIN_STEPS} or more.")


def _found(rates: np.ndarray, losses: np.ndarray, steps: int) -> Finding:
    """Judge the curve. Averaging both ways shifts no slope to higher rates, as a running mean would."""
    start = float(losses[: max(1, steps // 20)].mean())
    tamed = np.minimum(
        losses, start + _HIGHEST * abs(start)
    )  # else the explosion would hide the fall before it
    smooth = gaussian_filter1d(tamed, sigma=max(1.0, steps / 25), mode="nearest")
    lowest = int(smooth.argmin())
    noise = float(np.std(tamed[: lowest + 1] - smooth[: lowest + 1]))
    suggestion = None
    if smooth[0] - smooth[lowest] > max(noise, 0.01 * abs(float(smooth[0]))):
        slopes = np.gradient(smooth)[: lowest + 1]
        suggestion = float(rates[int(slopes.argmin())])
    return Finding(rates, losses, smooth, suggestion, float(rates[lowest]))


def sweep(training: Training, low: float = 1e-6, high: float = 1.0, steps: int = 100) -> Finding:
    """Sweep over the learning rates with a network's own batches, loss and optimiser.

    Args:
        training: What would be trained; its network has other weights afterwards.
        low: The first rate.
        high: The last rate.
        steps: How many.

    Raises:
        RecipeError, ModelError: as of `find_learning_rate`.
    """
    from gallae.training.seeding import isolated

    with isolated(training.seed), tempfile.TemporaryDirectory(prefix="gallae-") as folder:
        return find_learning_rate(_Steps(training, Path(folder)), low, high, steps)


class _Steps:
    """Training steps of a network, each at the rate that is asked for."""

    def __init__(self, training: Training, folder: Path) -> None:
        from gallae.training.devices import find_device, use_bf16
        from gallae.training.engine import Engine

        self.options = training.options
        self.device = find_device(self.options.device)
        self.bf16 = use_bf16(self.options.precision, self.device)
        self.engine: Any = Engine(training, folder, self.device, keep=False)
        self.network = training.network.to(self.device).train()
        self.optimizer = self.engine.create_optimizer()
        self.shares = [group["lr"] / self.options.learning_rate for group in self.optimizer.param_groups]
        self.batches = self._endless()

    def _endless(self) -> Iterator[Any]:
        """Yield batches, epoch after epoch."""
        epoch = 0
        while True:
            self.engine.batches.set_epoch(epoch)
            yield from self.engine.get_train_dataloader()
            epoch += 1

    def __call__(self, rate: float) -> float:
        from gallae.training.optimizers import clip_gradients

        for group, share in zip(self.optimizer.param_groups, self.shares, strict=True):
            group["lr"] = rate * share
        self.optimizer.zero_grad()
        losses = [self._learn(next(self.batches)) for _ in range(self.options.accumulation)]
        clip_gradients(self.network.parameters(), self.options.max_grad_norm)
        self.optimizer.step()
        return sum(losses) / len(losses)

    def _learn(self, batch: dict[str, Tensor]) -> float:
        import torch

        inputs = {name: value.to(self.device) for name, value in batch.items()}
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            loss = self.engine.objective(self.network, inputs)
        (loss / self.options.accumulation).backward()
        return float(loss.detach())
