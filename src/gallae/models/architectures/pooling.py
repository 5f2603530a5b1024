"""From the states of a text's tokens to one vector."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn


def mean_of(states: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of each text's states, zeros for a text without tokens.

    Args:
        states: (batch, length, width), of anything where the mask is false.
        mask: (batch, length) bool, true for tokens, which stand on the left.

    Returns:
        (batch, width).
    """
    return sum_of(states, mask) / mask.sum(dim=1, keepdim=True).clamp(min=1)


def sum_of(states: Tensor, mask: Tensor) -> Tensor:
    """Return the sum of each text's states (see `mean_of`)."""
    return states.masked_fill(~mask.unsqueeze(-1), 0).sum(dim=1)


def max_of(states: Tensor, mask: Tensor) -> Tensor:
    """Return the largest of each component (see `mean_of`)."""
    largest = states.masked_fill(~mask.unsqueeze(-1), -torch.inf).amax(dim=1)
    return torch.where(mask.any(dim=1, keepdim=True), largest, torch.zeros_like(largest))


def last_of(states: Tensor, mask: Tensor, bidirectional: bool = False) -> Tensor:
    """Return the state after the last token read: of the backward half, the first token's (see `mean_of`)."""
    places = (mask.sum(dim=1) - 1).clamp(min=0)
    last = states.gather(1, places.view(-1, 1, 1).expand(-1, 1, states.shape[2])).squeeze(1)
    if not bidirectional:
        return last
    half = states.shape[2] // 2
    return torch.cat([last[:, :half], states[:, 0, half:]], dim=1)


class AttentionPooling(nn.Module):
    """The mean of the states, weighted by how much each matters (Yang et al. 2016).

    "Hierarchical Attention Networks for Document Classification".

    Args:
        width: Of the states.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.weight = nn.Linear(width, 1, bias=False)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, width) means (see `mean_of`)."""
        states = states.masked_fill(~mask.unsqueeze(-1), 0)
        scores = self.weight(torch.tanh(self.hidden(states))).squeeze(-1)
        shares = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(dim=1)
        return torch.einsum("bl,blw->bw", shares.to(states.dtype), states)


class Pooling(nn.Module):
    """One of the ways by name.

    Args:
        kind: "last", "mean", "max", "attention" or "mean_max".
        inputs: Width of the states.
        bidirectional: Whether the second half of the states was read backwards.

    Attributes:
        width: Of what comes out: twice as much for "mean_max".
    """

    def __init__(self, kind: str, inputs: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.kind = kind
        self.bidirectional = bidirectional
        self.attention = AttentionPooling(inputs) if kind == "attention" else None
        self.width = 2 * inputs if kind == "mean_max" else inputs

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, width) vectors (see `mean_of`)."""
        if self.attention is not None:
            return cast(Tensor, self.attention(states, mask))
        if self.kind == "last":
            return last_of(states, mask, self.bidirectional)
        parts = {"mean": mean_of, "max": max_of}
        return torch.cat([parts[name](states, mask) for name in self.kind.split("_")], dim=1)


def flat_pooling(states: Tensor, offsets: Tensor, kind: str) -> Tensor:
    """Pool texts that stand one after the other; zeros for a text without tokens.

    Args:
        states: (n_tokens, width).
        offsets: (batch,) int64: where each text begins.
        kind: "mean", "sum" or "max".

    Returns:
        (batch, width).
    """
    numbers = torch.arange(len(states), device=states.device)
    texts = torch.bucketize(numbers, offsets, right=True) - 1
    pooled = states.new_zeros(len(offsets), states.shape[1])
    if kind == "max":
        index = texts.unsqueeze(1).expand_as(states)
        return pooled.scatter_reduce(0, index, states, "amax", include_self=False)
    pooled = pooled.index_add(0, texts, states)
    if kind == "sum":
        return pooled
    counts = torch.diff(offsets, append=offsets.new_tensor([len(states)]))
    return pooled / counts.clamp(min=1).unsqueeze(1)
