"""Where a network with attention looks.

Attention says what a token reads, not what decides; weights that look alike may lead to other labels (Jain &
Wallace, "Attention is not Explanation", 2019). It is shown beside the reasons, not in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.errors import GallaeError
from gallae.evaluation.charts import heat_map
from gallae.explaining.scoring import inside
from gallae.text.alignment import aligned
from gallae.text.vocabulary import SPECIAL

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN = 40  # tokens in a picture


@dataclass(frozen=True)
class Attention:
    """What the tokens of a text attend to.

    Attributes:
        text: The raw text.
        tokens: (n_tokens,) as they stand in the clean text; special ones by their name.
        weights: (n_layers, n_heads, n_queries, n_tokens), the shares of each query, with the sum 1. Where a
            network only weighs the tokens for their mean, there is one layer, head and query.
    """

    text: str
    tokens: tuple[str, ...]
    weights: np.ndarray

    def received(self) -> np.ndarray:
        """Return how much each token is attended to in the last layer, (n_tokens,), with the sum 1."""
        return np.asarray(self.weights[-1].mean(axis=(0, 1)))

    def picture(self, language: str = "en") -> str:
        """Return an SVG heat map of the last layer, the mean over its heads; of the first 40 tokens."""
        table = self.weights[-1].mean(axis=0)[:_SHOWN, :_SHOWN]
        names = list(self.tokens[:_SHOWN])
        words = {"en": ("attended to", "token", "all"), "ko": ("주목받는 토큰", "토큰", "전체")}[language]
        rows = names if len(table) > 1 or len(names) == 1 else [words[2]]
        return heat_map(
            table,
            rows[: len(table)],
            names,
            high=max(1e-9, float(table.max())),
            xlabel=words[0],
            ylabel=words[1],
            description="attention",
        )


def attention(model: Any, texts: Sequence[str]) -> list[Attention | None]:
    """Return what the tokens of texts attend to; None for a text without a token.

    Args:
        model: A fitted network with attention: a pretrained encoder, a transformer, or one that pools by
            attention; calibrated or not.
        texts: The texts.

    Raises:
        GallaeError: for a model without attention.
    """
    network = inside(model)
    reader = _reader(getattr(network, "network_", None))
    if reader is None:
        raise GallaeError(
            f"this model ({type(network).__name__}) has no attention to show. Encoders, the recipe "
            "transformer, and networks with model.pooling = 'attention' have."
        )
    return [_one(network, reader, text) for text in texts]


def _one(model: Any, reader: Any, text: str) -> Attention | None:
    import torch

    from gallae.explaining.gradients import token_batch

    clean = aligned(model.pipeline_, text).clean
    read = token_batch(model, clean)
    if read is None:
        return None
    batch, places, _ = read
    model.network_.eval()
    with torch.inference_mode():
        weights = reader(model.network_, batch)
    kept = int(batch["attention_mask"].sum())
    ids = batch["input_ids"][0].tolist()
    names = tuple(
        _special(model, number) if place is None else clean[place[0] : place[1]]
        for number, place in zip(ids[:kept], places, strict=False)
    )
    stacked = np.stack([layer[0].float().cpu().numpy() for layer in weights])
    queries = min(kept, stacked.shape[2])
    return Attention(text, names, stacked[:, :, :queries, :kept])


def _special(model: Any, number: int) -> str:
    tokenizer = getattr(model.inputs_, "tokenizer", None)
    named = getattr(tokenizer, "id_to_token", None)
    return str(named(number)) if named else SPECIAL[number]


def _reader(network: Any) -> Any:
    """Return a function from a network and its arguments to weights a layer; None if there are none."""
    if network is None:
        return None
    modules = {type(module).__name__ for module in network.modules()}
    if "EncoderLayer" in modules and hasattr(network, "layers"):
        return _own_layers
    if hasattr(network, "backbone"):
        return _of_checkpoint
    if "AttentionPooling" in modules:
        return _pooling
    if getattr(network.config, "num_attention_heads", None):
        return _of_checkpoint
    return None


def _of_checkpoint(network: Any, batch: dict[str, Any]) -> Any:
    encoder = getattr(network, "backbone", network)
    with _eager(encoder):
        found = encoder(**batch, output_attentions=True).attentions
    length = batch["input_ids"].shape[1]
    if not found or any(layer is None or layer.shape[-1] != layer.shape[-2] for layer in found):
        raise GallaeError(
            f"a network of the type {encoder.config.model_type!r} does not give its attention token by token."
        )
    return [layer[..., :length, :length] for layer in found]


@contextmanager
def _eager(encoder: Any) -> Iterator[None]:
    """Let an encoder compute its attention so that it can be seen."""
    before = encoder.config._attn_implementation
    encoder.set_attn_implementation("eager")
    try:
        yield
    finally:
        encoder.set_attn_implementation(before)


def _own_layers(network: Any, batch: dict[str, Any]) -> Any:
    found: list[Any] = []

    def keep(layer: Any) -> Any:
        def hook(_module: Any, _inputs: Any, output: Any) -> None:
            queries, keys, _ = (
                part.unflatten(-1, (layer.heads, -1)).transpose(1, 2) for part in output.chunk(3, dim=-1)
            )
            scores = queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5
            found.append(scores.softmax(dim=-1))

        return hook

    with ExitStack() as stack:
        for layer in network.layers:
            stack.callback(layer.project.register_forward_hook(keep(layer)).remove)
        network(**batch)
    return found


def _pooling(network: Any, batch: dict[str, Any]) -> Any:
    found: list[Any] = []
    pooling = next(m for m in network.modules() if type(m).__name__ == "AttentionPooling")

    def hook(_module: Any, _inputs: Any, output: Any) -> None:
        found.append(output.squeeze(-1).softmax(dim=1)[:, None, None, :])

    handle = pooling.weight.register_forward_hook(hook)
    try:
        network(**batch)
    finally:
        handle.remove()
    return found
