"""Texts as ids: one flat array, whatever the number of texts."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gallae.text.subwords import UNITS as SUBWORDS
from gallae.text.subwords import train_subwords
from gallae.text.units import iter_tokens, tokenize
from gallae.text.vocabulary import CLS, PAD, SEP, SPECIAL, UNK, Vocabulary

log = logging.getLogger(__name__)
_CHUNK = 20_000


@dataclass(frozen=True)
class TokenIds:
    """The ids of many texts.

    Attributes:
        flat: (n_tokens,) int32 ids, one text after the other.
        offsets: (n_texts + 1,) int64; text i is flat[offsets[i]:offsets[i + 1]].
    """

    flat: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """(n_texts,) int64 number of ids of each text."""
        return np.diff(self.offsets)

    def gather(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of some texts one after the other, (n,) int64, and their lengths."""
        lengths = self.lengths[rows]
        starts = np.repeat(self.offsets[rows] - np.cumsum(lengths) + lengths, lengths)
        return self.flat[starts + np.arange(len(starts))].astype(np.int64), lengths

    def padded(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ids (n, longest) int64, filled up with [PAD], and their mask (n, longest) bool."""
        flat, lengths = self.gather(rows)
        mask = np.arange(max(1, lengths.max(initial=1))) < lengths[:, None]
        ids = np.full(mask.shape, PAD, dtype=np.int64)
        ids[mask] = flat
        return ids, mask

    def take(self, rows: np.ndarray) -> TokenIds:
        """Return some of the texts."""
        flat, lengths = self.gather(rows)
        return TokenIds(flat.astype(np.int32), _offsets(lengths))


def _offsets(lengths: Iterable[int] | np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))]).astype(np.int64)


class TextTokenizer:
    """Clean texts to ids: split into units, then look the units up in a vocabulary of the corpus.

    Args:
        unit: One of `gallae.text.UNITS`, or of `gallae.text.subwords.UNITS` (trained).
        drop_tags, keep_tags: Part-of-speech filter of morphemes.
        analyzer: "kiwi" or "mecab".
        subwords_of: What sub-words are parts of, "word" or "morpheme".
        size: Most tokens of the vocabulary.
        min_count: Leave out tokens found less often.
        max_length: Most tokens of a text; the rest is cut off.
        enclose: Whether texts begin with [CLS] and end with [SEP].

    Attributes:
        vocabulary: After `fit`.
        truncated: How many texts the last call cut off.
    """

    def __init__(
        self,
        unit: str,
        drop_tags: Sequence[str] = (),
        keep_tags: Sequence[str] = (),
        analyzer: str = "kiwi",
        subwords_of: str = "word",
        size: int = 50_000,
        min_count: int = 2,
        max_length: int = 128,
        enclose: bool = False,
    ) -> None:
        self.unit = unit
        self.drop_tags, self.keep_tags = tuple(drop_tags), tuple(keep_tags)
        self.analyzer = analyzer
        self.subwords_of = subwords_of
        self.size, self.min_count, self.max_length = size, min_count, max_length
        self.enclose = enclose
        self.truncated = 0
        self.vocabulary: Vocabulary

    def fit(self, texts: Sequence[str], known: Iterable[str] = ()) -> TokenIds:
        """Choose the vocabulary, and return the ids of the texts.

        Args:
            texts: Clean texts.
            known: Tokens to take in beside the corpus's, such as those that have a vector.

        Raises:
            TextError: if no token is left.
        """
        if self.unit in SUBWORDS:
            pieces = (
                row if isinstance(row, str) else " ".join(row) for row in self.rows(texts, remember=True)
            )
            self.vocabulary = Vocabulary(
                train_subwords(SUBWORDS[self.unit], pieces, self.size, self.min_count)
            )
            return self.transform(texts, remember=True)
        numbers: dict[str, int] = {}
        self.truncated = 0
        first = self._collect(
            [numbers.setdefault(token, len(numbers)) for token in row]
            for row in self.rows(texts, remember=True)
        )
        counts = np.bincount(first.flat, minlength=len(numbers)) if len(numbers) else np.zeros(0, int)
        names = list(numbers)
        order = np.argsort(-counts, kind="stable")[: self.size - len(SPECIAL)]
        chosen = [names[i] for i in order if counts[i] >= self.min_count]
        self.vocabulary = Vocabulary.of_tokens([*chosen, *known])
        ids = np.array([self.vocabulary.known.get(name, UNK) for name in names] or [UNK], dtype=np.int32)
        return self._enclosed(TokenIds(ids[first.flat], first.offsets))

    def transform(self, texts: Sequence[str], remember: bool = False) -> TokenIds:
        """Return the ids of clean texts, keeping the morphemes for a next time if `remember`."""
        self.truncated = 0
        chunks = (texts[start : start + _CHUNK] for start in range(0, len(texts), _CHUNK))
        rows = (ids for chunk in chunks for ids in self.vocabulary.encode(list(self.rows(chunk, remember))))
        return self._enclosed(self._collect(rows))

    def rows(self, texts: Sequence[str], remember: bool = False) -> Iterator[Sequence[str]]:
        """Yield each text's tokens; the text itself where sub-words of words are wanted."""
        if self.unit in SUBWORDS and self.subwords_of == "word":
            yield from texts
            return
        unit = "morpheme" if self.unit in SUBWORDS else self.unit
        split = tokenize if remember else iter_tokens
        for start in range(0, len(texts), _CHUNK):
            chunk = texts[start : start + _CHUNK]
            yield from split(chunk, unit, self.drop_tags, self.keep_tags, self.analyzer)

    def _collect(self, rows: Iterable[Sequence[int]]) -> TokenIds:
        flat, lengths, most = array("i"), array("q"), self.max_length
        for row in rows:
            if len(row) > most:
                self.truncated += 1
                row = row[:most]
            flat.extend(row)
            lengths.append(len(row))
        return TokenIds(
            np.frombuffer(flat, dtype=np.int32) if flat else np.zeros(0, np.int32), _offsets(lengths)
        )

    def _enclosed(self, ids: TokenIds) -> TokenIds:
        """Put [CLS] and [SEP] around every text that has a token."""
        if not self.enclose:
            return ids
        lengths = ids.lengths
        longer = np.where(lengths > 0, lengths + 2, 0)
        offsets = _offsets(longer)
        flat = np.empty(offsets[-1], dtype=np.int32)
        inside = np.ones(len(flat), dtype=bool)
        full = lengths > 0
        inside[offsets[:-1][full]] = inside[offsets[1:][full] - 1] = False
        flat[inside] = ids.flat
        flat[offsets[:-1][full]], flat[offsets[1:][full] - 1] = CLS, SEP
        return TokenIds(flat, offsets)

    def to_json(self) -> dict[str, Any]:
        """Return the options; the vocabulary is a file of its own."""
        names = ("unit", "analyzer", "subwords_of", "size", "min_count", "max_length", "enclose")
        lists = {"drop_tags": list(self.drop_tags), "keep_tags": list(self.keep_tags)}
        return {name: getattr(self, name) for name in names} | lists

    @classmethod
    def restore(cls, options: dict[str, Any], vocabulary: str) -> Self:
        """Make the fitted tokenizer again."""
        made = cls(**options)
        made.vocabulary = Vocabulary.from_json(vocabulary)
        return made
