"""The model card of a pretrained encoder."""

from __future__ import annotations

from typing import Any

from gallae.pretraining.options import PretrainingRecipe


def card(recipe: PretrainingRecipe, metrics: dict[str, Any]) -> str:
    """Return the model card as Markdown.

    Args:
        recipe: That ran.
        metrics: What metrics.json says.
    """
    network = recipe.network
    start = f"continued from {network.checkpoint}" if network.checkpoint else "from random weights"
    if network.vectors:
        start += f", embeddings from the vectors {network.vectors!r}"
    rows = {
        "objective": metrics["objective"],
        "start": start,
        "corpus": f"{metrics['sentences']:,} sentences, {metrics['corpus_tokens']:,} tokens",
        "read": f"{metrics['tokens']:,} tokens in {metrics['steps']:,} steps",
        "parameters": f"{metrics['parameters']:,}",
        "recipe": f"{recipe.name}, seed {recipe.seed} (recipe.toml beside this folder)",
        "gallae": metrics["gallae"],
    }
    files = [f"| {source['file']} | {source['weight']:g} |" for source in metrics["sources"]]
    lines = [
        f"# {recipe.name or 'pretrained encoder'}",
        "",
        recipe.summary or "An encoder pretrained with gallae.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {key} | {value} |" for key, value in rows.items()),
        "",
        "## Corpus",
        "",
        "| file | weight |",
        "|---|---|",
        *files,
        "",
        "## How well it learnt",
        "",
        *_figures(metrics),
        "",
        "## How to use it",
        "",
        "```python",
        "from transformers import AutoModel, AutoTokenizer",
        "",
        'tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")',
        'model = AutoModel.from_pretrained("path/to/this/folder")',
        "```",
        "",
        "Or fine-tune it: `gallae train DATA -r encoder --set model.checkpoint=path/to/this/folder`",
        "",
        "## Limits",
        "",
        "It knows what its corpus says and how. The licence of the corpus may bind the use of the model.",
        "",
    ]
    return "\n".join(lines)


def _figures(metrics: dict[str, Any]) -> list[str]:
    figures = {
        key: value
        for key, value in metrics.items()
        if isinstance(value, float) and (key == "loss" or key.startswith(("held_out_", "unigram")))
    }
    return [
        "| figure | value |",
        "|---|---|",
        *(f"| {key} | {value:.4f} |" for key, value in figures.items()),
    ]
