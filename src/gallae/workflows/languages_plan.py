"""Which rows are trained on and measured together, when a corpus has several languages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from gallae.data import Corpus
from gallae.errors import DataError

ALL = "all"
"""What stands for all languages."""
_TRANSLATED = ", translated"


@dataclass(frozen=True)
class Rows:
    """The languages of rows.

    Attributes:
        language: (n,) strings: that of the text.
        origin: (n,) strings: that it was translated from, "" for an original.
    """

    language: np.ndarray
    origin: np.ndarray

    @classmethod
    def of(cls, corpus: Corpus, language_column: str, translated_column: str | None) -> Self:
        """Return the languages of a corpus's rows.

        Raises:
            DataError: if a column is missing, or a row has no language.
        """
        language = _cells(corpus.column(language_column))
        if empty := int((language == "").sum()):
            first = int((language == "").argmax()) + 1
            raise DataError(
                f"{corpus.source}: {empty} of {len(corpus)} rows have no language in {language_column!r} "
                f"(the first is row {first}). Fill them in."
            )
        plain = np.full(len(corpus), "", dtype=object)
        return cls(language, _cells(corpus.column(translated_column)) if translated_column else plain)

    @property
    def languages(self) -> list[str]:
        """The languages that have originals, the most frequent first."""
        counts = Counter(self.language[self.origin == ""].tolist())
        return sorted(counts, key=lambda name: (-counts[name], name))

    @property
    def translations(self) -> list[str]:
        """The languages that have translated rows, by the alphabet."""
        return sorted(set(self.language[self.origin != ""].tolist()))


def _cells(column: pd.Series) -> np.ndarray:
    return column.astype("str").where(column.notna(), "").str.strip().to_numpy(dtype=object)


@dataclass(frozen=True)
class Training:
    """What is trained on.

    Attributes:
        name: For people, such as "ko+en, translated".
        languages: Of the originals.
        translated: Whether rows translated from these languages are trained on too.
    """

    name: str
    languages: tuple[str, ...]
    translated: bool = False

    @property
    def folder(self) -> str:
        """Name of its run's folder."""
        plain = self.name.replace(_TRANSLATED, "-translated")
        return re.sub(r"[^\w+-]", lambda found: f"%{ord(found[0]):x}", plain)

    def chosen(self, rows: Rows) -> np.ndarray:
        """Return (n,) bool: which rows are meant."""
        original = (rows.origin == "") & np.isin(rows.language, self.languages)
        return original | np.isin(rows.origin, self.languages) if self.translated else original


def plan(rows: Rows, wanted: Sequence[str], source: str) -> list[Training]:
    """Return the training sets.

    Args:
        rows: Of the whole corpus.
        wanted: Languages, "ko+en" for several together, "all"; none: each language alone, and all.
        source: For messages.

    Raises:
        DataError: for a language that is not there, a set given twice, or only one language.
    """
    have = rows.languages
    if len(have) + len(rows.translations) < 2:
        raise DataError(f"{source} has one language only ({', '.join(have)}); there is nothing to compare.")
    sets = [_languages(name, have, source) for name in wanted or [*have, *([ALL] if len(have) > 1 else [])]]
    if len(set(sets)) < len(sets):
        raise DataError("--train names the same languages twice. Give each set once.")
    found = []
    for chosen in sets:
        name = ALL if len(chosen) == len(have) > 1 else "+".join(chosen)
        found.append(Training(name, chosen))
        if np.isin(rows.origin, chosen).any():
            found.append(Training(name + _TRANSLATED, chosen, translated=True))
    return found


def _languages(name: str, have: Sequence[str], source: str) -> tuple[str, ...]:
    if name == ALL and ALL not in have:
        return tuple(have)
    parts = [name] if name in have else [part.strip() for part in name.split("+")]
    unknown = [part for part in parts if part not in have]
    if unknown:
        raise DataError(
            f"{source} has no rows of the language {unknown[0]!r} to train on. Languages: {', '.join(have)}; "
            f"several together are written as {'+'.join(have[:2])}, all as {ALL}."
        )
    return tuple(language for language in have if language in parts)


def measured_parts(rows: Rows) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield the parts that are measured: name, language ("" for all), and (n,) bool which rows are meant.

    Originals of each language, then each language's translated rows, then all originals.
    """
    original = rows.origin == ""
    for language in rows.languages:
        yield language, language, original & (rows.language == language)
    for language in rows.translations:
        yield language + _TRANSLATED, language, ~original & (rows.language == language)
    if len(rows.languages) > 1:
        yield ALL, "", original
