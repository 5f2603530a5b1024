"""Teachers: saved models, or files of probabilities, whose word a student learns."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.errors import DataError, ModelError, OutputError, RecipeError
from gallae.files import write_beside
from gallae.models.contract import TextClassifier
from gallae.models.persistence import MANIFEST, find_model
from gallae.progress import track
from gallae.workflows import runs

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
CHUNK_ROWS = 4096
_READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".jsonl": "read_json"}


@dataclass(frozen=True)
class Teacher:
    """One teacher.

    Attributes:
        name: What to call it.
        classes: Its labels, sorted.
        multilabel: Whether it gives a text several labels; None where a file does not tell.
        said: Probabilities (n_classes,) float32 by text: of rows that a run held out, or a file's.
        source: The folder of its model, or a model; None for a file.
        key: Hash of all that its answers depend on.
    """

    name: str
    classes: list[str]
    multilabel: bool | None
    said: dict[str, np.ndarray]
    source: Path | TextClassifier | None
    key: str

    def probabilities(self, texts: Sequence[str], keep: Path) -> np.ndarray:
        """Return (n_texts, n_classes) float32: what it has said of texts, or says now.

        Args:
            texts: Each once.
            keep: A folder, which is made; what was asked stays there, for a run that is interrupted.

        Raises:
            DataError: if a file lacks some of the texts.
        """
        table = np.empty((len(texts), len(self.classes)), dtype=np.float32)
        unknown = [row for row, text in enumerate(texts) if text not in self.said]
        for row, text in enumerate(texts):
            if text in self.said:
                table[row] = self.said[text]
        if unknown:
            table[unknown] = self._asked([texts[row] for row in unknown], keep)
        return table

    def _asked(self, texts: list[str], keep: Path) -> np.ndarray:
        if self.source is None:
            raise DataError(
                f"{self.name} has no probabilities of {len(texts):,} texts, such as {texts[0]!r:.60}. A file "
                "as teacher must have all the texts, also the unlabelled and the augmented ones: give the "
                "run itself, or predict them by gallae predict RUN FILE --top-k 0 -o FILE.parquet."
            )
        keep.mkdir(parents=True, exist_ok=True)
        starts, model, parts = range(0, len(texts), CHUNK_ROWS), None, []
        for start in track(starts, f"asking {self.name}", len(starts)):
            path = keep / f"{start}.npy"
            if not path.exists():
                model = model or runs.open_model(self.source).model
                found = model.predict_proba(texts[start : start + CHUNK_ROWS])
                _keep(path, found[:, np.argsort(model.classes_.astype(str))])
            parts.append(np.load(path, allow_pickle=False))
        return np.vstack(parts)


def _keep(path: Path, table: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, table.astype(np.float32), allow_pickle=False)
    with write_beside(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def open_teachers(items: Sequence[str | Path | runs.Run | TextClassifier]) -> list[Teacher]:
    """Look at teachers; models are loaded when they are asked.

    Args:
        items: Run folders, saved models, models in memory, or files with the columns text and p_<label>, as
            `gallae predict --top-k 0`, predictions.parquet and a student's teacher.parquet have them.

    Raises:
        RecipeError: if none is given, or one twice.
        ModelError, DataError, OutputError: if one cannot be read, or they do not know the same labels.
    """
    if not items:
        raise RecipeError("a student needs a teacher: a run, a saved model or a file of probabilities.")
    found = [_open(item) for item in items]
    first = found[0]
    for at, other in enumerate(found):
        if any(other.key == before.key for before in found[:at]):
            raise RecipeError(f"{other.name} is given twice; give each teacher once.")
        odd = sorted(set(first.classes) ^ set(other.classes))
        if odd:
            raise DataError(
                f"{first.name} and {other.name} do not know the same labels: only one of them knows "
                f"{', '.join(map(repr, odd[:10]))}. Teachers must agree on them."
            )
    if len({teacher.multilabel for teacher in found} - {None}) > 1:
        raise DataError("some of the teachers give a text one label, others several; give those alike.")
    return found


def _open(item: Any) -> Teacher:
    if isinstance(item, TextClassifier):
        return _in_memory(item)
    path = item.folder if isinstance(item, runs.Run) else Path(item)
    if path.is_file():
        return _file(path)
    folder = find_model(path)
    manifest = (folder / MANIFEST).read_bytes()
    classes, multilabel = _labels_of(folder, manifest)
    said, told = {}, b""
    predictions = folder.parent / runs.PREDICTIONS
    if folder.name == runs.MODEL and predictions.is_file():
        told = predictions.read_bytes()
        said = _said(predictions, _table(predictions), classes)
    name = folder.resolve().parent.name if folder.name == runs.MODEL else folder.resolve().name
    return Teacher(name, classes, multilabel, said, folder, _hash(manifest, told))


def _labels_of(folder: Path, manifest: bytes) -> tuple[list[str], bool | None]:
    """Return a saved model's labels, sorted, and whether it gives a text several."""
    try:
        table = json.loads(manifest)
        label_set = table["facts"].get("label_set") or {}
        several = label_set.get("multilabel", table["state"].get("multilabel"))
        return sorted(map(str, table["classes"])), several
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / MANIFEST} is damaged: {error!r}. Train the teacher again.") from error


def _in_memory(model: TextClassifier) -> Teacher:
    state = model.state()
    values = json.dumps(state.values, sort_keys=True, default=str).encode()
    tensors = [state.tensors[name].tobytes() for name in sorted(state.tensors)]
    key = _hash(values, *tensors, *(state.files[name] for name in sorted(state.files)))
    classes = sorted(map(str, model.classes_))
    return Teacher("model in memory", classes, model.multilabel_, {}, model, key)


def _file(path: Path) -> Teacher:
    if path.suffix not in _READERS:
        raise ModelError(
            f"{path} is no teacher: give a run folder, or a file of probabilities ({', '.join(_READERS)})."
        )
    table = _table(path)
    classes = sorted(column[2:] for column in table.columns if str(column).startswith("p_"))
    if len(classes) < 2:
        raise DataError(
            f"{path} has no probabilities: a file as teacher has the columns text and p_<label>, as "
            "gallae predict RUN FILE --top-k 0 -o FILE.parquet writes them."
        )
    return Teacher(path.name, classes, None, _said(path, table, classes), None, _hash(path.read_bytes()))


def _table(path: Path) -> pd.DataFrame:
    import pandas as pd

    options: dict[str, Any] = {
        ".jsonl": {"lines": True, "dtype": {"text": str}},
        ".csv": {"keep_default_na": False, "dtype": {"text": str}},
    }
    try:
        return getattr(pd, _READERS[path.suffix])(path, **options.get(path.suffix, {}))
    except Exception as error:  # whatever pandas and pyarrow raise
        raise OutputError(f"{path} is damaged or no such file: {error}. Write it again.") from error


def _said(path: Path, table: pd.DataFrame, classes: list[str]) -> dict[str, np.ndarray]:
    """Return probabilities by text; a text that stands there several times has their mean."""
    columns = [f"p_{label}" for label in classes]
    absent = [column for column in ["text", *columns] if column not in table.columns]
    if absent:
        raise DataError(f"{path} lacks the columns {', '.join(absent[:10])}: a teacher's file has them.")
    try:
        means = table.groupby("text", sort=False)[columns].mean()
        values = means.to_numpy(dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: the columns p_<label> must hold numbers: {error}.") from error
    if not (np.isfinite(values) & (values >= -1e-6) & (values <= 1 + 1e-6)).all():
        raise DataError(f"{path}: the columns p_<label> must hold probabilities, from 0 to 1.")
    return dict(zip(means.index, values, strict=True))


def _hash(*parts: bytes) -> str:
    digest = sha256()
    for part in parts:
        digest.update(sha256(part).digest())
    return digest.hexdigest()


def mean_of(teachers: Sequence[Teacher], texts: Sequence[str], keep: Callable[[str], Path]) -> np.ndarray:
    """Return the teachers' mean probabilities of texts, (n_texts, n_classes) float32.

    Args:
        teachers: Who know the same labels.
        texts: Each once.
        keep: Returns the folder, not made yet, where answers stay that have this name.
    """
    total = np.zeros((len(texts), len(teachers[0].classes)), dtype=np.float32)
    for number, teacher in enumerate(teachers):
        total += teacher.probabilities(texts, keep(f"teacher-{number}"))
    return total / len(teachers)
