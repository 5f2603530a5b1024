"""Masked language model (Devlin et al., "BERT", 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gallae.pretraining.masking import IGNORED, Masking, Pieces, span_edges
from gallae.pretraining.networks import make_network, position_head
from gallae.pretraining.objectives.base import Objective, numbers
from gallae.pretraining.objectives.heads import SpanBoundary, pair_heads, pair_loss
from gallae.pretraining.options import MaskingOptions, MlmOptions, PretrainingRecipe
from gallae.pretraining.rows import Row


class MaskedObjective(Objective):
    """What the objectives over masked tokens share: a subclass makes the network.

    Args:
        recipe: Its objective's options are `MaskingOptions`.
        tokenizer: See `Objective`.
        seed: See `Objective`.
        shares: Of the chosen tokens, where they are not the usual ones (see `Masking`).
    """

    likelihood: ClassVar[str] = "mlm"

    def __init__(self, recipe: PretrainingRecipe, tokenizer: Any, seed: int, **shares: float) -> None:
        super().__init__(recipe, tokenizer, seed)
        options = recipe.objective
        assert isinstance(options, MaskingOptions)
        self.masking = Masking(
            Pieces.of(tokenizer), options.masking, options.masked, options.copies, seed=seed, **shares
        )

    @property
    def encoder(self) -> Any:
        """The encoder with its heads, as far as transformers knows them."""
        return self.network.model

    def collate(self, rows: Sequence[Row], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return input_ids and labels, (batch, length) int64; the mask and kinds where they say something."""
        enclosed = self.enclosed(rows)
        masked, labels = self.masking(enclosed.ids, numbers(rows), rng)
        kinds = getattr(self.encoder.config, "type_vocab_size", 0) > 1
        return {**enclosed.inputs(masked, kinds), "labels": torch.from_numpy(labels)}


class MaskedLanguageModel(MaskedObjective):
    """Guess the masked tokens; by the recipe, also what the edges of spans say, and what follows what."""

    def __init__(self, recipe: PretrainingRecipe, tokenizer: Any, seed: int) -> None:
        super().__init__(recipe, tokenizer, seed)
        options = recipe.objective
        assert isinstance(options, MlmOptions)
        self._spans = options.boundary > 0
        self._pairs = options.pair_weight > 0 and recipe.corpus.format.endswith("_pair")
        kind = "AutoModelForPreTraining" if self._pairs else "AutoModelForMaskedLM"
        self.network = MaskedNetwork(
            make_network(recipe, tokenizer, kind),
            options.boundary,
            options.pair_weight if self._pairs else 0.0,
        )

    def collate(self, rows: Sequence[Row], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return what `MaskedNetwork` reads."""
        made = super().collate(rows, rng)
        if self._pairs:
            made["pairs"] = torch.tensor([row.pair for row in rows])
        if self._spans:
            edges = zip(("left", "right", "place"), span_edges(made["labels"].numpy()), strict=True)
            made |= {name: torch.from_numpy(edge) for name, edge in edges}
        return made


class MaskedNetwork(nn.Module):
    """A language model whose head is computed where there is something to guess, and nowhere else.

    Args:
        model: Of AutoModelForMaskedLM, or of AutoModelForPreTraining if it learns from pairs.
        boundary: Weight of the span boundary objective; 0: without.
        pair_weight: Weight of telling what follows what; 0: without.
    """

    def __init__(self, model: Any, boundary: float = 0.0, pair_weight: float = 0.0) -> None:
        super().__init__()
        self.model, self.boundary_weight, self.pair_weight = model, boundary, pair_weight
        # In a list: their weights are the model's.
        self._heads = list(pair_heads(model)) if pair_weight else [position_head(model)]
        self.boundary = SpanBoundary(model) if boundary else None

    def forward(
        self,
        labels: Tensor,
        pairs: Tensor | None = None,
        left: Tensor | None = None,
        right: Tensor | None = None,
        place: Tensor | None = None,
        **inputs: Tensor,
    ) -> dict[str, Tensor]:
        """Return the loss, that of the masked tokens alone ("mlm"), and those of its other parts.

        "boundary" is the loss of the span boundary objective; "pair" that of pairs, and "pair_accuracy" the
        share of them that is told right. Outside of training "accuracy" is the share of the masked tokens.

        Args:
            labels: (batch, length) int64, `IGNORED` where nothing is to be guessed.
            pairs: (batch,) int64 (see `Row.pair`).
            left: (n,) int64, and `right` and `place`: of `span_edges`.
            right: (n,) int64.
            place: (n,) int64.
            inputs: Of the encoder.
        """
        chosen = labels != IGNORED
        output = self.model.base_model(**inputs)
        hidden = output.last_hidden_state
        logits, wanted = self._heads[0](hidden[chosen]).float(), labels[chosen]
        mlm = mean(functional.cross_entropy(logits, wanted, reduction="sum"), len(wanted))
        found = {"loss": mlm, "mlm": mlm.detach()}
        if not self.training:
            found["accuracy"] = mean((logits.argmax(1) == wanted).sum(), len(wanted))
        if self.boundary is not None:
            loss = self.boundary(hidden, labels, left, right, place)
            found |= {"loss": found["loss"] + self.boundary_weight * loss, "boundary": loss.detach()}
        if pairs is not None:
            loss, right_share = pair_loss(self._heads[1](output.pooler_output), pairs)
            found |= {"loss": found["loss"] + self.pair_weight * loss, "pair": loss.detach()}
            found["pair_accuracy"] = right_share
        return found


def mean(total: Tensor, count: int) -> Tensor:
    """Return a mean that is 0 over nothing."""
    return total / max(1, count)
