"""`gallae tokenizer train`: a tokenizer of one's own, from a corpus of any size."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from gallae.errors import DataError, TextError, require
from gallae.files import folder_beside, refuse_existing
from gallae.pretrained.measuring import measure_tokenizer
from gallae.pretraining.corpora import Source, parse_sources, sentences
from gallae.progress import status
from gallae.text.subwords import KINDS, train_subwords
from gallae.text.tables import nearest
from gallae.workflows.showing import percent

SIZE = 16_000
_MEASURED = 5_000  # texts that the new tokenizer is tried on


class _Reservoir:
    """A random part of a stream, every text as likely as any other (Vitter, 1985)."""

    def __init__(self, most: int) -> None:
        self.texts: list[str] = []
        self.seen = 0
        self._most, self._random = most, Random(0)

    def add(self, text: str) -> None:
        self.seen += 1
        if len(self.texts) < self._most:
            self.texts.append(text)
        elif (at := self._random.randrange(self.seen)) < self._most:
            self.texts[at] = text


def train_tokenizer(
    sources: Sequence[str | Path | Source],
    output: str | Path,
    *,
    kind: str = "wordpiece",
    size: int = SIZE,
    min_count: float = 2,
    most: int = 0,
    force: bool = False,
) -> dict[str, Any]:
    """Train a tokenizer on files of text, and write it in the hub's layout.

    Args:
        sources: Files of `gallae.pretraining.corpora`, "FILE@WEIGHT" where one counts more or less than once.
        output: The folder; `AutoTokenizer.from_pretrained` loads it.
        kind: One of `gallae.text.subwords.KINDS`.
        size: Most tokens, the special ones among them.
        min_count: Leave out what is found less often, weights counted.
        most: Learn from so many texts of a file, drawn at random, which then stand for all; 0 for all.
        force: Whether to replace an existing folder.

    Returns:
        "output", "kind", "sources", "texts" (seen), "tokens" (of the vocabulary), "seconds", and the figures
        of `measure_tokenizer` on at most 5,000 of the texts.

    Raises:
        OutputError: for an output that exists or cannot be written.
        TextError: for another kind, or a size that has no room for the characters.
        DataError: if a file cannot be read, or there is no text.
        MissingExtra: if transformers is not installed.
    """
    started = time.perf_counter()
    refuse_existing(output, force)
    if kind not in KINDS:
        raise TextError(f"there is no kind of tokenizer {kind!r}. {nearest(str(kind), KINDS)}")
    if most < 0:
        raise DataError(f"--most {most}: give a number of texts, or 0 for all.")
    require("transformers", "neural")
    from gallae.pretrained.scratch import wrapped

    parsed = parse_sources(sources)
    sample = _Reservoir(_MEASURED)
    with status(f"training a {kind} tokenizer"):
        tokenizer = wrapped(train_subwords(kind, _weighted(parsed, most, sample), size, min_count))
    with folder_beside(output, force) as folder:
        tokenizer.save_pretrained(folder)
    return {
        "output": str(output),
        "kind": kind,
        "sources": [{"file": str(source.path), "weight": source.weight} for source in parsed],
        "texts": sample.seen,
        "tokens": len(tokenizer),
        "seconds": time.perf_counter() - started,
        **measure_tokenizer(tokenizer, sample.texts),
    }


def _weighted(sources: Iterable[Source], most: int, sample: _Reservoir) -> Iterator[tuple[str, float]]:
    """Yield texts and their weights, and keep a sample of them."""
    for source in sources:
        texts: Iterator[str] = filter(None, sentences(source))
        weight = source.weight
        if most:
            drawn = _Reservoir(most)
            for text in texts:
                drawn.add(text)
            texts, weight = iter(drawn.texts), weight * max(1.0, drawn.seen / most)
        for text in texts:
            sample.add(text)
            yield text, weight


def tokenizer_lines(result: Mapping[str, Any]) -> list[str]:
    """Return what `train_tokenizer` did as lines of plain text."""
    files = len(result["sources"])
    return [
        f"{result['texts']:,} texts of {files} file{'s' if files > 1 else ''}; {result['kind']}, "
        f"{result['tokens']:,} tokens, in {result['seconds']:.0f} s.",
        f"{result['tokens_per_word']:.2f} tokens a word, {result['characters_per_token']:.2f} characters a "
        f"token, {percent(result['whole_words'])} of the words in one piece, {percent(result['unknown'])} of "
        "the tokens unknown.",
        f"Wrote {result['output']}.",
    ]
