"""Finding, reading and checking recipes."""

from __future__ import annotations

import difflib
import tomllib
import types
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from gallae.errors import RecipeError
from gallae.models.architectures.options import FAMILIES
from gallae.recipes.members import move_seeds, resolve_members
from gallae.recipes.schema import Recipe

T = TypeVar("T", bound=BaseModel)
_UNION_TAGS = (
    *("linear", "fasttext", "ensemble", *FAMILIES, "ngrams", "kiwi", "encoder"),
    *("mlm", "clm", "tlm", "rtd", "denoising", "distilbert", "tinybert"),
)
_PLAIN = {
    "model_type": "it should be a table",
    "model_attributes_type": "it should be a table",
    "dict_type": "it should be a table",
    "list_type": "it should be a list",
    "tuple_type": "it should be a list",
    "string_type": "it should be a text in quotes",
    "too_short": "it should hold at least one",
    "missing": "it has to be given",
}


def shipped_recipes() -> dict[str, Recipe]:
    """Return the shipped recipes by name, `default` first, then by the alphabet."""
    folder = resources.files("gallae.recipes")
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    recipes = {
        file.name.removesuffix(".toml"): parse_recipe(file.read_text("utf-8"), file.name) for file in files
    }
    return dict(sorted(recipes.items(), key=lambda item: (item[0] != "default", item[0])))


def find_recipe(
    name: str | Path | Recipe,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    reading: Mapping[str, Any] | None = None,
) -> Recipe:
    """Return a recipe with overrides, its dictionary read from its file.

    Args:
        name: A shipped recipe's name, a TOML file, or a recipe.
        overrides: Texts such as "model.C=0.3"; the value is TOML, or plain text.
        seed: Replaces the recipe's seed.
        reading: Keywords of `gallae.read`; they replace the recipe's, unless None or empty.

    Raises:
        RecipeError: if it is not known, or a field or value is not allowed.
    """
    if isinstance(name, Recipe):
        values, source = name.model_dump(mode="json"), name.name
    else:
        values, source = read_recipe(name)
    resolve_members(values, source, Path(source).parent if source.endswith(".toml") else Path())
    if seed is not None:
        move_seeds(values, seed)
    for override in overrides:
        apply_override(values, override)
    for key, value in (reading or {}).items():
        if value not in (None, ""):
            _table(values, "data")[key] = ",".join(value) if isinstance(value, list | tuple) else value
    read_dictionary_of(values, source)
    if seed is not None:
        values["seed"] = seed
    return check_recipe(values, source)


def parse_recipe(text: str, source: str) -> Recipe:
    """Check a recipe given as TOML.

    Raises:
        RecipeError: naming line, field and what is allowed.
    """
    return check_recipe(parse_toml(text, source), source)


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Return TOML as a table.

    Raises:
        RecipeError: if it is none.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        hint = "" if text.isascii() else ' A key with Korean letters stands in quotes: "긍정" = ...'
        raise RecipeError(f"{source} is not valid TOML: {error}.{hint}") from error


def read_recipe(name: str | Path) -> tuple[dict[str, Any], str]:
    """Return a recipe, shipped or of a file, as a table that is not checked yet, and what to call it.

    Raises:
        RecipeError: if it is not known, cannot be read, or is no TOML.
    """
    path = Path(name)
    shipped = resources.files("gallae.recipes") / f"{name}.toml"
    if path.suffix != ".toml" and path.name == str(name) and shipped.is_file():
        return parse_toml(shipped.read_text("utf-8"), str(name)), str(name)
    if path.suffix != ".toml":
        known = list(shipped_recipes())
        near = nearest(str(name), known)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise RecipeError(
            f"there is no recipe {str(name)!r}.{hint} Shipped: {', '.join(known)}. "
            "Or give the path of a .toml file."
        )
    try:
        values = parse_toml(path.read_text("utf-8"), str(path))
    except FileNotFoundError as error:
        raise RecipeError(f"there is no recipe file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the recipe {path} cannot be read: {error}.") from error
    values.setdefault("name", path.stem)
    dictionary = _table(values, "text").get("dictionary")
    if isinstance(dictionary, str) and dictionary:
        values["text"]["dictionary"] = str(path.parent / dictionary)
    return values, str(path)


def apply_override(values: dict[str, Any], override: str) -> None:
    """Set one dotted key, such as `features.blocks.0.weight=2`, or `features.blocks.kiwi.weight=2` by kind.

    Raises:
        RecipeError: if the key leads nowhere, or the value is broken.
    """
    key, sign, text = override.partition("=")
    if not sign or not key.strip():
        raise RecipeError(f"--set {override!r}: write it as KEY=VALUE, such as model.C=0.3.")
    value = _value(text.strip(), override)
    *path, last = key.strip().split(".")
    place: Any = values
    for part in path:
        place = _item(place, part, override) if isinstance(place, list) else place.setdefault(part, {})
        if not isinstance(place, dict | list):
            raise RecipeError(f"--set {override!r}: {part!r} is a value, not a table.")
    if isinstance(place, list):
        place[_place_in(place, last, override)] = value
    else:
        place[last] = value


def _value(text: str, override: str) -> Any:
    """Read a value as TOML; what is none is plain text, unless it was meant to be a list or a table."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        if text[:1] + text[-1:] not in ("[]", "{}"):
            return text
        raise RecipeError(
            f"--set {override!r}: not valid TOML: {error}. Texts, and names in Hangul, need quotes."
        ) from error


def _table(values: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a table of the recipe; an empty one if it holds something else, which is complained of later."""
    table = values.setdefault(name, {})
    return table if isinstance(table, dict) else {}


def read_dictionary_of(values: dict[str, Any], source: str, folder: Path = Path()) -> None:
    """Put the dictionary's tables in the place of its path, so that the recipe is whole.

    Raises:
        RecipeError: if it cannot be read.
    """
    path = _table(values, "text").get("dictionary")
    if not isinstance(path, str) or not path:
        return
    from gallae.errors import TextError
    from gallae.text.tables import read_dictionary

    try:
        values["text"]["dictionary"] = read_dictionary(str(folder / path))
    except TextError as error:
        raise RecipeError(f"recipe {source}: {error}") from error


def _item(items: list[Any], part: str, override: str) -> Any:
    return items[_place_in(items, part, override)]


def _place_in(items: list[Any], part: str, override: str) -> int:
    """Return the place in a list that a number means, or the `kind` of the only table of that kind."""
    if part.isdigit() and int(part) < len(items):
        return int(part)
    alike = [at for at, item in enumerate(items) if isinstance(item, dict) and item.get("kind") == part]
    if len(alike) == 1:
        return alike[0]
    many = f"; {len(alike)} are of the kind {part!r}, so give the number" if alike else ""
    raise RecipeError(f"--set {override!r}: {part!r} is no place in a list of {len(items)} (from 0){many}.")


def check_recipe(values: dict[str, Any], source: str) -> Recipe:
    """Return the recipe of a table.

    Raises:
        RecipeError: naming the field and what is allowed.
    """
    resolve_members(values, source)
    recipe = validated(Recipe, values, source)
    _check_text(recipe, source)
    return recipe


def validated(kind: type[T], values: dict[str, Any], source: str) -> T:
    """Return the recipe of a table, of whatever kind.

    Raises:
        RecipeError: naming the field and what is allowed.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = [_explain(problem, values, kind) for problem in error.errors()]
        raise RecipeError(f"recipe {source}: " + "; ".join(problems)) from error


def _check_text(recipe: Recipe, source: str) -> None:
    """Check names that only the text package knows: steps, tags, the dictionary."""
    from gallae.errors import TextError
    from gallae.text import TextPipeline, match_tags

    try:
        TextPipeline(recipe.text.steps, recipe.text.tables())
        match_tags(recipe.text.drop_tags)
        match_tags(recipe.text.keep_tags)
    except TextError as error:
        raise RecipeError(f"recipe {source}: {error}") from error
    if recipe.text.drop_tags and recipe.text.keep_tags:
        raise RecipeError(
            f"recipe {source}: text.drop_tags and text.keep_tags contradict each other; leave one empty."
        )


def _explain(problem: Any, values: Mapping[str, Any], kind: type[BaseModel]) -> str:
    location = _without_tags(problem["loc"])
    key = ".".join(str(part) for part in location)
    if problem["type"] == "extra_forbidden":
        allowed = _allowed(location[:-1], values, kind)
        near = nearest(str(location[-1]), allowed)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"there is no field {key!r}.{hint} Allowed: {', '.join(allowed)}"
    if problem["type"] == "union_tag_invalid":
        context = problem["ctx"]
        return f"{key}.{context['discriminator'].strip(chr(39))}: {context['tag']!r} is not allowed; " + (
            f"allowed: {context['expected_tags']}"
        )
    message = _PLAIN.get(problem["type"]) or problem["msg"].replace("Input should", "it should")
    shown = "" if problem["type"] in ("value_error", "missing") else f", not {problem['input']!r}"
    where = f"{key}: " if key else ""
    return where + message.removeprefix("Value error, ") + (shown if len(shown) < 80 else "")


def _without_tags(location: Sequence[Any]) -> list[Any]:
    """Leave out the names by which pydantic tells the tables of a union apart; they are in no file."""
    before = [None, *location]
    return [
        part
        for part, last in zip(location, before, strict=False)
        if part not in _UNION_TAGS or not (last in ("model", "objective") or isinstance(last, int))
    ]


def _allowed(location: Sequence[Any], values: Any, kind: type[BaseModel]) -> list[str]:
    """Return the field names of the table at `location` in a recipe of this kind."""
    table: Any = kind
    for part in location:
        values = values[part]
        if isinstance(part, str):
            tables = _tables(table.model_fields[part].annotation)
        table = next((t for t in tables if _is_meant(t, values)), tables[0])
    return list(table.model_fields)


def _is_meant(table: type[BaseModel], values: Any) -> bool:
    """Whether `values` names, by its kind or family, this one of a union's tables."""
    for key in ("kind", "family"):
        if key in table.model_fields and isinstance(values, Mapping) and key in values:
            return values[key] in get_args(table.model_fields[key].annotation)
    return False


def _tables(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (list, Union, types.UnionType, Annotated):
        parts = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
        return [table for part in parts for table in _tables(part)]
    return []


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """Return the known name most like `name`, whatever their case; none if none is like it."""
    by_lower = {other.lower(): other for other in known}
    return [by_lower[near] for near in difflib.get_close_matches(name.lower(), list(by_lower), n=1)]
