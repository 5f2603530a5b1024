"""How a denoising autoencoder's text is damaged (Lewis et al., "BART", 2020, section 2.2); numpy alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gallae.pretraining.masking import Pieces

FULL_STOPS = ".!?。！？"
SPAN = 3.0
"""Mean length of the spans of `infill`, in tokens."""


def mask_tokens(ids: np.ndarray, rate: float, mask: int, rng: np.random.Generator) -> np.ndarray:
    """Put the mask token in the place of random tokens (token masking).

    Args:
        ids: (n,) int, a row without the special tokens around it.
        rate: Share of the tokens; a count that is no whole number is rounded up or down at random.
        mask: Id of the mask token.
        rng: Random numbers.

    Returns:
        (n,) ids.
    """
    made = ids.copy()
    made[_drawn(len(ids), rate, rng)] = mask
    return made


def delete_tokens(ids: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Leave random tokens out, so that it has to be found out where some are missing (token deletion).

    Args:
        ids: (n,) int.
        rate: Share of the tokens, see `mask_tokens`.
        rng: Random numbers.

    Returns:
        (m,) ids in their order.
    """
    return np.delete(ids, _drawn(len(ids), rate, rng))


def infill(
    ids: np.ndarray, rate: float, mask: int, rng: np.random.Generator, mean: float = SPAN
) -> np.ndarray:
    """Put a single mask token in the place of each of some spans, whatever its length (text infilling).

    Lengths follow a Poisson distribution; the last span is cut to keep the rate. A span of no token puts a
    mask token where nothing is missing. Spans stand at random places of the row, taken as a circle so that
    each token is as likely as any other to be in one, and do not touch each other.

    Args:
        ids: (n,) int.
        rate: Share of the tokens that are in spans, see `mask_tokens`.
        mask: Id of the mask token.
        rng: Random numbers.
        mean: Of the Poisson distribution.

    Returns:
        (m,) ids.
    """
    if not len(ids):
        return ids
    missing = _count(len(ids), rate, rng)
    spans = _spans(missing, mean, rng)
    # Each span takes one of the gaps before what is kept.
    gaps = np.sort(rng.permutation(max(1, len(ids) - missing))[: len(spans)])
    spans = spans[: len(gaps)]
    if sum(spans) < missing:  # so short a row that the spans do not all find a gap
        spans[-1] += missing - sum(spans)
    starts = (gaps + np.cumsum([0, *spans[:-1]])[: len(spans)] + rng.integers(len(ids))) % len(ids)
    return _with_masks(ids, list(zip(starts.tolist(), spans, strict=True)), mask)


def _with_masks(ids: np.ndarray, spans: list[tuple[int, int]], mask: int) -> np.ndarray:
    """Return ids with a mask token for each (start, length); one beyond the end goes on at the beginning."""
    beyond = [(0, start + length - len(ids)) for start, length in spans if start + length > len(ids)]
    made, at = [], 0
    for start, length in sorted(spans + beyond):
        made += [ids[at:start], np.array([mask], dtype=ids.dtype)]
        at = start + length
    return np.concatenate([*made, ids[at:]])


def permute_sentences(ids: np.ndarray, last: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put the sentences into a random order (sentence permutation).

    Args:
        ids: (n,) int.
        last: Which tokens end a sentence, (n,) bool; what follows the last of them is a sentence too.
        rng: Random numbers.

    Returns:
        (n,) ids.
    """
    sentences = [part for part in np.split(ids, np.flatnonzero(last) + 1) if len(part)]
    return np.concatenate([ids[:0], *(sentences[number] for number in rng.permutation(len(sentences)))])


def rotate(ids: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Begin with a random token, and let what stood before it follow at the end (document rotation).

    Args:
        ids: (n,) int.
        rng: Random numbers.

    Returns:
        (n,) ids.
    """
    return np.roll(ids, -int(rng.integers(max(1, len(ids)))))


def _count(size: int, rate: float, rng: np.random.Generator) -> int:
    return int(size * rate + rng.random())


def _drawn(size: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(size)[: _count(size, rate, rng)]


def _spans(missing: int, mean: float, rng: np.random.Generator) -> list[int]:
    """Return the lengths of spans over `missing` tokens, in the order they were drawn."""
    spans: list[int] = []
    left = missing
    while left > 0:
        spans.append(min(left, int(rng.poisson(mean))))
        left -= spans[-1]
    return spans


@dataclass(frozen=True)
class Noise:
    """Damages rows by one function after the other.

    Attributes:
        names: Of `NOISES`, in this order.
        rate: Share of a row's tokens, for those that have one.
        mask: Id of the mask token.
        full_stop: Whether a piece ends a sentence, (n_ids,) bool.
        first: Whether a piece is marked as a word's first, (n_ids,) bool, or None: see `Pieces`. A full stop
            within a word, as in 3.14, ends nothing.
    """

    names: Sequence[str]
    rate: float
    mask: int
    full_stop: np.ndarray
    first: np.ndarray | None

    @classmethod
    def of(cls, tokenizer: Any, names: Sequence[str], rate: float) -> Noise:
        """Look at a tokenizer of transformers.

        Raises:
            RecipeError: if it has no mask token.
        """
        pieces = Pieces.of(tokenizer)
        ends = [
            name.endswith(tuple(FULL_STOPS))
            for name in tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
        ]
        return cls(names, rate, pieces.mask, np.array(ends), pieces.first)

    def __call__(self, ids: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a damaged row.

        Args:
            ids: (n,) int, without the special tokens around it.
            rng: Random numbers.
        """
        for name in self.names:
            ids = NOISES[name](self, ids, rng)
        return ids

    def last(self, ids: np.ndarray) -> np.ndarray:
        """Return which tokens of a row end a sentence, (n,) bool."""
        ends = self.full_stop[ids]
        if self.first is not None:
            ends[:-1] &= self.first[ids[1:]]
        return ends


NOISES: dict[str, Callable[[Noise, np.ndarray, np.random.Generator], np.ndarray]] = {
    "token_masking": lambda noise, ids, rng: mask_tokens(ids, noise.rate, noise.mask, rng),
    "token_deletion": lambda noise, ids, rng: delete_tokens(ids, noise.rate, rng),
    "text_infilling": lambda noise, ids, rng: infill(ids, noise.rate, noise.mask, rng),
    "sentence_permutation": lambda noise, ids, rng: permute_sentences(ids, noise.last(ids), rng),
    "document_rotation": lambda _noise, ids, rng: rotate(ids, rng),
}
"""By the name that a recipe gives them."""
