"""What a masked language model may learn beside: from the edges of spans, and from pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from gallae.errors import RecipeError
from gallae.pretraining.masking import IGNORED
from gallae.pretraining.rows import NO_PAIR

Head = Callable[[Tensor], Tensor]
_PLACES = 20  # tokens of a span that are guessed, as in SpanBERT's own code
_PAIR_HEADS = {"cls.seq_relationship": "cls.predictions", "sop_classifier": "predictions"}


class SpanBoundary(nn.Module):
    """Guesses a span's tokens by what stands around it (Joshi et al., "SpanBERT", 2020, section 3.2).

    Args:
        model: Of AutoModelForMaskedLM; its output embeddings are shared.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        decoder = model.get_output_embeddings()
        size, width = model.config.hidden_size, decoder.weight.shape[1]
        self.places = nn.Embedding(_PLACES, size)
        nn.init.normal_(self.places.weight, std=0.02)
        self.layers = nn.Sequential(
            *(nn.Linear(3 * size, size), nn.GELU(), nn.LayerNorm(size)),
            *(nn.Linear(size, width), nn.GELU(), nn.LayerNorm(width)),
        )
        self._decoder = [decoder]  # in a list: its weights are the model's

    def forward(self, hidden: Tensor, labels: Tensor, left: Tensor, right: Tensor, place: Tensor) -> Tensor:
        """Return the mean cross entropy.

        Args:
            hidden: (batch, length, size) of the encoder.
            labels: (batch, length) int64, `IGNORED` where nothing is to be guessed.
            left: (n,) int64, and `right` and `place`: see `gallae.pretraining.masking.span_edges`.
            right: (n,) int64.
            place: (n,) int64.
        """
        rows, columns = (labels != IGNORED).nonzero(as_tuple=True)
        near = place < _PLACES
        rows, columns, left, right, place = (one[near] for one in (rows, columns, left, right, place))
        edges = torch.cat([hidden[rows, left], hidden[rows, right], self.places(place)], dim=1)
        logits = self._decoder[0](self.layers(edges)).float()
        total = functional.cross_entropy(logits, labels[rows, columns], reduction="sum")
        return total / max(1, len(rows))


def pair_heads(network: Any) -> tuple[Head, Head]:
    """Return two heads of a network: from hidden states to tokens, and from pooled states to (n, 2) logits.

    They are those that transformers knows, so that a saved checkpoint has them (and the pooler).

    Args:
        network: Of AutoModelForPreTraining.

    Raises:
        RecipeError: if the architecture has none.
    """
    modules = dict(network.named_modules())
    for pair, tokens in _PAIR_HEADS.items():
        if pair in modules and tokens in modules:
            return modules[tokens], modules[pair]
    raise RecipeError(
        f"a {network.config.model_type} has no head for pairs. Set network.model_type to bert or albert, or "
        "objective.pair_weight=0 to read pairs without asking what follows what, or corpus.format=lines."
    )


def pair_loss(logits: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean cross entropy over the pairs (0 if there is none), and the share that is told right.

    Args:
        logits: (batch, 2).
        pairs: (batch,) int64: `IN_ORDER`, `OTHER`, or `NO_PAIR`, which counts for nothing.
    """
    known = pairs != NO_PAIR
    logits, wanted = logits[known].float(), pairs[known]
    count = max(1, len(wanted))
    loss = functional.cross_entropy(logits, wanted, reduction="sum") / count
    return loss, (logits.detach().argmax(1) == wanted).sum() / count
