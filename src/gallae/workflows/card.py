"""The model card: README.md beside a saved model."""

from __future__ import annotations

from typing import Any

from gallae.models.contract import TextClassifier
from gallae.recipes import Recipe


def model_card(metrics: dict[str, Any], recipe: Recipe, model: TextClassifier) -> str:
    """Return the model card as Markdown (after Mitchell et al., "Model Cards for Model Reporting", 2019)."""
    labels = ", ".join(str(label) for label in model.classes_)
    lines = [
        f"# {recipe.name}",
        "",
        recipe.summary or "A text classifier trained with gallae.",
        "",
        "| | |",
        "|---|---|",
        f"| labels | {labels} |",
        f"| several labels a text | {'yes' if model.multilabel_ else 'no'} |",
        f"| data | {metrics['data']}, {metrics['rows']:,} rows |",
        f"| fitted on | {metrics['fitted_on']} |",
        f"| recipe | {recipe.name}, seed {recipe.seed} (recipe.toml beside this folder) |",
        f"| gallae | {metrics['gallae']} |",
        "",
        "## How good it is",
        "",
        *_figures(metrics),
        "",
        *_members(metrics),
        *_teachers(metrics),
        "## How to use it",
        "",
        "```python",
        "import gallae",
        "",
        'model = gallae.load("path/to/this/folder")',
        'model.predict(["..."])',
        "```",
        "",
        "## Limits",
        "",
        "The figures hold for texts like those it was trained on. The licence of the training data may bind "
        "the use of the model.",
        "",
    ]
    return "\n".join(lines)


def _figures(metrics: dict[str, Any]) -> list[str]:
    if "macro_f1" not in metrics:
        return ["Not measured: it was fitted on every row. Train with --holdout or --folds to measure it."]
    rows = [f"Measured on {metrics['n']:,} held-out rows ({metrics['split']}); 95 % intervals.", ""]
    rows += ["| figure | value | interval |", "|---|---|---|"]
    for key in ("accuracy", "macro_f1", "subset_accuracy", "micro_f1", "log_loss", "ece"):
        if key in metrics:
            low, high = metrics[f"{key}_interval"]
            rows.append(f"| {key} | {metrics[key]:.4f} | {low:.4f} to {high:.4f} |")
    rows += ["", "| label | precision | recall | F1 | rows |", "|---|---|---|---|---|"]
    for label, figures in metrics["per_class"].items():
        values = " | ".join(f"{figures[key]:.3f}" for key in ("precision", "recall", "f1"))
        rows.append(f"| {label} | {values} | {figures['support']} |")
    return rows


def _members(metrics: dict[str, Any]) -> list[str]:
    """Return the section on an ensemble's members; nothing for other models."""
    if "members" not in metrics:
        return []
    rows = ["## What it is made of", "", f"Probabilities are joined by the method {metrics['method']!r}.", ""]
    rows += ["| member | weight | macro_f1 | log_loss | fitted on |", "|---|---|---|---|---|"]
    for member in metrics["members"]:
        weight = "" if member["weight"] is None else f"{member['weight']:.3f}"
        figures = f"{member['macro_f1']:.4f} | {member['log_loss']:.4f}"
        rows.append(f"| {member['name']} | {weight} | {figures} | {member['fitted_on']} |")
    return [*rows, ""]


def _teachers(metrics: dict[str, Any]) -> list[str]:
    """Return the section on a student's teachers; nothing for other models."""
    if "teachers" not in metrics:
        return []
    said = (
        f"It learned what {metrics['teachers']} say of {metrics['transfer_set']} ({metrics['soft_targets']})."
    )
    if "teacher" in metrics:
        teacher = metrics["teacher"]
        said += (
            f" On the held-out rows the teacher has macro-F1 {teacher['macro_f1']:.4f} and log loss "
            f"{teacher['log_loss']:.4f}; the student says the same of {metrics['agreement']:.1%} of them."
        )
    return ["## Who taught it", "", said, ""]
