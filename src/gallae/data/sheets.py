"""Parquet and Excel files as tables of strings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from gallae.data.tables import Table, named, series
from gallae.errors import DataError


def open_parquet(path: Path, rows: int) -> Table:
    """Open a Parquet file, read in pieces of `rows` rows.

    Class names that `datasets` wrote into the file's schema are kept.

    Raises:
        DataError: if it is damaged or not Parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read as Parquet: {_first_line(error)}. Is it damaged?") from error
    schema = file.schema_arrow
    columns = named(_without_pandas_index(schema.names), str(path))

    def pieces() -> Iterator[pd.DataFrame]:
        try:
            for batch in file.iter_batches(batch_size=rows):
                if batch.num_rows:
                    yield pd.DataFrame(
                        {name: arrow_series(batch.column(at)) for at, name in enumerate(columns)}
                    )
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{path} cannot be read as Parquet: {_first_line(error)}. Is it damaged?"
            ) from error

    return Table(str(path), columns, pieces(), names=_class_names(schema.metadata or {}))


def arrow_series(column: Any) -> pd.Series:
    """Return an Arrow array as cells (see `tables.series`), without a Python object a cell where possible."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_integer(kind):
        column, kind = column.cast(pa.string()), pa.string()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pd.Series(column.to_pandas(), dtype="str")
    return series(column.to_pylist())


def _without_pandas_index(names: list[str]) -> list[str]:
    plain = "index" not in names
    return ["index" if plain and name == "__index_level_0__" else name for name in names]


def _class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return {
        column: [str(name) for name in feature["names"]]
        for column, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
    }


def open_excel(path: Path) -> Table:
    """Open the first sheet of an .xlsx file; rows that are wholly empty are left out.

    Raises:
        DataError: if it is not an .xlsx file, or damaged, or its first sheet is empty.
    """
    try:
        sheet = pd.read_excel(path, header=None, dtype=object, na_filter=False, engine="openpyxl")
    except Exception as error:  # openpyxl raises whatever a damaged archive makes it stumble over
        raise DataError(
            f"{path} cannot be read as Excel: {_first_line(error)}. Save it as .xlsx (or CSV) and try again."
        ) from error
    cells = pd.DataFrame({at: series(sheet[at].tolist()) for at in sheet.columns})
    full = cells.index[(cells.fillna("") != "").any(axis=1)].to_numpy()
    if not len(full):
        raise DataError(f"{path}: the first sheet is empty: it has no rows.")
    columns = named(cells.loc[full[0]].fillna("").tolist(), str(path))
    body = cells.loc[full[1:]].reset_index(drop=True).set_axis(columns, axis=1)
    return Table(
        str(path), columns, iter([body] if len(body) else []), lambda row: f"row {full[row + 1] + 1}"
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
