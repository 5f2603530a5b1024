"""Layers that begin to learn one by one, from the top."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback


class GradualUnfreezing(TrainerCallback):
    """Let the head learn in the first epoch, and one layer more, from the top, in each that follows.

    Howard and Ruder, "Universal Language Model Fine-tuning for Text Classification" (2018). The optimiser
    holds all weights from the start, and passes over those without a gradient. With fewer epochs than layers
    the lowest ones never learn.

    Args:
        network: Weights that do not learn when the training begins never do.
        depths: The depth of every weight, by its name in `network.named_parameters()`; the deepest are the
            head's.
    """

    def __init__(self, network: Any, depths: Mapping[str, int]) -> None:
        head = max(depths.values())
        learning = [item for item in network.named_parameters() if item[1].requires_grad]
        self.waits = [(weight, head - depths[name]) for name, weight in learning]

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Let those learn whose epoch has come; a training that goes on begins where it was."""
        epoch = int((state.epoch or 0) + 1e-6)
        for weight, wait in self.waits:
            weight.requires_grad_(wait <= epoch)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Let all of them learn, as before."""
        for weight, _wait in self.waits:
            weight.requires_grad_(True)
