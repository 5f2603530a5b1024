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

    windows: list[int] | tuple[int, ...] = (1, 2, 3)
    filters: int = 100
    batch_norm: bool = False


class Convolutions(nn.Module):
    """The largest answer of each filter over the text.

    A window may reach over the ends of the text, where zeros stand, as in Kim's own code: so a filter can
    tell a first or last word. The padding of the batch changes nothing. All filters are one matrix: what each
    place of a window adds is computed for every token at once, then shifted and summed, two to three times
    as fast on a CPU as a convolution a window.

    Args:
        inputs: Width of a token's vector.
        windows: Their sizes, in tokens.
        filters: Number of filters of each window.
        batch_norm: Whether to normalise the answers.
    """

    def __init__(self, inputs: int, windows: tuple[int, ...], filters: int, batch_norm: bool) -> None:
        super().__init__()
        self.windows, self.filters = tuple(windows), filters
        self.width = filters * len(self.windows)
        self.weight = nn.Parameter(torch.empty(sum(self.windows) * filters, inputs))
        self.bias = nn.Parameter(torch.empty(self.width))
        self.norm = nn.BatchNorm1d(self.width) if batch_norm else None
        self.draw_weights()

    def draw_weights(self) -> None:
        """Draw the weights as torch's convolutions do: evenly within 1/sqrt(window * inputs)."""
        rows = self.weight.split([window * self.filters for window in self.windows])
        biases = self.bias.split(self.filters)
        for window, weight, bias in zip(self.windows, rows, biases, strict=True):
            bound = (window * weight.shape[1]) ** -0.5
            nn.init.uniform_(weight, -bound, bound)
            nn.init.uniform_(bias, -bound, bound)

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, width) maxima of (batch, length, inputs) vectors."""
        parts = functional.linear(embedded * mask.unsqueeze(-1), self.weight)
        lengths = mask.sum(dim=1, keepdim=True)
        found, start = [], 0
        for window in self.windows:
            answers = 0
            for place in range(window):
                part = parts[:, :, start : start + self.filters]
                answers = answers + functional.pad(part, (0, 0, window - 1 - place, place))
                start += self.filters
            outside = _places(mask, window - 1) >= (lengths + window - 1).clamp(min=1)
            found.append(cast(Tensor, answers).masked_fill(outside.unsqueeze(2), -torch.inf).amax(dim=1))
        largest = torch.cat(found, dim=1) + self.bias
        return torch.relu(largest if self.norm is None else self.norm(largest))


def _places(mask: Tensor, more: int) -> Tensor:
    """Return the numbers of the places of a batch and some more, (1, length + more)."""
    return torch.arange(mask.shape[1] + more, device=mask.device).unsqueeze(0)


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
