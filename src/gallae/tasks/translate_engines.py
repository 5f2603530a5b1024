"""The families of `translate` behind one interface, each imported when it is used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallae.errors import RecipeError
from gallae.tasks.base import Feature
from gallae.tasks.translate_reading import Passage

if TYPE_CHECKING:
    from gallae.tasks.translate import Translate


class Engine:
    """What a family does; it keeps its model in `task.model`.

    Args:
        task: Whose recipe, facts and model are used.
    """

    def __init__(self, task: Translate) -> None:
        self.task = task

    def fit(self, examples: Sequence[Passage], valid: Sequence[Passage] | None) -> None:
        """Learn from passages with their translations."""
        raise NotImplementedError  # pragma: no cover - every subclass has its own

    def prepare(self) -> None:
        """Change a checkpoint that was loaded; see `Task.prepare`."""

    def say(self, passages: Sequence[Passage], **deciding: Any) -> list[tuple[str, float]]:
        """Return a translation and its log probability for each passage."""
        raise NotImplementedError  # pragma: no cover

    def encode(self, examples: Sequence[Passage], labelled: bool) -> list[Feature]:
        """See `Task.encode`."""
        raise NotImplementedError  # pragma: no cover

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        """See `Task.collate`."""
        raise NotImplementedError  # pragma: no cover

    def write(self, folder: Path) -> None:
        """Write the model's files."""
        self.task.model.save_pretrained(folder)

    def read(self, folder: Path) -> None:
        """Load the model's files."""
        raise NotImplementedError  # pragma: no cover

    def draw(self, examples: Sequence[Passage], predictions: Sequence[Any], folder: Path) -> None:
        """Draw the attention of each translation.

        Raises:
            RecipeError: if the family has none.
        """
        raise RecipeError(
            f"--heat-maps: the family {self.task.recipe.family!r} has no attention to draw. Train with --set "
            "family=lstm or --set family=transformer."
        )


class Edits(Engine):
    """Word by word; see `gallae.tasks.translate_edits`."""

    def fit(self, examples: Sequence[Passage], valid: Sequence[Passage] | None) -> None:
        """Learn forms, rules and weights."""
        from gallae.tasks.translate_edits import EditModel

        recipe = self.task.recipe
        model = EditModel(self.task.facts["pivot"], **recipe.edits.model_dump(), seed=recipe.seed)
        self.task.model = model.fit(examples)

    def say(self, passages: Sequence[Passage], **deciding: Any) -> list[tuple[str, float]]:
        """Choose a form for each word."""
        boldness = only(deciding, "boldness", "edits")
        return [self.task.model.say(one.source, *one.direction, boldness) for one in passages]

    def read(self, folder: Path) -> None:
        """Read edits.json."""
        from gallae.tasks.translate_edits import EditModel

        self.task.model = EditModel.from_pretrained(folder)


def only(deciding: dict[str, Any], name: str, family: str) -> Any:
    """Return an option's value, made sure that no other is there."""
    for other in deciding:
        if other != name:
            raise RecipeError(
                f"--{other.replace('_', '-')}: the family {family!r} has no such option, only --{name}."
            )
    return deciding.get(name)


def engine_of(task: Translate) -> Engine:
    """Return the engine of a recipe's family."""
    family = task.recipe.family
    if family == "edits":
        return Edits(task)
    if family == "pretrained":
        from gallae.tasks.translate_checkpoints import Checkpoints

        return Checkpoints(task)
    from gallae.tasks.translate_networks import Networks

    return Networks(task)
