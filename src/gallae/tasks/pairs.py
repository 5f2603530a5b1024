"""Pairs of sentences: their class (inference, paraphrase), or how alike they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.errors import DataError
from gallae.tasks.base import Feature, Prediction, Task
from gallae.tasks.figures import classification, correlations
from gallae.tasks.pair_reading import Pair, label_of, read_pairs, score_of
from gallae.tasks.recipe import SimilarityRecipe, TaskRecipe
from gallae.tasks.siamese import collate_sides, cosine_loss, cosines

if TYPE_CHECKING:
    from torch import Tensor

HIGHEST = 5.0


class PairTask(Task):
    """What both tasks share: pairs in, one row of outputs each."""

    @staticmethod
    def texts(example: Pair) -> Iterable[str]:
        """Return both sentences."""
        return (example.first, example.second)

    @staticmethod
    def group(example: Pair) -> str:
        """Return the first sentence: inference data has one premise several times."""
        return example.first

    def encode(self, examples: Sequence[Pair], labelled: bool) -> list[Feature]:
        """Return a feature a pair; of one that is too long the longer sentence is cut first."""
        features = self.tokenize([pair.first for pair in examples], [pair.second for pair in examples])
        for number, (feature, pair) in enumerate(zip(features, examples, strict=True)):
            feature["example"] = number
            if labelled:
                feature["labels"] = self._target(pair)
        return features

    def _target(self, pair: Pair) -> int | float:
        raise NotImplementedError  # pragma: no cover - both have their own

    def truncation(self, examples: Sequence[Pair]) -> dict[str, Any]:
        """Return how many pairs are cut, and the tokens of the longest that is read at once."""
        lengths = self._lengths(examples)
        return {
            "max_length": self.recipe.max_length,
            "longest": int(lengths.max()),
            "cut": int((lengths > self.recipe.max_length).sum()),
        }

    def _lengths(self, examples: Sequence[Pair]) -> np.ndarray:
        firsts, seconds = [pair.first for pair in examples], [pair.second for pair in examples]
        return np.array([len(one["input_ids"]) for one in self.tokenize(firsts, seconds, truncation=False)])

    def rows(
        self, examples: Sequence[Pair], predictions: Sequence[Prediction], **writing: Any
    ) -> list[dict[str, Any]]:
        """Return sentence1, sentence2, the prediction, and gold where it is known."""
        found = []
        for pair, prediction in zip(examples, predictions, strict=True):
            row = {"sentence1": pair.first, "sentence2": pair.second, **self._shown(prediction)}
            found.append(row if pair.target is None else {**row, "gold": pair.target})
        return found

    def _shown(self, prediction: Prediction) -> Prediction:
        return prediction

    @classmethod
    def remarks(cls, metrics: Mapping[str, Any]) -> list[str]:
        """Return how many pairs are cut."""
        cut = metrics["truncation"]
        return [
            f"cut to {cut['max_length']} tokens: {cut['cut']:,} of {metrics['n']:,} pairs (the longest has "
            f"{cut['longest']:,})"
        ]


class Nli(PairTask):
    """The class of a pair: natural language inference, paraphrase, or any other.

    `predict` returns {"label": ..., "probability": ..., "probabilities": {label: share}}.
    """

    name = "nli"
    auto_class = "AutoModelForSequenceClassification"
    figures = MappingProxyType({"accuracy": "accuracy", "macro_f1": "macro-F1"})

    @staticmethod
    def read(path: str | Path, labelled: bool = True, **reading: Any) -> list[Pair]:
        """Read pairs with a label; see `gallae.tasks.pair_reading.read_pairs`."""
        return read_pairs(path, "label", label_of, labelled, **reading)

    @staticmethod
    def stratum(example: Pair) -> str:
        """Return the label."""
        return str(example.target)

    def learn_labels(self, examples: Sequence[Pair]) -> dict[str, Any]:
        """Return the head's fields.

        Raises:
            DataError: if there is only one label.
        """
        counts = Counter(str(pair.target) for pair in examples)
        if len(counts) < 2:
            raise DataError(f"all pairs have the label {next(iter(counts))!r}; at least two are needed.")
        self.facts["majority"] = min(counts, key=lambda label: (-counts[label], label))
        return self.label_fields(sorted(counts))

    def check(self, examples: Sequence[Pair]) -> None:
        """Refuse labels that the model does not know."""
        unknown = sorted({str(pair.target) for pair in examples} - set(self.labels))
        if unknown:
            raise DataError(
                f"the data has labels that the model does not know: {', '.join(unknown[:10])}. It knows: "
                f"{', '.join(self.labels)}. Measure it on data with its labels, or train it on these."
            )

    def _target(self, pair: Pair) -> int:
        return int(self.model.config.label2id[pair.target])

    def decode(
        self, outputs: Sequence[Any], features: Sequence[Feature], examples: Sequence[Pair], **deciding: Any
    ) -> list[Prediction]:
        """Return label, probability, and the probabilities of all labels."""
        logits = np.stack(outputs).astype(np.float64)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        found = []
        for row in shares.tolist():
            label, probability = max(zip(self.labels, row, strict=True), key=lambda one: one[1])
            shown = dict(zip(self.labels, row, strict=True))
            found.append({"label": label, "probability": probability, "probabilities": shown})
        return found

    def measure(self, examples: Sequence[Pair], predictions: Sequence[Prediction]) -> dict[str, Any]:
        """Return accuracy and macro-F1, beside those of the training's most frequent class."""
        gold, majority = [str(pair.target) for pair in examples], self.facts["majority"]
        guess = classification(gold, [majority] * len(gold), self.labels)
        return {
            "n": len(gold),
            **classification(gold, [row["label"] for row in predictions], self.labels),
            "baseline": {"name": f"majority class ({majority})", **guess},
            "truncation": self.truncation(examples),
        }

    def _shown(self, prediction: Prediction) -> Prediction:
        shares = {f"p_{label}": share for label, share in prediction["probabilities"].items()}
        return {"label": prediction["label"], "probability": prediction["probability"], **shares}


class Similarity(PairTask):
    """How alike two sentences are, from 0 to 5 (STS). `predict` returns {"score": ...}.

    The recipe's head is "cross", which reads both sentences at once, or "siamese": the cosine of the mean
    vectors of both, each read alone (Reimers and Gurevych, "Sentence-BERT", 2019).
    """

    name = "similarity"
    auto_class = "AutoModelForSequenceClassification"
    figures = MappingProxyType(
        {"pearson": "Pearson", "spearman": "Spearman", "rmse": "root mean squared error"}
    )

    @staticmethod
    def read(path: str | Path, labelled: bool = True, **reading: Any) -> list[Pair]:
        """Read pairs with a score; see `gallae.tasks.pair_reading.read_pairs`."""
        return read_pairs(path, "score", score_of, labelled, **reading)

    @staticmethod
    def stratum(example: Pair) -> str:
        """Return the score, rounded."""
        return f"{float(example.target or 0.0):.0f}"

    def __init__(self, recipe: TaskRecipe | None = None, **fields: Any) -> None:
        super().__init__(recipe, **fields)
        self.siamese = isinstance(self.recipe, SimilarityRecipe) and self.recipe.head == "siamese"
        self.auto_class = "AutoModel" if self.siamese else type(self).auto_class

    def learn_labels(self, examples: Sequence[Pair]) -> dict[str, Any]:
        """Return the head's fields: one number."""
        self.facts["mean"] = float(np.mean([float(pair.target or 0.0) for pair in examples]))
        return {} if self.siamese else {"num_labels": 1, "problem_type": "regression"}

    def encode(self, examples: Sequence[Pair], labelled: bool) -> list[Feature]:
        """Return a feature a pair; with the head "siamese" each input is a list of two."""
        if not self.siamese:
            return super().encode(examples, labelled)
        sides = [self.tokenize([getattr(pair, side) for pair in examples]) for side in ("first", "second")]
        features = []
        for number, (one, other) in enumerate(zip(*sides, strict=True)):
            feature: Feature = {name: [one[name], other[name]] for name in one} | {"example": number}
            features.append(feature | {"labels": self._target(examples[number])} if labelled else feature)
        return features

    def _lengths(self, examples: Sequence[Pair]) -> np.ndarray:
        if not self.siamese:
            return super()._lengths(examples)
        sides = ([getattr(pair, side) for pair in examples] for side in ("first", "second"))
        tokens = ([len(one["input_ids"]) for one in self.tokenize(side, truncation=False)] for side in sides)
        return np.maximum(*map(np.array, tokens))

    def collate(self, features: Sequence[Feature]) -> dict[str, Tensor]:
        """Return a batch; with the head "siamese" all first sentences, then all second ones."""
        return collate_sides(self.tokenizer, features) if self.siamese else super().collate(features)

    def loss(self, model: Any, batch: dict[str, Tensor]) -> Tensor:
        """Return the mean squared error of scores from 0 to 1."""
        return cosine_loss(model, batch) if self.siamese else super().loss(model, batch)

    def forward(self, model: Any, batch: dict[str, Tensor]) -> Sequence[Tensor]:
        """Return the scores from 0 to 1, (batch, 1)."""
        return [cosines(model, batch)[:, None]] if self.siamese else super().forward(model, batch)

    def _target(self, pair: Pair) -> float:
        return float(pair.target or 0.0) / HIGHEST

    def decode(
        self, outputs: Sequence[Any], features: Sequence[Feature], examples: Sequence[Pair], **deciding: Any
    ) -> list[Prediction]:
        """Return the score, 0 to 5."""
        scores = np.clip(np.concatenate(outputs).astype(np.float64) * HIGHEST, 0, HIGHEST)
        return [{"score": score} for score in scores.tolist()]

    def measure(self, examples: Sequence[Pair], predictions: Sequence[Prediction]) -> dict[str, Any]:
        """Return the correlations, beside those of the mean score and of what both sentences share."""
        gold = [float(pair.target or 0.0) for pair in examples]
        words, bigrams = (
            [HIGHEST * cosine_of(pair, parts) for pair in examples] for parts in (str.split, bigrams_of)
        )
        mean = [self.facts["mean"]] * len(gold)
        return {
            "n": len(gold),
            **correlations(gold, [row["score"] for row in predictions]),
            "baseline": {"name": "mean score", **correlations(gold, mean)},
            "word_baseline": {"name": "cosine of words", **correlations(gold, words)},
            "bigram_baseline": {"name": "cosine of character bigrams", **correlations(gold, bigrams)},
            "truncation": self.truncation(examples),
        }


def cosine_of(pair: Pair, parts: Callable[[str], Iterable[str]]) -> float:
    """Return the cosine of the counts of both sentences' parts, such as their words."""
    one, other = Counter(parts(pair.first)), Counter(parts(pair.second))
    scale = np.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values()))
    return float(sum(count * other[part] for part, count in one.items()) / scale) if scale else 0.0


def bigrams_of(text: str) -> list[str]:
    """Return the pairs of neighbouring characters, a space around the text."""
    spaced = f" {' '.join(text.split())} "
    return [spaced[at : at + 2] for at in range(len(spaced) - 1)]
