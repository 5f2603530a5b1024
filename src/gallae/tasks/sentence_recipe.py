"""What a recipe of sentence embeddings may say. No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from pydantic import Field

from gallae.recipes.loading import apply_override, validated
from gallae.tasks.recipe import FROM_SCRATCH, SCRATCH, TaskRecipe, merged

NAME = "sentences"
Objective = Literal["classification", "regression", "triplet", "ranking", "distillation"]
OBJECTIVES: tuple[str, ...] = get_args(Objective)


class SentenceRecipe(TaskRecipe):
    """How sentence embeddings are trained.

    `pooling` "auto" keeps what a sentence-transformers model has, and is "mean" for a plain checkpoint.
    `margin` is the triplet objective's. `highest_score` is the score of sentences that mean the same, for the
    regression objective; 0 takes 1 if no score is above, else 5.
    """

    task: Literal["sentences"] = "sentences"
    objective: Objective = "regression"
    pooling: Literal["auto", "mean", "cls", "max"] = "auto"
    margin: float = Field(default=1.0, gt=0)
    highest_score: float = Field(default=0.0, ge=0)


def sentence_recipe(
    values: Mapping[str, Any] | None = None, overrides: Sequence[str] = (), **fields: Any
) -> SentenceRecipe:
    """Return a recipe, every default filled in.

    Args:
        values: Fields as nested tables.
        overrides: Texts such as "training.epochs=3"; the value is TOML, or plain text.
        fields: Single fields, such as ``objective="triplet"``; None leaves the one that is there.

    Raises:
        RecipeError: if a field or value is not allowed; it names the nearest field and what is allowed.
    """
    given = merged(values or {}, {})
    for override in overrides:
        apply_override(given, override)
    given = merged(given, {key: value for key, value in fields.items() if value is not None})
    below = FROM_SCRATCH if given.get("checkpoint") == SCRATCH else {}
    return validated(SentenceRecipe, merged(below, given), f"of {NAME}")
