"""What a search may change in a recipe: ranges and choices by dotted key, such as `model.C`."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, ValidationError, model_validator

from gallae.errors import RecipeError
from gallae.recipes.loading import check_recipe
from gallae.recipes.schema import Recipe

_EXAMPLE = '"model.C" = {low = 0.01, high = 10.0, log = true}'
_FIXED = {
    "name": "it is what the recipe is called",
    "summary": "it is what the recipe is called",
    "seed": "a lucky seed is no better recipe",
    "data": "all trials are to learn and to be measured on the same rows",
}


class Range(BaseModel):
    """A line of a space file: from `low` to `high`, on a log scale or in steps, or one of `choices`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    low: StrictInt | StrictFloat | None = None
    high: StrictInt | StrictFloat | None = None
    step: StrictInt | StrictFloat | None = Field(default=None, gt=0)
    log: bool = False
    choices: list[Any] | None = None

    @model_validator(mode="after")
    def _range_or_choices(self) -> Range:
        if self.choices is not None:
            if self.low is not None or self.high is not None or self.step is not None or self.log:
                raise ValueError("choices stand alone; leave low, high, step and log away")
            if not self.choices or len(set(map(_written, self.choices))) < len(self.choices):
                raise ValueError("choices must hold at least one value, and none twice")
            return self
        if self.low is None or self.high is None:
            raise ValueError("give low and high, or choices")
        if self.low > self.high:
            raise ValueError(f"low = {self.low} is above high = {self.high}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("a log scale needs a low above 0, and takes no step")
        return self


@dataclass(frozen=True)
class Parameter:
    """A recipe's field that a search varies.

    Attributes:
        key: Its dotted key.
        low: The lowest value; None for choices.
        high: The highest value that the steps reach.
        step: Distance of the values, from `low` on; None for any value between.
        log: Whether small values are tried as often as large ones.
        whole: Whether the values are integers.
        choices: What may be chosen instead of a number.
    """

    key: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def names(self) -> tuple[str | int | float | bool, ...]:
        """The choices as a table can hold them: lists and tables are written as JSON."""
        return tuple(map(_written, self.choices))

    @property
    def ends(self) -> tuple[Any, ...]:
        """Both ends of the range, or every choice."""
        return self.choices or tuple(dict.fromkeys((self.low, self.high)))

    def value(self, name: Any) -> Any:
        """Return the value that a number or one of `names` stands for."""
        return self.choices[self.names.index(name)] if self.choices else name

    def holds(self, value: Any) -> bool:
        """Whether `value` is one of those that may be tried."""
        if self.choices:
            return _written(value) in self.names
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        assert self.low is not None and self.high is not None
        steps = (value - self.low) / self.step if self.step else 0.0
        return self.low <= value <= self.high and abs(steps - round(steps)) < 1e-9

    def describe(self) -> str:
        """Return the range in words."""
        if self.choices:
            return ", ".join(map(str, self.names))
        more = " (log)" if self.log else f" ({self.step:g})" if self.step and self.step != 1 else ""
        return f"{self.low:g} – {self.high:g}{more}"


@dataclass(frozen=True)
class Space:
    """What a search may change in a recipe.

    Attributes:
        recipe: The recipe to begin from.
        parameters: The fields that vary.
        source: Where the space was read, for messages.
    """

    recipe: Recipe
    parameters: tuple[Parameter, ...]
    source: str

    def apply(self, values: Mapping[str, Any]) -> Recipe:
        """Return the recipe with other values, by dotted key.

        Raises:
            RecipeError: if the recipe does not take them.
        """
        table = self.recipe.model_dump(mode="json")
        for key, value in values.items():
            *path, last = [int(part) if part.isdigit() else part for part in key.split(".")]
            place: Any = table
            for part in path:
                place = place[part]
            place[last] = value
        return check_recipe(table, self.recipe.name)

    def before(self) -> dict[str, Any]:
        """Return the values that the recipe itself has, by dotted key."""
        known = fields(self.recipe)
        return {parameter.key: known[parameter.key] for parameter in self.parameters}

    def ends(self) -> Iterator[Recipe]:
        """Yield the recipe with each end of each range, and with each choice."""
        for parameter in self.parameters:
            yield from (self.apply({parameter.key: value}) for value in parameter.ends)

    def to_json(self) -> dict[str, list[Any]]:
        """Return all that decides which values are tried."""
        return {p.key: [p.low, p.high, p.step, p.log, p.whole, list(p.choices)] for p in self.parameters}


def read_space(space: str | Path | Mapping[str, Any] | None, recipe: Recipe) -> Space:
    """Read and check a space; every end of every range is tried against the recipe.

    Args:
        space: A TOML file, such as one line `"model.C" = {low = 0.01, high = 10.0, log = true}`, or the
            same as a mapping, from dotted keys to mappings or `Range`s. None takes the default of the
            recipe's family, less what this recipe has not or does not take, widened to what it has.
        recipe: The recipe to begin from.

    Raises:
        RecipeError: naming the wrong key, what is nearest and what is allowed.
    """
    if space is None:
        return _default(recipe)
    source = "space" if isinstance(space, Mapping) else f"space {space}"
    table = space if isinstance(space, Mapping) else _read(Path(space))
    known = fields(recipe)
    parameters = tuple(_parameter(key, value, known, recipe, source) for key, value in _flat(table))
    if not parameters:
        raise RecipeError(f"{source} is empty. Write a line a field, such as {_EXAMPLE}.")
    whole = Space(recipe, parameters, source)
    for parameter in parameters:
        for value in parameter.ends:
            _try(whole, parameter.key, value)
    return whole


def fields(recipe: Recipe) -> dict[str, Any]:
    """Return every field that a search may vary by its dotted key, tables and lists too."""
    whole = recipe.model_dump(mode="json")
    return dict(_walk({key: value for key, value in whole.items() if key not in _FIXED}))


def _walk(place: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    items = enumerate(place) if isinstance(place, list) else place.items()
    for key, value in items:
        yield f"{prefix}{key}", value
        if isinstance(value, dict | list):
            yield from _walk(value, f"{prefix}{key}.")


def _default(recipe: Recipe) -> Space:
    folder = resources.files("gallae.recipes") / "spaces"
    family = recipe.model.family
    names = [f"{family}-{getattr(recipe.model, 'classifier', '')}.toml", f"{family}.toml"]
    file = next((folder / name for name in names if (folder / name).is_file()), None)
    parameters = []
    known = fields(recipe)
    source = f"the default space of {family!r}"
    for key, value in _flat(tomllib.loads(file.read_text("utf-8"))) if file else ():
        try:
            parameter = _widened(_parameter(key, value, known, recipe, source), known[key])
            for end in parameter.ends:
                _try(Space(recipe, (parameter,), source), key, end)
        except RecipeError:
            continue
        parameters.append(parameter)
    if not parameters:
        raise RecipeError(
            f"there is no default space for the recipe {recipe.name!r} (family {family!r}). Give --space "
            f"FILE with a line a field, such as {_EXAMPLE}."
        )
    return Space(recipe, tuple(parameters), source)


def _widened(parameter: Parameter, current: Any) -> Parameter:
    """Make a default range hold what the recipe itself has, so that the recipe is one of the trials."""
    if parameter.holds(current):
        return parameter
    if parameter.choices:
        return replace(parameter, choices=(*parameter.choices, current))
    assert parameter.low is not None and parameter.high is not None
    low, high = min(parameter.low, current), max(parameter.high, current)
    wider = replace(parameter, low=low, high=high, log=parameter.log and low > 0)
    return wider if wider.holds(current) else replace(wider, step=1 if parameter.whole else None)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecipeError(
            f"there is no space file {path}. Write a line a field, such as {_EXAMPLE}."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the space {path} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(
            f"space {path} is not valid TOML: {error}. A line is such as {_EXAMPLE}."
        ) from error


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and their ranges, also of nested tables ([model] and C = {...} below it)."""
    for key, value in table.items():
        nested = isinstance(value, Mapping) and any(isinstance(inner, Mapping) for inner in value.values())
        if nested and not set(value) & set(Range.model_fields):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _parameter(key: str, value: Any, known: Mapping[str, Any], recipe: Recipe, source: str) -> Parameter:
    """Check one line against the recipe."""
    if (first := key.partition(".")[0]) in _FIXED:
        raise RecipeError(f"{source}: {key} is not for searching: {_FIXED[first]}. Set it by --set instead.")
    if key not in known:
        raise RecipeError(f"{source}: {_unknown(key, known, recipe)}")
    try:
        given = value if isinstance(value, Range) else Range.model_validate(value)
    except ValidationError as error:
        raise RecipeError(
            f"{source}: {key}: " + "; ".join(dict.fromkeys(map(_explain, error.errors())))
        ) from error
    if given.choices is not None:
        return Parameter(key, choices=tuple(given.choices))
    return _numbers(key, given, known[key], source)


def _numbers(key: str, given: Range, current: Any, source: str) -> Parameter:
    """Make integers of a range over an integer field, and floats of any other."""
    if isinstance(current, bool | list | dict):
        raise RecipeError(f"{source}: {key} is {_written(current)}, not a number: give choices = [...].")
    ends = [end for end in (given.low, given.high, given.step) if end is not None]
    whole = isinstance(current, int) or (not isinstance(current, float) and all(type(e) is int for e in ends))
    if whole and any(end != int(end) for end in ends):
        raise RecipeError(f"{source}: {key} takes whole numbers: low, high and step must be whole too.")
    kind = int if whole else float
    assert given.low is not None and given.high is not None
    low, high = kind(given.low), kind(given.high)
    step = kind(given.step) if given.step is not None else 1 if whole and not given.log else None
    if step is not None:
        reached = low + int((high - low) / step + 1e-9) * step
        high = kind(min(high, reached))
    return Parameter(key, low, high, step, given.log, whole)


def _unknown(key: str, known: Mapping[str, Any], recipe: Recipe) -> str:
    by_lower = {name.lower(): name for name in known}
    by_last = {name.rpartition(".")[2]: name for name in by_lower}
    last = key.lower().rpartition(".")[2]
    near = [by_last[last]] if last in by_last else difflib.get_close_matches(key.lower(), by_lower, n=1)
    near = near or [by_last[name] for name in difflib.get_close_matches(last, by_last, n=1)]
    hint = f" Did you mean {by_lower[near[0]]!r}?" if near else ""
    table = key.rpartition(".")[0]
    beside = [name for name in known if table and name.rpartition(".")[0] == table]
    allowed = beside or [
        f"{name}.…" if isinstance(known[name], dict) else name for name in known if "." not in name
    ]
    return f"the recipe {recipe.name!r} has no field {key!r}.{hint} Allowed: {', '.join(allowed)}."


def _explain(problem: Any) -> str:
    where = [str(part) for part in problem["loc"] if part in Range.model_fields]
    if problem["type"] == "extra_forbidden":
        name, allowed = str(problem["loc"][-1]), list(Range.model_fields)
        near = difflib.get_close_matches(name, allowed, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"there is no option {name!r}.{hint} Allowed: {', '.join(allowed)}"
    if not where and problem["type"] != "value_error":
        return f"it should be a table such as {{low = 1, high = 10}}, not {problem['input']!r}"
    message = problem["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    if problem["type"] in ("int_type", "float_type", "finite_number"):
        message = f"it should be a number, not {problem['input']!r}"
    return f"{'.'.join(where)}: {message}" if where else message


def _try(space: Space, key: str, value: Any) -> None:
    try:
        space.apply({key: value})
    except RecipeError as error:
        reason = str(error).removeprefix(f"recipe {space.recipe.name}: ")
        raise RecipeError(
            f"{space.source}: {key} = {_written(value)} is not allowed in the recipe "
            f"{space.recipe.name!r}: {reason}"
        ) from error


def _written(value: Any) -> str | int | float | bool:
    """Return a value that a table and a journal can hold: lists and tables as JSON."""
    if isinstance(value, str | int | float | bool):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
