"""Which tokens a language model has to guess, and what stands in their place; numpy alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gallae.errors import RecipeError

IGNORED = -100
"""The label of a token that is not to be guessed."""
_FIRST = ("▁", "Ġ")  # stand before a word's first piece (sentencepiece, byte-level BPE)
_LATER = "##"  # stands before its further pieces (WordPiece)

Choice = Callable[[np.ndarray, np.ndarray, float, np.random.Generator], np.ndarray]
"""Eligible tokens, ids, rate and generator to the chosen tokens, all of shape (n_rows, length)."""


@dataclass(frozen=True)
class Pieces:
    """What masking has to know of a tokenizer.

    Attributes:
        mask: Id of the mask token.
        ordinary: Ids of the tokens that are not special, ascending, int64.
        special: Whether an id is special, (n_ids,) bool.
        first: Whether a piece is marked as a word's first, (n_ids,) bool; None where pieces bear no marks.
        alone: Whether a piece is a word of its own, as punctuation is, (n_ids,) bool.
    """

    mask: int
    ordinary: np.ndarray
    special: np.ndarray
    first: np.ndarray | None
    alone: np.ndarray

    @classmethod
    def of(cls, tokenizer: Any) -> Pieces:
        """Look at a tokenizer of transformers.

        Raises:
            RecipeError: if it has no mask token.
        """
        if tokenizer.mask_token_id is None:
            raise RecipeError(
                "this tokenizer has no mask token, which this objective needs. Give another tokenizer, or "
                "choose the recipe clm, which masks nothing."
            )
        names = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
        special = np.zeros(len(names), dtype=bool)
        special[[number for number in tokenizer.all_special_ids if number < len(names)]] = True
        marked = [name for number, name in enumerate(names) if not special[number]]
        return cls(
            mask=int(tokenizer.mask_token_id),
            ordinary=np.flatnonzero(~special),
            special=special,
            first=_firsts(names, marked),
            alone=np.array([_is_alone(name, _is_of_bytes(marked)) for name in names]),
        )

    def starts(self, ids: np.ndarray) -> np.ndarray:
        """Return which tokens begin a word; one after punctuation does, too.

        Args:
            ids: (n_rows, length) int.

        Raises:
            RecipeError: if the tokenizer does not mark words.
        """
        if self.first is None:
            raise RecipeError(
                "this tokenizer does not mark where words begin (▁, Ġ or ##), so whole words and spans "
                "cannot be masked. Set objective.masking=token, or give another tokenizer."
            )
        starts = self.first[ids] | self.alone[ids]
        starts[:, 1:] |= self.alone[ids[:, :-1]]
        starts[:, :1] = True
        return starts


def _firsts(names: Sequence[str], ordinary: Sequence[str]) -> np.ndarray | None:
    for mark in _FIRST:
        if any(name.startswith(mark) for name in ordinary):
            return np.array([name.startswith(mark) for name in names])
    if any(name.startswith(_LATER) for name in ordinary):
        return np.array([not name.startswith(_LATER) for name in names])
    return None


def _is_of_bytes(ordinary: Sequence[str]) -> bool:
    return any(name.startswith(_FIRST[1]) for name in ordinary)


def _is_alone(name: str, of_bytes: bool) -> bool:
    bare = name.lstrip("".join(_FIRST)).removeprefix(_LATER)
    if not bare or (of_bytes and not bare.isascii()):  # there "½" stands for a byte of a letter
        return False
    return all(unicodedata.category(character)[0] in "PS" for character in bare)


def choose_tokens(
    eligible: np.ndarray, starts: np.ndarray, rate: float, rng: np.random.Generator
) -> np.ndarray:
    """Choose tokens, each with the same probability (Devlin et al., "BERT", 2019); see `choose_words`.

    Args:
        eligible: Which tokens may be chosen, (n_rows, length) bool.
        starts: Not looked at.
        rate: Share of the eligible tokens of a row.
        rng: Random numbers.
    """
    return choose_words(eligible, np.ones_like(eligible), rate, rng)


def choose_words(
    eligible: np.ndarray, starts: np.ndarray, rate: float, rng: np.random.Generator
) -> np.ndarray:
    """Choose whole words, each with the same probability (whole-word masking).

    A row's words are laid on a circle in random order. Those that an arc of the wanted length touches, at a
    point of theirs drawn at random, are taken: each with a probability of `rate`, and in every row nearly as
    many tokens as `rate` says. A short row may have none.

    Args:
        eligible: Which tokens may be chosen, (n_rows, length) bool.
        starts: Which tokens begin a word, (n_rows, length) bool.
        rate: Share of the eligible tokens of a row.
        rng: Random numbers.

    Returns:
        (n_rows, length) bool.
    """
    rows, columns = np.nonzero(eligible)
    chosen = np.zeros_like(eligible)
    if not len(rows):
        return chosen
    begins = starts[rows, columns] | _breaks(rows, columns)
    number = np.cumsum(begins) - 1  # of the word that a token is part of
    sizes = np.bincount(number)
    owners = rows[begins]
    order = np.lexsort((rng.random(len(sizes)), owners))
    totals = np.bincount(owners, weights=sizes, minlength=len(eligible))
    before = np.empty(len(sizes))
    before[order] = np.cumsum(sizes[order]) - sizes[order]
    before -= (np.cumsum(totals) - totals)[owners]
    turn, point = rng.random((2, len(eligible)))
    places = (before + point[owners] * sizes + (turn * totals)[owners]) % totals[owners]
    chosen[rows, columns] = (places < rate * totals[owners])[number]
    return chosen


def _breaks(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return which of the eligible tokens do not follow another one."""
    breaks = np.ones(len(rows), dtype=bool)
    breaks[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1] + 1)
    return breaks


@dataclass(frozen=True)
class Spans:
    """Chooses spans of whole words (Joshi et al., "SpanBERT", 2020, section 3.1).

    Lengths in words follow a geometric distribution, cut off at `longest` and normalised: for the paper's
    p = 0.2 and 10 words, 3.8 on average. A row's last span is cut to fit its rate.

    Attributes:
        p: Of the geometric distribution.
        longest: Most words of a span.
    """

    p: float = 0.2
    longest: int = 10

    def __call__(
        self, eligible: np.ndarray, starts: np.ndarray, rate: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Choose spans; see `choose_words` for the arguments."""
        chosen = np.zeros_like(eligible)
        for row in range(len(eligible)):
            columns = np.flatnonzero(eligible[row])
            if len(columns):
                begins = starts[row, columns] | _breaks(np.zeros_like(columns), columns)
                edges = np.append(np.flatnonzero(begins), len(columns))
                taken = self._words(np.diff(edges).tolist(), rate * len(columns), rng)
                chosen[row, columns] = np.repeat(taken, np.diff(edges))
        return chosen

    def lengths(self) -> np.ndarray:
        """Return the probability of each length, from one word on."""
        weights = self.p * (1 - self.p) ** np.arange(self.longest)
        return weights / weights.sum()

    def _words(self, sizes: list[int], wanted: float, rng: np.random.Generator) -> list[bool]:
        """Return which words, of these numbers of tokens, are taken: about `wanted` tokens in all."""
        taken = [False] * len(sizes)
        total = 0
        chances = np.cumsum(self.lengths())
        while total < wanted and not all(taken):
            begin = int(rng.integers(len(sizes)))
            end = begin + 1 + int(np.searchsorted(chances, rng.random()))
            for word in range(begin, min(end, len(sizes))):
                if taken[word]:
                    break
                # The word that oversteps is taken as often as keeps the rate.
                if rng.random() * sizes[word] >= wanted - total:
                    return taken
                taken[word] = True
                total += sizes[word]
        return taken


CHOICES: dict[str, Choice] = {"token": choose_tokens, "whole_word": choose_words, "span": Spans()}
"""By the name that a recipe gives them."""


@dataclass(frozen=True)
class Masking:
    """Masks rows of tokens.

    Of the chosen tokens `masked` become the mask token, `random` any ordinary token, and the others stay as
    they are (Devlin et al., 2019: 80, 10 and 10 %); the tokens of a span share one fate (Joshi et al., 2020).

    Attributes:
        pieces: Of the tokenizer.
        kind: A name in `CHOICES`.
        rate: Share of a row's tokens that are to be guessed.
        copies: Of each row, masked in so many ways that never change (Liu et al., "RoBERTa", 2019: ten); 0
            draws a new mask each time.
        masked: Share of the chosen tokens.
        random: Share of the chosen tokens.
        seed: Of the copies.
    """

    pieces: Pieces
    kind: str = "token"
    rate: float = 0.15
    copies: int = 0
    masked: float = 0.8
    random: float = 0.1
    seed: int = 42

    def __call__(
        self, ids: np.ndarray, numbers: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what the network reads, and the labels; special tokens are never masked.

        Args:
            ids: (n_rows, length) int, padded, with the special tokens.
            numbers: Of the rows in their corpus, (n_rows,) int: they choose a copy's mask.
            rng: Random numbers; they choose the copy.

        Returns:
            Ids, and labels which are `IGNORED` where nothing is to be guessed; (n_rows, length) int64 each.
        """
        if not self.copies:
            return self._masked(ids, rng)
        chosen = zip(numbers.tolist(), rng.integers(self.copies, size=len(ids)).tolist(), strict=True)
        made = [
            self._masked(ids[[row]], np.random.default_rng([self.seed, number, copy]))
            for row, (number, copy) in enumerate(chosen)
        ]
        return np.concatenate([one[0] for one in made]), np.concatenate([one[1] for one in made])

    def _masked(self, ids: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        eligible = ~self.pieces.special[ids]
        starts = eligible if self.kind == "token" else self.pieces.starts(ids)
        chosen = CHOICES[self.kind](eligible, starts, self.rate, rng)
        labels = np.where(chosen, ids, IGNORED).astype(np.int64)
        places = np.nonzero(chosen)
        fate = rng.random(len(places[0]))
        if self.kind == "span":
            fate = fate[np.cumsum(_breaks(*places)) - 1]
        others = self.pieces.ordinary[rng.integers(len(self.pieces.ordinary), size=len(fate))]
        new = np.where(fate < self.masked, self.pieces.mask, ids[places])
        made = ids.astype(np.int64)
        made[places] = np.where(fate >= 1 - self.random, others, new)
        return made, labels


def span_edges(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what stands around the spans to be guessed, for the span boundary objective.

    Args:
        labels: (n_rows, length) int, as `Masking` returns them, the first and last token not to be guessed.

    Returns:
        For each token to be guessed, row by row: the index in its row of the token before its span, of the
        token after it, and its own place in the span, from 0 on; (n,) int64 each.
    """
    rows, columns = np.nonzero(labels != IGNORED)
    if not len(rows):
        return columns, columns, columns
    begins = _breaks(rows, columns)
    span = np.cumsum(begins) - 1
    left = columns[begins][span] - 1
    right = columns[np.append(np.flatnonzero(begins)[1:] - 1, len(columns) - 1)][span] + 1
    return left, right, columns - left - 1
