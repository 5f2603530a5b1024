"""A competition's submission file, after its sample."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from gallae.data import Corpus, read
from gallae.errors import DataError
from gallae.files import refuse_existing, write_beside
from gallae.progress import status
from gallae.workflows.runs import LoadedModel, open_model


def submit(
    model: str | Path,
    test: str | Path,
    like: str | Path,
    output: str | Path,
    *,
    force: bool = False,
    **reading: Any,
) -> int:
    """Predict a competition's test file and write it in the shape of its sample submission.

    The sample has an id column and either one label column (labels are written as the ids of the model's
    dictionary, such as 0 to 6, or else by name) or a column a label (probabilities are written). Its
    columns, rows and their order are kept.

    Args:
        model: A run folder or its `model/`.
        test: The test file.
        like: sample_submission.csv.
        output: The file to write.
        force: Replace an existing output.
        reading: Keywords of `gallae.read` for the test file.

    Returns:
        How many rows were written.

    Raises:
        DataError: if the sample does not fit the test file or the model.
    """
    refuse_existing(output, force)
    loaded = open_model(model)
    header, ids = _sample(Path(like))
    columns = _label_columns(header, loaded, Path(like))
    asked = {key: value for key, value in reading.items() if value}
    corpus = read(test, labels="none", **asked)
    places = _places(corpus, ids, like)
    with status(f"predicting {len(places):,} rows"):
        probabilities = loaded.model.predict_proba([corpus.texts[place] for place in places])
    cells = _cells(loaded, probabilities, columns)
    with write_beside(output, force) as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([identity, *row] for identity, row in zip(ids, cells, strict=True))
    return len(ids)


def _sample(path: Path) -> tuple[list[str], list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"the sample submission {path} cannot be read: {error}.") from error
    if not rows or len(rows[0]) < 2:
        raise DataError(f"{path} is no sample submission: it needs an id column and a label column.")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise DataError(f"{path}, line {number}: {len(row)} fields, but the header has {len(rows[0])}.")
    return rows[0], [row[0] for row in rows[1:]]


def _label_columns(header: list[str], loaded: LoadedModel, path: Path) -> list[int]:
    """Return each column's class number; none for a single label column."""
    if len(header) == 2:
        return []
    names = {name: number for number, name in enumerate(map(str, loaded.model.classes_))}
    lookup = loaded.label_set.lookup()
    unknown = [column for column in header[1:] if lookup.get(column) not in names]
    if unknown:
        raise DataError(
            f"{path} has columns that are no labels of the model: {', '.join(unknown)}. It needs one label "
            f"column, or one for each of: {', '.join(names)}."
        )
    return [names[lookup[column]] for column in header[1:]]


def _places(corpus: Corpus, ids: list[str], like: str | Path) -> list[int]:
    place = {str(identity): number for number, identity in enumerate(corpus.table["index"])}
    missing = [identity for identity in ids if identity not in place]
    if missing:
        raise DataError(
            f"{like} asks for {len(missing)} ids that {corpus.source} lacks, the first is {missing[0]!r}. "
            "Are the two of the same competition?"
        )
    return [place[identity] for identity in ids]


def _cells(loaded: LoadedModel, probabilities: np.ndarray, columns: list[int]) -> list[list[Any]]:
    if columns:
        return probabilities[:, columns].tolist()
    ids = loaded.label_set.ids
    decided = loaded.model.decide(probabilities)
    if loaded.model.multilabel_:
        return [["|".join(ids.get(str(name), str(name)) for name in row)] for row in decided]
    return [[ids.get(str(label), str(label))] for label in decided]
