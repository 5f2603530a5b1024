"""Translating word by word: each word stays, or takes another form; what speaks for a form is learned.

Between a dialect and the standard language nine words of ten are equal, and the others differ in a few
letters. So a text is not written anew: for each word candidate forms are collected, from what it became in
the training and from rules between letters, and a log-linear model chooses. It is the "noisy spelling"
setting of Brill and Moore 2000 (An Improved Error Model for Noisy Channel Spelling Correction) with a
discriminative choice in the place of the channel.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from gallae.errors import ModelError
from gallae.tasks.translate_ranking import FEATURES, Choice, Evidence, candidates, features, fit_weights
from gallae.tasks.translate_reading import Passage
from gallae.tasks.translate_rules import Knowledge, places

EDITS_FILE = "edits.json"
_LARGE = 20_000  # with more texts than that, weights are learned from one held-out part instead of all
_FEWEST_PAIRS = 2


class EditModel:
    """Words and their forms.

    Args:
        pivot: The style that all directions share; "" without.
        folds: The weights are learned on texts whose own words and rules are not counted: parts of the
            training.
        boldness: Added to every changed form's score. At 0 a word is changed where that is likelier than not;
            higher values change more of the words that have to, and more that have not.
        least: Rules that were applied less often are forgotten.
        seed: Of the parts.
    """

    def __init__(
        self, pivot: str = "", folds: int = 4, boldness: float = 1.0, least: int = 1, seed: int = 42
    ) -> None:
        self.pivot, self.folds, self.boldness, self.least, self.seed = pivot, folds, boldness, least, seed
        self.known = Knowledge(pivot)
        self.directions: list[str] = []
        self.weights: dict[str, np.ndarray] = {}
        self._forms: dict[tuple[str, str], dict[str, Evidence]] = {}

    def fit(self, passages: Sequence[Passage]) -> Self:
        """Learn forms, rules and weights from passages with their translations."""
        texts = [(_direction(one), places(one.source, one.target)) for one in passages]
        self.directions = sorted({direction for direction, _ in texts})
        choices: dict[str, list[Choice]] = {}
        for learned, measured in self._parts(passages):
            part = EditModel(self.pivot)
            part.directions = self.directions
            part.known.learn((texts[at] for at in learned), self.least)
            for at in measured:
                part.collect(*texts[at], choices)
        self.weights = {way: fit_weights(found) for way, found in sorted(choices.items())}
        self.known.learn(texts, self.least)
        return self

    def _parts(self, passages: Sequence[Passage]) -> list[tuple[list[int], list[int]]]:
        """Return what to count and what to learn weights from, pairs kept together."""
        pairs = sorted({one.pair for one in passages})
        if len(pairs) < _FEWEST_PAIRS:
            return [(list(range(len(passages))), list(range(len(passages))))]
        folds = min(self.folds, len(pairs))
        order = np.random.default_rng(self.seed).permutation(len(pairs))
        part = {pairs[at]: number % folds for number, at in enumerate(order)}
        wanted = range(1 if len(passages) > _LARGE else folds)
        return [
            (
                [at for at, one in enumerate(passages) if part[one.pair] != fold],
                [at for at, one in enumerate(passages) if part[one.pair] == fold][:_LARGE],
            )
            for fold in wanted
        ]

    def collect(self, direction: str, words: Sequence[Any], choices: dict[str, list[Choice]]) -> None:
        """Add the words of a text that have a choice which holds the right form."""
        for place in words:
            found = self.forms(direction, place.word)
            if len(found) > 1 and place.target in found:
                rows = features(self.known, direction, place, found, self.directions)
                way = self.known.way(direction)
                choices.setdefault(way, []).append(Choice(rows, list(found).index(place.target)))

    def forms(self, direction: str, word: str) -> dict[str, Evidence]:
        """Return the forms that a word may take, the word itself first."""
        key = (direction, word)
        if key not in self._forms:
            self._forms[key] = candidates(self.known, direction, word)
        return self._forms[key]

    def say(self, text: str, source: str, target: str, boldness: float | None = None) -> tuple[str, float]:
        """Return the translation of a text and its log probability, which ignores the boldness."""
        bold = self.boldness if boldness is None else boldness
        direction = f"{source}>{target}"
        weights = self.weights.get(self.known.way(direction))
        said, total = [], 0.0
        for place in places(text, None):
            found = self.forms(direction, place.word)
            if len(found) == 1 or weights is None:
                said.append(place.word)
                continue
            scores = features(self.known, direction, place, found, self.directions) @ weights
            shares = scores - np.logaddexp.reduce(scores)
            scores[1:] += bold
            best = int(scores.argmax())
            said.append(list(found)[best])
            total += float(shares[best])
        return " ".join(word for word in said if word), total

    def num_parameters(self) -> int:
        """Return how many rules, word forms and weights there are."""
        tables = (self.known.words, self.known.rules)
        counted = sum(len(found) for table in tables for found in table.values())
        return counted + sum(weights.size for weights in self.weights.values())

    def save_pretrained(self, folder: Path) -> None:
        """Write edits.json."""
        names = (*FEATURES, *self.directions)
        weights = {way: dict(zip(names, found.tolist(), strict=True)) for way, found in self.weights.items()}
        content = {"boldness": self.boldness, "weights": weights, "known": self.known.to_json()}
        (folder / EDITS_FILE).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Read edits.json.

        Raises:
            ModelError: if it is missing or damaged.
        """
        try:
            content = json.loads((folder / EDITS_FILE).read_text(encoding="utf-8"))
            known = Knowledge.from_json(content["known"])
            model = cls(known.pivot, boldness=float(content["boldness"]))
            model.known, model.directions = known, list(known.directions)
            names = (*FEATURES, *model.directions)
            model.weights = {
                way: np.array([found[name] for name in names]) for way, found in content["weights"].items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                f"{folder / EDITS_FILE} is missing or damaged. Train the model again."
            ) from error
        return model


def _direction(passage: Passage) -> str:
    return f"{passage.source_style}>{passage.target_style}"
