"""`gallae clean`: what preprocessing does to a corpus, before and after, as a file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from gallae.data import hub
from gallae.data.corpus import RESERVED, Corpus
from gallae.data.reading import Columns, asked, choose, open_any, read
from gallae.data.tables import Table
from gallae.errors import GallaeError, TextError
from gallae.files import refuse_existing
from gallae.progress import status
from gallae.text import DEFAULT_STEPS, TextPipeline, tokenize
from gallae.workflows.corpus_file import check_suffix, write_corpus_file
from gallae.workflows.showing import difference, percent, row_list

_PIECE = 1 << 16  # texts at once
_PEEK = 1000  # rows by which the file's column names are told
_SHOWN = 200  # characters of an example
_ROWS = 10  # row numbers of one kind
ORIGINAL = "original"


def clean(
    data: str | Path | Corpus,
    output: str | Path,
    *,
    steps: Sequence[str] | None = None,
    dictionary: str | Path | Mapping[str, Mapping[str, str]] | None = None,
    unit: str | None = None,
    drop_tags: Sequence[str] = (),
    keep_tags: Sequence[str] = (),
    analyzer: str = "kiwi",
    examples: int = 3,
    force: bool = False,
    **reading: Any,
) -> dict[str, Any]:
    """Run the text steps over a corpus and write it with both texts: the cleaned one and `original`.

    Columns keep the names that they had in the file where `gallae.data.read` finds text and label under
    them again; else they are called index, text and label. Labels are written as names, several of a
    row as a list. `read(output)` gives the cleaned texts.

    Args:
        data: What `gallae.data.read` takes, or a corpus; labels are optional.
        output: A .csv, .tsv, .jsonl or .parquet file.
        steps: Names from `gallae.text.STEPS`, in order; None for `DEFAULT_STEPS`.
        dictionary: A TOML file that extends the steps' tables, or its content.
        unit: One of `gallae.text.UNITS`: write the tokens of the cleaned text, joined by spaces.
        drop_tags: Tags of morphemes to leave out, with a morpheme unit.
        keep_tags: Tags of the only morphemes to keep, with a morpheme unit.
        analyzer: "kiwi" or "mecab", with a morpheme unit.
        examples: Most examples of each kind.
        force: Whether to replace an existing output.
        reading: Keywords of `gallae.data.read`.

    Returns:
        "source", "output", "format", "columns", "rows"; "changed" (rows whose text differs at the end),
        "emptied" ({"count", "rows": the first ten}, rows that had text and have none left), "steps" (per
        step: "step", "changed", "share", "seconds", "examples" of (before, after)), "examples" ("row",
        "before", "after"), "unit", "tokens" (None without a unit) and "seconds".

    Raises:
        OutputError: for an output that exists, has another suffix, or cannot be written.
        TextError: for an unknown step, unit or tag.
        DataError: if the data cannot be read.
    """
    started = time.perf_counter()
    format = check_suffix(output)
    refuse_existing(output, force)
    pipeline = TextPipeline(DEFAULT_STEPS if steps is None else steps, dictionary)
    _check_unit(unit, drop_tags, keep_tags, analyzer)
    corpus = read_or_take(data, reading)
    before = corpus.texts
    with status("cleaning"):
        after, changes = run_steps(before, pipeline, examples)
    tokens = None
    if unit is not None:
        after, tokens = _joined(after, unit, drop_tags, keep_tags, analyzer)
    with status("writing"):
        table = _table(corpus, after, _file_columns(data, reading))
        write_corpus_file(table, output, force)
    changed = [row for row, text in enumerate(before) if text != after[row]]
    emptied = [row for row in changed if before[row].strip() and not after[row].strip()]
    return {
        "source": corpus.source,
        "output": str(output),
        "format": format,
        "columns": [str(name) for name in table.columns],
        "rows": len(corpus),
        "changed": len(changed),
        "emptied": {"count": len(emptied), "rows": emptied[:_ROWS]},
        "steps": changes,
        "examples": [
            {"row": row, **dict(zip(("before", "after"), _around(before[row], after[row]), strict=True))}
            for row in changed[:examples]
        ],
        "unit": unit,
        "tokens": tokens,
        "seconds": time.perf_counter() - started,
    }


def clean_summary(result: Mapping[str, Any]) -> list[str]:
    """Return what `clean` did as lines of plain text."""
    rows = result["rows"]
    lines = [
        f"{result['source']}: {rows:,} texts, {result['changed']:,} changed "
        f"({percent(result['changed'] / max(1, rows))})."
    ]
    for change in result["steps"]:
        lines.append(f"  {change['step']}: {change['changed']:,} texts, {change['seconds']:.2f} s")
        lines += ["    {}  →  {}".format(*difference(*pair)) for pair in change["examples"][:1]]
    if result["unit"]:
        lines.append(f"  unit {result['unit']}: {result['tokens']:,} tokens")
    if result["examples"]:
        lines.append("Before and after:")
    for example in result["examples"]:
        old, new = difference(example["before"], example["after"])
        lines += [f"  - {old}", f"  + {new}"]
    emptied = result["emptied"]
    if emptied["count"]:
        shown = row_list(emptied["rows"], emptied["count"], "and {} more")
        lines.append(
            f"Careful, texts with nothing left: {emptied['count']:,} (rows {shown}, counted from 0). "
            "Leave a step out, or drop these rows."
        )
    lines.append(f"Wrote {result['output']}: columns {', '.join(result['columns'])}.")
    return lines


def read_or_take(data: str | Path | Corpus, reading: Mapping[str, Any]) -> Corpus:
    """Return a corpus as it is, or read a file, with labels where there are any.

    Raises:
        DataError: if the data cannot be read.
        GallaeError: for reading options with a corpus that is read already.
    """
    if isinstance(data, Corpus):
        given = sorted(name for name, value in reading.items() if value is not None)
        if given:
            raise GallaeError(f"{', '.join(given)}: such options are for reading a file, not for a Corpus.")
        return data
    with status("reading"):
        return read(data, **{"labels": "optional", **reading})


def run_steps(
    texts: Sequence[str], pipeline: TextPipeline, examples: int = 3
) -> tuple[list[str], list[dict[str, Any]]]:
    """Run a pipeline's steps one after the other, and count what each of them changes.

    Returns:
        The cleaned texts, equal to `pipeline.apply(texts)`; per step "step", "changed", "share",
        "seconds" and the first few "examples", lists of (before, after).
    """
    singles = [TextPipeline([name], pipeline.dictionary) for name in pipeline.steps]
    changes: list[dict[str, Any]] = [
        {"step": name, "changed": 0, "share": 0.0, "seconds": 0.0, "examples": []} for name in pipeline.steps
    ]
    cleaned: list[str] = []
    for piece in _pieces(texts):
        for single, change in zip(singles, changes, strict=True):
            started = time.perf_counter()
            after = single.apply(piece)
            change["seconds"] += time.perf_counter() - started
            for old, new in zip(piece, after, strict=True):
                if old != new:
                    change["changed"] += 1
                    if len(change["examples"]) < examples:
                        change["examples"].append(_around(old, new))
            piece = after
        cleaned += piece
    for change in changes:
        change["share"] = change["changed"] / max(1, len(texts))
    return cleaned, changes


def _around(old: str, new: str) -> list[str]:
    """Return both texts, cut, from shortly before where they begin to differ."""
    pairs = zip(old, new, strict=False)
    same = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(old), len(new)))
    start = max(0, same - _SHOWN // 4) if max(len(old), len(new)) > _SHOWN else 0
    return [old[start : start + _SHOWN], new[start : start + _SHOWN]]


def _pieces(texts: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), _PIECE):
        yield list(texts[start : start + _PIECE])


def _check_unit(unit: str | None, drop_tags: Sequence[str], keep_tags: Sequence[str], analyzer: str) -> None:
    if unit is not None:
        tokenize([], unit, drop_tags, keep_tags, analyzer)
    elif drop_tags or keep_tags:
        raise TextError("drop_tags and keep_tags choose among morphemes: give the unit 'morpheme' with them.")


def _joined(
    texts: Sequence[str], unit: str, drop_tags: Sequence[str], keep_tags: Sequence[str], analyzer: str
) -> tuple[list[str], int]:
    joined: list[str] = []
    count = 0
    for piece in _pieces(texts):
        for tokens in tokenize(piece, unit, drop_tags, keep_tags, analyzer):
            count += len(tokens)
            joined.append(" ".join(tokens))
    return joined, count


# ---- column names ---------------------------------------------------------------------------------


def _file_columns(data: str | Path | Corpus, reading: Mapping[str, Any]) -> Columns | None:
    """Return which of a file's columns `read` took for what; None where that cannot be told."""
    if isinstance(data, Corpus) or str(data).startswith(hub.PREFIX):
        return None
    text, label = reading.get("text_column"), reading.get("label_column")
    try:
        table = open_any(
            data, reading.get("format"), reading.get("encoding"), _PEEK, _PEEK, asked(text, label)
        )
        frame = next(table.pieces)
        return choose(table, frame, text, label, reading.get("labels", "optional"))
    except (GallaeError, StopIteration):
        return None


def _table(corpus: Corpus, texts: Sequence[str], columns: Columns | None) -> pd.DataFrame:
    """Return the table to write, under the file's own names where they are found again."""
    standard = {name: name for name in RESERVED}
    plain = _renamed(corpus, texts, standard)
    if columns is None:
        return plain
    own = dict(standard)
    own["index"] = columns.index or "index"
    own["text"] = columns.text[0] if len(columns.text) == 1 else "text"
    own["label"] = columns.label[0] if len(columns.label) == 1 else "label"
    if len({ORIGINAL, *own.values()}) < 4:
        return plain
    named = _renamed(corpus, texts, own)
    try:
        table = Table(corpus.source, [str(name) for name in named.columns], iter(()))
        found = choose(table, named, None, None, "optional")
    except GallaeError:
        return plain
    label = (own["label"],) if corpus.label_set is not None else ()
    same = (found.index, found.text, found.label) == (own["index"], (own["text"],), label)
    return named if same else plain


def _renamed(corpus: Corpus, texts: Sequence[str], names: Mapping[str, str]) -> pd.DataFrame:
    table = corpus.table
    parts: dict[str, Any] = {names["index"]: table["index"], names["text"]: list(texts)}
    parts[ORIGINAL] = table["text"]
    if "label" in table.columns:
        parts[names["label"]] = table["label"]
    for column in table.columns:
        if column not in RESERVED:
            name = str(column)
            restored = name.removeprefix("file_") if name.removeprefix("file_") in RESERVED else name
            wanted = next(n for n in (restored, name, f"file_{name}") if n not in parts)
            parts[wanted] = table[column]
    return pd.DataFrame(parts)
