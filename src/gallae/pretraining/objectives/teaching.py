"""The teacher of a pretraining: a checkpoint that reads along, and learns nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gallae.errors import RecipeError
from gallae.models.architectures import factory  # noqa: F401  makes our own networks known
from gallae.models.architectures.encoder import EncoderConfig
from gallae.pretrained.finding import resolve
from gallae.pretrained.lengths import most_tokens
from gallae.pretrained.loading import load_config, load_model
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.pretraining.options import PretrainingRecipe
from gallae.pretraining.vocabularies import same_vocabulary


class Teacher:
    """A network that is only asked. It is no part of the student's: neither its weights nor its state are.

    Args:
        recipe: It names the teacher, `network.teacher`: a checkpoint, or, for its encoder alone, a classifier
            of the family encoder that `gallae train` has saved.
        tokenizer: Of the student.
        auto_class: Name of the class in transformers that chooses the head.

    Attributes:
        model: A `transformers.PreTrainedModel`.

    Raises:
        ModelError: if the teacher is missing or damaged, or has no such head.
        RecipeError: if it reads other tokens than the student, or fewer at once.
    """

    def __init__(self, recipe: PretrainingRecipe, tokenizer: Any, auto_class: str = "AutoModel") -> None:
        name = recipe.network.teacher
        folder = resolve(name)
        self.model = _encoder(folder) if auto_class == "AutoModel" else load_model(folder, auto_class, True)
        self.model.requires_grad_(False)
        if not same_vocabulary(load_tokenizer(folder), tokenizer):
            raise RecipeError(
                f"the teacher {name} reads other tokens than the student. Leave --tokenizer away: then the "
                "student takes its teacher's."
            )
        most = most_tokens(self.model.config)
        if recipe.corpus.max_length > most:
            raise RecipeError(
                f"corpus.max_length = {recipe.corpus.max_length}, but the teacher {name} reads {most}: "
                f"set corpus.max_length={most}."
            )

    def to(self, device: torch.device) -> Any:
        """Return the model, on the student's device."""
        if self.model.device != device:
            self.model.to(device)
        return self.model


def _encoder(folder: Path) -> Any:
    """Return a checkpoint's encoder, also that of a classifier of `gallae train`."""
    config = load_config(folder)
    if isinstance(config, EncoderConfig):
        kind = "AutoModelForSequenceClassification"
        return load_model(folder, kind, backbone=config.backbone).backbone
    return load_model(folder)


def mask_of(inputs: dict[str, Tensor]) -> Tensor:
    """Return (batch, length) bool: where there is no padding."""
    if "attention_mask" in inputs:
        return inputs["attention_mask"].bool()
    return torch.ones_like(inputs["input_ids"], dtype=torch.bool)
