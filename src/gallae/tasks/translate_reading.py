"""Texts to translate between styles of a language: dialects and the standard, polite and plain, ..."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import TypeVar

import numpy as np

from gallae.data.columns import find_text, listing, named_columns
from gallae.data.dialects import STANDARD, are_dialects, has_pair_columns, stream_pairs
from gallae.errors import DataError
from gallae.tasks.records import Rows, open_rows

T = TypeVar("T")
_DRAWN = 42


@dataclass(frozen=True)
class Passage:
    """A text in one style, and in another.

    Attributes:
        source: The text.
        target: Its translation; None where it is wanted.
        source_style: Such as "jeju", "standard", "formal".
        target_style: The other.
        pair: Number of the row that it comes from: both directions of a pair have the same.
    """

    source: str
    target: str | None
    source_style: str
    target_style: str
    pair: int = 0

    @property
    def direction(self) -> tuple[str, str]:
        """Both styles."""
        return self.source_style, self.target_style


def read_passages(
    path: str | Path,
    labelled: bool = True,
    *,
    source_style: str | None = None,
    target_style: str | None = None,
    columns: str | Sequence[str] | None = None,
    limit: int | None = None,
    encoding: str | None = None,
) -> list[Passage]:
    """Read pairs of dialect and standard, a table with a column a style, or texts to be translated.

    Args:
        path: AI-Hub's dialect JSON, a folder of it, a table with dialect, standard and region; a table whose
            columns are styles (`columns`); to predict, also plain text or any table with a text column.
        labelled: Whether the translations have to be there.
        source_style: Only texts of this style (--from); the style of texts without one.
        target_style: Only translations into this style (--to).
        columns: Columns of a table that are styles, such as "formal,informal"; every two of them make
            two directions.
        limit: At most so many rows, drawn evenly from a file of any size in constant memory.
        encoding: Of text files; None detects it.

    Raises:
        DataError: names file, line and column; or the styles that are there.
    """
    if limit is not None and limit < 1:
        raise DataError(f"--limit {limit}: 1 or more.")
    if source_style is not None and source_style == target_style:
        raise DataError(f"--from {source_style} --to {target_style}: both are the same.")
    if _holds_pairs(Path(path)):
        found = list(_of_pairs(path, encoding, limit))
    else:
        styles = _listed(columns)
        rows = open_rows(path, styles, encoding)
        if not labelled and not set(styles) & set(rows.columns):
            return _untranslated(rows, source_style, target_style, limit)
        found = list(_of_columns(rows, styles, limit))
    if not labelled and source_style and target_style and not _has(found, source_style, target_style):
        return _without_gold(found, source_style, target_style)
    return _chosen(found, str(path), source_style, target_style)


def _has(found: Sequence[Passage], source: str, target: str) -> bool:
    """Whether there is a pair of these styles, or no text of the first at all."""
    known = {one.direction for one in found}
    return (source, target) in known or source not in {one for one, _ in known}


def _without_gold(found: Sequence[Passage], source: str, target: str) -> list[Passage]:
    """Return the texts of a style once each, to be translated into one that they do not stand beside."""
    texts = {one.pair: one.source for one in found if one.source_style == source}
    return [Passage(text, None, source, target, pair) for pair, text in texts.items()]


def _listed(columns: str | Sequence[str] | None) -> list[str]:
    names = columns.split(",") if isinstance(columns, str) else list(columns or ())
    return [name.strip() for name in names if name.strip()]


def _holds_pairs(path: Path) -> bool:
    if path.is_dir():
        return True
    if not path.is_file():
        return False
    if path.suffix.lower() == ".json":
        return are_dialects(path)
    if path.suffix.lower() not in (".csv", ".tsv", ".jsonl", ".parquet"):
        return False
    from gallae.data.reading import open_any

    return has_pair_columns(open_any(path, _format(path), None, 1).columns)


def _format(path: Path) -> str | None:
    return {".csv": "csv", ".tsv": "tsv"}.get(path.suffix.lower())


def _of_pairs(path: str | Path, encoding: str | None, limit: int | None) -> Iterator[Passage]:
    for number, pair in drawn(stream_pairs(path, encoding), limit):
        yield Passage(pair.dialect, pair.standard, pair.region, STANDARD, number)
        yield Passage(pair.standard, pair.dialect, STANDARD, pair.region, number)


def drawn(items: Iterable[T], limit: int | None) -> Iterator[tuple[int, T]]:
    """Yield items with their numbers; of more than `limit` a sample, in order (Vitter's algorithm R,
    1985)."""
    if limit is None:
        yield from enumerate(items)
        return
    kept: list[tuple[int, T]] = []
    generator = np.random.default_rng(_DRAWN)
    for number, item in enumerate(items):
        if number < limit:
            kept.append((number, item))
        elif (place := int(generator.integers(number + 1))) < limit:
            kept[place] = (number, item)
    yield from sorted(kept, key=lambda one: one[0])


def _of_columns(rows: Rows, wanted: Sequence[str], limit: int | None) -> Iterator[Passage]:
    if not wanted:
        raise DataError(
            f"{rows.source}: a dialect file has the columns dialect, standard and region; this one has "
            f"{listing(rows.columns)}. If columns are styles of the same text, name them with --columns A,B "
            "(in Python: columns=)."
        )
    styles = named_columns(wanted, rows.columns, "--columns", rows.source)
    if len(styles) < 2:
        raise DataError("--columns names one column; styles to translate between are two or more.")
    for number, at in drawn(range(len(rows.cells)), limit):
        texts = {style: " ".join(rows.text(at, style).split()) for style in styles}
        for one, other in permutations(styles, 2):
            if texts[one] and texts[other]:
                yield Passage(texts[one], texts[other], one, other, number)


def _untranslated(rows: Rows, source: str | None, target: str | None, limit: int | None) -> list[Passage]:
    if source is None or target is None:
        raise DataError(
            f"{rows.source} holds texts without a style: say what they are and what they are to become, "
            "such as --from jeju --to standard."
        )
    column = find_text(rows.columns, [])
    if column is None:
        raise DataError(
            f"{rows.source}: which column holds the text? None has a well-known name. Columns: "
            f"{listing(rows.columns)}. Rename it to text."
        )
    return [
        Passage(rows.text(at, column), None, source, target, at)
        for _, at in drawn(range(len(rows.cells)), limit)
    ]


def _chosen(found: list[Passage], name: str, source: str | None, target: str | None) -> list[Passage]:
    """Return the passages of the wanted direction."""
    kept = [
        one
        for one in found
        if (source is None or one.source_style == source) and (target is None or one.target_style == target)
    ]
    if not kept:
        have = sorted({f"{one.source_style} to {one.target_style}" for one in found})
        wanted = " ".join(f"--{word} {style}" for word, style in (("from", source), ("to", target)) if style)
        raise DataError(
            f"{name} has no pair for {wanted or 'any direction'}. It has: {', '.join(have) or 'none'}."
        )
    return kept
