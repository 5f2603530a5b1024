"""What all our networks have in common: configuration, embedding, classifier, checkpoint format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput

_LARGE = 2**22  # weights
RANDOM_SIZE = 0.1  # root mean square of random embeddings' components


class NetworkConfig(PreTrainedConfig):
    """Fields of every network.

    Attributes:
        vocab_size: Rows of the embedding; 0 is [PAD], 1 [UNK].
        embedding: Width of the embedding.
        train_vectors: Whether the embedding learns.
        extra_channel: Width of a second embedding that learns, beside the first; 0 for none.
        sparse_gradients: Whether large embeddings get sparse gradients, for optimisers that take those.
        embedding_dropout: Share of the embeddings' components dropped in training.
        dropout: Share of the pooled features dropped in training.
    """

    model_type = "gallae-network"

    vocab_size: int = 5
    embedding: int = 128
    train_vectors: bool = True
    extra_channel: int = 0
    sparse_gradients: bool = False
    embedding_dropout: float = 0.0
    dropout: float = 0.3
    pad_token_id: int | None = 0


@dataclass
class NetworkOutput(ModelOutput):
    """What a network says of a batch.

    Attributes:
        logits: (batch, n_labels).
        pooled: (batch, width) features before the classifier.
    """

    logits: Tensor | None = None
    pooled: Tensor | None = None


def is_large(rows: int, width: int) -> bool:
    """Whether a table is so large that sparse gradients are faster than dense ones (measured, on CPUs)."""
    return rows * width >= _LARGE


class TokenEmbedding(nn.Module):
    """Ids to vectors: given or random, frozen or learning, with a second channel that always learns."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.word = self._table(config, config.embedding)
        self.word.weight.requires_grad_(config.train_vectors)
        self.extra = self._table(config, config.extra_channel) if config.extra_channel else None
        self.dropout = nn.Dropout(config.embedding_dropout)
        self.width = config.embedding + config.extra_channel

    @staticmethod
    def _table(config: Any, width: int) -> nn.Embedding:
        sparse = config.sparse_gradients and is_large(config.vocab_size, width)
        return nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id, sparse=sparse)

    def forward(self, ids: Tensor) -> Tensor:
        """Return (..., width) vectors of (...) ids."""
        vectors = self.word(ids)
        if self.extra is not None:
            vectors = torch.cat([vectors, self.extra(ids)], dim=-1)
        return cast(Tensor, self.dropout(vectors))

    @torch.no_grad()
    def fill(self, found: Tensor, vectors: Tensor) -> None:
        """Set pretrained vectors; tokens without one keep random vectors of the same size.

        A second channel of the same width starts with them too.

        Args:
            found: (vocab_size,) bool, which tokens have a vector.
            vectors: (n_found, embedding).
        """
        for table in (self.word, self.extra):
            if table is not None and table.weight.shape[1] == vectors.shape[1]:
                table.weight[~found] *= vectors.square().mean().sqrt() / RANDOM_SIZE
                table.weight[found] = vectors


class Network(PreTrainedModel):
    """Base of our networks: embed the tokens, pool them (`pool`, of a subclass), classify.

    A subclass sets `config_class`, defines its layers and `self.width` in `build`, and `pool`.

    Attributes:
        layout: "padded" for input_ids and attention_mask (batch, length), "flat" for input_ids (n_tokens,)
            with offsets (batch,) and maybe weights (n_tokens,).
        width: Number of pooled features.
    """

    config_class: type[PreTrainedConfig] = NetworkConfig
    base_model_prefix = ""
    layout = "padded"
    width: int
    embedding: Any

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.embedding = self.make_embedding(config)
        self.build(config)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = self.make_classifier(config)
        self.post_init()

    def make_embedding(self, config: Any) -> nn.Module:
        """Return the module from ids to vectors."""
        return TokenEmbedding(config)

    @classmethod
    def layout_of(cls, options: Any) -> str:
        """Return the layout that a network of these options reads."""
        return cls.layout

    def build(self, config: Any) -> None:
        """Make the layers between embedding and classifier, and set `width`."""
        raise NotImplementedError  # pragma: no cover - every network has its own

    def make_classifier(self, config: Any) -> nn.Module:
        """Return the module from features to logits."""
        return nn.Linear(self.width, config.num_labels)

    def pool(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, width) features.

        Args:
            embedded: (batch, length, embedding) vectors, of anything where the mask is false.
            mask: (batch, length) bool, true for tokens; each row has at least one.
        """
        raise NotImplementedError  # pragma: no cover - every network has its own

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **_: Any,
    ) -> NetworkOutput:
        """Classify a batch.

        Args:
            input_ids: (batch, length) int64.
            attention_mask: (batch, length), 1 for tokens; all of them if it is left away.
            inputs_embeds: (batch, length, embedding) instead of ids, as `embed` returns them.
        """
        embedded = self.embed(input_ids) if inputs_embeds is None else inputs_embeds
        mask = embedded.new_ones(embedded.shape[:2]) if attention_mask is None else attention_mask
        return self.classify(self.pool(embedded, mask.bool()))

    def embed(self, input_ids: Tensor | None) -> Tensor:
        """Return the vectors of ids, with dropout in training."""
        return cast(Tensor, self.embedding(input_ids))

    def classify(self, pooled: Tensor) -> NetworkOutput:
        """Return logits of pooled features."""
        return NetworkOutput(logits=self.classifier(self.dropout(pooled)), pooled=pooled)

    def get_input_embeddings(self) -> nn.Module:
        """Return the embedding of ids."""
        return cast(nn.Module, getattr(self.embedding, "word", self.embedding))

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding | nn.EmbeddingBag):
            nn.init.normal_(module.weight, std=RANDOM_SIZE if module.weight.shape[1] > 1 else 1.0)
            if module.padding_idx is not None:
                nn.init.zeros_(module.weight[module.padding_idx])
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif hasattr(module, "draw_weights"):
            module.draw_weights()
