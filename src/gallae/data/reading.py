"""Reading a labelled file into a `Corpus`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gallae.data import hub
from gallae.data.columns import (
    INDEX,
    LABEL,
    find,
    find_text,
    listing,
    named_columns,
    no_label,
    no_text,
)
from gallae.data.corpus import RESERVED, Corpus, kept_name
from gallae.data.formats import open_table
from gallae.data.labelling import Labelling, all_binary
from gallae.data.labels import LabelMap, LabelSet
from gallae.data.opening import existing
from gallae.data.sniffing import check_format, detect_format
from gallae.data.tables import Table, concatenated, growing
from gallae.errors import DataError

logger = logging.getLogger(__name__)
_PIECE = 1 << 16


@dataclass(frozen=True)
class Columns:
    """Which columns of a file play which part; `index` is None where rows are numbered."""

    index: str | None
    text: tuple[str, ...]
    label: tuple[str, ...]


def read(
    path: str | Path,
    *,
    text_column: str | Sequence[str] | None = None,
    label_column: str | Sequence[str] | None = None,
    format: str | None = None,
    encoding: str | None = None,
    label_map: Mapping[str, Any] | None = None,
    label_separator: str | None = None,
    label_set: LabelSet | None = None,
    labels: str = "required",
    group_column: str | None = None,
) -> Corpus:
    """Read a file, a folder or a Hugging Face data set.

    Args:
        path: The file or folder, or "hf:owner/name[/configuration][:split]". A folder that `datasets`
            saved may have ":split" after it.
        text_column: Column of the text; several (a list, or "a,b") are joined by a space. None finds it.
        label_column: Column of the label; several (a list, or "a,b,c") are 0/1 columns of a multi-label
            corpus. None finds it.
        format: One of `sniffing.FORMATS`; None detects it.
        encoding: Of a text file; None detects UTF-8 (with or without mark), UTF-16 with mark, CP949.
        label_map: Label to the value, "low-high" range or list of these that it is made from; rows with
            other values are dropped and counted.
        label_separator: What stands between several labels of a cell, such as "|".
        label_set: Labels of a model: the file may hold their names or their ids.
        labels: "required", "optional" (a file without labels is taken too), "partial" (rows with an empty
            cell stay, with the label "") or "none".
        group_column: A column to keep for splitting by group.

    Returns:
        The corpus. Empty and missing texts are kept as "", and a warning counts them.

    Raises:
        DataError: if the file cannot be read, a column is missing, or a label is missing or unknown.
    """
    if not isinstance(path, str | Path):
        raise DataError(
            f"data is a file, a folder or a gallae.Corpus, not a {type(path).__name__}. "
            "Write a table to a file first: df.to_csv('train.csv', index=False)."
        )
    if labels not in ("required", "optional", "partial", "none"):
        raise DataError(f"labels={labels!r}: allowed are 'required', 'optional', 'partial' and 'none'.")
    wanted = asked(text_column, label_column)
    table = open_any(path, format, encoding, _PIECE, wanted=wanted)
    frame = concatenated(table.pieces, table.columns)
    if frame.empty:
        raise DataError(f"{table.source} has columns ({listing(table.columns)}) but no rows.")
    columns = choose(table, frame, text_column, label_column, labels)
    if group_column is not None:
        named_columns(group_column, table.columns, "--group-column", table.source)
    if not columns.label:
        return build(table, frame, columns, group_column)
    labelling = Labelling(
        table,
        columns.label,
        beside=_beside(path, columns.label),
        label_map=LabelMap(label_map) if label_map else None,
        separator=label_separator,
        label_set=label_set,
        optional=labels == "optional",
        partial=labels == "partial",
    )
    return build(table, frame, columns, group_column, labelling)


def open_any(
    path: str | Path,
    format: str | None,
    encoding: str | None,
    rows: int,
    first: int | None = None,
    wanted: Sequence[str] = (),
) -> Table:
    """Open whatever `path` names (see `read`) as a table, in pieces of `rows` rows, the first of `first`.

    Args:
        path: See `read`.
        format: See `read`.
        encoding: See `read`.
        rows: Rows a piece.
        first: Rows of the first piece.
        wanted: Column names that the user gave, by which a header is known.
    """
    check_format(format)
    name = str(path)
    if name.startswith(hub.PREFIX) or (format == "huggingface" and not Path(hub.split_of(name)[0]).exists()):
        return hub.open_id(name, growing(rows, first))
    folder, split = hub.split_of(name)
    if split is not None:
        return hub.open_saved(existing(folder), growing(rows, first), split)
    try:
        path = existing(path)
    except DataError as error:
        if name.count("/") == 1 and not Path(name).suffix and not Path(name).parent.exists():
            raise DataError(f"{error} For a data set of the Hugging Face Hub write hf:{name}.") from error
        raise
    return open_table(path, format or detect_format(path, wanted, encoding), encoding, rows, first)


def asked(*columns: str | Sequence[str] | None) -> list[str]:
    """Return the column names in what the user gave for text and label."""
    names = [
        name for column in columns if column for name in ([column] if isinstance(column, str) else column)
    ]
    return [part for name in names for part in (name, *name.split(","))]


def choose(
    table: Table,
    frame: pd.DataFrame,
    text_column: str | Sequence[str] | None,
    label_column: str | Sequence[str] | None,
    labels: str,
) -> Columns:
    """Choose the columns: as the user says, else by well-known names.

    Args:
        table: For its columns and its name.
        frame: Rows, to see whether the columns left over are all 0/1.
        text_column: See `read`.
        label_column: See `read`.
        labels: See `read`.

    Raises:
        DataError: if one cannot be told; lists the columns and the options.
    """
    have, source = table.columns, table.source
    text = tuple(named_columns(text_column, have, "--text-column", source)) if text_column else ()
    label: tuple[str, ...] = ()
    if label_column and labels != "none":
        label = tuple(named_columns(label_column, have, "--label-column", source))
        _refuse_shared(text, label, source)
    else:
        label = tuple(name for name in asked(label_column) if name in have and name not in text)
    if not label and (found := find(LABEL, have, text)) is not None:
        label = (found,)
    index = find(INDEX, have, (*text, *label))
    if not text:
        name = find_text(have, (*label, *([index] if index else [])))
        if name is None:
            raise no_text(have, source)
        text = (name,)
    if labels == "none":
        return Columns(index, text, ())
    if not label:
        label = all_binary(frame, [name for name in have if name not in text and name != index])
        if label:
            logger.info(
                "%s: the 0/1 columns %s are taken as labels, any number a row", source, listing(label)
            )
    if not label and labels in ("required", "partial"):
        raise no_label(have, source)
    logger.info("%s: text from %s, label from %s", source, listing(text), listing(label) or "no column")
    return Columns(index, text, label)


def _refuse_shared(text: tuple[str, ...], label: tuple[str, ...], source: str) -> None:
    shared = sorted({*text} & {*label})
    if shared:
        raise DataError(f"{source}: the column {shared[0]!r} is named as text and as label. Choose one.")


def build(
    table: Table,
    frame: pd.DataFrame,
    columns: Columns,
    group_column: str | None = None,
    labelling: Labelling | None = None,
    first_row: int | None = None,
) -> Corpus:
    """Turn rows as they stand in a file into a corpus.

    Args:
        table: For messages.
        frame: The rows.
        columns: Which column plays which part.
        group_column: A column that must stay, whatever part it plays.
        labelling: How labels are made; None for an unlabelled corpus.
        first_row: Number of the first row when this is a piece of a stream; nothing is counted then.
    """
    texts = joined(frame, columns.text)
    if first_row is None:
        _count_empty(texts, table)
    parts: dict[str, Any] = {"index": _index(frame, columns.index, first_row or 0), "text": texts}
    label_set = keep = None
    if labelling is not None:
        made = labelling.make(frame)
        if made is not None:
            parts["label"], label_set, keep = made
    used = {columns.index, *columns.text, *columns.label}
    for name in frame.columns:
        if name not in used or name == group_column:
            parts.setdefault(kept_name(name) if name in RESERVED else name, frame[name])
    corpus = pd.DataFrame(parts)
    if keep is not None and not keep.all():
        corpus = corpus[keep].reset_index(drop=True)
    return Corpus(corpus, label_set, table.source, table.group)


def joined(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Return the text columns as one: never null, several joined by a space."""
    parts = [_as_text(frame[name]) for name in columns]
    text = parts[0]
    for part in parts[1:]:
        text = (text + " " + part).str.strip()
    return text


def _as_text(column: pd.Series) -> pd.Series:
    if column.dtype == object:
        cells = [" ".join(map(str, cell)) if isinstance(cell, list) else cell for cell in column]
        column = pd.Series(cells, dtype="str", index=column.index)
    return column.fillna("")


def _count_empty(texts: pd.Series, table: Table) -> None:
    blank = (texts.str.strip() == "").to_numpy()
    if blank.any():
        first = table.where(int(blank.argmax()))
        logger.warning(
            "%s: %d of %d texts are empty (the first at %s); they are kept",
            table.source,
            blank.sum(),
            len(texts),
            first,
        )


def _index(frame: pd.DataFrame, column: str | None, first: int) -> pd.Series:
    if column is None:
        return pd.Series(range(first, first + len(frame)), index=frame.index, dtype="int64")
    values = frame[column].astype("str").fillna("")
    numbers = pd.to_numeric(values, errors="coerce", dtype_backend="pyarrow") if _canonical(values) else None
    return values if numbers is None else numbers.astype("int64")


def _canonical(values: pd.Series) -> bool:
    return bool(values.str.fullmatch(r"0|-?[1-9][0-9]{0,17}").all())


def _beside(path: str | Path, label: Sequence[str]) -> dict[str, str]:
    """Return name -> id of a dictionary file beside (`topic_dict.csv` for `topic_idx` or `topic`)."""
    if len(label) != 1:
        return {}
    stem = label[0].removesuffix("_idx")
    file = Path(path).parent / f"{stem}_dict.csv"
    if not file.is_file() or file == Path(path):
        return {}
    table = open_any(file, "csv", None, _PIECE)
    frame = concatenated(table.pieces, table.columns)
    if not {stem, f"{stem}_idx"} <= set(frame.columns):
        return {}
    logger.info("%s: label names from %s", path, file)
    return {
        str(name).strip(): str(identity).strip()
        for name, identity in zip(frame[stem], frame[f"{stem}_idx"], strict=True)
    }
