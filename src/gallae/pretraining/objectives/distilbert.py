"""A smaller language model that says what a larger one says (Sanh et al., "DistilBERT", 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gallae.errors import RecipeError
from gallae.pretraining.masking import IGNORED, Masking, Pieces
from gallae.pretraining.networks import make_network, position_head
from gallae.pretraining.objectives.base import Objective, numbers
from gallae.pretraining.objectives.mlm import mean
from gallae.pretraining.objectives.teaching import Teacher, mask_of
from gallae.pretraining.options import DistilBertOptions, PretrainingRecipe
from gallae.pretraining.rows import Row


class DistilBert(Objective):
    """Guess the masked tokens as the teacher does, as they were, and with states that point its way.

    Raises:
        RecipeError: if the student's states are not as wide as its teacher's.
    """

    likelihood: ClassVar[str] = "mlm"

    def __init__(self, recipe: PretrainingRecipe, tokenizer: Any, seed: int) -> None:
        super().__init__(recipe, tokenizer, seed)
        options = recipe.objective
        assert isinstance(options, DistilBertOptions)
        self.masking = Masking(
            Pieces.of(tokenizer), options.masking, options.masked, options.copies, seed=seed
        )
        teacher = Teacher(recipe, tokenizer, "AutoModelForMaskedLM")
        model = make_network(recipe, tokenizer, "AutoModelForMaskedLM")
        own, theirs = model.config.hidden_size, teacher.model.config.hidden_size
        if own != theirs:
            raise RecipeError(
                f"the student's states have {own} numbers, its teacher's {theirs}, and the objective "
                f"distilbert compares their directions. Set network.hidden={theirs}, or take the objective "
                "tinybert."
            )
        self.network = DistilBertNetwork(model, teacher, options)

    @property
    def encoder(self) -> Any:
        """The student with its language model's head."""
        return self.network.model

    def collate(self, rows: Sequence[Row], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return input_ids, attention_mask where there is padding, and labels, (batch, length) int64."""
        enclosed = self.enclosed(rows)
        masked, labels = self.masking(enclosed.ids, numbers(rows), rng)
        return {**enclosed.inputs(masked), "labels": torch.from_numpy(labels)}


class DistilBertNetwork(nn.Module):
    """A student and its teacher, who read the same masked rows.

    Soft targets are compared at the masked positions, where the teacher has something to say (Sanh et al.'s
    `restrict_ce_to_mask`): logits of every token would cost ten times the encoder.

    Args:
        model: The student, of AutoModelForMaskedLM.
        teacher: With the same head.
        options: Temperature and weights.
    """

    def __init__(self, model: Any, teacher: Teacher, options: DistilBertOptions) -> None:
        super().__init__()
        self.model, self.options = model, options
        # In lists: the student's head has its weights already, and the teacher's are not to be saved.
        self._heads, self._teacher = [position_head(model), position_head(teacher.model)], [teacher]

    def forward(self, labels: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        """Return the loss, and its parts: "soft" (T^2 times the divergence), "mlm" and "cosine" (1 - cosine).

        Args:
            labels: (batch, length) int64, `IGNORED` where nothing is to be guessed.
            inputs: Of the encoders.
        """
        options, (head, teachers_head) = self.options, self._heads
        chosen, mask = labels != IGNORED, mask_of(inputs)
        hidden = self.model.base_model(**inputs).last_hidden_state
        with torch.no_grad():
            taught = self._teacher[0].to(labels.device).base_model(**inputs).last_hidden_state
            wanted = teachers_head(taught[chosen])
        logits = head(hidden[chosen])
        soft = divergence(logits, wanted, options.temperature)
        mlm = functional.cross_entropy(logits.float(), labels[chosen], reduction="sum")
        mlm = mean(mlm, int(chosen.sum()))
        cosine = 1 - functional.cosine_similarity(hidden[mask].float(), taught[mask].float()).mean()
        loss = options.soft_weight * soft + options.mlm_weight * mlm + options.cosine_weight * cosine
        return {"loss": loss, "soft": soft.detach(), "mlm": mlm.detach(), "cosine": cosine.detach()}


def divergence(logits: Tensor, wanted: Tensor, temperature: float) -> Tensor:
    """Return T^2 KL(teacher || student) at a temperature, the mean over rows; 0 over none.

    Args:
        logits: (n, tokens) the student's.
        wanted: (n, tokens) the teacher's.
        temperature: Above 0.
    """
    own = functional.log_softmax(logits.float() / temperature, dim=1)
    theirs = functional.log_softmax(wanted.float() / temperature, dim=1)
    total = functional.kl_div(own, theirs, reduction="sum", log_target=True)
    return temperature**2 * mean(total, len(logits))
