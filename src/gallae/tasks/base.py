"""What every task shares: fitting, predicting, measuring, saving. A task is a subclass that fills the hooks.

The hooks stand in the order in which they are called. `gallae.tasks.pairs` is the shortest whole example.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from gallae.errors import DataError, ModelError, RecipeError
from gallae.files import write_json
from gallae.tasks.recipe import TaskRecipe, task_recipe
from gallae.tasks.saving import TASK_FILE, model_folder, saved_facts

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)
Feature = dict[str, Any]
Prediction = dict[str, Any]


class Task:
    """A task: a reader, a head of transformers, and figures.

    Args:
        recipe: The whole recipe; by default the task's own.
        fields: Fields of the recipe that differ from the defaults, such as ``checkpoint="klue/bert-base"``
            or ``training={"epochs": 5}``.

    Attributes:
        recipe: The recipe.
        tokenizer: The checkpoint's tokenizer, from `fit` or `load` on.
        model: The network, in evaluation mode, from `fit` or `load` on.
        history: A row an epoch: epoch, step, loss, and the validation's figures.
        facts: JSON values that the task keeps beside the weights (task.json), such as column names.
        checkpoint_labels: Label names of the checkpoint's own head in the order of its outputs; empty
            without. Set before `learn_labels` is called.

    Raises:
        RecipeError: if a field or value is not allowed.
    """

    name: ClassVar[str]
    # A head of transformers, by the name of its Auto class.
    auto_class: str
    # Figures of `measure` that are printed, key to words, the main one first; KEY_interval stands beside KEY.
    figures: ClassVar[Mapping[str, str]]
    # Fields of the model's output that `decode` reads.
    output_names: ClassVar[tuple[str, ...]] = ("logits",)
    # Whether the outputs are (batch, tokens, ...): then each is cut to its feature's own tokens.
    by_token: ClassVar[bool] = False

    def __init__(self, recipe: TaskRecipe | None = None, **fields: Any) -> None:
        if recipe is not None and fields:
            raise RecipeError("give a whole recipe or single fields, not both.")
        self.recipe = recipe or task_recipe(self.name, fields)
        self.tokenizer: Any = None
        self.model: Any = None
        self.history: list[dict[str, Any]] = []
        self.facts: dict[str, Any] = {}
        self.checkpoint_labels: tuple[str, ...] = ()

    # ---- hooks -----------------------------------------------------------------------------------------

    @staticmethod
    def read(path: str | Path, labelled: bool = True, **reading: Any) -> list[Any]:
        """Read a file into the task's examples (frozen dataclasses); see `gallae.tasks.rows` for tables.

        Args:
            path: The file.
            labelled: Whether the right answers have to be there.
            reading: The task's own options of kind "read" (see `gallae.tasks.registry`), and encoding.

        Raises:
            DataError: names file, line and column.
        """
        raise NotImplementedError  # pragma: no cover - every subclass has its own

    @staticmethod
    def texts(example: Any) -> Iterable[str]:
        """Return the texts that the tokenizer is to read."""
        raise NotImplementedError  # pragma: no cover

    @staticmethod
    def stratum(example: Any) -> str:
        """Return a labelled example's class: a hold-out takes the same share of each."""
        return ""

    @staticmethod
    def group(example: Any) -> str | None:
        """Return what an example shares with others, such as its passage: all are held out, or none."""
        return None

    def learn_labels(self, examples: Sequence[Any]) -> dict[str, Any]:
        """Return the config fields of the head, such as `num_labels`, `id2label` and `label2id`.

        A classifying task gets them from `self.label_fields(names)`, which heeds `checkpoint_labels`.
        """
        return {}

    def prepare(self) -> None:
        """Change the loaded checkpoint before anything is encoded; by default nothing."""

    def check(self, examples: Sequence[Any]) -> None:
        """Refuse labelled examples that the fitted model cannot be measured on, such as unknown labels.

        Raises:
            DataError: names them.
        """

    def encode(self, examples: Sequence[Any], labelled: bool) -> list[Feature]:
        """Return features: what the model reads, as plain lists, and what `decode` needs.

        A feature has at least "input_ids" and "example", the number of its example; several features may
        belong to one example (windows). Keys that the model takes (see `collate`) go to the model, all others
        are only for `decode`. With `labelled` the targets stand there as well ("labels", "start_positions").
        """
        raise NotImplementedError  # pragma: no cover

    def collate(self, features: Sequence[Feature]) -> dict[str, Tensor]:
        """Return a batch: inputs filled up on the right, and targets where they are.

        Inputs are "input_ids" and, where features have them, "token_type_ids"; the mask is made of their
        lengths. Targets are "labels" (an int, a float, or one int a token, filled up by -100),
        "start_positions" and "end_positions".
        """
        from gallae.tasks.training import collate

        return collate(self.tokenizer, features)

    def loss(self, model: Any, batch: dict[str, Tensor]) -> Tensor:
        """Return a batch's loss, by default the one that transformers' head computes."""
        return model(**batch).loss

    def forward(self, model: Any, batch: dict[str, Tensor]) -> Sequence[Tensor]:
        """Return what `decode` reads, by default the fields `output_names` of the model's output."""
        output = model(**batch)
        return [output[name] for name in self.output_names]

    def decode(
        self, outputs: Sequence[Any], features: Sequence[Feature], examples: Sequence[Any], **deciding: Any
    ) -> list[Prediction]:
        """Return one prediction (JSON values) an example.

        Args:
            outputs: A float32 array a feature (a tuple of arrays where `output_names` has several).
            features: What `encode` returned.
            examples: The examples.
            deciding: The task's own options of kind "decide".
        """
        raise NotImplementedError  # pragma: no cover

    def measure(self, examples: Sequence[Any], predictions: Sequence[Prediction]) -> dict[str, Any]:
        """Return the figures with their 95 % intervals, and those of the trivial baseline.

        ``{"n": 500, "accuracy": 0.8, "accuracy_interval": [0.76, 0.83], "baseline": {"name": "majority class
        (neutral)", "accuracy": ..., "accuracy_interval": [...]}}``; see `gallae.tasks.figures`.
        """
        raise NotImplementedError  # pragma: no cover

    def rows(
        self, examples: Sequence[Any], predictions: Sequence[Prediction], **writing: Any
    ) -> list[dict[str, Any]]:
        """Return the rows of a predictions file, all with the same keys.

        Args:
            examples: The examples.
            predictions: Of `predict`.
            writing: The task's own options of kind "write".
        """
        raise NotImplementedError  # pragma: no cover

    @classmethod
    def remarks(cls, metrics: Mapping[str, Any]) -> list[str]:
        """Return what else of `measure` is worth a line beside the figures."""
        return []

    # ---- given -----------------------------------------------------------------------------------------

    def fit(
        self, examples: Sequence[Any], valid: Sequence[Any] | None = None, held: Sequence[Any] = ()
    ) -> Self:
        """Fine-tune the checkpoint.

        Args:
            examples: Labelled examples.
            valid: Labelled examples that are measured after each epoch, for `history` only: the weights are
                the last epoch's.
            held: Labelled examples to be measured later: they are checked before the training.

        Raises:
            DataError: if there are no examples, some do not fit (see `check`), or the tokenizer maps too many
                of their tokens to unknown.
            ModelError: if the checkpoint is missing, damaged, or does not fit.
        """
        from gallae.tasks.starting import load_checkpoint
        from gallae.tasks.training import place, train

        if not examples:
            raise DataError(f"{self.name}: there is no labelled example to train on.")
        with place() as (folder, keep):
            load_checkpoint(self, examples, folder)
            self.prepare()
            self.check([*(valid or ()), *held])
            self.history = train(self, self.encode(examples, True), valid, folder, keep)
        return self

    def predict(self, examples: Sequence[Any], **deciding: Any) -> list[Prediction]:
        """Return one prediction an example, whatever their order and number.

        Raises:
            ModelError: if the task is neither fitted nor loaded.
        """
        from gallae.tasks.training import outputs_of

        if self.model is None:
            raise ModelError(f"this {type(self).__name__} is not fitted. Call fit() first, or load a run.")
        if not examples:
            return []
        features = self.encode(examples, False)
        return self.decode(outputs_of(self, features), features, examples, **deciding)

    def evaluate(self, examples: Sequence[Any], **deciding: Any) -> dict[str, Any]:
        """Predict labelled examples and return the figures of `measure`.

        Raises:
            DataError: if there are none, or their labels are not the model's.
        """
        if not examples:
            raise DataError(f"{self.name}: there is no labelled example to measure on.")
        self.check(examples)
        return self.measure(examples, self.predict(examples, **deciding))

    def tokenize(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None, truncation: Any = True, **options: Any
    ) -> list[Feature]:
        """Return the ids of texts, or of texts with a second one each, cut to the recipe's `max_length`.

        Args:
            texts: First texts.
            pairs: Second texts, as many.
            truncation: As transformers has it: True cuts the longer of two first, "only_second" that one.
            options: Of the tokenizer, such as `return_offsets_mapping=True`.

        Returns:
            input_ids and, where the network takes several kinds of tokens, token_type_ids; besides what the
            options ask for.
        """
        encoded = self.tokenizer(
            list(texts),
            list(pairs) if pairs is not None else None,
            truncation=truncation,
            max_length=self.recipe.max_length if truncation else None,
            return_attention_mask=False,
            **options,
        )
        names = [name for name in encoded if name != "token_type_ids" or self.takes_kinds]
        count = len(encoded["input_ids"])
        return [{name: encoded[name][number] for name in names} for number in range(count)]

    @property
    def takes_kinds(self) -> bool:
        """Whether the network takes several kinds of tokens (token_type_ids).

        A RoBERTa with BERT's tokenizer (klue/roberta-base) has kinds in the one and not in the other.
        """
        return (getattr(self.model.config, "type_vocab_size", 0) or 0) > 1

    def label_fields(self, names: Sequence[str]) -> dict[str, Any]:
        """Return `num_labels`, `id2label`, `label2id`, in the order of the checkpoint's head if it fits."""
        order = list(names)
        own = {name.casefold(): number for number, name in enumerate(self.checkpoint_labels)}
        if own.keys() == {name.casefold() for name in names} and len(own) == len(names):
            order.sort(key=lambda name: own[name.casefold()])
        return {
            "num_labels": len(order),
            "id2label": dict(enumerate(order)),
            "label2id": {name: number for number, name in enumerate(order)},
        }

    @property
    def labels(self) -> list[str]:
        """The label names of the fitted head, in the order of its outputs."""
        return [self.model.config.id2label[number] for number in range(self.model.config.num_labels)]

    def save(self, folder: str | Path) -> None:
        """Write the model into a folder in the hub's layout, with the task beside it (task.json).

        Raises:
            OutputError: if the folder exists.
        """
        from gallae.files import folder_beside

        with folder_beside(folder) as target:
            self.write(target)

    def write(self, folder: Path) -> None:
        """Write what `save` writes into a folder that is there."""
        from gallae.pretrained.loading import quiet
        from gallae.pretrained.tokenizing import save_tokenizer

        with quiet():
            self.model.save_pretrained(folder)
        for name, content in save_tokenizer(self.tokenizer).items():
            (folder / name).write_bytes(content)
        self._write_facts(folder)

    def _write_facts(self, folder: Path) -> None:
        from gallae import __version__

        facts = {"task": self.name, "gallae": __version__, "recipe": self.recipe.model_dump(mode="json")}
        write_json(folder / TASK_FILE, {**facts, "facts": self.facts, "history": self.history})

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Load what `save` wrote, or a run's model.

        Raises:
            ModelError: if it is missing, damaged, or of another task.
        """
        from gallae.pretrained.loading import load_model
        from gallae.pretrained.tokenizing import load_tokenizer

        task, place = cls._opened(folder)
        task.tokenizer = load_tokenizer(place)
        task.model = load_model(place, task.auto_class)
        return task

    @classmethod
    def _opened(cls, folder: str | Path) -> tuple[Self, Path]:
        """Return the task with what is in task.json, and the folder of its model."""
        place = model_folder(folder)
        saved = saved_facts(place)
        if saved["task"] != cls.name:
            raise ModelError(f"{folder} is a model of the task {saved['task']!r}, not of {cls.name!r}.")
        task = cls(task_recipe(cls.name, saved["recipe"]))
        task.facts, task.history = saved.get("facts", {}), saved.get("history", [])
        return task, place
