"""sentences train, distil, evaluate, search, cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gallae.cli import options as o
from gallae.cli.main import app

sentences = typer.Typer(name="sentences", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(sentences, help="Train and use sentence embeddings.")

Encoder = Annotated[
    str, typer.Argument(metavar="MODEL", help="Run, sentence-transformers folder, checkpoint or hub id.")
]
Checkpoint = Annotated[
    str | None,
    typer.Option("--checkpoint", metavar="C", help="Folder, hub id, or scratch for random weights."),
]
Pooling = Annotated[
    Literal["auto", "mean", "cls", "max"] | None,
    typer.Option("--pooling", help="Of the tokens' vectors; without, the checkpoint's own or mean."),
]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="RUN", help="Run folder to write.")]
Columns = Annotated[
    str | None,
    typer.Option("--columns", metavar="A,B", help="The columns of text, in order; three of triplets."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Recipe field, such as training.epochs=3; repeatable."),
]
Objective = Literal["classification", "regression", "triplet", "ranking"]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@sentences.command()
def train(
    data: o.Data,
    objective: Annotated[
        Objective | None, typer.Option("--objective", help="What is learnt; regression without.")
    ] = None,
    checkpoint: Checkpoint = None,
    pooling: Pooling = None,
    valid: o.Valid = None,
    holdout: o.Holdout = None,
    output: Output = None,
    set_: Set = None,
    seed: o.Seed = None,
    columns: Columns = None,
    label_column: o.LabelColumn = None,
    encoding: o.Encoding = None,
    resume: o.Resume = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Train a sentence encoder (Sentence-BERT).

    regression: two sentences and a score. classification: two sentences and a label. triplet: anchor,
    positive, negative. ranking: two sentences that belong together.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.sentences import train_sentences

    run = train_sentences(
        data,
        objective=objective,
        checkpoint=checkpoint,
        pooling=pooling,
        valid=valid,
        holdout=holdout,
        seed=seed,
        output=output,
        overrides=set_ or (),
        force=force,
        resume=resume,
        **_reading(columns, label_column, encoding),
    )
    _report(run)


@sentences.command()
def distil(
    teacher: Annotated[str, typer.Argument(metavar="TEACHER", help="A sentence encoder, such as a run.")],
    parallel: Annotated[Path, typer.Argument(metavar="PARALLEL", help="Table of texts and translations.")],
    checkpoint: Checkpoint = None,
    pooling: Pooling = None,
    valid: o.Valid = None,
    holdout: o.Holdout = None,
    output: Output = None,
    set_: Set = None,
    seed: o.Seed = None,
    columns: Columns = None,
    encoding: o.Encoding = None,
    resume: o.Resume = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Teach another language's encoder (multilingual distillation).

    The student's vectors of a text and of its translation come near the teacher's of the text.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.sentences import distil_sentences

    run = distil_sentences(
        teacher,
        parallel,
        checkpoint=checkpoint,
        pooling=pooling,
        valid=valid,
        holdout=holdout,
        seed=seed,
        output=output,
        overrides=set_ or (),
        force=force,
        resume=resume,
        **_reading(columns, None, encoding),
    )
    _report(run)


@sentences.command()
def evaluate(
    model: Encoder,
    data: o.Data,
    objective: Annotated[Objective, typer.Option("--objective", help="Layout of the rows.")] = "regression",
    columns: Columns = None,
    label_column: o.LabelColumn = None,
    encoding: o.Encoding = None,
    json: Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Measure how well cosines tell what rows say.

    Scored pairs by Spearman's and Pearson's correlation, with 95 % intervals, the words in common beside.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.sentences import evaluate_sentences, figure_lines

    metrics = evaluate_sentences(
        model, data, objective=objective, **_reading(columns, label_column, encoding)
    )
    if json:
        o.print_json(metrics)
        return
    typer.echo(f"{metrics['n']:,} rows, 95 % intervals")
    for line in figure_lines(metrics):
        typer.echo(line)


@sentences.command()
def search(
    model: Encoder,
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help="Texts to search in.")],
    text: Annotated[list[str] | None, typer.Option("--text", help="What is looked for; repeatable.")] = None,
    top_k: Annotated[int, typer.Option("--top-k", metavar="K", help="How many texts each.")] = 5,
    index: Annotated[
        Path | None, typer.Option("--index", metavar="X.npy", help="Keep the corpus's vectors here.")
    ] = None,
    text_column: o.TextColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    json: Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Find the texts that mean nearly the same.

    With --index the corpus is read into vectors once; they are made anew when texts or model have changed.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.sentence_use import search_sentences
    from gallae.workflows.showing import one_line

    reading = o.reading(text_column, None, format, encoding)
    found = search_sentences(model, corpus, text or (), top_k=top_k, index=index, **reading)
    if json:
        o.print_json(found)
        return
    for one in found:
        typer.echo(one_line(one["text"]))
        for hit in one["found"]:
            typer.echo(f"  {hit['score']:.3f}  {one_line(hit['text'])}")


@sentences.command()
def cluster(
    model: Encoder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Texts to group.")],
    k: Annotated[str, typer.Option("-k", metavar="N|auto", help="How many groups.")] = "auto",
    method: Annotated[
        Literal["kmeans", "agglomerative"], typer.Option("--method", help="How they are found.")
    ] = "kmeans",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT.csv", help="File to write.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the grouping.")] = 42,
    text_column: o.TextColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    json: Json = False,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Group texts by meaning.

    Prints each group's size, the words that tell it from the others, and its most central texts.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.sentence_use import cluster_sentences
    from gallae.workflows.showing import one_line

    reading = o.reading(text_column, None, format, encoding)
    found = cluster_sentences(
        model, file, k=k, method=method, seed=seed, output=output, force=force, **reading
    )
    summary = found.summary()
    if json:
        o.print_json({"silhouette": found.silhouette, "tried": found.tried, "clusters": summary})
        return
    typer.echo(f"{len(found.texts):,} texts in {len(summary)} groups, silhouette {found.silhouette:.3f}")
    for one in summary:
        typer.echo(f"{one['cluster']}: {one['size']:,} texts; {', '.join(one['words'])}")
        for text in one["central"]:
            typer.echo(f"  {one_line(text)}")
    if output is not None:
        o.note(f"groups: {output}")


def _reading(columns: str | None, label_column: str | None, encoding: str | None) -> dict[str, Any]:
    return {"columns": columns, "label_column": label_column, "encoding": encoding}


def _report(run: Any) -> None:
    from gallae.workflows.sentences import figure_lines

    found = run.metrics
    typer.echo(f"{found['objective']}: {found['checkpoint']}, trained on {found['rows']:,} rows")
    if "n" in found:
        typer.echo(f"held out: {found['n']:,} ({found['split']}), 95 % intervals")
    for line in figure_lines(found):
        typer.echo(line)
    typer.echo(f"fit: {found['fit_seconds']:.1f} s, model: {found['model_mb']:.1f} MB")
    typer.echo(f"run: {run.folder}")
