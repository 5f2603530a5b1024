"""Recipes: an experiment as data, checked, with every default written out."""

from gallae.recipes.loading import find_recipe, parse_recipe, shipped_recipes
from gallae.recipes.schema import Recipe

__all__ = ["Recipe", "find_recipe", "parse_recipe", "shipped_recipes"]
