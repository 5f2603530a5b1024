"""Multiple choice: each answer is read together with its question, and a head scores how well they fit.

Zellers et al. 2018, SWAG (arXiv:1808.05326); the input (passage and question, answer) is that of Devlin et
al. 2019, BERT (arXiv:1810.04805), section 4.4.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gallae.errors import DataError
from gallae.tasks.base import Feature, Prediction, Task
from gallae.tasks.choice_reading import ChoiceQuestion, letter, read_choices
from gallae.tasks.figures import Figures, averages

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)
_TOP = 3  # of MAP@3, and of the competition's submission


class Choice(Task):
    """Choose among answers; see `Task` for what all tasks share.

    Questions may have different numbers of choices. Where question, passage and choice are longer than
    `max_length`, the passage is cut, at the end that the recipe's `truncation` does not keep.
    """

    name = "choice"
    auto_class = "AutoModelForMultipleChoice"
    figures: ClassVar[dict[str, str]] = {"accuracy": "accuracy", "map_at_3": "MAP@3"}

    @staticmethod
    def read(path: str | Path, labelled: bool = True, **reading: Any) -> list[ChoiceQuestion]:
        """See `read_choices`."""
        return read_choices(path, labelled, **reading)

    @staticmethod
    def texts(example: ChoiceQuestion) -> Iterable[str]:
        """The passage, the question and the choices."""
        return *([example.context] if example.context else []), example.question, *example.choices

    @staticmethod
    def stratum(example: ChoiceQuestion) -> str:
        """How many choices it has."""
        return str(len(example.choices))

    @staticmethod
    def group(example: ChoiceQuestion) -> str | None:
        """The passage, which several questions may be about."""
        return example.context or None

    def encode(self, examples: Sequence[ChoiceQuestion], labelled: bool) -> list[Feature]:
        """Return a feature a question; its "input_ids" are a list a choice.

        Raises:
            DataError: with `labelled`, for a question whose answer is not known.
        """
        fronts = self._fronts(examples)
        owners = [number for number, example in enumerate(examples) for _ in example.choices]
        choices = [choice for example in examples for choice in example.choices]
        encoded = iter(self.tokenize([fronts[number] for number in owners], choices))
        features: list[Feature] = []
        for number, example in enumerate(examples):
            rows = list(islice(encoded, len(example.choices)))
            feature: Feature = {name: [row[name] for row in rows] for name in rows[0]}
            features.append(feature | {"example": number} | (_target(example) if labelled else {}))
        return features

    def _fronts(self, examples: Sequence[ChoiceQuestion]) -> list[str]:
        """Return passage and question of each example, the passage cut so that every choice fits."""
        tally: Counter[str] = Counter()
        most = self.recipe.max_length - self.tokenizer.num_special_tokens_to_add(pair=True)
        fronts = [self._front(example, example.context) for example in examples]
        choices = iter(self._count([choice for example in examples for choice in example.choices]))
        for number, (example, length) in enumerate(zip(examples, self._count(fronts), strict=True)):
            room = most - max(islice(choices, len(example.choices)))
            if length > room and example.context:
                tally["passages"] += 1
                fronts[number] = self._shortened(example, room)
                length = self._count([fronts[number]])[0]
            tally["questions"] += length > room
        for what, cut in tally.items():
            if cut:
                log.warning("%d of %d %s are cut to fit into max_length", cut, len(examples), what)
        return fronts

    def _shortened(self, example: ChoiceQuestion, room: int) -> str:
        """Return passage and question with as many of the passage's tokens as there is room for."""
        context = example.context
        options = {"add_special_tokens": False, "verbose": False}
        offsets = self.tokenizer(context, return_offsets_mapping=True, **options)["offset_mapping"]
        keep = len(offsets)
        over = self._count([self._front(example, context)])[0] - room
        while over > 0 and keep > 0:
            keep = max(0, keep - over)
            context = self._kept(example.context, offsets, keep)
            over = self._count([self._front(example, context)])[0] - room
        return self._front(example, context)

    def _kept(self, context: str, offsets: Sequence[tuple[int, int]], keep: int) -> str:
        recipe: Any = self.recipe
        if keep == 0:
            return ""
        if recipe.truncation == "tail":
            return context[offsets[-keep][0] :]
        return context[: offsets[keep - 1][1]]

    def _count(self, texts: Sequence[str]) -> list[int]:
        encoded = self.tokenizer(list(texts), add_special_tokens=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    @staticmethod
    def _front(example: ChoiceQuestion, context: str) -> str:
        return f"{context} {example.question}" if context.strip() else example.question

    def collate(self, features: Sequence[Feature]) -> dict[str, Tensor]:
        """Return a batch with a row a choice, (all choices, 1, n_tokens), and how many each question has.

        So no choice has to be invented where questions have different numbers of them.
        """
        import torch

        names: list[str] = [name for name in ("input_ids", "token_type_ids") if name in features[0]]
        counts = [len(feature["input_ids"]) for feature in features]
        rows = [
            {name: feature[name][number] for name in names}
            for feature, count in zip(features, counts, strict=True)
            for number in range(count)
        ]
        batch = {name: tensor.unsqueeze(1) for name, tensor in super().collate(rows).items()}
        batch["counts"] = torch.tensor(counts)
        if "labels" in features[0]:
            batch["labels"] = torch.tensor([feature["labels"] for feature in features])
        return batch

    def forward(self, model: Any, batch: dict[str, Tensor]) -> Sequence[Tensor]:
        """Return the logits, (n_questions, most choices); -inf where a question has no such choice."""
        import torch

        inputs = {name: tensor for name, tensor in batch.items() if name not in ("counts", "labels")}
        scores = model(**inputs).logits.squeeze(1)
        parts = torch.split(scores, batch["counts"].tolist())
        return [torch.nn.utils.rnn.pad_sequence(parts, batch_first=True, padding_value=-torch.inf)]

    def loss(self, model: Any, batch: dict[str, Tensor]) -> Tensor:
        """Return the cross-entropy over each question's own choices."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(self.forward(model, batch)[0].float(), batch["labels"])

    def decode(
        self,
        outputs: Sequence[Any],
        features: Sequence[Feature],
        examples: Sequence[ChoiceQuestion],
        *,
        top_n: int = _TOP,
        **deciding: Any,
    ) -> list[Prediction]:
        """Rank the choices of each question.

        Args:
            outputs: Logits a feature, (n_choices of the longest,).
            features: Of `encode`.
            examples: The questions.
            top_n: How many letters stand under "ranking"; a question with fewer choices has fewer.
            deciding: Nothing else.

        Returns:
            For each question `answer` (a letter), `text` (of that choice), `ranking` (letters) and
            `probabilities` (of all its choices, in their order).

        Raises:
            DataError: if `top_n` is below 1.
        """
        if top_n < 1:
            raise DataError(f"--top-n {top_n}: at least one choice must be ranked.")
        return [
            _ranked(example, np.asarray(logits, dtype=np.float64)[: len(example.choices)], top_n)
            for example, logits in zip(examples, outputs, strict=True)
        ]

    def measure(
        self, examples: Sequence[ChoiceQuestion], predictions: Sequence[Prediction]
    ) -> dict[str, Any]:
        """Return accuracy and MAP@3 beside what guessing gets.

        MAP@3 is the mean of 1, 1/2 or 1/3 where the right choice is ranked first, second or third, else of 0.
        """
        places = [_place(*pair) for pair in zip(examples, predictions, strict=True)]
        hits = [(float(place == 0), _worth(place)) for place in places]
        counts = [len(example.choices) for example in examples]
        guesses = [(1 / count, sum(map(_worth, range(count))) / count) for count in counts]
        choices = {str(count): n for count, n in sorted(Counter(counts).items())}
        return {
            "n": len(examples),
            **_averaged(hits),
            "choices": choices,
            "baseline": {"name": "chance", **_averaged(guesses)},
        }

    @classmethod
    def remarks(cls, metrics: Mapping[str, Any]) -> list[str]:
        """Return how many questions have how many choices."""
        parts = [f"{count} with {choices}" for choices, count in metrics["choices"].items()]
        return [f"choices: {', '.join(parts)}"]

    def rows(
        self, examples: Sequence[ChoiceQuestion], predictions: Sequence[Prediction], **writing: Any
    ) -> list[dict[str, Any]]:
        """Return id, question, `gold` where it is known, and what `decode` says.

        Args:
            examples: The questions.
            predictions: Of `predict`.
            writing: `submission`: only `id` and `prediction`, the ranked letters with spaces between.

        Raises:
            DataError: if an id stands twice in a submission.
        """
        if writing.get("submission"):
            return _submission(examples, predictions)
        known = any(example.answer is not None for example in examples)
        return [
            {
                "id": example.id,
                "question": example.question,
                **({"gold": None if example.answer is None else letter(example.answer)} if known else {}),
                **prediction,
            }
            for example, prediction in zip(examples, predictions, strict=True)
        ]


def _target(example: ChoiceQuestion) -> Feature:
    if example.answer is None:
        raise DataError(f"the question {example.id!r} has no answer to learn from.")
    return {"labels": example.answer}


def _ranked(example: ChoiceQuestion, logits: np.ndarray, top_n: int) -> Prediction:
    raised = np.exp(logits - logits.max())
    order = np.argsort(-logits, kind="stable")
    return {
        "answer": letter(int(order[0])),
        "text": example.choices[int(order[0])],
        "ranking": [letter(int(number)) for number in order[:top_n]],
        "probabilities": (raised / raised.sum()).tolist(),
    }


def _place(example: ChoiceQuestion, prediction: Prediction) -> int:
    """Return at which place, from 0, the right choice is ranked."""
    if example.answer is None:
        raise DataError(f"the question {example.id!r} has no answer to measure on.")
    order = np.argsort(-np.array(prediction["probabilities"]), kind="stable")
    return int(np.flatnonzero(order == example.answer)[0])


def _worth(place: int) -> float:
    return 1 / (place + 1) if place < _TOP else 0.0


def _averaged(figures: Sequence[tuple[float, float]]) -> Figures:
    accuracy, precision = zip(*figures, strict=True)
    return averages({"accuracy": accuracy, "map_at_3": precision})


def _submission(
    examples: Sequence[ChoiceQuestion], predictions: Sequence[Prediction]
) -> list[dict[str, Any]]:
    twice = [name for name, count in Counter(example.id for example in examples).items() if count > 1]
    if twice:
        raise DataError(f"the id {twice[0]!r} stands in several rows. A submission needs ids that differ.")
    return [
        {"id": example.id, "prediction": " ".join(prediction["ranking"])}
        for example, prediction in zip(examples, predictions, strict=True)
    ]
