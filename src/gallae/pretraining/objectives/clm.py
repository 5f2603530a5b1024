"""Causal language model: guess each token from those before it (Radford et al., 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gallae.errors import RecipeError
from gallae.pretraining.masking import IGNORED
from gallae.pretraining.networks import make_network, position_head
from gallae.pretraining.objectives.base import Objective, special_ids
from gallae.pretraining.options import PretrainingRecipe
from gallae.pretraining.rows import Row


class CausalLanguageModel(Objective):
    """Guess the next token; the [SEP] that ends a row is guessed too, so that the model can stop.

    Raises:
        RecipeError: if the architecture also looks at what comes after.
    """

    def __init__(self, recipe: PretrainingRecipe, tokenizer: Any, seed: int) -> None:
        super().__init__(recipe, tokenizer, seed)
        start, end, _fill = special_ids(tokenizer)
        model = make_network(recipe, tokenizer, "AutoModelForCausalLM", bos_token_id=start, eos_token_id=end)
        check_causal(model)
        self.network = CausalNetwork(model)

    @property
    def encoder(self) -> Any:
        """The language model."""
        return self.network.model

    def collate(self, rows: Sequence[Row], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return input_ids and labels, (batch, length) int64: nothing looks at the padding on the right."""
        enclosed = self.enclosed(rows)
        labels = np.where(enclosed.mask, enclosed.ids, IGNORED)
        return {"input_ids": torch.from_numpy(enclosed.ids), "labels": torch.from_numpy(labels)}


class CausalNetwork(nn.Module):
    """A causal language model, and its loss.

    Args:
        model: Of AutoModelForCausalLM.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self._head = [position_head(model)]  # in a list: its weights are the model's

    def forward(self, input_ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return the loss, a mean over tokens, and outside of training the accuracy.

        Args:
            input_ids: (batch, length) int64.
            labels: (batch, length) int64: the same, `IGNORED` where there is padding.
        """
        hidden = self.model.base_model(input_ids=input_ids, use_cache=False).last_hidden_state
        wanted = labels[:, 1:]
        chosen = wanted != IGNORED
        logits = self._head[0](hidden[:, :-1][chosen]).float()
        found = {"loss": functional.cross_entropy(logits, wanted[chosen])}
        if not self.training:
            found["accuracy"] = (logits.argmax(1) == wanted[chosen]).float().mean()
        return found


@torch.no_grad()
def check_causal(model: Any) -> None:
    """Make sure that a network does not see the tokens that it is to guess.

    Raises:
        RecipeError: if it does.
    """
    mode = model.training
    model.eval()
    ids = torch.tensor([[1, 2, 3], [1, 2, 4]])
    states = model.base_model(input_ids=ids, use_cache=False).last_hidden_state[:, :2]
    model.train(mode)
    if not torch.allclose(states[0], states[1], atol=1e-5):
        raise RecipeError(
            f"a {model.config.model_type} looks at the tokens on both sides, so guessing the next one would "
            "teach it nothing. Set network.model_type=gpt2, or add network.config.is_decoder=true."
        )
