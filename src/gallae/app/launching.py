"""Starting the workbench: checks what was given, then serves the pages until it is stopped."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from gallae.app import settings
from gallae.app.theme import streamlit_options
from gallae.app.trainings import end_all, take_up
from gallae.data.opening import existing
from gallae.errors import DataError, GallaeError, OutputError, require
from gallae.evaluation.font import FONT
from gallae.workflows.runs import METRICS, MODEL

SCRIPT = Path(__file__).with_name("main.py")


def sorted_out(items: Sequence[str | Path], workspace: str | Path) -> settings.Settings:
    """Tell data files from run folders.

    Args:
        items: Paths as the user gave them.
        workspace: Where runs are to be written.

    Raises:
        DataError: for what does not exist, or is a folder that holds neither a run nor data.
        OutputError: if the workspace is a file.
    """
    data: list[Path] = []
    runs: list[Path] = []
    for item in items:
        path = existing(item)
        (runs if is_run(path) else data).append(path)
    folder = next((path for path in data if path.is_dir()), None)
    if folder is not None:
        raise DataError(
            f"{folder} holds no run ({METRICS} or {MODEL}/ is missing). "
            "Give data files, and run folders that `gallae train` or `gallae compare` wrote."
        )
    if Path(workspace).is_file():
        raise OutputError(f"--workspace {workspace} is a file; runs need a folder.")
    return settings.Settings(Path(workspace), tuple(data), tuple(runs))


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run, a model, or a comparison's runs."""
    marks = (METRICS, "model.json", f"{MODEL}/model.json", f"*/{METRICS}")
    return folder.is_dir() and any(True for mark in marks for _ in folder.glob(mark))


def launch(
    items: Sequence[str | Path] = (),
    *,
    workspace: str | Path = "runs",
    host: str = "127.0.0.1",
    port: int = 8501,
    browser: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Serve the workbench until it is stopped; trainings end with it, and the next one can go on with them.

    Args:
        items: Data files and run folders to begin with.
        workspace: The folder that runs and uploads are written into.
        host: The address to listen on.
        port: The port.
        browser: Whether to open the page in a browser.
        say: Told where the pages are.

    Raises:
        MissingExtra: if Streamlit is not installed.
        DataError, OutputError: for what was given and cannot be used.
        GallaeError: if the port is taken.
    """
    require("streamlit", "app")
    settings.use(sorted_out(items, workspace))
    _check_port(host, port)
    import streamlit as st
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    take_up(settings.current().workspace)
    fonts = Mount("/fonts", StaticFiles(directory=FONT.parent))
    say(f"workbench: http://{host}:{port} (Ctrl-C ends it)")
    try:
        st.App(SCRIPT, routes=[fonts]).run(config=streamlit_options(host, port, browser))
    finally:
        end_all()


def _check_port(host: str, port: int) -> None:
    """Say that a port is taken before Streamlit searches for another one, or dies of it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise GallaeError(
            f"cannot listen on {host}, port {port}: {error.strerror}. Choose another by --port or --host."
        ) from error
