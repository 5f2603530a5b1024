"""Predicting a stream of texts in constant memory: files, pipes, or a few texts."""

from __future__ import annotations

import csv
import io
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from gallae.data import stream
from gallae.errors import OutputError, RecipeError
from gallae.files import refuse_existing, write_beside
from gallae.models.contract import TextClassifier
from gallae.progress import track
from gallae.workflows.runs import LoadedModel, open_model

CHUNK_ROWS = 8192
SUFFIXES = (".csv", ".jsonl", ".parquet")
SEPARATOR = "|"


def predict(
    model: str | Path,
    data: str | Path | None = None,
    *,
    texts: Sequence[str] = (),
    top_k: int = 1,
    output: str | Path | None = None,
    target: IO[str] | None = None,
    force: bool = False,
    **reading: Any,
) -> int:
    """Predict texts and write a row for each: text, label, probability.

    For several labels a text, `label` joins them by "|" and `probability` is the highest one's.

    Args:
        model: A run folder or its `model/`.
        data: A file, or "-" for standard input, one text a line.
        texts: Texts given directly, instead of `data`.
        top_k: How many labels a text (label_2, probability_2, ...); 0 adds p_<label> for every class.
        output: A .csv, .jsonl or .parquet file.
        target: Where CSV goes without `output`; standard output by default.
        force: Replace an existing output.
        reading: Keywords of `gallae.stream`.

    Returns:
        How many texts were predicted.

    Raises:
        ModelError, DataError, OutputError, RecipeError: for what the user can mend.
    """
    if (data is None) == (not texts):
        raise RecipeError("give either a file (or - for standard input) or --text, and not both.")
    if top_k < 0:
        raise RecipeError(f"--top-k {top_k}: 1 or more, or 0 for the probabilities of all labels.")
    if output is not None:
        _check_suffix(output)
        refuse_existing(output, force)
    loaded = open_model(model)
    chunks = [list(texts)] if data is None else _chunks(data, loaded, reading)
    rows = (_rows(loaded.model, chunk, top_k) for chunk in chunks)
    with _writer(output, target or sys.stdout, force) as writer:
        count = 0
        for table in track(rows, "predicting"):
            writer.write(table)
            count += len(table["text"])
    return count


def _check_suffix(output: str | Path) -> None:
    if Path(output).suffix.lower() not in SUFFIXES:
        raise OutputError(f"{output}: predictions are written as {', '.join(SUFFIXES)}; name the output so.")


def _chunks(data: str | Path, loaded: LoadedModel, reading: dict[str, Any]) -> Iterator[list[str]]:
    """Stream the texts, from the columns asked for or else those of training."""
    from gallae.errors import DataError

    asked = {key: value for key, value in reading.items() if value}
    own = {key: value for key, value in loaded.reading.items() if str(data) != "-" and key == "text_column"}
    try:
        parts = stream(data, chunk_rows=CHUNK_ROWS, **{**own, **asked})
        first = next(parts, None)
    except DataError:
        if not own or "text_column" in asked:
            raise
        parts = stream(data, chunk_rows=CHUNK_ROWS, **asked)
        first = next(parts, None)
    if first is not None:
        for corpus in itertools.chain([first], parts):
            yield corpus.texts


def _rows(model: TextClassifier, texts: list[str], top_k: int) -> dict[str, list[Any]]:
    """Predict one chunk; return columns."""
    probabilities = model.predict_proba(texts)
    table: dict[str, list[Any]] = {"text": texts}
    if model.multilabel_:
        table["label"] = [SEPARATOR.join(map(str, row)) for row in model.decide(probabilities)]
        table["probability"] = probabilities.max(axis=1).tolist()
    if not model.multilabel_ or top_k > 1:
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, : max(top_k, 1)]
        for rank, column in enumerate(best.T, 1):
            suffix = "" if rank == 1 else f"_{rank}"
            if rank > 1 or not model.multilabel_:
                table[f"label{suffix}"] = [str(label) for label in model.classes_[column]]
                table[f"probability{suffix}"] = probabilities[np.arange(len(texts)), column].tolist()
    if top_k == 0:
        for label, column in zip(model.classes_, probabilities.T, strict=True):
            table[f"p_{label}"] = column.tolist()
    return table


class Writer(Protocol):
    """Writes tables one after the other."""

    def write(self, table: dict[str, list[Any]]) -> None:
        """Append the rows of `table`, given as columns."""
        ...


class _CsvWriter:
    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._writer: Any = None

    def write(self, table: dict[str, list[Any]]) -> None:
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        if self._writer is None:
            writer.writerow(table)
            self._writer = True
        writer.writerows(zip(*table.values(), strict=True))
        self._file.write(buffer.getvalue())
        self._file.flush()


class _JsonWriter:
    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, table: dict[str, list[Any]]) -> None:
        for row in zip(*table.values(), strict=True):
            line = json.dumps(dict(zip(table, row, strict=True)), ensure_ascii=False)
            self._file.write(line + "\n")


class _ParquetWriter:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, table: dict[str, list[Any]]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = pa.table(table)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, rows.schema)
        self._writer.write_table(rows)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _writer(output: str | Path | None, target: IO[str], force: bool) -> AbstractContextManager[Writer]:
    if output is None:
        return nullcontext(_CsvWriter(target))
    return _file_writer(Path(output), force)


@contextmanager
def _file_writer(output: Path, force: bool) -> Iterator[Writer]:
    with write_beside(output, force) as path:
        if output.suffix.lower() == ".parquet":
            writer = _ParquetWriter(path)
            try:
                yield writer
            finally:
                writer.close()
            return
        with path.open("w", encoding="utf-8", newline="", errors="surrogatepass") as file:
            yield _CsvWriter(file) if output.suffix.lower() == ".csv" else _JsonWriter(file)
