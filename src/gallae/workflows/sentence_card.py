"""The model card of a sentence encoder: README.md beside its weights."""

from __future__ import annotations

from typing import Any

from gallae.tasks.sentence_measures import FIGURES
from gallae.tasks.sentence_recipe import SentenceRecipe


def sentence_card(metrics: dict[str, Any], recipe: SentenceRecipe) -> str:
    """Return the card as Markdown, with the hub's fields at its head.

    Args:
        metrics: As metrics.json has them.
        recipe: The recipe that ran.
    """
    lines = [
        "---",
        "library_name: sentence-transformers",
        "pipeline_tag: sentence-similarity",
        "---",
        "",
        "# Sentence encoder",
        "",
        f"Vectors of {metrics['dimensions']} numbers, near each other where texts mean the same.",
        "",
        "| | |",
        "|---|---|",
        f"| checkpoint | {recipe.checkpoint}, {metrics['parameters']:,} weights |",
        f"| objective | {recipe.objective} |",
        *([f"| teacher | {metrics['teacher']} |"] if "teacher" in metrics else []),
        f"| data | {metrics['data']}, {metrics['rows']:,} rows |",
        f"| seed | {recipe.seed} (recipe.toml beside this folder) |",
        f"| gallae | {metrics['gallae']} |",
        "",
        "## How good it is",
        "",
        *_figures(metrics),
        "",
        "## How to use it",
        "",
        "```python",
        "from sentence_transformers import SentenceTransformer",
        "",
        'SentenceTransformer("path/to/this/folder").encode(["..."])',
        "```",
        "",
        "## Limits",
        "",
        "The figures hold for texts like those it was trained on. The licences of the checkpoint and of the "
        "training data may bind the use of the model.",
        "",
    ]
    return "\n".join(lines)


def _figures(metrics: dict[str, Any]) -> list[str]:
    known = [key for key in FIGURES if key in metrics]
    if not known:
        return ["Not measured: train with --valid or --holdout to measure it."]
    simple = [value for key, value in metrics.items() if key.endswith("baseline")]
    rows = [f"Measured on {metrics['n']:,} rows ({metrics['split']}); 95 % intervals.", ""]
    names = "".join(f" {one['name']} |" for one in simple)
    rows += [f"| figure | value | interval |{names}", f"|---|---|---|{'---|' * len(simple)}"]
    for key in known:
        low, high = metrics[f"{key}_interval"]
        beside = "".join(f" {one[key]:.4f} |" if key in one else " |" for one in simple)
        rows.append(f"| {FIGURES[key]} | {metrics[key]:.4f} | {low:.4f} to {high:.4f} |{beside}")
    return rows
