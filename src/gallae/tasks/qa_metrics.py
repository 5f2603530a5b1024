"""Exact match and F1 of answers, as KorQuAD's and SQuAD's official scripts define them.

Lim, Kim and Lee 2019, KorQuAD1.0: Korean QA Dataset for Machine Reading Comprehension (arXiv:1909.07005);
Rajpurkar, Jia and Liang 2018, Know What You Don't Know: Unanswerable Questions for SQuAD (arXiv:1806.03822).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gallae.errors import DataError

_BRACKETS = str.maketrans(dict.fromkeys("'\"《》<>〈〉()‘’", " "))
_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation))
_ARTICLES = re.compile(r"\b(a|an|the)\b")

FIGURES = ("exact_match", "f1", "squad_exact_match", "squad_f1")


def normalise(answer: str) -> str:
    """An answer as KorQuAD's script compares it.

    Quotes and brackets become spaces, letters small, other ASCII punctuation goes, and runs of spaces become
    one.
    """
    return " ".join(answer.translate(_BRACKETS).lower().translate(_PUNCTUATION).split())


def normalise_squad(answer: str) -> str:
    """An answer as SQuAD's script compares it: small letters, no ASCII punctuation, no English articles."""
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def exact_match(predicted: str, gold: str) -> float:
    """1.0 if the two are the same once normalised, else 0.0."""
    return float(normalise(predicted) == normalise(gold))


def character_f1(predicted: str, gold: str) -> float:
    """F1 over the characters of the normalised answers, spaces left out; 0.0 where nothing is shared."""
    return _f1(normalise(predicted).replace(" ", ""), normalise(gold).replace(" ", ""))


def squad_exact_match(predicted: str, gold: str) -> float:
    """`exact_match` with SQuAD's normalisation."""
    return float(normalise_squad(predicted) == normalise_squad(gold))


def word_f1(predicted: str, gold: str) -> float:
    """SQuAD's F1, over words; where one of the answers has no word, whether both have none."""
    some, other = normalise_squad(predicted).split(), normalise_squad(gold).split()
    return _f1(some, other) if some and other else float(some == other)


def _f1(predicted: Sequence[str], gold: Sequence[str]) -> float:
    same = sum((Counter(predicted) & Counter(gold)).values())
    return 2 * same / (len(predicted) + len(gold)) if same else 0.0


_MEASURES: tuple[Callable[[str, str], float], ...] = (exact_match, character_f1, squad_exact_match, word_f1)


def score(predicted: str, golds: Sequence[str]) -> tuple[float, ...]:
    """The best figures over the gold answers, in the order of `FIGURES`, each in [0, 1].

    Args:
        predicted: The answer; "" says that there is none.
        golds: The right answers; none where the question has no answer in its passage. Then, as in SQuAD
            2.0, every figure is 1 if `predicted` is empty too and 0 if not.
    """
    if not golds:
        return (float(not predicted.strip()),) * len(FIGURES)
    return tuple(max(measure(predicted, gold) for gold in golds) for measure in _MEASURES)


def score_all(predicted: Sequence[str], golds: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """`score` of each question: an array (n, 4), columns as in `FIGURES`.

    Raises:
        DataError: for another number of predictions than of questions.
    """
    if len(predicted) != len(golds):
        raise DataError(f"{len(predicted)} answers for {len(golds)} questions.")
    rows = [score(*pair) for pair in zip(predicted, golds, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(FIGURES))


def best_threshold(margins: ArrayLike, answered: ArrayLike, unanswered: ArrayLike) -> float:
    """The no-answer threshold with the highest mean figure over these questions.

    Args:
        margins: (n,) by how much "no answer" scores above the best span; it is chosen above the threshold.
        answered: (n,) a question's figure, such as its F1, if its best span is given.
        unanswered: (n,) the same if none is given.

    Returns:
        The threshold, halfway between two margins, or one beyond the lowest or highest.
    """
    margins, gain = np.asarray(margins, dtype=np.float64), np.asarray(answered) - np.asarray(unanswered)
    order = np.argsort(margins, kind="stable")
    at = margins[order]
    edges = np.concatenate(([at[0] - 1], (at[1:] + at[:-1]) / 2, [at[-1] + 1]))
    totals = np.concatenate(([0.0], np.cumsum(gain[order])))
    # Between equal margins no threshold can stand.
    totals[1:-1][at[1:] == at[:-1]] = -np.inf
    return float(edges[int(totals.argmax())])
