"""Another vocabulary for a network that has learnt with one: what both know keeps its vector."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gallae.pretrained.lengths import after_padding
from gallae.pretrained.loading import quiet
from gallae.pretrained.scratch import special_ids
from gallae.text.piece_vectors import surfaces
from gallae.training.seeding import isolated

log = logging.getLogger(__name__)
_ROLES = {
    "pad": ("pad",),
    "unk": ("unk",),
    "cls": ("cls", "bos"),
    "sep": ("sep", "eos"),
    "bos": ("bos", "cls"),
    "eos": ("eos", "sep"),
    "mask": ("mask",),
}


@dataclass(frozen=True)
class Carrying:
    """Which old pieces each new one is made of.

    Attributes:
        ids: (n,) int64 old ids, of all new pieces one after the other.
        offsets: (n_new + 1,) int64: piece i is the mean of ids[offsets[i]:offsets[i + 1]]; of none, if it
            begins at random.
        shared: How many pieces both vocabularies have.
    """

    ids: np.ndarray
    offsets: np.ndarray
    shared: int

    @property
    def found(self) -> np.ndarray:
        """(n_new,) bool: which pieces have old ones."""
        return np.diff(self.offsets) > 0

    def fill(self, new: Tensor, old: Tensor) -> None:
        """Put rows of `old` into `new`, in place.

        Args:
            new: (at least n_new, ...) a row a piece.
            old: (n_old, ...), rows of the same shape.
        """
        rows = old.detach().float().reshape(len(old), -1)
        made = functional.embedding_bag(
            torch.from_numpy(self.ids), rows, torch.from_numpy(self.offsets[:-1]), mode="mean"
        )
        found = torch.from_numpy(np.flatnonzero(self.found))
        with torch.no_grad():
            new[found] = made[found].reshape(-1, *old.shape[1:]).to(new)


def carry(old: Any, new: Any) -> Carrying:
    """Return how a new tokenizer's pieces are made of an old one's.

    Special tokens are found by what they are for, others by how they look in a text and whether they begin a
    word, whatever marks the tokenizers use. A piece that only the new one has is the mean of those that the
    old one cuts it into (Kuratov and Arkhipov, "Adaptation of Deep Bidirectional Multilingual Transformers
    for Russian Language", 2019).

    Args:
        old: A fast tokenizer of transformers.
        new: Another.
    """
    looks = _surfaces(old)
    known = {look: number for number, look in reversed(list(enumerate(looks))) if look.text}
    names = old.get_vocab()
    special = _special(old, new)
    bags: list[Sequence[int]] = []
    shared, cut = 0, {}
    for number, look in enumerate(_surfaces(new)):
        same = special.get(number, known.get(look))
        if same is None and not look.text:
            same = names.get(new.convert_ids_to_tokens(number))  # bytes, further special tokens
        shared += same is not None
        bags.append([same] if same is not None else [])
        if same is None and look.text:
            cut[number] = look.text
    for number, ids in zip(cut, _cut(old, list(cut.values())), strict=True):
        bags[number] = ids
    offsets = np.concatenate([[0], np.cumsum([len(bag) for bag in bags])]).astype(np.int64)
    return Carrying(np.array([i for bag in bags for i in bag], dtype=np.int64), offsets, shared)


def with_vocabulary(network: Any, old: Any, new: Any, seed: int = 42) -> Any:
    """Return a network with all that another has learnt, for another tokenizer.

    Embeddings, and the biases of a language model's head, are carried over as `carry` says; all else stays.

    Args:
        network: A `transformers.PreTrainedModel`.
        old: Its tokenizer.
        new: The tokenizer that the result is for.
        seed: Of the rows of pieces that the old tokenizer knows nothing of.

    Returns:
        A `transformers.PreTrainedModel` of the same class.
    """
    kind, config = type(network), copy.deepcopy(network.config)
    config.vocab_size = len(new)
    for name, number in special_ids(new).items():
        setattr(config, name, number)
    moved = _moved_positions(network.config, config)
    with isolated(seed), quiet():
        fresh = kind(config)
    by_piece, carrying = weights_by_piece(kind, config), carry(old, new)
    before, after = network.state_dict(), fresh.state_dict()
    for name, tensor in after.items():
        if name in by_piece:
            carrying.fill(tensor, before[name])
        elif moved and name.endswith("position_embeddings.weight"):
            start = max(0, -moved)
            tensor[start + moved : len(before[name]) + moved] = before[name][start:]
        else:
            tensor.copy_(before[name])
    log.info(
        "new vocabulary: %d of its %d pieces keep their vectors, %d are means of the old one's pieces",
        carrying.shared,
        len(new),
        int(carrying.found.sum()) - carrying.shared,
    )
    return fresh.eval()


def same_vocabulary(one: Any, other: Any) -> bool:
    """Return whether two tokenizers give the same ids to the same pieces."""
    return bool(one.get_vocab() == other.get_vocab())


def pieces_of(tokenizer: Any) -> list[str]:
    """Return a tokenizer's pieces in the order of their ids; the special ones as ""."""
    special = set(tokenizer.all_special_ids)
    names = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    return ["" if number in special else name or "" for number, name in enumerate(names)]


def _surfaces(tokenizer: Any) -> list[Any]:
    return surfaces(pieces_of(tokenizer))


def _special(old: Any, new: Any) -> dict[int, int]:
    """Return the new special ids with the old ones that are for the same."""
    found: dict[int, int] = {}
    for role, names in _ROLES.items():
        number = getattr(new, f"{role}_token_id")
        others = [getattr(old, f"{name}_token_id") for name in names]
        other = next((i for i in others if i is not None), None)
        if number is not None and other is not None:
            found.setdefault(number, other)
    return found


def _cut(old: Any, texts: list[str]) -> list[list[int]]:
    """Return the ids that a tokenizer cuts texts into, without the unknown one."""
    if not texts:
        return []
    rows = old(texts, add_special_tokens=False, verbose=False)["input_ids"]
    return [[number for number in ids if number != old.unk_token_id] for ids in rows]


def _moved_positions(old: Any, new: Any) -> int:
    """Return by how many rows positions move, and make room: some count them from the padding's id on."""
    if not after_padding(old):
        return 0
    moved = int(new.pad_token_id) - int(old.pad_token_id)
    new.max_position_embeddings += moved
    return moved


def weights_by_piece(kind: Any, config: Any) -> set[str]:
    """Return the names of the weights that have a row a piece: those that grow with the vocabulary."""
    larger = copy.deepcopy(config)
    larger.vocab_size += 1
    with quiet(), torch.device("meta"):
        shapes = [{name: t.shape for name, t in kind(c).state_dict().items()} for c in (config, larger)]
    return {name for name, shape in shapes[0].items() if shape != shapes[1][name]}
