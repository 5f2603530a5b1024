"""Predicting a stream of texts in constant memory: files, pipes, or a few texts."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from gallae.data import stream
from gallae.errors import OutputError, RecipeError
from gallae.files import refuse_existing, write_beside
from gallae.models.contract import TextClassifier
from gallae.progress import track
from gallae.workflows.adapting import adapt
from gallae.workflows.columns import reading_for
from gallae.workflows.runs import LoadedModel, open_model

CHUNK_ROWS = 8192
SUFFIXES = (".csv", ".jsonl", ".parquet")
SEPARATOR = "|"
Table = dict[str, list[Any]]


def predict(
    model: str | Path | TextClassifier,
    data: str | Path | None = None,
    *,
    texts: Sequence[str] = (),
    top_k: int = 1,
    output: str | Path | None = None,
    target: IO[str] | None = None,
    threads: int | None = None,
    force: bool = False,
    adapt_balance: bool = False,
    **reading: Any,
) -> int:
    """Predict texts and write a row for each: text, label, probability.

    Where a text may have several labels, `label` joins those given by "|", and `probability` is the
    highest one's; with `top_k` of 2 or more the most probable ones are listed, given or not.

    Args:
        model: A run folder, its `model/`, or a model in memory.
        data: A file, or "-" for standard input, one text a line.
        texts: Texts given directly, instead of `data`.
        top_k: How many labels a text (label_2, probability_2, ...); 0 adds p_<label> for every class.
        output: A .csv, .jsonl or .parquet file.
        target: Where CSV goes without `output`; standard output by default.
        threads: Threads of the model's networks; None leaves it to torch and ONNX Runtime.
        force: Replace an existing output.
        adapt_balance: Adapt the model to the label balance of the texts (see
            `gallae.workflows.adapting.adapt`); a file is read twice.
        reading: Keywords of `gallae.stream`.

    Returns:
        How many texts were predicted.

    Raises:
        ModelError, DataError, OutputError, RecipeError: for what the user can mend.
    """
    if (data is None) == (not texts):
        raise RecipeError("give either a file (or - for standard input) or --text, and not both.")
    if not isinstance(data, str | Path | None):
        raise RecipeError(f"data is a file, not a {type(data).__name__}. Give texts by texts=[...].")
    if top_k < 0:
        raise RecipeError(f"--top-k {top_k}: 1 or more, or 0 for the probabilities of all labels.")
    if output is not None:
        check_suffix(output)
        refuse_existing(output, force)
    if adapt_balance and data == "-":
        raise RecipeError("--adapt-balance reads the texts twice, which a pipe does not allow; give a file.")
    loaded = open_model(model, threads)
    chosen = adapt(loaded.model, _texts(data, texts, loaded, reading)) if adapt_balance else loaded.model
    chunks = _texts(data, texts, loaded, reading)
    rows = (_rows(chosen, chunk, top_k) for chunk in chunks)
    with _writer(output, target or sys.stdout, force) as writer:
        count = 0
        for table in track(rows, "predicting"):
            writer.write(table)
            count += len(table["text"])
    return count


def predict_texts(model: TextClassifier, texts: Sequence[str], top_k: int = 0) -> Table:
    """Return what `predict` would write of some texts, as columns: text, label, probability, p_<label>.

    Args:
        model: The model.
        texts: At least one.
        top_k: As of `predict`.
    """
    return _rows(model, given_texts(texts), top_k)


def _texts(
    data: str | Path | None, texts: Sequence[str], loaded: LoadedModel, reading: dict[str, Any]
) -> Iterable[list[str]]:
    return [given_texts(texts)] if data is None else _chunks(data, loaded, reading)


def given_texts(texts: Sequence[str]) -> list[str]:
    """Return texts that any file can hold: bytes of a terminal that are no UTF-8 become question marks."""
    given = [texts] if isinstance(texts, str) else texts
    return [text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for text in given]


def check_suffix(output: str | Path) -> None:
    """Make sure that predictions can be written into a file of that name.

    Raises:
        OutputError: lists the suffixes that are known.
    """
    if Path(output).suffix.lower() not in SUFFIXES:
        raise OutputError(f"{output}: predictions are written as {', '.join(SUFFIXES)}; name the output so.")


def _chunks(data: str | Path, loaded: LoadedModel, reading: dict[str, Any]) -> Iterator[list[str]]:
    given = reading_for(data, loaded.reading, reading)
    for corpus in stream(data, chunk_rows=CHUNK_ROWS, **given):
        yield corpus.texts


def _rows(model: TextClassifier, texts: list[str], top_k: int) -> Table:
    """Predict one chunk; return columns."""
    probabilities = model.predict_proba(texts)
    table: Table = {"text": texts}
    if model.multilabel_ and top_k < 2:
        table["label"] = [SEPARATOR.join(map(str, row)) for row in model.decide(probabilities)]
        table["probability"] = probabilities.max(axis=1).tolist()
    else:
        table |= _ranked(model, probabilities, max(top_k, 1))
    if top_k == 0:
        for label, column in zip(model.classes_, probabilities.T, strict=True):
            table[f"p_{label}"] = column.tolist()
    return table


def _ranked(model: TextClassifier, probabilities: np.ndarray, count: int) -> Table:
    """Return the `count` most probable labels: label, probability, label_2, probability_2, ..."""
    table: Table = {}
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    for rank, column in enumerate(best.T, 1):
        suffix = "" if rank == 1 else f"_{rank}"
        table[f"label{suffix}"] = [str(label) for label in model.classes_[column]]
        table[f"probability{suffix}"] = probabilities[np.arange(len(column)), column].tolist()
    return table


class Writer(Protocol):
    """Writes tables one after the other."""

    def write(self, table: Table) -> None:
        """Append the rows of `table`, given as columns."""
        ...


class _CsvWriter:
    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._begun = False

    def write(self, table: Table) -> None:
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        if not self._begun:
            writer.writerow(table)
            self._begun = True
        writer.writerows(zip(*table.values(), strict=True))
        self._file.write(buffer.getvalue())
        self._file.flush()


class _JsonWriter:
    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, table: Table) -> None:
        for row in zip(*table.values(), strict=True):
            line = json.dumps(dict(zip(table, row, strict=True)), ensure_ascii=False)
            self._file.write(line + "\n")


class _ParquetWriter:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, table: Table) -> None:
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
    return file_writer(Path(output), force)


@contextmanager
def file_writer(output: Path, force: bool) -> Iterator[Writer]:
    """Yield what writes tables to a file of any of the SUFFIXES; it takes its name when all is written."""
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
