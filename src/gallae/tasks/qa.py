"""Extractive question answering: the answer is a span of the passage, in its own characters.

Devlin et al. 2019, BERT (arXiv:1810.04805), sections 4.2 and 4.3: a score for each token to begin and to end
the answer, windows over long passages, and the first token for "no answer".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from gallae.errors import DataError
from gallae.tasks.base import Feature, Prediction, Task
from gallae.tasks.figures import Figures, averages
from gallae.tasks.qa_metrics import FIGURES, best_threshold, score_all
from gallae.tasks.qa_reading import NOWHERE, Question, read_questions
from gallae.tasks.qa_windows import coverable, spans, windows

_CANDIDATES = 20
_BASELINE_WORDS = 5


@dataclass(frozen=True)
class _Candidate:
    """An answer to be: characters of the passage, and its score, a sum of two logits."""

    score: float
    start: int
    end: int


class Qa(Task):
    """Find the answer to a question in its passage; see `Task` for what all tasks share.

    Recipe fields of its own: `stride`, `max_question` and `max_answer`, all in tokens.
    """

    name = "qa"
    auto_class = "AutoModelForQuestionAnswering"
    figures: ClassVar[dict[str, str]] = {
        "exact_match": "exact match",
        "f1": "F1 of characters",
        "squad_exact_match": "exact match as SQuAD has it",
        "squad_f1": "F1 of words as SQuAD has it",
    }
    output_names = ("start_logits", "end_logits")
    by_token = True

    @staticmethod
    def read(path: str | Path, labelled: bool = True, **reading: Any) -> list[Question]:
        """See `read_questions`."""
        return read_questions(path, labelled, **reading)

    @staticmethod
    def texts(example: Question) -> Iterable[str]:
        """The question and the passage."""
        return example.question, example.context

    @staticmethod
    def stratum(example: Question) -> str:
        """Whether it has an answer."""
        return "answer" if example.answers else "no answer"

    @staticmethod
    def group(example: Question) -> str:
        """The passage: several questions are about one."""
        return example.context

    def learn_labels(self, examples: Sequence[Question]) -> dict[str, Any]:
        """Learn whether questions may have no answer: two outputs a token in either case."""
        self.facts["no_answer"] = any(not example.answers for example in examples)
        return {"num_labels": 2}

    def encode(self, examples: Sequence[Question], labelled: bool) -> list[Feature]:
        """Return a feature a window; see `windows`."""
        recipe: Any = self.recipe
        features = windows(
            self.tokenizer,
            examples,
            max_length=recipe.max_length,
            stride=recipe.stride,
            max_question=recipe.max_question,
            takes_kinds=self.takes_kinds,
            labelled=labelled,
        )
        if not features:
            raise DataError("none of the answers is found in its passage, so there is nothing to learn from.")
        return features

    def decode(
        self,
        outputs: Sequence[Any],
        features: Sequence[Feature],
        examples: Sequence[Question],
        *,
        n_best: int = 1,
        no_answer_threshold: float | None = None,
        **deciding: Any,
    ) -> list[Prediction]:
        """Return the best span over all windows of each question.

        Args:
            outputs: (start, end) logits a feature, each (n_tokens,).
            features: Of `encode`.
            examples: The questions.
            n_best: How many answers stand under "candidates".
            no_answer_threshold: "No answer" is given where it scores above the best span by more than this
                (0 by default). Only a model that has seen such questions takes it.
            deciding: Nothing else.

        Returns:
            For each question `answer`, `start` and `end` (characters of the passage, so that
            ``context[start:end] == answer``; "" and None for no answer), `score` (its share among the 20 best
            candidates, by softmax), `no_answer` (by how much "no answer" scores above the best span; None for
            a model without it), and `candidates`.

        Raises:
            DataError: on `n_best` or a threshold that the model does not allow.
        """
        if not 1 <= n_best <= _CANDIDATES:
            raise DataError(f"--n-best {n_best}: between 1 and {_CANDIDATES} answers can be listed.")
        if no_answer_threshold is not None and not self.facts.get("no_answer"):
            raise DataError(
                "--no-answer-threshold: this model has learnt from no question without an answer, so it "
                "always gives one. Train on data with such questions (is_impossible)."
            )
        found: list[dict[tuple[int, int], float]] = [{} for _ in examples]
        nothing = np.full(len(examples), np.inf)
        for (starts, ends), feature in zip(outputs, features, strict=True):
            number, special = feature["example"], feature["special"]
            nothing[number] = min(nothing[number], float(starts[special] + ends[special]))
            for one in self._candidates(starts, ends, feature, examples[number].context):
                place = (one.start, one.end)
                found[number][place] = max(one.score, found[number].get(place, -np.inf))
        threshold = (no_answer_threshold or 0.0) if self.facts.get("no_answer") else None
        return [
            _decided(example, _best(spots), float(null), threshold, n_best)
            for example, spots, null in zip(examples, found, nothing, strict=True)
        ]

    def _candidates(self, starts: Any, ends: Any, feature: Feature, context: str) -> Iterable[_Candidate]:
        recipe: Any = self.recipe
        offsets = feature["offsets"]
        inside = slice(feature["first"], feature["first"] + len(offsets))
        for score, begin, end in spans(starts[inside], ends[inside], recipe.max_answer, _CANDIDATES):
            first, last = int(offsets[begin, 0]), int(offsets[end, 1])
            text = context[first:last]
            if text.strip():
                first += len(text) - len(text.lstrip())
                yield _Candidate(score, first, first + len(text.strip()))

    def measure(self, examples: Sequence[Question], predictions: Sequence[Prediction]) -> dict[str, Any]:
        """Return exact match and F1, as KorQuAD's and as SQuAD's scripts have them, each in [0, 1].

        `coverable` is the exact match of the tokens that cover the right answers: no network that reads these
        tokens can get more. Where some questions have no answer, the figures of both kinds stand apart as
        well, and `best_threshold` is the no-answer threshold that would have given the highest F1 here.
        """
        golds = [example.golds for example in examples]
        scores = score_all([prediction["answer"] for prediction in predictions], golds)
        result: dict[str, Any] = {"n": len(examples), **_averaged(scores)}
        result["answers_not_found"] = sum(
            answer.start == NOWHERE for example in examples for answer in example.answers
        )
        result["coverable"] = float(score_all(coverable(self.tokenizer, examples), golds)[:, 0].mean())
        none = np.array([not gold for gold in golds])
        if none.any():
            for key, rows in (("answerable", ~none), ("unanswerable", none)):
                if rows.any():
                    result[key] = {"n": int(rows.sum()), **_averaged(scores[rows])}
            result |= _threshold(predictions, golds)
        return result | {"baseline": _baseline(examples)}

    @classmethod
    def remarks(cls, metrics: Mapping[str, Any]) -> list[str]:
        """Return what the tokens allow, figures with and without an answer, and how many answers are lost."""
        lines = [f"exact match that the tokens allow: {metrics['coverable']:.4f}"]
        lines += [
            f"{key}: {found['n']:,} questions, exact match {found['exact_match']:.4f}, F1 {found['f1']:.4f}"
            for key in ("answerable", "unanswerable")
            if (found := metrics.get(key))
        ]
        if "best_threshold" in metrics:
            lines.append(
                f"the F1 would be highest with --no-answer-threshold {metrics['best_threshold']:.3f}"
            )
        if metrics["answers_not_found"]:
            lines.append(f"not found in their passage: {metrics['answers_not_found']:,} answers")
        return lines

    def rows(
        self, examples: Sequence[Question], predictions: Sequence[Prediction], **writing: Any
    ) -> list[dict[str, Any]]:
        """Return id, question, `gold` where it is known, and what `decode` says."""
        known = any(example.answers for example in examples)
        return [
            {
                "id": example.id,
                "question": example.question,
                **({"gold": list(example.golds)} if known else {}),
                **prediction,
            }
            for example, prediction in zip(examples, predictions, strict=True)
        ]


def _best(spots: dict[tuple[int, int], float]) -> list[_Candidate]:
    ranked = sorted(spots, key=lambda place: (-spots[place], place))[:_CANDIDATES]
    return [_Candidate(spots[place], *place) for place in ranked]


def _decided(
    example: Question, ranked: list[_Candidate], null: float, threshold: float | None, n_best: int
) -> Prediction:
    """Choose among the candidates and, with a threshold, no answer."""
    best = ranked[0].score if ranked else -np.inf
    logits = [one.score for one in ranked] + ([null] if threshold is not None or not ranked else [])
    shares = _softmax(np.array(logits, dtype=np.float64))
    listed = [
        {"answer": example.context[one.start : one.end], "start": one.start, "end": one.end, "score": share}
        for one, share in zip(ranked, shares, strict=False)
    ]
    margin = None if threshold is None else float(np.clip(null - best, -1e9, 1e9))
    empty = {"answer": "", "start": None, "end": None, "score": shares[-1]}
    silent = not listed or (threshold is not None and margin is not None and margin > threshold)
    return {**(empty if silent else listed[0]), "no_answer": margin, "candidates": listed[:n_best]}


def _softmax(logits: np.ndarray) -> list[float]:
    raised = np.exp(logits - logits.max())
    shares: list[float] = (raised / raised.sum()).tolist()
    return shares


def _threshold(predictions: Sequence[Prediction], golds: Sequence[Sequence[str]]) -> dict[str, float]:
    if any(prediction["no_answer"] is None for prediction in predictions):
        return {}
    best = [(prediction["candidates"] or [{"answer": ""}])[0]["answer"] for prediction in predictions]
    answered = score_all(best, golds)[:, 1]
    silent = score_all([""] * len(golds), golds)[:, 1]
    return {"best_threshold": best_threshold([p["no_answer"] for p in predictions], answered, silent)}


def _averaged(scores: np.ndarray) -> Figures:
    return averages(dict(zip(FIGURES, scores.T, strict=True)))


def _baseline(examples: Sequence[Question]) -> dict[str, Any]:
    """Return the better of the two answers that need no model: the passage's first words, or none at all."""
    golds = [example.golds for example in examples]
    words = [" ".join(example.context.split()[:_BASELINE_WORDS]) for example in examples]
    simple = {f"the passage's first {_BASELINE_WORDS} words": words, "no answer": [""] * len(words)}
    figures = [{"name": name, **_averaged(score_all(said, golds))} for name, said in simple.items()]
    return max(figures, key=lambda one: one["f1"])
