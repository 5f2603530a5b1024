"""A small encoder whose layers say what a larger one's say (Jiao et al., "TinyBERT", 2020): in general.

What follows for a task is in `gallae.distillation.tinybert`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from gallae.pretraining.networks import make_network
from gallae.pretraining.objectives.base import Objective
from gallae.pretraining.objectives.teaching import Teacher, mask_of
from gallae.pretraining.options import PretrainingRecipe
from gallae.pretraining.rows import Row
from gallae.training.matching import Matching, read_layers


class TinyBert(Objective):
    """Learn the teacher's embeddings, hidden states and attention; no token is guessed."""

    likelihood: ClassVar[str] = ""

    def __init__(self, recipe: PretrainingRecipe, tokenizer: Any, seed: int) -> None:
        super().__init__(recipe, tokenizer, seed)
        self.network = TinyBertNetwork(make_network(recipe, tokenizer), Teacher(recipe, tokenizer))

    @property
    def encoder(self) -> Any:
        """The student."""
        return self.network.model

    def collate(self, rows: Sequence[Row], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return input_ids, (batch, length) int64, and attention_mask where there is padding."""
        return self.enclosed(rows).inputs()


class TinyBertNetwork(nn.Module):
    """A student and its teacher, who read the same rows.

    Args:
        model: The student, of AutoModel.
        teacher: Another.

    Raises:
        RecipeError: if they attend with different numbers of heads, or in a way that cannot be read.
    """

    def __init__(self, model: Any, teacher: Teacher) -> None:
        super().__init__()
        self.model, self.matching = model, Matching(model, teacher.model)
        self._teacher = [teacher]  # in a list: its weights are not to be saved

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        """Return the loss and its parts: "embedding", "hidden" and "attention".

        Args:
            inputs: Of the encoders.
        """
        with torch.no_grad():
            theirs = read_layers(self._teacher[0].to(inputs["input_ids"].device), inputs)
        parts = self.matching(read_layers(self.model, inputs), theirs, mask_of(inputs))
        loss = torch.stack(list(parts.values())).sum()
        return {"loss": loss, **{name: part.detach() for name, part in parts.items()}}
