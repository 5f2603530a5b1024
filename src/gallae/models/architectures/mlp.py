"""Dense layers over sparse features."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig

from gallae.models.architectures.base import Network, NetworkOutput, is_large
from gallae.models.architectures.pooling import flat_pooling

_ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "none": nn.Identity}


class MlpConfig(PreTrainedConfig):
    """Fields of `MlpNetwork`.

    Attributes:
        vocab_size: Number of features.
        hidden: Widths of the dense layers.
        mean: Whether to divide by the sum of the features.
        activation: "relu", "gelu", "tanh" or "none".
        sparse_gradients: Whether a large first layer gets sparse gradients, for optimisers that take those.
        dropout: Share of each dense layer's answers dropped in training.
    """

    model_type = "gallae-mlp"

    vocab_size: int = 5
    hidden: list[int] | tuple[int, ...] = (128,)
    mean: bool = False
    activation: str = "relu"
    sparse_gradients: bool = False
    dropout: float = 0.5


class SparseLinear(nn.Module):
    """A dense layer that reads only the features that are not zero.

    Args:
        inputs: Number of features.
        outputs: Width.
        mean: Whether to divide by the sum of the features' absolute values.
        sparse: Whether the gradient of the weight is sparse.
    """

    def __init__(self, inputs: int, outputs: int, mean: bool, sparse: bool) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(inputs, outputs, mode="sum", sparse=sparse)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.mean = mean

    def forward(self, numbers: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
        """Return (batch, outputs).

        Args:
            numbers: (n,) int64 numbers of the features, one row after the other.
            offsets: (batch,) int64: where each row begins. It may be empty.
            weights: (n,) the features.
        """
        summed = self.table(numbers, offsets, per_sample_weights=weights.to(self.table.weight.dtype))
        if self.mean:
            totals = flat_pooling(weights.abs().unsqueeze(1), offsets, "sum")
            summed = summed / torch.where(totals > 0, totals, 1)
        return cast(Tensor, summed + self.bias)


class MlpNetwork(Network):
    """Dense layers over TF-IDF or counts of n-grams.

    With `mean` over hashed n-grams, no activation and one layer it is fastText's classifier (Joulin et al.
    2017).
    """

    config_class = MlpConfig
    layout = "flat"

    def make_embedding(self, config: Any) -> nn.Module:
        """Return the first layer."""
        first = config.hidden[0]
        sparse = config.sparse_gradients and is_large(config.vocab_size, first)
        return SparseLinear(config.vocab_size, first, config.mean, sparse)

    def build(self, config: Any) -> None:
        """Make the further layers."""
        self.activation = _ACTIVATIONS[config.activation]()
        widths = list(config.hidden)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.width = widths[-1]

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor,
        offsets: Tensor,
        weights: Tensor | None = None,
        **_: Any,
    ) -> NetworkOutput:
        """Classify a batch.

        Args:
            input_ids: (n,) int64 numbers of the features that are not zero, one text after the other.
            offsets: (batch,) int64: where each text begins. It may have none.
            weights: (n,) the features; ones if they are left away.
        """
        if weights is None:
            weights = torch.ones(len(input_ids), device=input_ids.device)
        rows = self.activation(self.embedding(input_ids, offsets, weights))
        for layer in self.layers:
            rows = self.activation(layer(self.dropout(rows)))
        return self.classify(rows)

    def get_input_embeddings(self) -> nn.Module:
        """Return the first layer's weights."""
        return cast(nn.Module, self.embedding.table)

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.EmbeddingBag):
            nn.init.xavier_uniform_(module.weight)
        elif isinstance(module, SparseLinear):
            nn.init.zeros_(module.bias)
        else:
            super()._init_weights(module)
