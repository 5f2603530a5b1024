"""app. The file is not called so, as `cli.main.app` is every command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallae.cli import options as o
from gallae.cli.main import app


@app.command(name="app")
def workbench(
    items: Annotated[
        list[Path] | None, typer.Argument(metavar="[DATA | RUN ...]", help="Data files and run folders.")
    ] = None,
    workspace: Annotated[
        Path, typer.Option("--workspace", metavar="DIR", help="Where runs and uploads are written.")
    ] = Path("runs"),
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 8501,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Open the workbench: pages in the browser, Korean and English.

    Try models, look at data, train, compare, review labels, translate dialects. Needs the extra app.
    """
    o.set_up(quiet, verbose)
    from gallae.app.launching import launch

    launch(items or (), workspace=workspace, host=host, port=port, browser=not no_browser, say=o.note)
