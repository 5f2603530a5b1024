"""What every objective shares: its networks, and rows to tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from gallae.pretraining.rows import BREAK, Row

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from gallae.pretraining.options import PretrainingRecipe


class Objective:
    """An objective: a network, and the batches it learns from. A subclass is one kind.

    Args:
        recipe: The whole recipe; `recipe.objective` holds the kind's own options.
        tokenizer: A fast tokenizer of transformers.
        seed: Of random weights; torch's global generator is seeded with it already.

    Attributes:
        network: forward(**batch) returns a dict: "loss", a scalar that has a gradient, and figures of the
            kind's own, detached scalars; their means come into the history.
    """

    likelihood: ClassVar[str] = "loss"
    """Name of the figure that is the mean of -log p of single tokens, to be held against the entropy of the
    corpus's unigrams; "" where there is none."""

    network: nn.Module

    def __init__(self, recipe: PretrainingRecipe, tokenizer: Any, seed: int) -> None:
        self.recipe, self.tokenizer, self.seed = recipe, tokenizer, seed

    @property
    def encoder(self) -> PreTrainedModel:
        """What is saved in `model/`; it shares its weights with `network`."""
        raise NotImplementedError  # pragma: no cover - every kind has its own

    def enclosed(self, rows: Sequence[Row]) -> Enclosed:
        """Return rows with their special tokens, filled up on the right."""
        return special(rows, self.tokenizer, self.recipe.corpus.max_length)

    def collate(self, rows: Sequence[Row], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return a batch for `network`, filled up on the right.

        Args:
            rows: Of like length.
            rng: Decides over masks and the like, so that a batch is the same after a resume.
        """
        raise NotImplementedError  # pragma: no cover - every kind has its own


@dataclass(frozen=True)
class Enclosed:
    """Rows with their special tokens, filled up on the right.

    Attributes:
        ids: (batch, length) int64.
        kinds: (batch, length) int64: 0 for [CLS], the first part and its [SEP], 1 for the second's.
        mask: (batch, length) bool: where there is no padding.
        text: (batch, length) bool: where there is neither padding nor a special token.
    """

    ids: np.ndarray
    kinds: np.ndarray
    mask: np.ndarray
    text: np.ndarray

    def inputs(self, ids: np.ndarray | None = None, kinds: bool = True) -> dict[str, Tensor]:
        """Return input_ids, and the mask and the kinds where they say something.

        Args:
            ids: Other ids than `self.ids`, such as masked ones.
            kinds: Whether the network knows kinds of tokens.
        """
        made = {"input_ids": torch.from_numpy(self.ids if ids is None else ids)}
        if not self.mask.all():
            made["attention_mask"] = torch.from_numpy(self.mask.astype(np.int64))
        if kinds and self.kinds.any():
            made["token_type_ids"] = torch.from_numpy(self.kinds)
        return made


def special(rows: Sequence[Row], tokenizer: Any, most: int) -> Enclosed:
    """Return rows as [CLS] first [SEP], or [CLS] first [SEP] second [SEP].

    Args:
        rows: Without special tokens.
        tokenizer: Its cls, sep and pad tokens are taken (bos and eos where it has no cls and sep).
        most: Tokens that the network reads; rows are filled up to no more.
    """
    start, end, fill = special_ids(tokenizer)
    longest = max(map(len, rows))
    width = max(longest, min(most, int(padded_length(np.array(longest)))))
    ids = np.full((len(rows), width), fill, dtype=np.int64)
    kinds, text = np.zeros_like(ids), np.zeros(ids.shape, dtype=bool)
    mask = np.arange(ids.shape[1]) < np.array([len(row) for row in rows])[:, None]
    for number, row in enumerate(rows):
        at = len(row.first) + 1
        ids[number, 0], ids[number, 1:at], ids[number, at] = start, row.first, end
        text[number, 1:at] = True
        if row.second is not None:
            last = at + 1 + len(row.second)
            ids[number, at + 1 : last], ids[number, last] = row.second, end
            kinds[number, at + 1 : last + 1] = 1
            text[number, at + 1 : last] = True
    breaks = ids == BREAK
    ids[breaks], text[breaks] = end, False
    return Enclosed(ids, kinds, mask, text)


def padded_length(lengths: np.ndarray) -> np.ndarray:
    """Return the lengths to which rows are filled up: few, as each is a shape to compile kernels for.

    Multiples of 4 up to 32, of 8 up to 64, and so on: an eighth of a long row at most is padding.

    Args:
        lengths: int64, of any shape.
    """
    step = np.maximum(4, 2 ** np.ceil(np.log2(np.maximum(lengths, 1))).astype(np.int64) // 8)
    padded: np.ndarray = -(-lengths // step) * step
    return padded


def numbers(rows: Sequence[Row]) -> np.ndarray:
    """Return the (batch,) int64 numbers of rows, by which static masks are made."""
    return np.array([row.number for row in rows], dtype=np.int64)


def special_ids(tokenizer: Any) -> tuple[int, int, int]:
    """Return the ids that begin a row, end a part, and fill up."""
    start = tokenizer.cls_token_id if tokenizer.cls_token_id is not None else tokenizer.bos_token_id
    end = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
    return int(start), int(end), int(tokenizer.pad_token_id or 0)
