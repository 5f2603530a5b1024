"""ensemble."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gallae.cli import options as o
from gallae.cli.main import app


@app.command()
def ensemble(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Two or more run folders.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="RUN", help="Run folder.")] = None,
    method: Annotated[
        Literal["mean", "weighted", "stacking"], typer.Option("--method", help="How to join them.")
    ] = "weighted",
    language: o.Language = "en",
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Join saved runs into one model.

    It is weighed and measured on rows that every one of them held out: train them with the same split.
    """
    o.set_up(quiet, verbose)
    from gallae.cli.training import figures
    from gallae.workflows.ensembling import ensemble

    run = ensemble(runs, method=method, output=output, force=force, language=language)
    for line in [*figures(run.metrics), "", *member_lines(run.metrics), "", *lead_lines(run.metrics)]:
        typer.echo(line)
    typer.echo(f"run: {run.folder}")


def member_lines(metrics: dict[str, Any]) -> list[str]:
    """Return an ensemble's and its members' figures as lines for a terminal, the ensemble first."""
    entries = [{"name": metrics["recipe"], "weight": None, **metrics}, *metrics["members"]]
    width = max(len(entry["name"]) for entry in entries) + 2
    lines = [
        f"{'':<{width}}{'macro-F1':>9}  {'95 % interval':<16}{'accuracy':>9}{'log loss':>10}{'weight':>8}"
    ]
    for entry in entries:
        low, high = entry["macro_f1_interval"]
        weight = "" if entry["weight"] is None else f"{entry['weight']:.3f}"
        lines.append(
            f"{entry['name']:<{width}}{entry['macro_f1']:>9.4f}  {f'{low:.4f}-{high:.4f}':<16}"
            f"{entry['accuracy']:>9.4f}{entry['log_loss']:>10.4f}{weight:>8}".rstrip()
        )
    return lines


def lead_lines(metrics: dict[str, Any]) -> list[str]:
    """Return a line a member: how much better the ensemble is, the interval of that, McNemar's p."""
    lines = []
    for member in metrics["members"]:
        lead = member["lead"]
        low, high = lead["macro_f1_difference_interval"]
        lines.append(
            f"{metrics['recipe']} - {member['name']}: macro-F1 {lead['macro_f1_difference']:+.4f} "
            f"(95 % {low:+.4f} to {high:+.4f}), McNemar p = {lead['p_value']:.2g}"
        )
    return lines
