"""A small Transformer encoder."""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gallae.models.architectures.base import Network, NetworkConfig
from gallae.models.architectures.pooling import Pooling


class TransformerConfig(NetworkConfig):
    """Fields of `TransformerNetwork`.

    Attributes:
        layers: Number of layers.
        heads: Of attention, a layer.
        hidden: Width of the states, a multiple of `heads`.
        feed_forward: Width of the dense layer within each layer.
        positions: "sinusoidal" or "learned".
        norm: "pre" or "post": before or after attention and dense layers.
        attention_dropout: Share of the attention dropped in training.
        layer_dropout: Share of the states dropped in training, before and within the layers.
        pooling: "mean", "max", "attention" or "mean_max".
        max_length: Number of learned positions.
    """

    model_type = "gallae-transformer"

    layers: int = 2
    heads: int = 4
    hidden: int = 256
    feed_forward: int = 512
    positions: str = "sinusoidal"
    norm: str = "pre"
    attention_dropout: float = 0.1
    layer_dropout: float = 0.1
    pooling: str = "mean"
    max_length: int = 128


def sinusoidal(length: int, width: int, device: torch.device | None = None) -> Tensor:
    """Return (length, width) float32 positions: sines and cosines of geometrically growing wave lengths.

    Vaswani et al., "Attention Is All You Need" (2017), section 3.5.
    """
    places = torch.arange(length, dtype=torch.float32, device=device).unsqueeze(1)
    pairs = torch.arange(0, width, 2, dtype=torch.float32, device=device)
    angles = places * torch.exp(pairs * (-math.log(10_000.0) / width))
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :width]


class EncoderLayer(nn.Module):
    """Attention of each token to all of its text, then a dense layer; both are added to what they read.

    Args:
        config: Of the network.
    """

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.heads = config.heads
        self.before = config.norm == "pre"
        self.attention_dropout = config.attention_dropout
        self.project = nn.Linear(config.hidden, 3 * config.hidden)
        self.join = nn.Linear(config.hidden, config.hidden)
        self.wide = nn.Linear(config.hidden, config.feed_forward)
        self.narrow = nn.Linear(config.feed_forward, config.hidden)
        self.norms = nn.ModuleList(nn.LayerNorm(config.hidden) for _ in range(2))
        self.dropout = nn.Dropout(config.layer_dropout)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return new (batch, length, hidden) states; mask (batch, 1, 1, length) is true for tokens."""
        first, second = self.norms
        if self.before:
            states = states + self._attend(first(states), mask)
            return states + self._feed(second(states))
        states = first(states + self._attend(states, mask))
        return cast(Tensor, second(states + self._feed(states)))

    def _attend(self, states: Tensor, mask: Tensor) -> Tensor:
        parts = self.project(states).chunk(3, dim=-1)
        queries, keys, values = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        dropout = self.attention_dropout if self.training else 0.0
        found = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=mask, dropout_p=dropout
        )
        return cast(Tensor, self.dropout(self.join(found.transpose(1, 2).flatten(2))))

    def _feed(self, states: Tensor) -> Tensor:
        return cast(Tensor, self.dropout(self.narrow(self.dropout(functional.gelu(self.wide(states))))))


class TransformerNetwork(Network):
    """Vaswani et al., "Attention Is All You Need" (2017): the encoder, over embeddings of any width.

    The embeddings are normed before positions are added, so that both weigh the same whatever their scale.
    """

    config_class = TransformerConfig

    def build(self, config: Any) -> None:
        """Make the layers."""
        width = self.embedding.width
        self.project = nn.Linear(width, config.hidden) if width != config.hidden else None
        self.norm = nn.LayerNorm(config.hidden)
        self.places = (
            nn.Embedding(config.max_length, config.hidden) if config.positions == "learned" else None
        )
        self.layer_dropout = nn.Dropout(config.layer_dropout)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.last_norm = nn.LayerNorm(config.hidden) if config.norm == "pre" else None
        self.pooling = Pooling(config.pooling, config.hidden)
        self.width = self.pooling.width

    def pool(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, width) features (see `Network.pool`)."""
        states = self.norm(embedded if self.project is None else self.project(embedded))
        states = self.layer_dropout(states + self._positions(mask.shape[1], states))
        first = torch.arange(mask.shape[1], device=mask.device) == 0
        attended = (mask | first).unsqueeze(1).unsqueeze(1)  # an empty text reads something, not nothing
        for layer in self.layers:
            states = layer(states, attended)
        if self.last_norm is not None:
            states = self.last_norm(states)
        return cast(Tensor, self.pooling(states, mask))

    def _positions(self, length: int, like: Tensor) -> Tensor:
        if self.places is None:
            return sinusoidal(length, self.config.hidden, like.device).to(like.dtype)
        return cast(Tensor, self.places(torch.arange(length, device=like.device)))
