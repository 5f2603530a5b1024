"""A competition's submission file, after its sample."""

from __future__ import annotations

import csv
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gallae.data import Corpus, read
from gallae.data.opening import detect_encoding, existing, read_head, refuse_binary
from gallae.errors import DataError
from gallae.files import refuse_existing, write_beside
from gallae.models.contract import TextClassifier
from gallae.progress import status
from gallae.workflows.adapting import adapted
from gallae.workflows.columns import reading_for
from gallae.workflows.runs import LoadedModel, open_model

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """A sample submission: its path, header, ids, and the cells of its first label column."""

    path: Path
    header: list[str]
    ids: list[str]
    cells: list[str]


def submit(
    model: str | Path | TextClassifier,
    test: str | Path,
    like: str | Path,
    output: str | Path,
    *,
    force: bool = False,
    adapt_balance: bool = False,
    **reading: Any,
) -> int:
    """Predict a competition's test file and write it in the shape of its sample submission.

    The sample has an id column and either one label column or a column a label. Labels are written as the
    ids of the model's dictionary, such as 0 to 6; by name if it has none, or if the sample itself has
    names. In a column a label, probabilities are written. The sample's header, rows and order are kept; an
    id is looked for in the test file's column of the same name, else in its index.

    Args:
        model: A run folder, its `model/`, or a model in memory.
        test: The test file.
        like: sample_submission.csv.
        output: The file to write, a CSV in UTF-8.
        force: Replace an existing output.
        adapt_balance: Adapt the model to the label balance of the test file (see
            `gallae.workflows.adapting.adapt`).
        reading: Keywords of `gallae.read` for the test file.

    Returns:
        How many rows were written.

    Raises:
        DataError: if the sample does not fit the test file or the model.
    """
    refuse_existing(output, force)
    loaded = open_model(model)
    sample = _sample(Path(like))
    columns = _label_columns(sample, loaded)
    _refuse_other_spelling(sample, loaded, columns)
    corpus = read(test, labels="none", **reading_for(test, loaded.reading, reading))
    places = _places(corpus, sample)
    texts = corpus.texts
    with status(f"predicting {len(places):,} rows"):
        probabilities = loaded.model.predict_proba([texts[place] for place in places])
    if adapt_balance:
        probabilities, _ = adapted(loaded.model, probabilities)
    cells = probabilities[:, columns].tolist() if columns else _labels(loaded, probabilities, sample)
    with write_beside(output, force) as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(sample.header)
        writer.writerows([identity, *row] for identity, row in zip(sample.ids, cells, strict=True))
    return len(sample.ids)


def _sample(path: Path) -> Sample:
    existing(path)
    if path.is_dir():
        raise DataError(f"{path} is a folder. --like needs the competition's sample submission, a CSV file.")
    refuse_binary(read_head(path), str(path), "A sample submission is a CSV file.")
    try:
        with path.open(encoding=detect_encoding(path), newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except csv.Error as error:
        raise DataError(f"the sample submission {path} cannot be read: {error}.") from error
    if len(rows) < 2 or len(rows[0]) < 2:
        raise DataError(f"{path} is no sample submission: it needs an id column, a label column, and rows.")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise DataError(f"{path}, row {number}: {len(row)} fields, but the header has {len(rows[0])}.")
    return Sample(path, rows[0], [row[0] for row in rows[1:]], [row[1] for row in rows[1:]])


def _label_columns(sample: Sample, loaded: LoadedModel) -> list[int]:
    """Return each column's class number; none for a single label column."""
    if len(sample.header) == 2:
        return []
    names = {name: number for number, name in enumerate(map(str, loaded.model.classes_))}
    lookup = loaded.label_set.lookup()
    unknown = [column for column in sample.header[1:] if lookup.get(column.strip()) not in names]
    if unknown:
        raise DataError(
            f"{sample.path} has columns that are no labels of the model: {', '.join(unknown)}. It needs one "
            f"label column, or one for each of: {', '.join(names)}."
        )
    return [names[lookup[column.strip()]] for column in sample.header[1:]]


def _refuse_other_spelling(sample: Sample, loaded: LoadedModel, columns: list[int]) -> None:
    """Refuse to write labels that the competition spells otherwise, such as names where it has numbers."""
    names, ids = loaded.label_set.names, loaded.label_set.ids
    spelt = [ids.get(name, name) for name in names]
    cells = {cell.strip() for cell in sample.cells if cell.strip()}
    placeholder = len(cells) <= len(names) and _numbers(cells) <= _numbers(spelt)
    if columns or loaded.model.multilabel_ or cells <= {*names, *spelt} or placeholder:
        return
    odd = sorted(cells - {*names, *spelt})[0]
    raise DataError(
        f"{sample.path}: the column {sample.header[1]!r} holds {odd!r}, and the model would write "
        f"{', '.join(spelt[:8])}. Is it the competition's sample, and the model trained on its file with the "
        "dictionary (such as topic_dict.csv) beside it?"
    )


def _numbers(cells: Iterable[str]) -> bool:
    return all(cell.lstrip("-").isdecimal() for cell in cells)


def _places(corpus: Corpus, sample: Sample) -> list[int]:
    """Return the row of the test file for each id of the sample."""
    key = sample.header[0].strip()
    column = corpus.table[key if key in corpus.table.columns and key not in ("text", "label") else "index"]
    identities = [str(identity).strip() for identity in column]
    place = {identity: number for number, identity in enumerate(identities)}
    if len(place) < len(identities):
        double = Counter(identities).most_common(1)[0][0]
        raise DataError(f"{corpus.source}: the id {double!r} stands in several rows. Ids must differ.")
    missing = [identity for identity in sample.ids if identity.strip() not in place]
    if missing:
        raise DataError(
            f"{sample.path} asks for {len(missing)} ids that {corpus.source} lacks, the first is "
            f"{missing[0]!r}; the file's first is {identities[0]!r}. Are the two of the same competition?"
        )
    if len(sample.ids) < len(identities):
        log.warning(
            "%s asks for %d of the test file's %d rows", sample.path, len(sample.ids), len(identities)
        )
    return [place[identity.strip()] for identity in sample.ids]


def _labels(loaded: LoadedModel, probabilities: np.ndarray, sample: Sample) -> list[list[str]]:
    """Return the decided labels, spelt as the competition does."""
    names = set(loaded.label_set.names)
    ids = {} if {cell.strip() for cell in sample.cells} <= names else loaded.label_set.ids
    decided = loaded.model.decide(probabilities)
    rows = decided if loaded.model.multilabel_ else [(label,) for label in decided]
    return [["|".join(ids.get(str(name), str(name)) for name in row)] for row in rows]
