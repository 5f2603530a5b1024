"""`gallae embed`: the vectors of a stream of texts, written in constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
import pandas as pd

from gallae.data import Corpus, stream
from gallae.errors import DataError, OutputError, RecipeError
from gallae.files import refuse_existing, write_beside
from gallae.models.embedders import open_embedder
from gallae.models.layers import EmbeddingOptions
from gallae.progress import status, track

CHUNK_ROWS = 2048
SUFFIXES = (".npy", ".parquet")
VECTOR = "embedding"


def embed(
    model: str | Path,
    data: str | Path | None = None,
    *,
    texts: Sequence[str] = (),
    output: str | Path | None = None,
    layer: str | int = "-2",
    combine: str = "mean",
    weights: Sequence[float] = (),
    pool: str = "mean",
    max_length: int = 128,
    revision: str = "",
    force: bool = False,
    **reading: Any,
) -> dict[str, Any] | np.ndarray:
    """Make vectors of texts by an encoder's layers, without training.

    Args:
        model: A hub id, a checkpoint's folder (one of sentence-transformers too), a run or model folder of
            the family "encoder", or "kiwi" for the mean of Kiwi's vectors.
        data: A file, or "-" for standard input, one text a line.
        texts: Texts given directly, instead of `data`.
        output: A .npy file, (n, width) float32, or a .parquet file with the columns index, text and
            embedding (lists of float32).
        layer: Layers: "-2", "0" (the embedding layer), "-4:" or "-4,-1".
        combine: What several layers become: "mean", "sum", "concat" or "weighted".
        weights: One a layer, for "weighted".
        pool: "cls", "mean" or "max" over a text's tokens.
        max_length: Most tokens of a text; the rest is cut off, and counted.
        revision: Of a hub id.
        force: Replace an existing output.
        reading: Keywords of `gallae.stream`.

    Returns:
        Without `output` the vectors, (n, width) float32. With it "texts" (their number), "width",
        "truncated" (number of texts cut off) and "output".

    Raises:
        ModelError, DataError, OutputError, RecipeError: for what the user can mend.
    """
    if (data is None) == (not len(texts)):
        raise RecipeError("give either a file (or - for standard input) or --text, and not both.")
    options = EmbeddingOptions(str(layer), combine, tuple(weights), pool, max_length)
    if output is not None:
        if Path(output).suffix.lower() not in SUFFIXES:
            raise OutputError(f"{output}: vectors are written as {', '.join(SUFFIXES)}; name the output so.")
        refuse_existing(output, force)
    with status("loading the encoder"):
        embedder = open_embedder(model, options, revision)
    chunks = (
        iter([_given(texts)]) if data is None else stream(data, chunk_rows=CHUNK_ROWS, **_filled(reading))
    )
    if output is None:
        return np.vstack([embedder.embed(chunk.texts) for chunk in track(chunks, "embedding")])
    count = 0
    with _writer(Path(output), embedder.width, force) as writer:
        for chunk in track(chunks, "embedding"):
            writer.write(chunk, embedder.embed(chunk.texts))
            count += len(chunk)
    return {
        "texts": count,
        "width": embedder.width,
        "truncated": embedder.truncated,
        "output": str(output),
    }


def embedding_lines(found: dict[str, Any]) -> list[str]:
    """Return what `embed` wrote as lines of plain text."""
    lines = [f"{found['texts']:,} texts, {found['width']:,} numbers each: {found['output']}"]
    if found["truncated"]:
        lines.append(f"{found['truncated']:,} texts were cut off (--max-length)")
    return lines


def _given(texts: Sequence[str]) -> Corpus:
    rows = [texts] if isinstance(texts, str) else list(texts)
    odd = next((text for text in rows if not isinstance(text, str)), None)
    if odd is not None:
        raise DataError(f"texts holds {odd!r} ({type(odd).__name__}), not a string.")
    clean = [text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for text in rows]
    return Corpus(pd.DataFrame({"index": range(len(clean)), "text": clean}), None, "the texts given")


def _filled(reading: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in reading.items() if value}


class _Writer(Protocol):
    """Writes the vectors of one chunk after the other."""

    def write(self, corpus: Corpus, vectors: np.ndarray) -> None: ...


class _NumpyWriter:
    """A .npy file that grows; its header, which has room for any number of rows, is mended at the end."""

    def __init__(self, file: IO[bytes], width: int) -> None:
        self._file, self._width, self._rows = file, width, 0
        self._header()

    def _header(self) -> None:
        fields = {"descr": "<f4", "fortran_order": False, "shape": (self._rows, self._width)}
        np.lib.format.write_array_header_1_0(self._file, fields)

    def write(self, corpus: Corpus, vectors: np.ndarray) -> None:
        self._file.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
        self._rows += len(vectors)

    def close(self) -> None:
        self._file.seek(0)
        self._header()


class _ParquetWriter:
    """A .parquet file, a row group a chunk."""

    def __init__(self, path: Path, width: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        vector = pa.list_(pa.float32(), width)
        self._schema = pa.schema([("index", pa.string()), ("text", pa.string()), (VECTOR, vector)])
        self._writer = pq.ParquetWriter(path, self._schema)

    def write(self, corpus: Corpus, vectors: np.ndarray) -> None:
        import pyarrow as pa

        flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
        columns = [
            pa.array([str(value) for value in corpus.table["index"]], pa.string()),
            pa.array(corpus.texts, pa.string()),
            pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
        ]
        self._writer.write_table(pa.table(columns, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


@contextmanager
def _writer(output: Path, width: int, force: bool) -> Iterator[_Writer]:
    with write_beside(output, force) as path:
        if output.suffix.lower() == ".parquet":
            parquet = _ParquetWriter(path, width)
            try:
                yield parquet
            finally:
                parquet.close()
            return
        with path.open("wb") as file:
            numpy = _NumpyWriter(file, width)
            yield numpy
            numpy.close()
