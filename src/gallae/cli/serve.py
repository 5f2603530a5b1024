"""serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gallae.cli import options as o
from gallae.cli.main import app

Models = Annotated[
    list[str],
    typer.Argument(metavar="MODEL...", help="Run, checkpoint, headlines or kiwi; NAME=MODEL names it."),
]


@app.command()
def serve(
    models: Models,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Processes.")] = 1,
    threads: Annotated[
        int, typer.Option("--threads", metavar="N", min=1, help="Threads of a worker's networks.")
    ] = 1,
    api_key_file: Annotated[
        Path | None, typer.Option("--api-key-file", metavar="FILE", help="Key that requests must bring.")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option("--cors-origin", help="Web page whose scripts may ask; repeatable.")
    ] = None,
    batch: Annotated[int, typer.Option("--batch", help="Most texts computed at once.")] = 64,
    wait_ms: Annotated[float, typer.Option("--wait-ms", help="Longest wait of a text for others.")] = 2.0,
    queue: Annotated[int, typer.Option("--queue", help="Most texts waiting for a model.")] = 512,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds until a request is given up.")] = 10.0,
    max_texts: Annotated[int, typer.Option("--max-texts", help="Of a request.")] = 256,
    max_explained: Annotated[int, typer.Option("--max-explained", help="Texts of a request to explain.")] = 8,
    max_characters: Annotated[int, typer.Option("--max-characters", help="Of a text.")] = 10_000,
    max_body: Annotated[int, typer.Option("--max-body", help="Bytes of a request.")] = 1 << 20,
    max_connections: Annotated[int, typer.Option("--max-connections", help="Of a worker.")] = 1000,
    layer: Annotated[str, typer.Option("--layer", help="Of vectors, such as -2 or -4:.")] = "-2",
    combine: Annotated[
        Literal["mean", "sum", "concat"], typer.Option("--combine", help="Several layers.")
    ] = "mean",
    pool: Annotated[Literal["cls", "mean", "max"], typer.Option("--pool", help="A text's tokens.")] = "mean",
    max_length: Annotated[int, typer.Option("--max-length", help="Most tokens of an embedded text.")] = 128,
    log_texts: Annotated[bool, typer.Option("--log-texts", help="Log the texts, too.")] = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Answer requests over HTTP with models.

    POST /v1/classify, /v1/embed and /v1/explain; GET /openapi.json tells all.
    """
    o.set_up(quiet, verbose)
    from gallae.models.layers import EmbeddingOptions
    from gallae.serving.settings import Limits
    from gallae.serving.starting import serve

    limits = Limits(
        body=max_body,
        texts=max_texts,
        explained=max_explained,
        characters=max_characters,
        queue=queue,
        batch=batch,
        wait_ms=wait_ms,
        timeout=timeout,
        connections=max_connections,
    )
    code = serve(
        models,
        host=host,
        port=port,
        workers=workers,
        threads=threads,
        limits=limits,
        embedding=EmbeddingOptions(layer, combine, (), pool, max_length),
        api_key_file=api_key_file,
        origins=origin or (),
        log_requests=not quiet,
        log_texts=log_texts,
        log_level="error" if quiet else "debug" if verbose else "info",
        ready=typer.echo,
    )
    from gallae.serving.server import leave

    leave(code)
