"""tasks TASK train, evaluate, predict: made by one function for every task."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from gallae.cli import options as o
from gallae.cli.main import app
from gallae.tasks.registry import TASKS, Command, Entry, Option

tasks = typer.Typer(name="tasks", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(tasks, help="Pairs, names, questions, choices: tasks for encoders.")

Run = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, or its model/.")]
Checkpoint = Annotated[
    str | None, typer.Option("--checkpoint", metavar="C", help="Hub id, folder, or scratch (random weights).")
]
Recipe = Annotated[
    Path | None,
    typer.Option("-r", "--recipe", metavar="FILE", help="TOML file, such as a run's recipe.toml."),
]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="RUN", help="Run folder.")]
Predictions = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="OUT", help=".jsonl, .csv or .parquet file.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Recipe field, such as training.epochs=3; repeatable."),
]
Labelled = Annotated[Path, typer.Argument(metavar="DATA", help="Labelled file.")]
File = Annotated[Path, typer.Argument(metavar="FILE|-", help="File to predict; - is standard input.")]
Own = Mapping[str, dict[str, Any]]


def _train(
    task: str,
    own: Own,
    data: Labelled,
    checkpoint: Checkpoint = None,
    recipe: Recipe = None,
    valid: o.Valid = None,
    holdout: o.Holdout = None,
    seed: o.Seed = None,
    output: Output = None,
    set_: Set = None,
    resume: o.Resume = None,
    encoding: o.Encoding = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Fine-tune a checkpoint, measure it, and save both as a run folder.

    Without --valid or --holdout it is trained on every example and not measured.
    """
    o.set_up(quiet, verbose)
    from gallae.tasks.registry import find_task
    from gallae.workflows.tasks import figure_lines, train_task

    run = train_task(
        task,
        data,
        recipe,
        checkpoint=checkpoint,
        valid=valid,
        holdout=holdout,
        seed=seed,
        output=output,
        overrides=set_ or (),
        force=force,
        resume=resume,
        **own["read"],
        **_encoding(encoding),
    )
    found = run.metrics
    typer.echo(f"{task}: {found['checkpoint']}, trained on {found['trained_on']:,} examples")
    if "n" in found:
        typer.echo(f"held out: {found['n']:,} ({found['split']}), 95 % intervals")
    for line in figure_lines(find_task(task), found):
        typer.echo(line)
    typer.echo(f"fit: {found['fit_seconds']:.1f} s, model: {found['model_mb']:.1f} MB")
    typer.echo(f"run: {run.folder}")


def _evaluate(
    task: str,
    own: Own,
    run: Run,
    data: Labelled,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    encoding: o.Encoding = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Measure a run on labelled examples."""
    o.set_up(quiet, verbose)
    from gallae.tasks.registry import find_task
    from gallae.workflows.tasks import evaluate_task, figure_lines

    found = evaluate_task(task, run, data, own["decide"], **own["read"], **_encoding(encoding))
    if json:
        o.print_json(found)
        return
    typer.echo(f"{found['n']:,} examples, 95 % intervals")
    for line in figure_lines(find_task(task), found):
        typer.echo(line)
    for line in find_task(task).remarks(found):
        typer.echo(line)


def _predict(
    task: str,
    own: Own,
    run: Run,
    file: File,
    output: Predictions = None,
    encoding: o.Encoding = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Predict a file: JSON lines on standard output, unless -o says otherwise."""
    o.set_up(quiet, verbose)
    from gallae.workflows.tasks import predict_task

    count = predict_task(
        task,
        run,
        file,
        output,
        force=force,
        deciding=own["decide"],
        writing=own["write"],
        **own["read"],
        **_encoding(encoding),
    )
    if output is not None:
        o.note(f"{count:,} examples predicted: {output}")


def _encoding(encoding: str | None) -> dict[str, Any]:
    return {"encoding": encoding} if encoding else {}


def _add_task(name: str, entry: Entry) -> None:
    """Add a task's commands."""
    group = typer.Typer(name=name, no_args_is_help=True, rich_markup_mode=None)
    tasks.add_typer(group, help=entry.summary)
    commands: dict[Command, Callable[..., None]] = {
        "train": _train,
        "evaluate": _evaluate,
        "predict": _predict,
    }
    for command, function in commands.items():
        group.command(command)(_made(function, name, entry, command))


def _made(function: Callable[..., None], task: str, entry: Entry, command: Command) -> Callable[..., None]:
    """Return a command of one task: `function` with the task bound, and the task's own options."""
    own = [option for option in entry.options if command in option.commands]
    hints = get_type_hints(function, include_extras=True)
    shared = [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in list(inspect.signature(function).parameters.values())[2:]
    ]
    at = next((place for place, one in enumerate(shared) if one.name == "encoding"), len(shared))
    parameters = [*shared[:at], *map(_parameter, own), *shared[at:]]

    def run(**given: Any) -> None:
        values: dict[str, dict[str, Any]] = {"read": {}, "decide": {}, "write": {}}
        for option in own:
            value = given.pop(option.name)
            if value is not None and value is not False:
                values[option.kind][option.name] = value
        function(task, values, **given)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    about = "FILE" if command == "predict" else "DATA"
    run.__doc__ = f"{inspect.getdoc(function)}\n\n{about}: {entry.data}"
    return run


def _parameter(option: Option) -> inspect.Parameter:
    flag = option.type is bool
    declared = typer.Option(
        option.flag or f"--{option.name.replace('_', '-')}", metavar=option.metavar, help=option.help
    )
    return inspect.Parameter(
        option.name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=False if flag else None,
        annotation=Annotated[option.type if flag else option.type | None, declared],
    )


for _name, _entry in TASKS.items():
    _add_task(_name, _entry)
