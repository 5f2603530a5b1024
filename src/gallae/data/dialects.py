"""Dialects beside the standard language: pairs from AI-Hub's transcriptions and from tables.

A pair whose two forms differ gives two labelled texts: the dialect form with its region, the standard form
with "standard". A pair of equal forms is standard speech, whoever spoke it: it gives one text, "standard".
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from gallae.data.columns import find, listing
from gallae.data.dialect_json import find_region, read_conversation
from gallae.data.opening import existing, read_head
from gallae.data.tables import Table, object_frames
from gallae.errors import DataError

log = logging.getLogger(__name__)
STANDARD = "standard"
DIALECT_COLUMNS = ("dialect", "dialect_form", "example_dialect", "방언", "사투리")
STANDARD_COLUMNS = ("standard", "standard_form", "example_standard", "표준어")
REGION_COLUMNS = ("region", "지역")
_PIECE = 1 << 14
_SUFFIXES = {".csv": "csv", ".tsv": "tsv"}
_MARKS = (b'"dialect_form"', b'"standard_form"', b'"eojeolList"')


@dataclass(frozen=True)
class DialectPair:
    """An utterance as it was said and in the standard language.

    Attributes:
        dialect: What was said.
        standard: The same in the standard language; equal where nothing of it is dialect.
        region: "jeju", "gyeongsang", "jeolla", "gangwon", "chungcheong", or a table's own name.
    """

    dialect: str
    standard: str
    region: str


def stream_pairs(path: str | Path, encoding: str | None = None) -> Iterator[DialectPair]:
    """Yield the pairs of a file or a folder, one JSON file or one piece of a table in memory at a time.

    Args:
        path: A JSON file of AI-Hub's, a folder of them (with its subfolders), or a table with the columns
            dialect, standard and region (also example_dialect, example_standard: a dictionary; rows without
            an example are passed over).
        encoding: Of text files; None detects it.

    Raises:
        DataError: names the file and the place of what cannot be read; or there is no pair.
    """
    place = existing(path)
    pairs = _of_table(place, encoding) if _is_table(place) else _of_files(_json_files(place), encoding)
    first = next(pairs, None)
    if first is None:
        raise DataError(f"{path} holds no pair of a dialect form and a standard form.")
    yield first
    yield from pairs


def _is_table(place: Path) -> bool:
    return place.is_file() and place.suffix.lower() != ".json"


def _json_files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    files = sorted(file for file in place.rglob("*") if file.suffix.lower() == ".json")
    if not files:
        raise DataError(f"{place} holds no *.json file, nor do its subfolders.")
    return files


def _of_files(files: list[Path], encoding: str | None) -> Iterator[DialectPair]:
    for file in files:
        for dialect, standard, region in read_conversation(file, encoding):
            yield DialectPair(dialect, standard, region)


def _of_table(place: Path, encoding: str | None) -> Iterator[DialectPair]:
    from gallae.data.reading import open_any

    table = open_any(place, _SUFFIXES.get(place.suffix.lower()), encoding, _PIECE)
    roles = (
        ("dialect form", DIALECT_COLUMNS),
        ("standard form", STANDARD_COLUMNS),
        ("region", REGION_COLUMNS),
    )
    columns = [_column(table, part, known) for part, known in roles]
    row = passed = 0
    for piece in table.pieces:
        for cells in piece[columns].fillna("").itertuples(index=False, name=None):
            dialect, standard, region = (" ".join(str(cell).split()) for cell in cells)
            if dialect and standard:
                if not region:
                    raise DataError(f"{table.source}, {table.where(row)}: the region is empty. Fill it in.")
                yield DialectPair(dialect, standard, find_region(region) or region)
            else:
                passed += 1
            row += 1
    if passed:
        log.info("%s: %d of %d rows without both forms are passed over", table.source, passed, row)


def _column(table: Table, part: str, known: tuple[str, ...]) -> str:
    found = find(known, table.columns)
    if found is None:
        raise DataError(
            f"{table.source}: which column holds the {part}? Known: {', '.join(known)}. "
            f"Columns: {listing(table.columns)}. Rename it."
        )
    return found


# ---- as labelled texts


def open_dialects(path: Path, encoding: str | None, sizes: Iterator[int], several: bool = False) -> Table:
    """Open pairs as a table of texts and labels, `pair` telling which belong together.

    Args:
        path: See `stream_pairs`.
        encoding: Of text files; None detects it.
        sizes: Rows of the pieces.
        several: Whether each distinct text stands once, with the list of all labels that it has; that holds
            all texts in memory.
    """
    rows = labelled_texts(stream_pairs(path, encoding))
    columns = ["text", "label", "pair"]
    table = Table(str(path), columns, object_frames(_joined(rows) if several else rows, columns, sizes))
    table.group, table.several = "pair", several
    return table


def labelled_texts(pairs: Iterator[DialectPair]) -> Iterator[dict[str, Any]]:
    """Yield text, label and pair number: one or two rows a pair."""
    for number, pair in enumerate(pairs):
        if pair.dialect != pair.standard:
            yield {"text": pair.dialect, "label": pair.region, "pair": str(number)}
        yield {"text": pair.standard, "label": STANDARD, "pair": str(number)}


def _joined(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each text once; pairs that share a text share a number."""
    texts: dict[str, dict[str, Any]] = {}
    leader: dict[str, str] = {}

    def root(pair: str) -> str:
        while leader.setdefault(pair, pair) != pair:
            pair = leader[pair]
        return pair

    for row in rows:
        known = texts.setdefault(row["text"], {"text": row["text"], "label": [], "pair": row["pair"]})
        leader[root(row["pair"])] = root(known["pair"])
        if row["label"] not in known["label"]:
            known["label"].append(row["label"])
    for row in texts.values():
        yield {**row, "pair": root(row["pair"])}


# ---- telling the format


def are_dialects(path: Path) -> bool:
    """Whether a JSON file, or the first of a folder's, is a dialect transcription."""
    if path.is_dir():
        found = next((file for file in islice(path.rglob("*"), 1000) if file.suffix.lower() == ".json"), None)
        return found is not None and are_dialects(found)
    return any(mark in read_head(path) for mark in _MARKS)


def has_pair_columns(header: list[str]) -> bool:
    """Whether column names are those of a table of pairs."""
    return all(find(names, header) for names in (DIALECT_COLUMNS, STANDARD_COLUMNS, REGION_COLUMNS))
