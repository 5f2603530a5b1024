"""Choosing among the forms that a word may take: candidates, what speaks for each, and a log-linear model of
it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallae.tasks.translate_rules import Knowledge, Place, neighbours, spelt, written

Floats = NDArray[np.float64]
FEATURES = (
    "copy", "copy_seen", "copy_unseen", "copy_confidence", "copy_logit", "copy_as_target",
    "copy_as_source", "copy_length", "copy_first", "copy_last", "memory", "not_in_memory",
    "memory_of_others", "share_of_others", "before", "after", "rule", "logit", "logit_unseen",
    "applied", "applied_anywhere", "letters", "agreeing", "specific", "fluency", "fluency_a_syllable",
    "known_target", "lengthened",
)  # fmt: skip
_PLACE = {name: at for at, name in enumerate(FEATURES)}
_SMOOTH = 0.02


@dataclass
class Evidence:
    """What the rules say for one form of a word.

    Attributes:
        confidence: Of the best rule: how often it was applied where it could have been.
        applied: How often that rule was applied in the direction.
        anywhere: How often any rule to this form was applied, at most.
        letters: Most letters around the change that a rule saw.
        agreeing: How many rules lead to this form.
        specific: The best confidence times the share of the word that its rule saw.
    """

    confidence: float = 0.0
    applied: int = 0
    anywhere: int = 0
    letters: int = 0
    agreeing: int = 0
    specific: float = 0.0

    def add(self, confidence: float, applied: int, anywhere: int, letters: int, rest: int) -> None:
        """Take one more rule into account."""
        if confidence > self.confidence:
            self.confidence, self.applied = confidence, applied
        self.anywhere = max(self.anywhere, anywhere)
        self.letters = max(self.letters, letters)
        self.agreeing += 1
        self.specific = max(self.specific, confidence * letters / max(rest, 1))


def candidates(known: Knowledge, direction: str, word: str) -> dict[str, Evidence]:
    """Return the forms that a word may take: itself first, what it became before, what the rules make of
    it."""
    way = known.way(direction)
    found = {word: Evidence()}
    for key in (f"{direction}\t{word}", *_others(known, direction, word)):
        for target in known.words.get(key, {}):
            found.setdefault(target, Evidence())
    own = spelt(word)
    for first, letters in known.windows(way, own):
        seen = known.seen.get(f"{way}\t{letters}", {})
        for (at, count, into), applied in _rules(known, way, letters).items():
            target = written(own[: first + at] + into + own[first + at + count :])
            if target and target != word:
                anywhere, here = sum(applied.values()), applied.get(direction, 0)
                share = anywhere / (seen.get("", 0) + 1)
                confidence = (here + share) / (seen.get(direction, 0) + 1)
                evidence = found.setdefault(target, Evidence())
                evidence.add(confidence, here, anywhere, len(letters) - count, len(own) - count)
    return found


def _others(known: Knowledge, direction: str, word: str) -> list[str]:
    """Return the keys of the word in the other directions of the way."""
    way = known.way(direction)
    return [f"{one}\t{word}" for one in known.directions if one != direction and known.way(one) == way]


def _rules(known: Knowledge, way: str, letters: str) -> dict[tuple[int, int, str], dict[str, int]]:
    rules: dict[tuple[int, int, str], dict[str, int]] = {}
    for key, often in known.rules[f"{way}\t{letters}"].items():
        at, count, into, direction = key.split("\t")
        rules.setdefault((int(at), int(count), into), {})[direction] = often
    return rules


def features(
    known: Knowledge, direction: str, place: Place, found: Mapping[str, Evidence], directions: Sequence[str]
) -> Floats:
    """Return (n_candidates, n_features + n_directions): what speaks for each form of a word in its place.

    Behind `FEATURES` stands a column a direction, 1 for the word itself: some directions change more than
    others.
    """
    scorer = _Scorer(known, direction, place, max(one.confidence for one in found.values()))
    rows = np.zeros((len(found), len(FEATURES) + len(directions)))
    for number, (target, evidence) in enumerate(found.items()):
        rows[number, : len(FEATURES)] = scorer.row(target, evidence)
    if direction in directions:
        rows[0, len(FEATURES) + directions.index(direction)] = 1.0
    return rows


def _log(share: float) -> float:
    return math.log(max(share, 1e-4))


def _logit(share: float) -> float:
    return _log(share + _SMOOTH) - _log(1 - share + _SMOOTH)


class _Scorer:
    """The features of a word's forms."""

    def __init__(self, known: Knowledge, direction: str, place: Place, best: float) -> None:
        self.known, self.place, self.best, self.way = known, place, best, known.way(direction)
        self.here = known.words.get(f"{direction}\t{place.word}", {})
        self.count = sum(self.here.values())
        tables = [self.here, *(known.words.get(key, {}) for key in _others(known, direction, place.word))]
        self.tables = tables
        self.anywhere = sum(sum(table.values()) for table in tables)
        self.around = [known.around.get(key, {}) for key in neighbours(direction, place)]
        self.own = known.fluency(self.way, place.word)

    def row(self, target: str, evidence: Evidence) -> list[float]:
        values = self._copied() if target == self.place.word else self._changed(target, evidence)
        share = self._share(target)
        for name, table in zip(("before", "after"), self.around, strict=True):
            total = sum(table.values())
            values[name] = _log((table.get(target, 0) + share) / (total + 1) + 0.01) if total else 0.0
        gained = self.known.fluency(self.way, target) - self.own
        values["fluency"] = gained / 3
        values["lengthened"] = abs(len(target) - len(self.place.word)) / 3
        row = [0.0] * len(FEATURES)
        for name, value in values.items():
            row[_PLACE[name]] = float(value)
        return row

    def _share(self, target: str) -> float:
        """Return how often the word became this form, drawn to what it became in other directions."""
        elsewhere = sum(table.get(target, 0) for table in self.tables) / (self.anywhere + 0.5)
        return (self.here.get(target, 0) + 0.5 * elsewhere) / (self.count + 0.5)

    def _copied(self) -> dict[str, float]:
        word = self.place.word
        return {
            "copy": 1.0,
            "copy_seen": _log(self._share(word) + 0.01) if self.count else 0.0,
            "copy_unseen": float(not self.count),
            "copy_confidence": self.best,
            "copy_logit": _logit(self.best),
            "copy_as_target": math.log1p(self.known.targets.get(self.way, {}).get(word, 0)),
            "copy_as_source": math.log1p(self.known.sources.get(self.way, {}).get(word, 0)),
            "copy_length": min(len(word), 6) / 6,
            "copy_first": float(self.place.before == "\x02"),
            "copy_last": float(self.place.after == "\x03"),
        }

    def _changed(self, target: str, evidence: Evidence) -> dict[str, float]:
        elsewhere = sum(table.get(target, 0) for table in self.tables)
        words = target.split() or [""]
        common = sum(self.known.targets.get(self.way, {}).get(one, 0) for one in words) / len(words)
        gained = self.known.fluency(self.way, target) - self.own
        ruled = evidence.agreeing > 0
        return {
            "memory": _log(self._share(target) + 0.01) if self.count else 0.0,
            "not_in_memory": float(self.count > 0 and not self.here.get(target)),
            "memory_of_others": float(not self.count and elsewhere > 0),
            "share_of_others": elsewhere / (self.anywhere + 0.5) if not self.count else 0.0,
            "rule": float(ruled),
            "logit": _logit(evidence.confidence) if ruled else 0.0,
            "logit_unseen": _logit(evidence.confidence) if ruled and not self.count else 0.0,
            "applied": math.log1p(evidence.applied),
            "applied_anywhere": math.log1p(evidence.anywhere),
            "letters": math.log1p(evidence.letters),
            "agreeing": math.log1p(evidence.agreeing),
            "specific": evidence.specific,
            "fluency_a_syllable": gained / max(len(target), 1),
            "known_target": math.log1p(common),
        }


@dataclass(frozen=True)
class Choice:
    """The forms of one word that could be told apart, and the right one."""

    rows: Floats
    right: int


def fit_weights(choices: Sequence[Choice], strength: float = 1.0) -> Floats:
    """Return the weights of a log-linear model over each word's forms (conditional logistic regression).

    Args:
        choices: Words with two forms or more.
        strength: Inverse strength of the ridge penalty, on features of unit deviation.
    """
    from scipy.optimize import minimize

    rows = np.concatenate([one.rows for one in choices])
    sizes = np.array([len(one.rows) for one in choices])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    right = starts + np.array([one.right for one in choices])
    scale = rows.std(axis=0)
    scale[scale < 1e-9] = np.inf
    rows = rows / scale

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = rows @ weights
        most = np.maximum.reduceat(scores, starts)
        raised = np.exp(scores - np.repeat(most, sizes))
        totals = np.add.reduceat(raised, starts)
        shares = raised / np.repeat(totals, sizes)
        value = -(scores[right] - most - np.log(totals)).sum() + weights @ weights / (2 * strength)
        return float(value), rows.T @ shares - rows[right].sum(axis=0) + weights / strength

    found: Any = minimize(
        loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 300}
    )
    return np.asarray(found.x) / scale
