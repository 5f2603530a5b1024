"""Pretraining recipes: shipped ones by name, files, overrides. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from gallae.errors import RecipeError
from gallae.pretraining.options import PretrainingRecipe
from gallae.recipes.loading import apply_override, nearest, parse_toml, validated

DEFAULT = "mlm"
_FOLDER = "gallae.recipes"


def shipped_pretraining() -> dict[str, PretrainingRecipe]:
    """Return the shipped pretraining recipes by name, in the order of the alphabet."""
    folder = resources.files(_FOLDER) / "pretraining"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda f: f.name)
    return {
        file.name.removesuffix(".toml"): validated(
            PretrainingRecipe, parse_toml(file.read_text("utf-8"), file.name), file.name
        )
        for file in files
    }


def pretraining_recipe(
    name: str | Path | PretrainingRecipe = DEFAULT,
    overrides: Sequence[str] = (),
    *,
    tokenizer: str | Path | None = None,
    checkpoint: str | None = None,
    seed: int | None = None,
) -> PretrainingRecipe:
    """Return a pretraining recipe, every default filled in.

    Args:
        name: A shipped recipe's name, a TOML file such as a run's recipe.toml, or a recipe.
        overrides: Texts such as "training.epochs=3"; the value is TOML, or plain text.
        tokenizer: Replaces the recipe's: a folder in the hub's layout.
        checkpoint: Replaces the recipe's: its weights learn on.
        seed: Replaces the recipe's.

    Raises:
        RecipeError: if it is not known, or a field or value is not allowed; it names the nearest field.
    """
    if isinstance(name, PretrainingRecipe):
        values, source = name.model_dump(mode="json"), name.name or "given"
    else:
        values, source = _read(name)
    for override in overrides:
        apply_override(values, override)
    if isinstance(values.setdefault("objective", {}), dict):
        values["objective"].setdefault("kind", "mlm")
    for key, value in (("tokenizer", tokenizer), ("seed", seed)):
        if value is not None:
            values[key] = str(value) if key == "tokenizer" else value
    if checkpoint is not None:
        apply_override(values, f"network.checkpoint='{checkpoint}'")
    return validated(PretrainingRecipe, values, source)


def _read(name: str | Path) -> tuple[dict[str, Any], str]:
    """Return a recipe as a table that is not checked yet, and what to call it."""
    path = Path(name)
    if path.suffix != ".toml":
        return _shipped(str(name)), str(name)
    try:
        values = parse_toml(path.read_text("utf-8"), str(path))
    except FileNotFoundError as error:
        raise RecipeError(f"there is no recipe file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the recipe {path} cannot be read: {error}.") from error
    values.setdefault("name", path.stem)
    return values, str(path)


def _shipped(name: str) -> dict[str, Any]:
    folder = resources.files(_FOLDER) / "pretraining"
    known = sorted(
        file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")
    )
    if name not in known:
        near = nearest(name, known)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise RecipeError(
            f"there is no pretraining recipe {name!r}.{hint} Shipped: {', '.join(known)}. "
            "Or give the path of a .toml file."
        )
    return parse_toml((folder / f"{name}.toml").read_text("utf-8"), name)
