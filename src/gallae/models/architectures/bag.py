"""Bags of embeddings."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from gallae.models.architectures.base import Network, NetworkConfig, NetworkOutput
from gallae.models.architectures.pooling import flat_pooling, max_of, mean_of, sum_of

_PADDED = {"mean": mean_of, "sum": sum_of, "max": max_of}


class BagConfig(NetworkConfig):
    """Fields of `BagNetwork`.

    Attributes:
        pooling: "mean", "sum" or "max".
        offsets: Whether batches are flat instead of padded.
        one_hot: Whether tokens are counted; `embedding` and `pooling` follow from that.
        hidden: Width of a dense layer before the classifier, 0 for none.
    """

    model_type = "gallae-bag"

    pooling: str = "mean"
    offsets: bool = True
    one_hot: bool = False
    hidden: int = 0


class Bias(nn.Module):
    """Add a vector that learns.

    Args:
        width: Of the vector.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, rows: Tensor) -> Tensor:
        """Return (..., width) rows, moved."""
        return rows + self.bias


class BagNetwork(Network):
    """The mean, sum or maximum of the tokens' embeddings, whatever their order.

    Joulin et al., "Bag of Tricks for Efficient Text Classification" (2017). With `one_hot` it is a linear
    model (with `hidden` a dense network) over the counts of tokens: a one-hot vector times a matrix is a row
    of it, so the counts are never written out. The linear model's `dropout` drops tokens.
    """

    config_class = BagConfig

    @classmethod
    def layout_of(cls, options: Any) -> str:
        """Return "flat" where batches are to be."""
        return "flat" if options.offsets else "padded"

    def make_embedding(self, config: Any) -> nn.Module:
        """Return the embedding; of counts, the weights of the first layer."""
        if config.one_hot:
            config.embedding, config.pooling = config.hidden or config.num_labels, "sum"
        return super().make_embedding(config)

    def build(self, config: Any) -> None:
        """Make the dense layer, if there is one."""
        self.layout = self.layout_of(config)
        inputs = self.embedding.width
        self.linear = config.one_hot and not config.hidden
        self.dense: nn.Module | None = None
        if config.hidden:
            self.dense = Bias(config.hidden) if config.one_hot else nn.Linear(inputs, config.hidden)
        self.width = config.hidden or inputs

    def make_classifier(self, config: Any) -> nn.Module:
        """Return a dense layer; of counts alone there is one already, but for its bias."""
        return Bias(config.num_labels) if self.linear else super().make_classifier(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        offsets: Tensor | None = None,
        **_: Any,
    ) -> NetworkOutput:
        """Classify a batch, flat or padded (see `Network.forward`).

        Args:
            input_ids: (n_tokens,) int64 with offsets, else (batch, length).
            attention_mask: (batch, length).
            inputs_embeds: (batch, length, embedding).
            offsets: (batch,) int64: where each text begins. A text may be empty.
        """
        if offsets is None:
            return super().forward(input_ids, attention_mask, inputs_embeds)
        assert input_ids is not None
        return self.classify(self._dense(self._flat(input_ids, offsets)))

    def pool(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, width) features (see `Network.pool`)."""
        if self.linear:
            embedded = embedded * self.dropout(embedded.new_ones(embedded.shape[:2])).unsqueeze(-1)
        return self._dense(_PADDED[self.config.pooling](embedded, mask))

    def classify(self, pooled: Tensor) -> NetworkOutput:
        """Return logits of pooled features."""
        if self.linear:
            return NetworkOutput(logits=self.classifier(pooled), pooled=pooled)
        return super().classify(pooled)

    def _flat(self, ids: Tensor, offsets: Tensor) -> Tensor:
        kind = self.config.pooling
        if kind == "max" or (self.training and self.embedding.dropout.p):
            states = self.embedding(ids)
            if self.linear:
                states = states * self.dropout(states.new_ones(len(ids), 1))
            return flat_pooling(states, offsets, kind)
        word, extra = self.embedding.word, self.embedding.extra
        kept = self.dropout(word.weight.new_ones(len(ids))) if self.linear else None
        pooled = [
            functional.embedding_bag(
                ids, table.weight, offsets, mode=kind, sparse=table.sparse, per_sample_weights=kept
            )
            for table in (word, extra)
            if table is not None
        ]
        return torch.cat(pooled, dim=1)

    def _dense(self, pooled: Tensor) -> Tensor:
        return pooled if self.dense is None else torch.relu(self.dense(pooled))

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, Bias):
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding) and self.linear:
            nn.init.zeros_(module.weight)
        elif isinstance(module, nn.Embedding) and self.config.one_hot:
            nn.init.xavier_uniform_(module.weight)
        else:
            super()._init_weights(module)
