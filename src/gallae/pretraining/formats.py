"""Rows of more than a sentence (Liu et al., "RoBERTa", 2019, section 4.2), and pairs of translations.

A row is a few ranges of the corpus's tokens. What is kept of an epoch are their edges, not the tokens.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gallae.errors import DataError
from gallae.pretraining.rows import BREAK, IN_ORDER, NO_PAIR, OTHER, Row, Rows, repeated

if TYPE_CHECKING:
    from collections.abc import Callable

    from gallae.pretraining.encoding import Encoded
    from gallae.pretraining.options import CorpusOptions

_RUN = 64  # sentences that come together where an epoch has a share of a document
_SHORT = 0.1  # share of segment pairs that are shorter than need be (Devlin et al., 2019)


def check_format(encoded: Encoded, options: CorpusOptions) -> None:
    """Make sure that a corpus has what its format needs.

    Args:
        encoded: The whole corpus.
        options: The recipe's [corpus] table.

    Raises:
        DataError: if pairs are wanted and there is no other document, or none has two sentences; or if a line
            is not a sentence, a tab and its translation.
    """
    counts = np.diff(encoded.documents, axis=1)
    name = options.format
    if name == "parallel" and (counts != 2).any():
        raise DataError(
            f"{(counts != 2).sum():,} of {len(counts):,} lines of the corpus are not a sentence, a tab and "
            "its translation, which corpus.format=parallel needs. Mend or leave out those lines."
        )
    if name.endswith("_pair") and options.pairs == "next" and len(counts) < 2:
        raise DataError(
            f"the corpus has one document, but corpus.format={name} with corpus.pairs=next takes sentences "
            "of others. End each document with a blank line, set corpus.pairs=order, or corpus.format=lines."
        )
    if name.endswith("_pair") and not (counts > 1).any():
        raise DataError(
            f"no document of the corpus has two sentences, which corpus.format={name} needs: a line is a "
            "sentence, and a blank line ends a document. Set corpus.format=lines for sentences on their own."
        )


class FullSentences:
    """As many sentences as fit, in the corpus's order; a `BREAK` stands where a document ends.

    A sentence that is longer than a row is cut into several.

    Args:
        encoded: The corpus.
        options: The recipe's [corpus] table.
        rng: Decides over fractions of weights.
    """

    across: ClassVar[bool] = True
    """Whether a row goes on with the next document."""

    def __init__(self, encoded: Encoded, options: CorpusOptions, rng: np.random.Generator) -> None:
        self.encoded = encoded
        pieces = _pieces(encoded, _runs(encoded, rng), options.max_length - 2)
        self._starts, self._tokens, self._opens = pieces
        edges = self._edges(options.max_length - 2)
        sizes = self._sizes(edges)
        kept = sizes >= options.min_tokens
        self._first, self._last, self._rows = edges[:-1][kept], edges[1:][kept], sizes[kept]

    def _edges(self, most: int) -> np.ndarray:
        """Return the number of each row's first piece, and that of all pieces."""
        total = np.cumsum(self._tokens + self._separators())
        ends = np.append(np.flatnonzero(self._opens)[1:], len(total))
        edges = array("q", [0])
        while (at := edges[-1]) < len(total):
            used = int(total[at] - self._tokens[at])  # a row has no separator before its first piece
            end = int(np.searchsorted(total, used + most, side="right"))
            if not self.across:
                end = min(end, int(ends[np.searchsorted(ends, at, side="right")]))
            edges.append(end)
        return np.frombuffer(edges, dtype=np.int64)

    def _separators(self) -> np.ndarray:
        return self._opens.astype(np.int64) if self.across else np.zeros_like(self._tokens)

    def _sizes(self, edges: np.ndarray) -> np.ndarray:
        before = np.append(0, np.cumsum(self._tokens + self._separators()))
        firsts = np.append(self._separators(), 0)[edges[:-1]]
        return np.diff(before[edges]) - firsts

    @property
    def lengths(self) -> np.ndarray:
        """(n,) tokens of each row, special ones counted."""
        return self._rows + 2

    def __getitem__(self, number: int) -> Row:
        first, last = int(self._first[number]), int(self._last[number])
        parts = []
        for piece in range(first, last):
            if self.across and piece > first and self._opens[piece]:
                parts.append(np.array([BREAK]))
            start = self._starts[piece]
            parts.append(self.encoded.ids[start : start + self._tokens[piece]])
        return Row(np.concatenate(parts), number=int(self._starts[first]))


class DocSentences(FullSentences):
    """As many sentences of one document as fit."""

    across = False


def _runs(encoded: Encoded, rng: np.random.Generator) -> np.ndarray:
    """Return the runs of sentences of an epoch: the first, the one behind the last, and their document.

    Documents come whole as often as their weight says. Of a fraction, parts of documents come: a file without
    blank lines is one document, and would else come as a whole or not at all.

    Returns:
        (n, 3) int64.
    """
    weights = encoded.weights[encoded.sources]
    documents = np.column_stack([encoded.documents, np.arange(len(weights))])
    whole = [documents[weights >= turn] for turn in range(1, int(weights.max(initial=0)) + 1)]
    counts = -(-np.diff(encoded.documents, axis=1)[:, 0] // _RUN)
    owners = np.repeat(np.arange(len(counts)), counts)
    nth = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = encoded.documents[owners, 0] + nth * _RUN
    ends = np.minimum(starts + _RUN, encoded.documents[owners, 1])
    taken = rng.random(len(owners)) < (weights % 1)[owners]
    return np.concatenate([*whole, np.column_stack([starts, ends, owners])[taken]])


def _pieces(encoded: Encoded, runs: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return start and tokens of the sentences of runs, and whether each begins a run.

    Sentences of more than `most` tokens are cut into several; empty ones are left out.
    """
    counts = runs[:, 1] - runs[:, 0]
    owners = np.repeat(np.arange(len(runs)), counts)
    before = np.cumsum(counts) - counts
    sentences = np.arange(len(owners)) + (runs[:, 0] - before)[owners]
    whole = encoded.sentences[sentences + 1] - encoded.sentences[sentences]
    cuts = -(-whole // most)
    nth = np.arange(cuts.sum()) - np.repeat(np.cumsum(cuts) - cuts, cuts)
    starts = np.repeat(encoded.sentences[sentences], cuts) + nth * most
    tokens = np.minimum(np.repeat(whole, cuts) - nth * most, most)
    owners = np.repeat(owners, cuts)
    return starts, tokens, np.diff(owners, prepend=-1) != 0


class Pairs:
    """Two parts a row, and whether the second follows the first: each true of half of the pairs.

    The other half have a second part from another document (`pairs` "next"; Devlin et al., 2019), or the two
    parts in the other order ("order"; Lan et al., "ALBERT", 2020). A last sentence that nothing follows
    stands alone. Parts that are too long together are cut, the longer one first, at both ends.

    Args:
        encoded: The corpus.
        options: The recipe's [corpus] table.
        rng: Decides over fractions of weights, lengths, and what is paired.
    """

    def __init__(self, encoded: Encoded, options: CorpusOptions, rng: np.random.Generator) -> None:
        self.encoded, self.rng = encoded, rng
        self.most = options.max_length - 3
        self.random = options.pairs == "next"
        self.alone = len(encoded.documents) < 2  # as what is held out of a small corpus may be
        rows = array("q")
        for at, end, document in _runs(encoded, rng).tolist():
            self._walk(at, end, document, rows)
        made = np.frombuffer(rows, dtype=np.int64).reshape(-1, 5)
        self._made = made[_tokens(made) >= options.min_tokens]

    def _walk(self, at: int, end: int, document: int, rows: array[int]) -> None:
        """Take the rows of a document's sentences: start and end of both parts, and what the pair is."""
        offsets, rng = self.encoded.sentences, self.rng
        while at < end:
            cut, stop, wanted = self._cut(at, end)
            first = (int(offsets[at]), int(offsets[cut]))
            if cut == stop:  # nothing follows
                second, kind, at = (0, 0), NO_PAIR, stop
            elif rng.random() < 0.5 or (self.random and self.alone):
                second, kind, at = (int(offsets[cut]), int(offsets[stop])), IN_ORDER, stop
            elif self.random:
                second, kind, at = self._elsewhere(document, wanted - first[1] + first[0]), OTHER, cut
            else:
                second, kind = first, OTHER
                first, at = (int(offsets[cut]), int(offsets[stop])), stop
            if not (first[1] > first[0] and second[1] > second[0]):  # an empty sentence
                first, second, kind = max(first, second, key=lambda part: part[1] - part[0]), (0, 0), NO_PAIR
            rows.extend((*self._fitting(first, second, kind), kind))

    def _cut(self, at: int, end: int) -> tuple[int, int, int]:
        """Return the second part's first sentence, the one behind its last, and the tokens wanted."""
        raise NotImplementedError  # pragma: no cover - both formats have their own

    def _elsewhere(self, document: int, wanted: int) -> tuple[int, int]:
        """Return start and end of about so many tokens of another document."""
        other = int(self.rng.integers(len(self.encoded.documents) - 1))
        begin, end = self.encoded.documents[other + (other >= document)].tolist()
        at = int(self.rng.integers(begin, end))
        return int(self.encoded.sentences[at]), int(self.encoded.sentences[self._reach(at, end, wanted)])

    def _reach(self, at: int, end: int, wanted: int) -> int:
        """Return the sentence, not beyond `end`, before which so many tokens stand from sentence `at` on."""
        offsets = self.encoded.sentences
        found = np.searchsorted(offsets[at + 1 : end], offsets[at] + wanted)
        return at + 1 + int(found) if found < end - at - 1 else end

    def _fitting(self, first: tuple[int, int], second: tuple[int, int], kind: int) -> tuple[int, ...]:
        """Return both parts, cut to fit."""
        most = self.most + (kind == NO_PAIR)
        sizes = first[1] - first[0], second[1] - second[0]
        if sum(sizes) <= most:
            return (*first, *second)
        kept = map(int, _shares(*sizes, most))
        result: list[int] = []
        for (start, _end), size, keep in zip((first, second), sizes, kept, strict=True):
            start += int(self.rng.binomial(size - keep, 0.5)) if size > keep else 0
            result += [start, start + keep]
        return tuple(result)

    @property
    def lengths(self) -> np.ndarray:
        """(n,) tokens of each row, special ones counted."""
        return _tokens(self._made) + np.where(self._made[:, 4] == NO_PAIR, 2, 3)

    def __getitem__(self, number: int) -> Row:
        start, end, begin, stop, kind = self._made[number].tolist()
        ids = self.encoded.ids
        second = None if kind == NO_PAIR else ids[begin:stop]
        return Row(ids[start:end], second, kind, number=start)


def _tokens(made: np.ndarray) -> np.ndarray:
    return made[:, 1] - made[:, 0] + made[:, 3] - made[:, 2]


def _shares(first: Any, second: Any, most: int) -> tuple[Any, Any]:
    """Return how many tokens of each part (numbers, or arrays of them) are kept: the longer ones go first."""
    first = np.minimum(first, np.maximum(most - second, most - most // 2))
    return first, np.minimum(second, most - first)


class SegmentPairs(Pairs):
    """Segments of several sentences; one row of ten is shorter than need be."""

    def _cut(self, at: int, end: int) -> tuple[int, int, int]:
        wanted = self.most
        if self.rng.random() < _SHORT:
            wanted = int(self.rng.integers(2, self.most + 1))
        stop = self._reach(at, end, wanted)
        cut = at + 1 + int(self.rng.integers(stop - at - 1)) if stop > at + 1 else stop
        return cut, stop, wanted


class SentencePairs(Pairs):
    """Two sentences."""

    def _cut(self, at: int, end: int) -> tuple[int, int, int]:
        return at + 1, min(at + 2, end), 0

    def _elsewhere(self, document: int, wanted: int) -> tuple[int, int]:
        return super()._elsewhere(document, 1)


class Parallel:
    """A sentence and its translation a row: a document of two sentences. Long ones lose their ends.

    Args:
        encoded: The corpus, of lines with a tab.
        options: The recipe's [corpus] table.
        rng: Decides over fractions of weights.
    """

    def __init__(self, encoded: Encoded, options: CorpusOptions, rng: np.random.Generator) -> None:
        self.encoded, most = encoded, options.max_length - 3
        start = encoded.documents[:, 0]
        sizes = encoded.lengths[start], encoded.lengths[start + 1]
        times = np.where(np.minimum(*sizes) > 0, repeated(encoded.weights[encoded.sources], rng), 0)
        self._numbers = np.repeat(np.arange(len(times)), times)
        first, second = (size[self._numbers] for size in sizes)
        self._kept = np.stack(_shares(first, second, most))

    @property
    def lengths(self) -> np.ndarray:
        """(n,) tokens of each row, special ones counted."""
        return self._kept.sum(axis=0) + 3

    def __getitem__(self, number: int) -> Row:
        document = int(self._numbers[number])
        sentence = int(self.encoded.documents[document, 0])
        first, second = self._kept[:, number]
        parts = self.encoded.sentence(sentence)[:first], self.encoded.sentence(sentence + 1)[:second]
        return Row(*parts, number=document)


FORMATS: dict[str, Callable[[Encoded, CorpusOptions, np.random.Generator], Rows]] = {
    "segment_pair": SegmentPairs,
    "sentence_pair": SentencePairs,
    "full_sentences": FullSentences,
    "doc_sentences": DocSentences,
    "parallel": Parallel,
}
"""By the name that a recipe gives them; "lines" is in `rows`."""
