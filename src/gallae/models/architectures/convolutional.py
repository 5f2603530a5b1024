"""Convolutions for sentences."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gallae.models.architectures.base import Network, NetworkConfig


class ConvolutionalConfig(NetworkConfig):
    """Fields of `ConvolutionalNetwork`: window sizes in tokens, filters a window, batch norm or not."""

    model_type = "gallae-convolutional"

    windows: list[int] | tuple[int, ...] = (2, 3, 4)
    filters: int = 128
    batch_norm: bool = False


class Convolutions(nn.Module):
    """The largest answer of each filter over the text.

    A window lies wholly inside the text; a text shorter than the window is filled up with zeros. So the
    padding of the batch changes nothing.
    """

    def __init__(self, inputs: int, windows: tuple[int, ...], filters: int, batch_norm: bool) -> None:
        super().__init__()
        self.windows = tuple(windows)
        self.layers = nn.ModuleList(nn.Conv1d(inputs, filters, window) for window in self.windows)
        self.norms = nn.ModuleList(nn.BatchNorm1d(filters) for _ in self.windows) if batch_norm else None
        self.width = filters * len(self.windows)

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, width) maxima of (batch, length, inputs) vectors."""
        rows = (embedded * mask.unsqueeze(-1)).transpose(1, 2)
        rows = functional.pad(rows, (0, max(self.windows) - 1))
        lengths = mask.sum(dim=1, keepdim=True)
        places = torch.arange(mask.shape[1], device=mask.device).unsqueeze(0)
        found = []
        for number, (window, layer) in enumerate(zip(self.windows, self.layers, strict=True)):
            answers = layer(rows)[:, :, : mask.shape[1]]
            outside = places > (lengths - window).clamp(min=0)
            largest = answers.masked_fill(outside.unsqueeze(1), -torch.inf).amax(dim=2)
            if self.norms is not None:
                largest = self.norms[number](largest)
            found.append(torch.relu(largest))
        return torch.cat(found, dim=1)


class ConvolutionalNetwork(Network):
    """Kim, "Convolutional Neural Networks for Sentence Classification" (2014)."""

    config_class = ConvolutionalConfig

    def build(self, config: Any) -> None:
        """Make the convolutions."""
        self.convolutions = Convolutions(
            self.embedding.width, tuple(config.windows), config.filters, config.batch_norm
        )
        self.width = self.convolutions.width

    def pool(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, width) features (see `Network.pool`)."""
        return cast(Tensor, self.convolutions(embedded, mask))
