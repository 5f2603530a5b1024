"""The members of an ensemble's recipe: from names, files and tables to whole recipes, each with its seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gallae.errors import RecipeError

_NO_MATTER = ("name", "summary", "seed", "data")  # by which two members that learn the same may differ


def members_of(values: Any) -> list[Any]:
    """Return the members as a recipe's table has them; none if it is no ensemble, or misspelt."""
    model = values.get("model") if isinstance(values, dict) else None
    if not isinstance(model, dict) or model.get("family") != "ensemble":
        return []
    members = model.get("members")
    return members if isinstance(members, list) else []


def resolve_members(values: dict[str, Any], source: str = "", folder: Path = Path()) -> None:
    """Put tables in the place of members' names and files, with all that they say but the seed.

    Args:
        values: A recipe's table, changed in place; nothing is done if it is no ensemble.
        source: The recipe's name or file, for messages.
        folder: What the paths of files are relative to.

    Raises:
        RecipeError: if a member is not known, is an ensemble itself, or says what is not allowed.
    """
    from gallae.recipes.schema import DataOptions

    members = members_of(values)
    data = DataOptions().model_dump(mode="json")
    if isinstance(given := values.get("data"), dict):
        data |= given
    for number, member in enumerate(members):
        table = members[number] = _table(member, f"{source}, member {number}", folder)
        if isinstance(table, dict) and table["data"] == data:
            del table["data"]  # said once, in the ensemble's own table


def _table(member: Any, source: str, folder: Path) -> Any:
    """Return a member as a table; what is neither name nor table stays, to be complained of later."""
    from gallae.recipes.loading import check_recipe, read_dictionary_of, read_recipe
    from gallae.recipes.schema import Recipe

    if isinstance(member, Recipe):
        values, source = member.model_dump(mode="json"), member.name
    elif isinstance(member, str | Path):
        is_file = str(member).endswith(".toml")
        values, source = read_recipe(folder / member if is_file else member)
        values.pop("seed", None)  # the ensemble's counts
    elif isinstance(member, dict):
        values = dict(member)
    else:
        return member
    _refuse_ensemble(values, source)
    read_dictionary_of(values, source, folder if isinstance(member, dict) else Path())
    table = check_recipe(values, source).model_dump(mode="json")
    return table if "seed" in values else {key: value for key, value in table.items() if key != "seed"}


def _refuse_ensemble(member: dict[str, Any], source: str) -> None:
    model = member.get("model")
    if isinstance(model, dict) and model.get("family") == "ensemble":
        raise RecipeError(
            f"recipe {source}: an ensemble cannot be a member of another. Give the recipes it is made of."
        )


def with_seeds(members: list[Any], seed: Any) -> list[Any]:
    """Give members without a seed the ensemble's; of several that learn the same the second the next one."""
    if not isinstance(seed, int):  # which is complained of later
        return members
    result: list[Any] = []
    seen: list[Any] = []
    for member in members:
        if isinstance(member, dict):
            content = {key: value for key, value in member.items() if key not in _NO_MATTER}
            member = {"seed": (seed + seen.count(content)) % 2**32, **member}
            seen.append(content)
        result.append(member)
    return result


def move_seeds(values: dict[str, Any], seed: int) -> None:
    """Before a recipe gets another seed, change those that its members have of their own by as much."""
    before = values.get("seed", 42)
    for member in members_of(values):
        if isinstance(member, dict) and all(isinstance(n, int) for n in (member.get("seed"), before)):
            member["seed"] = (member["seed"] + seed - before) % 2**32
