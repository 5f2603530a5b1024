"""Vectors of texts from an encoder's layers, without training.

The choices of layers are those of Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers"
(2019), section 5.3: the embedding layer, the second to last, the last, a weighted sum or the concatenation of
the last four, a weighted sum of all.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from gallae.errors import ModelError
from gallae.models.layers import EmbeddingOptions
from gallae.pretrained.lengths import most_tokens
from gallae.text import TextPipeline
from gallae.training.devices import find_device
from gallae.training.inference import batches_by_length, tokens_a_batch

log = logging.getLogger(__name__)


class Embeds(Protocol):
    """What turns texts into vectors.

    Attributes:
        width: Numbers a text.
        truncated: How many texts were cut off so far.
    """

    width: int
    truncated: int

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n, width) float32."""


class Embedder:
    """Vectors of texts from one or several layers of an encoder.

    A text's vector is the same to about 1e-6 whatever texts stand beside it, and in whatever order.

    Args:
        network: A `transformers.PreTrainedModel` without a head.
        tokenizer: Its tokenizer.
        options: Which layers, and how they are joined.
        pipeline: Cleans the texts first; without one they are read as they are.

    Attributes:
        width: Numbers a text.
        truncated: How many texts were cut off so far.

    Raises:
        RecipeError: for a layer that is not there.
        ModelError: if the network is no encoder.
    """

    def __init__(
        self,
        network: Any,
        tokenizer: Any,
        options: EmbeddingOptions | None = None,
        pipeline: TextPipeline | None = None,
    ) -> None:
        self.network, self.tokenizer = network, tokenizer
        tokenizer.split_special_tokens = True  # "[SEP]" in a text is text
        if tokenizer.pad_token is None:  # any will do, as the mask hides it
            tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
        self.pipeline = pipeline or TextPipeline(())
        self.options = options or EmbeddingOptions()
        config = network.config
        if getattr(config, "is_encoder_decoder", False):
            raise ModelError(
                f"a {config.model_type} is encoder and decoder; embeddings take an encoder alone."
            )
        self.layers = self.options.numbers(int(config.num_hidden_layers))
        joined = len(self.layers) if self.options.combine == "concat" else 1
        self.width = int(config.hidden_size) * joined
        self.max_length = min(self.options.max_length, most_tokens(config, tokenizer))
        self.truncated = 0
        self._inputs = set(inspect.signature(network.forward).parameters)
        if config.model_type == "big_bird":  # its sparse attention depends on how long a batch is
            network.set_attention_type("original_full")

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n, width) float32 vectors of texts; zeros for a text without a token."""
        result = np.zeros((len(texts), self.width), dtype=np.float32)
        if not len(texts):
            return result
        rows = self._encode(texts)
        lengths = np.array([len(ids) for ids in rows["input_ids"]])
        full = np.flatnonzero(lengths)
        self.network.eval().to(find_device("auto"))
        with torch.inference_mode():
            for part in batches_by_length(lengths[full], tokens_a_batch(self.network.device.type)):
                chosen = full[part]
                result[chosen] = self._batch({name: [v[i] for i in chosen] for name, v in rows.items()})
        return result

    def _encode(self, texts: Sequence[str]) -> dict[str, list[list[int]]]:
        clean = [text.encode("utf-8", "replace").decode() for text in self.pipeline.apply(list(texts))]
        given = self.tokenizer(clean, truncation=True, max_length=self.max_length, return_attention_mask=True)
        self.truncated += sum(bool(one.overflowing) for one in given.encodings)
        return {name: values for name, values in given.items() if name in self._inputs}

    def _batch(self, rows: dict[str, list[list[int]]]) -> np.ndarray:
        # On the right, whatever the tokenizer says: on the left it would move the tokens' positions.
        padded = self.tokenizer.pad(rows, padding_side="right", return_tensors="pt").to(self.network.device)
        mask = padded["attention_mask"].bool()
        extra = {}
        if "global_attention_mask" in self._inputs:  # Longformer: the first token sees all
            extra["global_attention_mask"] = torch.zeros_like(padded["attention_mask"])
            extra["global_attention_mask"][:, 0] = 1
        hidden = self.network(**padded, **extra, output_hidden_states=True).hidden_states
        chosen = [hidden[number][:, : mask.shape[1]] for number in self.layers]  # some pad once more
        return pooled(self._combined(chosen), mask, self.options.pool).float().cpu().numpy()

    def _combined(self, layers: list[Tensor]) -> Tensor:
        """Join layers, each (batch, length, hidden), to (batch, length, width)."""
        if self.options.combine == "concat":
            return torch.cat(layers, dim=-1)
        if self.options.combine == "weighted":
            pairs = zip(layers, self.options.weights, strict=True)
            return torch.stack([layer * weight for layer, weight in pairs]).sum(dim=0)
        stacked = torch.stack(layers)
        return stacked.mean(dim=0) if self.options.combine == "mean" else stacked.sum(dim=0)


def pooled(hidden: Tensor, mask: Tensor, pool: str) -> Tensor:
    """Make one vector of each text's tokens.

    Args:
        hidden: (batch, length, width).
        mask: (batch, length) bool, true for tokens, which stand before the padding.
        pool: "cls", "mean" or "max".

    Returns:
        (batch, width).
    """
    if pool == "cls":
        return hidden[:, 0]
    if pool == "max":
        return hidden.masked_fill(~mask[..., None], float("-inf")).amax(dim=1)
    kept = mask[..., None].to(hidden.dtype)
    return (hidden * kept).sum(dim=1) / kept.sum(dim=1)
