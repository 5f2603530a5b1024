"""What a task's training begins with: the checkpoint's tokenizer, its network, and a head for the labels."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallae.errors import RecipeError
from gallae.files import folder_beside
from gallae.pretrained.finding import resolve
from gallae.pretrained.lengths import most_tokens
from gallae.pretrained.loading import load_config, load_model
from gallae.pretrained.scratch import scratch_checkpoint
from gallae.pretrained.tokenizing import check_unknown, load_tokenizer
from gallae.tasks.recipe import SCRATCH
from gallae.training.seeding import isolated

if TYPE_CHECKING:
    from gallae.tasks.base import Task

log = logging.getLogger(__name__)


def load_checkpoint(task: Task, examples: Sequence[Any], folder: Path) -> None:
    """Give a task its tokenizer and its network, whose head fits the examples' labels.

    Args:
        task: To be fitted.
        examples: To train on.
        folder: Where a checkpoint from scratch is kept while the training lasts.

    Raises:
        DataError: if too many tokens of the examples are unknown to the tokenizer.
        ModelError: if the checkpoint is missing or damaged.
        RecipeError: if it has no head for the task, or reads less than `max_length` tokens.
    """
    recipe = task.recipe
    texts = [text for example in examples for text in task.texts(example)]
    source = _scratch(task, texts, folder) if recipe.checkpoint == SCRATCH else resolve(*_name(task))
    task.tokenizer = load_tokenizer(source)
    config = load_config(source)
    most = most_tokens(config, task.tokenizer)
    if recipe.max_length > most:
        raise RecipeError(
            f"max_length is {recipe.max_length}, but {recipe.checkpoint} reads at most {most} tokens. "
            f"Add --set max_length={most}."
        )
    check_unknown(task.tokenizer, texts, where=recipe.checkpoint)
    task.checkpoint_labels = _head_labels(config, task.auto_class)
    fields = task.learn_labels(examples)
    with isolated(recipe.seed):
        task.model = load_model(source, task.auto_class, **fields)
        if _means_else(task.checkpoint_labels, fields):
            _renew_head(task.model)
            log.warning(
                "%s: its head is for the labels %s, the data has %s: a new head begins at random",
                recipe.checkpoint,
                ", ".join(task.checkpoint_labels),
                ", ".join(fields["id2label"].values()),
            )


def _name(task: Task) -> tuple[str, str]:
    return task.recipe.checkpoint, task.recipe.revision


def _scratch(task: Task, texts: Sequence[str], folder: Path) -> Path:
    place = folder / SCRATCH
    if not place.exists():  # it is there where a killed training goes on
        with folder_beside(place) as target:
            scratch_checkpoint(texts, task.recipe.scratch, target, task.recipe.seed)
    return place


def _head_labels(config: Any, auto_class: str) -> tuple[str, ...]:
    """Return the labels of the checkpoint's head, in the order of its outputs; empty if it has another."""
    named = (config.architectures or [""])[0]
    if not named.endswith(auto_class.removeprefix("AutoModel")):
        return ()
    return tuple(str(config.id2label[number]) for number in range(config.num_labels))


def _means_else(own: Sequence[str], fields: dict[str, Any]) -> bool:
    """Whether the head has as many outputs as there are labels, but for other labels."""
    names = [name.casefold() for name in fields.get("id2label", {}).values()]
    return len(own) == len(names) > 0 and [name.casefold() for name in own] != names


def _renew_head(model: Any) -> None:
    """Draw the weights behind the encoder anew."""
    fresh = type(model)(model.config).state_dict()
    encoder = f"{model.base_model_prefix}."
    model.load_state_dict({k: v for k, v in fresh.items() if not k.startswith(encoder)}, strict=False)
