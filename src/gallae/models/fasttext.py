"""fastText: a bag of words, word pairs and character n-grams, embedded and averaged."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy.special import logit

from gallae.errors import ModelError, RecipeError, TextError, require
from gallae.models.contract import Labels, State, TextClassifier, check_fit_input, encode_labels
from gallae.text import DEFAULT_STEPS, TextPipeline, decompose_jamo, iter_tokens, tokenize

LOSSES = ("softmax", "ova", "hs")
FILE = "fasttext.bin"
_PREFIX = "__label__"
_END = "</s>"  # fastText's own mark for the end of a line
_UNLABELLED = "none"  # stands for "no label", as fastText passes over lines without any


class FastTextClassifier(TextClassifier):
    """fastText's supervised classifier.

    After Joulin et al., "Bag of Tricks for Efficient Text Classification" (2017). It needs the extra
    `fasttext`. Training runs on one thread, as only so the same seed gives the same numbers. The model's
    size is bounded: 4 * dim * (bucket + number of distinct tokens) bytes.

    Args:
        steps: Names of the text steps, in order (see `gallae.text.STEPS`).
        dictionary: A user's dictionary for the steps: tables `abbreviations`, `hanja`, `symbols`.
        analyzer: What splits into morphemes, "kiwi" or "mecab".
        drop_tags, keep_tags: Part-of-speech filter of morphemes.
        unit: What fastText takes for a word: "word", "morpheme", "morpheme_tag" (better with `max_n` 0, as
            the tag is spelt out), or "jamo", a word spelt in letters, so that its n-grams are of letters.
        dim: Size of the embeddings.
        epochs: Passes over the texts; 0 for as many as make 150,000 updates, within 5 and 50.
        learning_rate: At the start; it falls linearly to 0.
        word_ngrams: Longest n-gram of tokens.
        min_n, max_n: Shortest and longest n-gram of characters in a token; 0 for none.
        bucket: Number of rows that the n-grams share by hashing.
        min_count: Leave out tokens found less often.
        loss: "softmax", "hs" (hierarchical, for very many classes) or "ova" (one against all), which is used
            in any case for several labels a text.
        seed: Seed of the training.

    Attributes:
        classes_: (n_classes,) the labels, sorted.
        model_: fastText's model.
    """

    def __init__(
        self,
        steps: Sequence[str] = DEFAULT_STEPS,
        dictionary: Mapping[str, Mapping[str, str]] | None = None,
        analyzer: str = "kiwi",
        drop_tags: Sequence[str] = (),
        keep_tags: Sequence[str] = (),
        unit: str = "morpheme",
        dim: int = 32,
        epochs: int = 0,
        learning_rate: float = 0.5,
        word_ngrams: int = 2,
        min_n: int = 1,
        max_n: int = 4,
        bucket: int = 100_000,
        min_count: int = 1,
        loss: str = "softmax",
        seed: int = 42,
    ) -> None:
        self.steps = steps
        self.dictionary = dictionary
        self.analyzer = analyzer
        self.drop_tags = drop_tags
        self.keep_tags = keep_tags
        self.unit = unit
        self.dim = dim
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.word_ngrams = word_ngrams
        self.min_n = min_n
        self.max_n = max_n
        self.bucket = bucket
        self.min_count = min_count
        self.loss = loss
        self.seed = seed

    def fit(self, texts: Sequence[str], labels: Labels) -> Self:
        """Learn from texts and labels (see `TextClassifier.fit`).

        Raises:
            MissingExtra: if fastText is not installed.
            RecipeError: for an option that is not allowed.
            TextError: if the texts hold no token.
            ModelError: if the training diverges.
        """
        self.fit_with_scores(texts, labels, ())
        return self

    def fit_with_scores(
        self, texts: Sequence[str], labels: Labels, splits: Iterable[tuple[np.ndarray, np.ndarray]]
    ) -> np.ndarray:
        """Fit on all texts, and score each split's held-out rows by a model fitted on its others.

        Args:
            texts: (n_texts,) strings.
            labels: (n_texts,) labels.
            splits: Pairs of row numbers, to fit on and held out.

        Returns:
            (n_texts, n_scores) out-of-fold scores; NaN for rows that no split held out.
        """
        texts, array = check_fit_input(texts, labels)
        self._check_options()
        self.classes_, target, self.multilabel_ = encode_labels(array)
        self.pipeline_ = TextPipeline(self.steps, self.dictionary)
        lines = list(self._lines(texts, remember=True))
        if not any(lines):
            raise TextError("the texts hold no token, so there is nothing to learn from.")
        self.model_ = self._learn(lines, target)
        scores = np.full((len(texts), self._score(self.model_, []).shape[1]), np.nan)
        for fit_on, held_out in splits:
            part = self._learn([lines[row] for row in fit_on], target[fit_on])
            scores[held_out] = self._score(part, [lines[row] for row in held_out])
        return scores

    def _learn(self, lines: Sequence[str], target: np.ndarray) -> Any:
        marks = [_PREFIX + str(number) for number in range(len(self.classes_))]
        with tempfile.TemporaryDirectory(prefix="gallae-") as folder:
            path = Path(folder) / "train.txt"
            with path.open("w", encoding="utf-8", newline="\n") as file:
                for line, row in zip(lines, target, strict=True):
                    numbers = np.flatnonzero(row) if self.multilabel_ else [row]
                    head = " ".join(marks[number] for number in numbers) or _PREFIX + _UNLABELLED
                    file.write(f"{head} {line}\n")
            return self._train(path, self.epochs or min(max(5, ceil(150_000 / len(lines))), 50))

    def _check_options(self) -> None:
        if self.loss not in LOSSES:
            raise RecipeError(f"fastText's loss is {self.loss!r}; allowed: {', '.join(LOSSES)}.")
        least = {"dim": 1, "epochs": 0, "word_ngrams": 1, "min_n": 0, "max_n": 0, "bucket": 1, "min_count": 1}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise RecipeError(f"fastText's {name} is {getattr(self, name)}; it must be {value} or more.")
        if not self.learning_rate > 0:
            raise RecipeError(f"fastText's learning_rate is {self.learning_rate}; it must be greater than 0.")

    def _train(self, path: Path, epochs: int) -> Any:
        try:
            return require("fasttext", "fasttext").train_supervised(
                str(path),
                lr=self.learning_rate,
                dim=self.dim,
                epoch=epochs,
                wordNgrams=self.word_ngrams,
                minn=self.min_n,
                maxn=self.max_n,
                bucket=self.bucket,
                minCount=self.min_count,
                loss="ova" if self.multilabel_ else self.loss,
                seed=self.seed % 2**31,
                thread=1,
                verbose=0,
                label=_PREFIX,
            )
        except RuntimeError as error:
            raise ModelError(f"fastText cannot learn this ({error}). Try a smaller learning_rate.") from error

    def _lines(self, texts: Sequence[str], remember: bool = False) -> Iterator[str]:
        """Yield each text's tokens with spaces between, nothing in them meaning something to fastText."""
        clean = self.pipeline_.apply(texts)
        tokens: Iterable[Sequence[str]]
        if self.unit == "jamo":
            tokens = (decompose_jamo(text).split() for text in clean)
        else:
            split = tokenize if remember else iter_tokens
            tokens = split(clean, self.unit, self.drop_tags, self.keep_tags, self.analyzer)
        for row in tokens:
            line = " ".join(row).replace("\0", " ").replace(_END, " ").replace(_PREFIX, "label ")
            yield " ".join(line.encode("utf-8", "replace").decode("utf-8").split())

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Return log-probabilities, (n_texts, n_classes); their difference (n_texts, 1) for two classes.

        For several labels a text: (n_texts, n_classes) log-odds.
        """
        texts = self._ready_for(texts)
        return self._score(self.model_, list(self._lines(texts)))

    def _score(self, model: Any, lines: list[str]) -> np.ndarray:
        column = {f"{_PREFIX}{number}": number for number in range(len(self.classes_))}
        probabilities = np.full((len(lines), len(self.classes_) + 1), 1e-5)
        labels, values = model.predict(lines, k=-1) if lines else ([], [])
        for row, (names, found) in enumerate(zip(labels, values, strict=True)):
            probabilities[row, [column.get(name, -1) for name in names]] = found
        probabilities = np.clip(probabilities[:, :-1], 1e-5, 1 - 1e-5)
        if self.multilabel_:
            return logit(probabilities)
        logs = np.log(probabilities)
        return logs if len(self.classes_) > 2 else logs[:, 1:] - logs[:, :1]

    def state(self) -> State:
        """Return the parameters, and the model as fastText's own file."""
        parameters = self.get_params()
        for name in ("steps", "drop_tags", "keep_tags"):
            parameters[name] = list(parameters[name])
        parameters["dictionary"] = self.pipeline_.dictionary or None
        return State(
            {"parameters": parameters, "multilabel": self.multilabel_}, files={FILE: _dump(self.model_)}
        )

    @classmethod
    def restore(cls, state: State) -> Self:
        """Make the fitted classifier again; the caller sets `classes_`."""
        model = cls(**state.values["parameters"])
        model.multilabel_ = state.values["multilabel"]
        model.pipeline_ = TextPipeline(model.steps, model.dictionary)
        model.model_ = _load(state.files[FILE])
        return model

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        return {**state, "model_": _dump(state["model_"])} if "model_" in state else state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({**state, "model_": _load(state["model_"])} if "model_" in state else state)


def _dump(model: Any) -> bytes:
    with tempfile.TemporaryDirectory(prefix="gallae-") as folder:
        path = Path(folder) / FILE
        model.save_model(str(path))
        return path.read_bytes()


def _load(data: bytes) -> Any:
    with tempfile.TemporaryDirectory(prefix="gallae-") as folder:
        path = Path(folder) / FILE
        path.write_bytes(data)
        return require("fasttext", "fasttext").load_model(str(path))
