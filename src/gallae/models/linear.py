"""The linear family: blocks of n-grams, Kiwi vectors and encoders' vectors under a linear classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from gallae.errors import DataError, RecipeError
from gallae.models.contract import (
    Labels,
    State,
    TextClassifier,
    check_fit_input,
    check_soft_input,
    encode_labels,
)
from gallae.models.documents import Block, Documents
from gallae.models.features import make_block
from gallae.models.heads import Head, HeadOptions, fit_head, restore_head, stack
from gallae.models.sgd import make_sgd, sgd_head
from gallae.models.soft_heads import check_classifier, fit_soft_head
from gallae.text import DEFAULT_STEPS, TextPipeline
from gallae.training.soft_targets import SoftTargets

CHARACTERS: tuple[Mapping[str, Any], ...] = ({"kind": "tfidf", "unit": "char_wb", "ngrams": [1, 4]},)
Splits = Iterable[tuple[np.ndarray, np.ndarray]]


class LinearClassifier(TextClassifier):
    """N-grams and vectors under a linear SVM, logistic regression, NB-SVM, naive Bayes or SGD.

    Args:
        steps: Names of the text steps, in order (see `gallae.text.STEPS`).
        dictionary: A user's dictionary for the steps: tables `abbreviations`, `hanja`, `symbols`.
        analyzer: What splits into morphemes, "kiwi" or "mecab".
        blocks: Feature blocks that stand side by side, each a table of options: `kind` "tfidf", "count"
            or "binary" (see `NgramBlock`), "kiwi" (see `KiwiBlock`) or "encoder" (see `EncoderBlock`).
        classifier: "svm", "logistic", "nbsvm", "complement_nb", "sgd", or a registered name.
        C: Inverse strength of regularisation.
        alpha: Smoothing of the naive Bayes classifiers.
        class_weight: None or "balanced".
        seed: Seed of the solver.

    Attributes:
        classes_: (n_classes,) the labels, sorted.
        blocks_: The fitted blocks.
        head_: The fitted classifier.
    """

    def __init__(
        self,
        steps: Sequence[str] = DEFAULT_STEPS,
        dictionary: Mapping[str, Mapping[str, str]] | None = None,
        analyzer: str = "kiwi",
        blocks: Sequence[Mapping[str, Any]] = CHARACTERS,
        classifier: str = "svm",
        C: float = 0.15,
        alpha: float = 1.0,
        class_weight: str | None = None,
        seed: int = 42,
    ) -> None:
        self.steps = steps
        self.dictionary = dictionary
        self.analyzer = analyzer
        self.blocks = blocks
        self.classifier = classifier
        self.C = C
        self.alpha = alpha
        self.class_weight = class_weight
        self.seed = seed

    def fit(self, texts: Sequence[str], labels: Labels) -> Self:
        """Learn from texts and labels (see `TextClassifier.fit`)."""
        self.fit_with_scores(texts, labels, ())
        return self

    def fit_with_scores(self, texts: Sequence[str], labels: Labels, splits: Splits) -> np.ndarray:
        """Fit on all texts, and score each split's held-out rows by a classifier fitted on its others.

        The features' vocabulary and document frequencies, which see no label, come from all the texts.

        Args:
            texts: (n_texts,) strings.
            labels: (n_texts,) labels.
            splits: Pairs of row numbers, to fit on and held out.

        Returns:
            (n_texts, n_scores) out-of-fold scores; NaN for rows that no split held out.
        """
        texts, array = check_fit_input(texts, labels)
        self.classes_, target, self.multilabel_ = encode_labels(array)

        def fit(rows: Any, chosen: np.ndarray) -> Head:
            return fit_head(self.classifier, rows, target[chosen], len(self.classes_), self._options())

        return self._fit_heads(texts, fit, splits)

    def fit_soft(self, texts: Sequence[str], targets: SoftTargets) -> Self:
        """Learn from a teacher's probabilities (see `TextClassifier.fit_soft`).

        Raises:
            RecipeError: if the classifier learns from labels alone.
        """
        self.fit_soft_with_scores(texts, targets, ())
        return self

    def fit_soft_with_scores(self, texts: Sequence[str], targets: SoftTargets, splits: Splits) -> np.ndarray:
        """Do as `fit_with_scores`, with a teacher's targets in the place of labels."""
        check_classifier(self.classifier)
        texts, shares = check_soft_input(texts, targets), targets.shares
        self.classes_, self.multilabel_ = targets.classes, targets.multilabel

        def fit(rows: Any, chosen: np.ndarray) -> Head:
            return fit_soft_head(self.classifier, rows, shares[chosen], self.multilabel_, self._options())

        return self._fit_heads(texts, fit, splits)

    def _fit_heads(
        self, texts: list[str], fit: Callable[[Any, np.ndarray], Head], splits: Splits
    ) -> np.ndarray:
        rows = self._fit_features(texts)
        self.__dict__.pop("_sgd", None)
        self.head_ = fit(rows, np.arange(len(texts)))
        scores = np.full((len(texts), self._n_scores()), np.nan, dtype=np.float32)
        for fit_on, held_out in splits:
            scores[held_out] = fit(rows[fit_on], fit_on).scores([rows[held_out]])
        return scores

    def partial_fit(self, texts: Sequence[str], labels: Labels, classes: Sequence[Any] | None = None) -> Self:
        """Go on learning from more texts, for corpora larger than memory.

        Args:
            texts: (n_texts,) strings.
            labels: (n_texts,) labels, one a text.
            classes: All the labels there will be; needed at the first call.

        Raises:
            RecipeError: unless the classifier is "sgd" over hashed blocks that are counted or binary.
            DataError: for labels that were not among the first call's classes, or several labels a text.
        """
        self._check_partial()
        texts, array = check_fit_input(texts, labels)
        if array.dtype == object:
            raise DataError("partial_fit takes one label a text, and was given several.")
        if not hasattr(self, "_sgd"):
            self._begin_partial(classes)
        unknown = np.setdiff1d(array, self.classes_)
        if len(unknown):
            raise DataError(f"labels that were not among the first call's classes: {unknown.tolist()}")
        rows = stack(self._transform(texts))
        target = np.searchsorted(self.classes_, array)
        self._sgd.partial_fit(rows, target, classes=np.arange(len(self.classes_)))
        self.head_ = sgd_head(self._sgd, len(self.classes_))
        return self

    def _begin_partial(self, classes: Sequence[Any] | None) -> None:
        if hasattr(self, "head_"):
            raise RecipeError(
                "a model that was fitted at once, or loaded, cannot go on learning: start with partial_fit."
            )
        if classes is None:
            raise RecipeError("the first partial_fit needs all the labels there will be: classes=[...]")
        self.classes_, _, self.multilabel_ = encode_labels(np.asarray(classes))
        self._sgd = make_sgd(self._options())
        self._make_blocks()
        for block in self.blocks_:
            block.fit(Documents([]))

    def _check_partial(self) -> None:
        hashed = all(
            block.get("hashing") and block.get("kind") in ("count", "binary") for block in self.blocks
        )
        if self.classifier != "sgd" or not hashed or self.class_weight:
            raise RecipeError(
                "partial_fit needs the classifier 'sgd' without class weights, and blocks of kind 'binary' "
                "or 'count' with hashing, since a vocabulary would have to see the whole corpus first."
            )

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n_texts, n_scores) float32; one column for two classes, one a class otherwise."""
        texts = self._ready_for(texts)
        return self.head_.scores(self._transform(texts))

    def _fit_features(self, texts: list[str]) -> Any:
        self._make_blocks()
        documents = Documents(self.pipeline_.apply(texts), self.analyzer, keep=True)
        columns = []
        for block in self.blocks_:
            counts = block.fit(documents)
            columns.append(block.transform(documents, counts))
        return stack(columns)

    def _make_blocks(self) -> None:
        self.pipeline_ = TextPipeline(self.steps, self.dictionary)
        self.blocks_: list[Block] = [make_block(options) for options in self.blocks]

    def _transform(self, texts: Sequence[str]) -> list[Any]:
        documents = Documents(self.pipeline_.apply(texts), self.analyzer)
        return [block.transform(documents) for block in self.blocks_]

    def _options(self) -> HeadOptions:
        return HeadOptions(self.C, self.alpha, self.class_weight, self.seed)

    def _n_scores(self) -> int:
        return 1 if len(self.classes_) == 2 and not self.multilabel_ else len(self.classes_)

    def feature_names(self) -> list[str]:
        """Return the name of each feature, in the order of the weights."""
        return [name for block in self.blocks_ for name in block.names()]

    def state(self) -> State:
        """Return parameters, blocks and weights."""
        parameters = self.get_params()
        parameters["steps"], parameters["blocks"] = list(self.steps), [dict(b) for b in self.blocks]
        parameters["dictionary"] = self.pipeline_.dictionary or None
        state = State({"parameters": parameters, "multilabel": self.multilabel_})
        for number, block in enumerate(self.blocks_):
            state.include(f"block{number}", block.state())
        state.include("head", self.head_.state())
        return state

    @classmethod
    def restore(cls, state: State) -> Self:
        """Make the fitted classifier again; the caller sets `classes_`."""
        model = cls(**state.values["parameters"])
        model.multilabel_ = state.values["multilabel"]
        model._make_blocks()
        for number, block in enumerate(model.blocks_):
            block.restore(state.part(f"block{number}"))
        model.head_ = restore_head(state.part("head"))
        return model


def analyses_needed(blocks: Sequence[Mapping[str, Any]]) -> bool:
    """Whether any of the blocks looks at morphemes."""
    return any(b.get("kind") == "kiwi" or str(b.get("unit", "")).startswith("morpheme") for b in blocks)
