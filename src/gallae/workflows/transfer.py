"""The texts on which a teacher teaches: labelled ones, unlabelled ones, and altered copies."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.data import stream
from gallae.errors import DataError, RecipeError
from gallae.files import read_json, write_beside
from gallae.pretraining.corpora import parse_sources, sentences
from gallae.progress import status
from gallae.training.soft_targets import SoftOptions, SoftTargets
from gallae.workflows.columns import reading_for

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
_PACKED = (".xz", ".gz")


def read_unlabelled(files: Sequence[str | Path], kept: dict[str, Any], labelled: Iterable[str]) -> list[str]:
    """Return the texts of files, each once; a label that one has is not looked at.

    Args:
        files: Of any kind that `gallae predict` reads, or .txt.xz and .txt.gz with a text a line.
        kept: Keywords of `gallae.read` by which the labelled data is read, for files of the same columns.
        labelled: Texts to leave out: those of labelled and of held-out rows.

    Raises:
        DataError: if a file cannot be read, or has no text besides these.
    """
    known, found = set(labelled), dict[str, None]()
    for file in files:
        texts = [text for text in _texts(file, kept) if text.strip()]
        if not texts:
            raise DataError(f"{file} has no texts: an unlabelled file needs at least one.")
        new = {text: None for text in texts if text not in known}
        if not new:
            raise DataError(f"{file}: all its {len(texts):,} texts are labelled or held-out ones.")
        log.info("%s: %d texts, %d of them new", file, len(texts), len(new.keys() - found.keys()))
        found |= new
    return list(found)


def _texts(file: str | Path, kept: dict[str, Any]) -> Iterator[str]:
    if Path(file).suffix in _PACKED:
        (source,) = parse_sources([file])
        yield from sentences(source)
        return
    for corpus in stream(file, **reading_for(file, kept, {})):
        yield from corpus.texts


@dataclass(frozen=True)
class AugmentOptions:
    """How copies of the labelled texts are altered.

    Attributes:
        copies: How many a text; 0 for none.
        checkpoint: A masked language model that fills gaps (see
            `gallae.distillation.augmenting.MaskedAugmenter`); "" alters by rules
            (`gallae.distillation.augmenting.RuleAugmenter`).
        seed: Of the alterations.

    Raises:
        RecipeError: for a number below 0, or a checkpoint without copies.
    """

    copies: int = 0
    checkpoint: str = ""
    seed: int = 42

    def __post_init__(self) -> None:
        if self.copies < 0:
            raise RecipeError(f"--augment {self.copies}: how many altered copies a text, 0 or more.")
        if self.checkpoint and not self.copies:
            raise RecipeError("--augment-model fills the gaps of copies: give --augment N too, such as 5.")

    def altered(self, texts: Sequence[str], place: Callable[[], Path]) -> list[list[str]]:
        """Return the copies of each text; `place` returns the file where an interrupted run finds them."""
        if not self.copies:
            return [[] for _ in texts]
        keep = place()
        if keep.exists():
            return read_json(keep)
        with status(f"altering {len(texts):,} texts"):
            found = self._augmenter(texts).augment(texts, self.copies, self.seed)
        with write_beside(keep) as path:
            path.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        return found

    def _augmenter(self, texts: Sequence[str]) -> Any:
        from gallae.distillation.augmenting import MaskedAugmenter, RuleAugmenter

        return MaskedAugmenter(self.checkpoint) if self.checkpoint else RuleAugmenter.of(texts)


@dataclass(frozen=True)
class Transfer:
    """All texts with the teachers' probabilities, each text once.

    Attributes:
        texts: (n_texts,) labelled and held-out ones, then unlabelled, then altered copies.
        origin: (n_texts,) None, or for a copy the text that it was made of.
        unlabelled: Which texts are neither labelled nor held out nor copies, (n_texts,) bool.
        probabilities: (n_texts, n_classes) float32.
        classes: Labels in the order of the columns, sorted.
        options: How teacher and labels are weighed.
    """

    texts: list[str]
    origin: list[str | None]
    unlabelled: np.ndarray
    probabilities: np.ndarray
    classes: list[str]
    options: SoftOptions

    @cached_property
    def _place(self) -> dict[str, int]:
        return {text: row for row, text in enumerate(self.texts)}

    def of(self, texts: Sequence[str]) -> np.ndarray:
        """Return the probabilities of some of the texts, (n, n_classes) float32."""
        return self.probabilities[[self._place[text] for text in texts]]

    def lesson(self, texts: Sequence[str], labels: Sequence[Any]) -> tuple[list[str], SoftTargets]:
        """Return what a student learns from: labelled rows, their copies, and the unlabelled texts.

        Copies of other rows are left out, since a held-out row must not be learned from in disguise.

        Args:
            texts: Of the labelled rows to learn from.
            labels: Of these: names, or tuples of names.

        Returns:
            Texts, and a target each.
        """
        given = set(texts)
        more = [
            row
            for row, origin in enumerate(self.origin)
            if self.unlabelled[row] or (origin is not None and origin in given)
        ]
        every = [*texts, *(self.texts[row] for row in more)]
        known = np.arange(len(every)) < len(texts)
        targets = SoftTargets(
            classes=np.array(self.classes),
            probabilities=np.vstack([self.of(texts), self.probabilities[more]]),
            gold=encoded(labels, self.classes, len(more)),
            known=known,
            options=self.options,
        )
        return every, targets

    def table(self) -> pd.DataFrame:
        """Return a row a text: text, kind ("labelled" or held out, "unlabelled", "altered"), p_<label>."""
        import pandas as pd

        kinds = np.where(self.unlabelled, "unlabelled", "labelled")
        kinds = np.where([origin is not None for origin in self.origin], "altered", kinds)
        columns = pd.DataFrame(self.probabilities, columns=[f"p_{label}" for label in self.classes])
        return pd.concat([pd.DataFrame({"text": self.texts, "kind": kinds}), columns], axis=1)


def encoded(labels: Sequence[Any], classes: Sequence[str], more: int) -> np.ndarray:
    """Return labels as `SoftTargets.gold` has them, with `more` rows of none behind."""
    place = {label: number for number, label in enumerate(classes)}
    if isinstance(labels[0], str):
        return np.array([*(place[label] for label in labels), *[-1] * more], dtype=np.int64)
    table = np.zeros((len(labels) + more, len(classes)), dtype=bool)
    for row, names in enumerate(labels):
        table[row, [place[name] for name in names]] = True
    return table
