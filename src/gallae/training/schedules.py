"""How the learning rate goes up and down over a training."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

NAMES = ("constant", "linear", "cosine", "one_cycle")
_FIRST, _LAST = 1 / 25, 1 / 25e4


def make_schedule(optimizer: Optimizer, name: str, warmup: float, total_steps: int) -> LambdaLR:
    """Return a schedule; the optimiser's learning rate is the highest one.

    Args:
        optimizer: Whose learning rates are scaled, all groups alike.
        name: What comes after the warm-up: "constant"; "linear" or "cosine" down to 0; "one_cycle": up from
            a 25th and down to a 250,000th along cosines (Smith and Topin, "Super-Convergence", 2018).
        warmup: Share of the steps, from 0 to below 1, in which the rate rises: along a line (Goyal et al.
            2017), and for "one_cycle" along a cosine.
        total_steps: Steps of the whole training.

    Raises:
        ValueError: for another name.
    """
    shares: dict[str, Callable[[float], float]] = {
        "constant": lambda _: 1.0,
        "linear": lambda done: 1.0 - done,
        "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
    }
    if name == "one_cycle":
        return LambdaLR(optimizer, partial(_one_cycle, warmup, total_steps))
    if name not in shares:
        raise ValueError(f"schedule {name!r}: there are {', '.join(NAMES)}")
    return LambdaLR(optimizer, partial(_after_warmup, shares[name], warmup, total_steps))


def _after_warmup(share: Callable[[float], float], warmup: float, total_steps: int, step: int) -> float:
    """Return the share of the highest rate at a step from 0; no step is spent on a rate of 0."""
    rising = math.ceil(warmup * total_steps)
    if step < rising:
        return (step + 1) / rising
    return share(min(1.0, (step - rising) / max(1, total_steps - rising)))


def _one_cycle(warmup: float, total_steps: int, step: int) -> float:
    """Return the share of the highest rate at a step from 0, as torch's OneCycleLR has it."""
    last = max(1, total_steps - 1)
    top = max(0.0, warmup * total_steps - 1)
    if step <= top and top > 0:
        return _between(_FIRST, 1.0, step / top)
    return _between(1.0, _LAST, min(1.0, (step - top) / max(1.0, last - top)))


def _between(start: float, end: float, done: float) -> float:
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * done))
