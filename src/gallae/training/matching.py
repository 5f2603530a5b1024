"""A student whose layers are to say what its teacher's say (Jiao et al., "TinyBERT", 2020)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from gallae.errors import RecipeError

_QUERIES, _KEYS = ("query", "q_lin"), ("key", "k_lin")  # what architectures call them


@dataclass
class Layers:
    """What the layers of an encoder say of a batch.

    Attributes:
        states: layers + 1 tensors (batch, length, width), the embeddings first.
        queries: One (batch, length, width) a layer.
        keys: One (batch, length, width) a layer.
    """

    states: tuple[Tensor, ...] = ()
    queries: list[Tensor] = field(default_factory=list)
    keys: list[Tensor] = field(default_factory=list)

    def scores(self, layer: int, heads: int) -> Tensor:
        """Return the attention of a layer before the softmax, (batch, heads, length, length)."""
        split = [
            part.unflatten(2, (heads, -1)).transpose(1, 2) for part in (self.queries[layer], self.keys[layer])
        ]
        return split[0] @ split[1].transpose(2, 3) / split[0].shape[-1] ** 0.5


def read_layers(encoder: Any, inputs: dict[str, Tensor]) -> Layers:
    """Run an encoder of `AutoModel` on a batch, and return what its layers say."""
    found = Layers()
    with _listening(encoder, found):
        found.states = encoder(**inputs, output_hidden_states=True).hidden_states
    return found


class Matching(nn.Module):
    """How far a student's layers are from its teacher's.

    The student's layer m answers for the teacher's layer m N / M of N and M layers, the embeddings for the
    embeddings, the last for the last. Linear maps, which learn alongside, take the student's states to the
    teacher's width.

    Args:
        student: An encoder of `AutoModel`.
        teacher: Another.

    Raises:
        RecipeError: if they attend with different numbers of heads, or in a way that cannot be read.
    """

    def __init__(self, student: Any, teacher: Any) -> None:
        super().__init__()
        own, theirs = student.config, teacher.config
        for network in (student, teacher):
            if not _parts(network, _QUERIES):
                raise RecipeError(
                    f"the attention of a {network.config.model_type} cannot be read. Take a student and a "
                    "teacher of BERT, RoBERTa, ELECTRA, ALBERT or DistilBERT."
                )
        if own.num_attention_heads != theirs.num_attention_heads:
            raise RecipeError(
                f"the student has {own.num_attention_heads} heads, its teacher {theirs.num_attention_heads}, "
                "and each learns from one. Give the student as many (network.heads)."
            )
        self.heads = int(own.num_attention_heads)
        depth, deeper = int(own.num_hidden_layers), int(theirs.num_hidden_layers)
        self.taught_by = [round(layer * deeper / depth) for layer in range(1, depth + 1)]
        self.embedding = nn.Linear(own.hidden_size, theirs.hidden_size, bias=False)
        self.hidden = nn.Linear(own.hidden_size, theirs.hidden_size, bias=False)

    def forward(self, own: Layers, theirs: Layers, mask: Tensor) -> dict[str, Tensor]:
        """Return "embedding", "hidden" and "attention": mean squared differences, summed over layers.

        Args:
            own: The student's layers.
            theirs: The teacher's, of the same batch.
            mask: (batch, length) bool, where there is no padding.
        """
        found = {"embedding": _distance(self.embedding(own.states[0][mask]), theirs.states[0][mask])}
        pairs = mask[:, None, :, None] & mask[:, None, None, :]
        hidden, attention = [], []
        for layer, teacher in enumerate(self.taught_by):
            hidden.append(_distance(self.hidden(own.states[layer + 1][mask]), theirs.states[teacher][mask]))
            scores = own.scores(layer, self.heads), theirs.scores(teacher - 1, self.heads)
            both = pairs.expand_as(scores[0])
            attention.append(_distance(scores[0][both], scores[1][both]))
        return {**found, "hidden": torch.stack(hidden).sum(), "attention": torch.stack(attention).sum()}


def _distance(own: Tensor, theirs: Tensor) -> Tensor:
    return (own.float() - theirs.float()).square().mean()


@contextmanager
def _listening(encoder: Any, found: Layers) -> Iterator[None]:
    """Keep the queries and keys that are computed meanwhile, whatever way of attention follows them."""
    hooks = [
        part.register_forward_hook(lambda _module, _given, made, kept=kept: kept.append(made))
        for names, kept in ((_QUERIES, found.queries), (_KEYS, found.keys))
        for part in _parts(encoder, names)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _parts(encoder: Any, names: tuple[str, ...]) -> list[nn.Module]:
    return [module for name, module in encoder.named_modules() if name.rpartition(".")[2] in names]
