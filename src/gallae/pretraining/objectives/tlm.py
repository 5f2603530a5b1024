"""Translation language model (Lample and Conneau, "Cross-lingual Language Model Pretraining", 2019)."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gallae.errors import RecipeError
from gallae.pretrained.lengths import after_padding
from gallae.pretraining.networks import make_network
from gallae.pretraining.objectives.mlm import MaskedNetwork, MaskedObjective
from gallae.pretraining.options import PretrainingRecipe
from gallae.pretraining.rows import Row

_INPUTS = ("position_ids", "token_type_ids")


class TranslationLanguageModel(MaskedObjective):
    """Guess the masked tokens of a sentence and its translation, each with the help of the other.

    Positions begin anew in the translation. Which language a token is of, the network is told by its
    embeddings of token types: 0 for the sentences before the tab, 1 for those behind it.

    Raises:
        RecipeError: if the architecture has no such embeddings.
    """

    def __init__(self, recipe: PretrainingRecipe, tokenizer: Any, seed: int) -> None:
        super().__init__(recipe, tokenizer, seed)
        fields = {} if recipe.network.checkpoint else {"type_vocab_size": 2}
        model = make_network(recipe, tokenizer, "AutoModelForMaskedLM", **fields)
        _check_languages(model)
        self._begin = int(model.config.pad_token_id or 0) + 1 if after_padding(model.config) else 0
        self.network = MaskedNetwork(model)

    def collate(self, rows: Sequence[Row], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return input_ids, position_ids, token_type_ids and labels, (batch, length) int64, and the mask."""
        made = super().collate(rows, rng)
        first = torch.tensor([len(row.first) + 2 for row in rows])[:, None]
        kinds = made["token_type_ids"]
        made["position_ids"] = self._begin + torch.arange(kinds.shape[1]) - first * (kinds == 1)
        return made


def _check_languages(model: Any) -> None:
    accepted = inspect.signature(model.base_model.forward).parameters
    if getattr(model.config, "type_vocab_size", 0) < 2 or not set(_INPUTS) <= set(accepted):
        raise RecipeError(
            "the objective tlm tells languages apart by two embeddings of token types, which this "
            f"{model.config.model_type} lacks. Set network.model_type=bert, or give another checkpoint."
        )
