"""Data sets of the Hugging Face Hub, and folders that `datasets` saved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from gallae.data.sheets import arrow_series
from gallae.data.tables import Table, named
from gallae.errors import DataError, require

PREFIX = "hf:"
_ID = re.compile(r"(?P<id>[\w.-]+(?:/[\w.-]+)?)(?:/(?P<config>[\w.-]+))?(?::(?P<split>[\w.-]+))?")


def saved(path: Path) -> bool:
    """Whether a folder is what `save_to_disk` wrote."""
    return (path / "state.json").is_file() or (path / "dataset_dict.json").is_file()


def split_of(path: str) -> tuple[str, str | None]:
    """Return `folder:split` as its two parts; the split is None where none is named."""
    folder, colon, split = path.rpartition(":")
    if colon and saved(Path(folder)) and re.fullmatch(r"[\w.-]+", split):
        return folder, split
    return path, None


def open_id(name: str, sizes: Iterator[int]) -> Table:
    """Open `hf:owner/name[/configuration][:split]` by `datasets.load_dataset`.

    The name may also be a local folder of data files, `hf:folder[:split]`. Without a split the one called
    "train" is taken, or the only one.

    Raises:
        DataError: if the data set, the configuration or the split is not found, or the Hub is not reached.
        MissingExtra: without the extra `hub`.
    """
    identity, config, split = _parts(name)
    datasets = require("datasets", "hub")
    try:
        data = datasets.load_dataset(identity, config)
    except Exception as error:  # network, authorisation, scripts: whatever comes, the id is what to check
        raise DataError(
            f"{name}: the data set could not be loaded ({type(error).__name__}: {_first_line(error)}). "
            "Check the id and the connection; a configuration is written hf:owner/name/configuration."
        ) from error
    return _opened(data, split, name, sizes)


def _parts(name: str) -> tuple[str, str | None, str | None]:
    bare = name.removeprefix(PREFIX)
    for folder, split in ((bare, None), bare.rsplit(":", 1) if ":" in bare else (bare, None)):
        if Path(folder).is_dir():
            return folder, None, split
    match = _ID.fullmatch(bare)
    if match is None:
        raise DataError(f"{name}: not a data set id. Write hf:owner/name, hf:owner/name/configuration:split.")
    return match["id"], match["config"], match["split"]


def open_saved(path: Path, sizes: Iterator[int], split: str | None = None) -> Table:
    """Open a folder that `Dataset.save_to_disk` or `DatasetDict.save_to_disk` wrote.

    Raises:
        DataError: if it is damaged or has no such split.
        MissingExtra: without the extra `hub`.
    """
    datasets = require("datasets", "hub")
    try:
        data = datasets.load_from_disk(str(path))
    except Exception as error:
        raise DataError(
            f"{path} cannot be read as a saved data set ({type(error).__name__}: {_first_line(error)}). "
            "Is it damaged?"
        ) from error
    return _opened(data, split, str(path), sizes)


def _opened(data: Any, split: str | None, source: str, sizes: Iterator[int]) -> Table:
    if isinstance(data, dict):
        chosen = split or ("train" if "train" in data else next(iter(data)) if len(data) == 1 else "")
        if chosen not in data:
            asked = f"has no split {split!r}" if split else "has several splits and none is called 'train'"
            raise DataError(f"{source} {asked}. Its splits: {', '.join(data)}. Name one after a colon.")
        data = data[chosen]
    elif split is not None and str(data.split or "") != split:
        raise DataError(f"{source} is a single split; there is no {split!r} in it. Leave :{split} away.")
    columns = named(data.column_names, source)
    names = {
        column: list(feature.names)
        for column, feature in data.features.items()
        if getattr(feature, "names", None) and hasattr(feature, "int2str")
    }
    return Table(source, columns, _pieces(data.with_format("arrow"), columns, sizes), names=names)


def _pieces(data: Any, columns: list[str], sizes: Iterator[int]) -> Iterator[pd.DataFrame]:
    start = 0
    for size in sizes:
        if start >= len(data):
            return
        piece = data[start : start + size].combine_chunks()
        yield pd.DataFrame({name: arrow_series(piece.column(at)) for at, name in enumerate(columns)})
        start += size


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or "no reason given").splitlines()[0]
