"""One network of two branches."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gallae.models.architectures.convolutional import Convolutions
from gallae.models.architectures.recurrent import RecurrentConfig, RecurrentNetwork


class BranchedConfig(RecurrentConfig):
    """Fields of `BranchedNetwork`: the recurrent branch's, window sizes, filters a window, batch norm."""

    model_type = "gallae-branched"

    windows: list[int] | tuple[int, ...] = (1, 2, 3)
    filters: int = 100
    batch_norm: bool = False


class BranchedNetwork(RecurrentNetwork):
    """Recurrent layers and convolutions over the same embedding; their features stand side by side."""

    config_class = BranchedConfig

    def build(self, config: Any) -> None:
        """Make both branches."""
        super().build(config)
        self.convolutions = Convolutions(
            self.embedding.width, tuple(config.windows), config.filters, config.batch_norm
        )
        self.width += self.convolutions.width

    def pool(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, width) features (see `Network.pool`)."""
        return torch.cat([super().pool(embedded, mask), self.convolutions(embedded, mask)], dim=1)
