"""Denoising autoencoder: write a damaged text again as it was (Lewis et al., "BART", 2020)."""

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
from gallae.pretraining.noising import Noise
from gallae.pretraining.objectives.base import Objective, special_ids
from gallae.pretraining.options import DenoisingOptions, NetworkOptions, PretrainingRecipe
from gallae.pretraining.rows import BREAK, Row


class DenoisingAutoencoder(Objective):
    """The encoder reads the damaged text, and the decoder writes the whole of the text as it was.

    Raises:
        RecipeError: if the architecture has no decoder.
    """

    def __init__(self, recipe: PretrainingRecipe, tokenizer: Any, seed: int) -> None:
        super().__init__(recipe, tokenizer, seed)
        options = recipe.objective
        assert isinstance(options, DenoisingOptions)
        self.noise = Noise.of(tokenizer, options.noise, options.masked)
        fields = {} if recipe.network.begins_with else _fields(recipe.network, tokenizer)
        model = make_network(recipe, tokenizer, "AutoModelForSeq2SeqLM", **fields)
        self.start = model.config.decoder_start_token_id
        if self.start is None:
            raise RecipeError(
                "this checkpoint does not say what its decoder begins with (decoder_start_token_id in its "
                "config.json). Add that, or take another network.checkpoint."
            )
        self.network = DenoisingNetwork(model)

    @property
    def encoder(self) -> Any:
        """The encoder-decoder."""
        return self.network.model

    def collate(self, rows: Sequence[Row], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return what `DenoisingNetwork` reads."""
        _start, end, fill = special_ids(self.tokenizer)
        whole = self.enclosed(rows)
        most = self.recipe.corpus.max_length - 2
        damaged = [
            Row(self.noise(np.where(row.first == BREAK, end, row.first.astype(np.int64)), rng)[:most])
            for row in rows
        ]
        given = np.concatenate([np.full((len(rows), 1), self.start), whole.ids[:, :-1]], axis=1)
        wanted = np.where(whole.mask, whole.ids, IGNORED)
        if self.start == whole.ids[0, 0]:  # a decoder that begins with [CLS] has not to write it
            given, wanted = given[:, 1:], wanted[:, 1:]
        given[wanted == IGNORED] = fill
        inputs = self.enclosed(damaged).inputs(kinds=False)
        return {
            **inputs,
            "decoder_input_ids": torch.from_numpy(given),
            "labels": torch.from_numpy(np.ascontiguousarray(wanted)),
        }


def _fields(options: NetworkOptions, tokenizer: Any) -> dict[str, Any]:
    """Return what BART's configuration calls the recipe's sizes, the same for both halves."""
    start, end, _fill = special_ids(tokenizer)
    sizes = {"layers": options.layers, "attention_heads": options.heads}
    sizes["ffn_dim"] = options.feed_forward or 4 * options.hidden
    both = {f"{half}_{name}": size for half in ("encoder", "decoder") for name, size in sizes.items()}
    ids = {"bos": start, "decoder_start": start, "eos": end, "forced_eos": end}
    named = {f"{role}_token_id": number for role, number in ids.items()}
    return {**both, **named, **options.config}


class DenoisingNetwork(nn.Module):
    """An encoder-decoder and its loss.

    Args:
        model: Of AutoModelForSeq2SeqLM.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self._head = [position_head(model)]  # in a list: its weights are the model's

    def forward(self, labels: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        """Return the loss, a mean over the tokens of the whole text, and outside of training the accuracy.

        Args:
            labels: (batch, length) int64, `IGNORED` where there is padding.
            inputs: input_ids (batch, any) and decoder_input_ids (batch, length), int64; the encoder's mask.
        """
        hidden = self.model.base_model(**inputs, use_cache=False).last_hidden_state
        chosen = labels != IGNORED
        logits, wanted = self._head[0](hidden[chosen]).float(), labels[chosen]
        found = {"loss": functional.cross_entropy(logits, wanted)}
        if not self.training:
            found["accuracy"] = (logits.argmax(1) == wanted).float().mean()
        return found
