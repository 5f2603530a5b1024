"""demo, train, compare, recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gallae.cli import options as o
from gallae.cli.main import app


@app.command()
def demo(
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Where to.")] = None,
    force: o.Force = False,
    language: o.Language = "en",
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Run the whole path on the embedded headlines.

    Audit, compare three recipes, train the best, predict, and write the pages.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.demo import demo

    demo(output, force=force, language=language, say=typer.echo)


@app.command()
def train(
    data: o.Data,
    recipe: o.Recipe = "default",
    valid: o.Valid = None,
    holdout: o.Holdout = None,
    folds: o.Folds = None,
    seed: o.Seed = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="RUN", help="Run folder.")] = None,
    set_: o.Set = None,
    refit: Annotated[bool, typer.Option("--refit", help="After measuring, fit on all rows.")] = False,
    resume: o.Resume = None,
    text_column: o.TextColumn = None,
    label_column: o.LabelColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    label_separator: o.Separator = None,
    group_column: o.Group = None,
    language: o.Language = "en",
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Train a classifier, measure it, and save both as a run folder.

    Without --valid, --holdout or --folds it is fitted on every row and not measured.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.training import train

    run = train(
        data,
        recipe,
        valid=valid,
        holdout=holdout,
        folds=folds,
        seed=seed,
        output=output,
        overrides=set_ or (),
        refit=refit,
        resume=resume,
        force=force,
        language=language,
        **o.reading(text_column, label_column, format, encoding, label_separator, group_column),
    )
    for line in figures(run.metrics):
        typer.echo(line)
    typer.echo(f"run: {run.folder}")


def figures(metrics: dict[str, Any]) -> list[str]:
    """Return a run's figures as lines."""
    lines = [f"recipe: {metrics['recipe']}, fitted on {metrics['fitted_on']} ({metrics['rows']:,} read)"]
    if "macro_f1" in metrics:
        lines.append(f"held out: {metrics['n']:,} rows ({metrics['split']}), 95 % intervals")
        lines += measured(metrics)
    seconds = f"fit: {metrics['fit_seconds']:.1f} s, model: {metrics['model_mb']:.1f} MB"
    if "texts_per_second" in metrics:
        seconds += f", {metrics['texts_per_second']:,.0f} texts/s"
    return [*lines, seconds]


def measured(metrics: dict[str, Any]) -> list[str]:
    """Return the figures with their intervals as lines."""
    names = {
        "macro_f1": "macro-F1",
        "micro_f1": "micro-F1",
        "accuracy": "accuracy",
        "subset_accuracy": "subset accuracy",
        "log_loss": "log loss",
        "ece": "calibration error",
    }
    lines = []
    for key, name in names.items():
        if key in metrics:
            low, high = metrics[f"{key}_interval"]
            lines.append(f"{name}: {metrics[key]:.4f} ({low:.4f} to {high:.4f})")
    return lines


@app.command()
def compare(
    data: o.Data,
    recipe: Annotated[
        list[str] | None, typer.Option("-r", "--recipe", help="Two or more; repeat -r.")
    ] = None,
    valid: o.Valid = None,
    holdout: o.Holdout = None,
    folds: o.Folds = None,
    seed: o.Seed = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder.")] = None,
    set_: o.Set = None,
    resume: o.Resume = None,
    text_column: o.TextColumn = None,
    label_column: o.LabelColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    label_separator: o.Separator = None,
    group_column: o.Group = None,
    language: o.Language = "en",
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Train several recipes on the same rows and compare them.

    One table, the best first, and tests between every two. Without a split a fifth of the rows is held out.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.comparing import compare, comparison_lines, pair_lines

    comparison = compare(
        data,
        recipe or ("default", "fast", "tfidf-word"),
        valid=valid,
        holdout=holdout,
        folds=folds,
        seed=seed,
        output=output,
        overrides=set_ or (),
        resume=resume,
        force=force,
        language=language,
        **o.reading(text_column, label_column, format, encoding, label_separator, group_column),
    )
    leads = pair_lines(comparison.pairs, comparison.table["recipe"].iloc[0])
    for line in [*comparison_lines(comparison.table), "", *leads]:
        typer.echo(line)
    typer.echo(f"comparison: {comparison.folder}")


@app.command()
def recipes(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One recipe, or a file.")] = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """List the shipped recipes, or print one with every default."""
    o.set_up(quiet, verbose)
    from gallae.pretraining.recipe import shipped_pretraining
    from gallae.recipes import find_recipe, shipped_recipes

    pretraining = shipped_pretraining()
    if name is not None:
        typer.echo((pretraining.get(name) or find_recipe(name)).to_toml(), nl=False)
        return
    for key, recipe in shipped_recipes().items():
        typer.echo(f"{key}: {recipe.summary}{_needs(recipe)}")
    typer.echo("\npretraining (gallae pretrain):")
    for key, other in pretraining.items():
        typer.echo(f"{key}: {other.summary}")


def _needs(recipe: Any) -> str:
    """Return what a recipe needs besides gallae: extras, the hub's checkpoint, its licence and size."""
    from gallae.pretrained.known import KNOWN

    blocks = [block.checkpoint for block in recipe.features.blocks if block.kind == "encoder"]
    checkpoint = getattr(recipe.model, "checkpoint", "") or next(iter(blocks), "")
    needs = [f"extra: {', '.join(recipe.extras())}"] if recipe.extras() else []
    needs += [f"{checkpoint}, {KNOWN[checkpoint]}"] if checkpoint in KNOWN else []
    return f" [{'; '.join(needs)}]" if needs else ""
