"""Where a model errs: pairs of labels that it mistakes, words that gather errors, rows between two labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from gallae.text import tokenize

_CLOSE = 0.1  # margin between the two most probable labels below which a row is ambiguous
_LEAST = 5  # rows that a word must stand in
_TELLING = 1.96  # of z: beyond chance at 95 %
_NOUNS = ("NNG", "NNP", "SL", "SH", "XR")
_WORD = re.compile(r"\w{2,}|[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Regions:
    """Where the mistakes are.

    Attributes:
        rows: Number of rows looked at.
        errors: Of these, predicted otherwise than labelled.
        close: Rows whose two most probable labels are less than 0.1 apart.
        close_errors: Errors among these.
        pairs: {"given", "predicted", "rows", "share" of the given label's rows}, the most frequent first.
        words: {"word", "rows" it stands in, "errors" among them, "share", "z"}, the most telling first.
    """

    rows: int
    errors: int
    close: int
    close_errors: int
    pairs: list[dict[str, Any]] = field(default_factory=list)
    words: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def find_regions(
    texts: Sequence[str],
    labels: Sequence[Any],
    predicted: Sequence[Any],
    probabilities: np.ndarray,
    multilabel: bool,
    top: int = 15,
) -> Regions:
    """Find where the mistakes are.

    Args:
        texts: (n,) texts.
        labels: (n,) given labels; tuples for multi-label.
        predicted: (n,) labels of models that have not seen the rows.
        probabilities: (n, n_classes) of these models.
        multilabel: Whether a text may have several labels.
        top: Most pairs and words.
    """
    if multilabel:
        wrong = np.array([set(a) != set(b) for a, b in zip(labels, predicted, strict=True)], dtype=bool)
        close = np.abs(probabilities - 0.5).min(axis=1) < _CLOSE / 2
        pairs: list[dict[str, Any]] = []
    else:
        wrong = np.array([a != b for a, b in zip(labels, predicted, strict=True)], dtype=bool)
        ranked = np.sort(probabilities, axis=1)
        close = ranked[:, -1] - ranked[:, -2] < _CLOSE
        pairs = _pairs(labels, predicted, top)
    return Regions(
        len(texts),
        int(wrong.sum()),
        int(close.sum()),
        int((close & wrong).sum()),
        pairs,
        _words(texts, wrong, top),
    )


def _pairs(labels: Sequence[Any], predicted: Sequence[Any], top: int) -> list[dict[str, Any]]:
    sizes = Counter(labels)
    found = Counter((a, b) for a, b in zip(labels, predicted, strict=True) if a != b)
    ranked = sorted(found.items(), key=lambda item: (-item[1], *map(str, item[0])))[:top]
    return [
        {"given": str(given), "predicted": str(said), "rows": rows, "share": rows / sizes[given]}
        for (given, said), rows in ranked
    ]


def _words(texts: Sequence[str], wrong: np.ndarray, top: int) -> list[dict[str, Any]]:
    """Return the words in whose rows errors are more frequent than chance would have it."""
    rows, errors = Counter[str](), Counter[str]()
    for tokens, bad in zip(tokenize(texts, "morpheme", keep_tags=_NOUNS), wrong.tolist(), strict=True):
        words = {token for token in tokens if _WORD.fullmatch(token)}
        rows.update(words)
        if bad:
            errors.update(words)
    share = float(wrong.mean()) if len(wrong) else 0.0
    found: list[dict[str, Any]] = []
    for word, count in errors.items():
        n = rows[word]
        z = (count - n * share) / max(np.sqrt(n * share * (1 - share)), 1e-9)
        if n >= _LEAST and z > _TELLING:
            found.append({"word": word, "rows": n, "errors": count, "share": count / n, "z": float(z)})
    return sorted(found, key=lambda entry: (-entry["z"], entry["word"]))[:top]
