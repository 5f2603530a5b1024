"""What a recipe of a task may say. Every key has a default; no torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from gallae.errors import RecipeError
from gallae.pretrained.scratch import NAME as SCRATCH
from gallae.pretrained.scratch import ScratchOptions
from gallae.recipes.loading import apply_override, nearest, parse_toml, validated
from gallae.recipes.schema import Table
from gallae.tasks.translate_recipe import EditOptions, NetworkOptions, family_of

DEFAULT_CHECKPOINT = "klue/roberta-base"


class TaskTraining(Table):
    """How a task's network learns; `warmup` is a share of all steps."""

    epochs: int = Field(default=3, ge=1)
    batch_size: int = Field(default=32, ge=1)
    accumulation: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=5e-5, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    max_grad_norm: float = Field(default=1.0, ge=0)
    schedule: Literal["constant", "linear", "cosine"] = "linear"
    warmup: float = Field(default=0.1, ge=0, lt=1)
    precision: Literal["float32", "bf16", "auto"] = "float32"
    device: str = "auto"


class TaskRecipe(Table):
    """One run of a task.

    `checkpoint` is a hub id, a local folder, or "scratch": random weights (see `ScratchOptions`).
    `max_length` counts the tokens of everything that the encoder reads at once, the special ones too.
    """

    task: str
    checkpoint: str = Field(default=DEFAULT_CHECKPOINT, min_length=1)
    revision: str = ""
    max_length: int = Field(default=128, ge=8)
    seed: int = Field(default=42, ge=0, lt=2**32)
    scratch: ScratchOptions = ScratchOptions()
    training: TaskTraining = TaskTraining()

    def to_toml(self) -> str:
        """Return the whole recipe as TOML, every default written out."""
        import tomli_w

        return tomli_w.dumps(self.model_dump(mode="json", exclude=self.unread()))

    def unread(self) -> set[str]:
        """Return the fields that this run does not look at."""
        return {"scratch"} if self.checkpoint != SCRATCH else set()

    @property
    def neural(self) -> bool:
        """Whether it needs torch and transformers."""
        return True

    @property
    def begins_as(self) -> str:
        """What it begins with, for people."""
        return self.checkpoint


class WindowedRecipe(TaskRecipe):
    """A recipe of a task that reads long texts in windows; `stride` tokens stand in two neighbours."""

    stride: int = Field(default=128, ge=0)

    @model_validator(mode="after")
    def _windows_move(self) -> WindowedRecipe:
        if 2 * self.stride > self.max_length:
            raise ValueError(f"stride = {self.stride} is more than half of max_length = {self.max_length}")
        return self


class NerRecipe(WindowedRecipe):
    """A recipe of named entities.

    `replaced` is how many copies of each training sentence are added, with other names of the same types.
    """

    replaced: int = Field(default=0, ge=0)


class QaRecipe(WindowedRecipe):
    """A recipe of question answering; both lengths count tokens."""

    max_question: int = Field(default=64, ge=1)
    max_answer: int = Field(default=50, ge=1)


class ChoiceRecipe(TaskRecipe):
    """A recipe of multiple choice; `truncation` says which end of a long context is kept."""

    truncation: Literal["head", "tail"] = "head"


class SimilarityRecipe(TaskRecipe):
    """A recipe of `similarity`; `head`: whether the encoder reads both sentences at once, or each alone."""

    head: Literal["cross", "siamese"] = "cross"


class TranslateRecipe(TaskRecipe):
    """A recipe of translation.

    `family` is "edits", "lstm", "transformer", or "pretrained", which a checkpoint asks for. `dictionary` is
    a dialect dictionary that is measured beside. `max_length` counts the tokens of a text and of its
    translation.
    """

    checkpoint: str = Field(default=SCRATCH, min_length=1)
    max_length: int = Field(default=256, ge=8)
    family: Literal["edits", "lstm", "transformer", "pretrained"] = "edits"
    dictionary: str = ""
    edits: EditOptions = EditOptions()
    network: NetworkOptions = NetworkOptions()

    @model_validator(mode="before")
    @classmethod
    def _checkpoints_family(cls, values: Any) -> Any:
        return family_of(values)

    @model_validator(mode="after")
    def _together(self) -> TranslateRecipe:
        if (self.family == "pretrained") == (self.checkpoint == SCRATCH):
            raise ValueError(
                f'family = "{self.family}" and checkpoint = "{self.checkpoint}" contradict each other: '
                '"pretrained" needs a checkpoint, the others begin from scratch'
            )
        return self

    @property
    def neural(self) -> bool:
        """Whether it needs torch and transformers."""
        return self.family != "edits"

    @property
    def begins_as(self) -> str:
        """What it begins with, for people."""
        return self.family if self.checkpoint == SCRATCH else self.checkpoint

    def unread(self) -> set[str]:
        """Return the fields that this run does not look at."""
        others = {"edits": {"network", "training", "max_length"}, "pretrained": {"edits"}}
        return {"scratch", *others.get(self.family, {"edits"})}


RECIPES: dict[str, type[TaskRecipe]] = {
    "nli": TaskRecipe,
    "similarity": SimilarityRecipe,
    "ner": NerRecipe,
    "qa": QaRecipe,
    "choice": ChoiceRecipe,
    "translate": TranslateRecipe,
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "ner": {"stride": 16},
    "qa": {"max_length": 384, "training": {"batch_size": 16}},
    "choice": {"max_length": 256, "training": {"batch_size": 8}},
    "translate": {"checkpoint": SCRATCH},
}
# For the checkpoint "scratch": random weights learn with larger steps, and need more of them.
FROM_SCRATCH: dict[str, Any] = {"training": {"epochs": 10, "learning_rate": 5e-4}}
SCRATCH_DEFAULTS: dict[str, dict[str, Any]] = {
    # What two sentences share is mostly parts of words.
    "similarity": {"head": "siamese", "scratch": {"tokenizer": "char"}, "training": {"epochs": 3}},
    # Names begin and end anywhere in a word; relative positions learn faster than absolute ones.
    "ner": {
        "max_length": 256,
        "replaced": 1,
        "scratch": {"model_type": "modernbert", "tokenizer": "char"},
        "training": {"epochs": 6, "learning_rate": 1e-3},
    },
    # Answers, too, end inside words: with pieces of words one to three of five could not be said.
    "qa": {
        "scratch": {"model_type": "modernbert", "tokenizer": "char"},
        "training": {"batch_size": 8, "learning_rate": 1e-3},
    },
    "translate": {"training": {"epochs": 30, "learning_rate": 2e-3}},
}


def task_recipe(
    task: str,
    values: Mapping[str, Any] | str | Path | None = None,
    overrides: Sequence[str] = (),
    *,
    checkpoint: str | None = None,
    seed: int | None = None,
) -> TaskRecipe:
    """Return a task's recipe, every default filled in.

    Args:
        task: A name in `RECIPES`.
        values: Fields as nested tables, or a TOML file of them, such as a run's recipe.toml.
        overrides: Texts such as "training.epochs=3"; the value is TOML, or plain text.
        checkpoint: Replaces the recipe's.
        seed: Replaces the recipe's.

    Raises:
        RecipeError: if a field or value is not allowed; it names the nearest field and what is allowed.
    """
    source = f"of {task}" if values is None or isinstance(values, Mapping) else str(values)
    given = dict(values or {}) if isinstance(values, Mapping | None) else _read(Path(values))
    if given.setdefault("task", task) != task:
        raise RecipeError(f"recipe {source} is for the task {given['task']!r}, not for {task!r}.")
    given = merged(given, {})
    for override in overrides:
        apply_override(given, override)
    given |= {k: v for k, v in (("checkpoint", checkpoint), ("seed", seed)) if v is not None}
    return validated(RECIPES[task], merged(_defaults(task, given), given), source)


def _defaults(task: str, given: Mapping[str, Any]) -> dict[str, Any]:
    defaults = DEFAULTS.get(task, {})
    if given.get("checkpoint", defaults.get("checkpoint")) == SCRATCH:
        defaults = merged(merged(defaults, FROM_SCRATCH), SCRATCH_DEFAULTS.get(task, {}))
    return defaults


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `below` with the values of `above`, table by table."""
    result = {key: merged(value, {}) if isinstance(value, Mapping) else value for key, value in below.items()}
    for key, value in above.items():
        old = result.get(key)
        result[key] = (
            merged(old if isinstance(old, dict) else {}, value) if isinstance(value, Mapping) else value
        )
    return result


def _read(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(path.read_text("utf-8"), str(path))
    except FileNotFoundError as error:
        raise RecipeError(f"there is no recipe file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the recipe {path} cannot be read: {error}.") from error


def check_task(name: str) -> str:
    """Return a task's name, made sure that it is known.

    Raises:
        RecipeError: names the nearest, and all.
    """
    if name not in RECIPES:
        near = nearest(name, list(RECIPES))
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise RecipeError(f"there is no task {name!r}.{hint} Tasks: {', '.join(RECIPES)}.")
    return name
