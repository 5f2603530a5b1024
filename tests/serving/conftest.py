"""An application over small models, without a network; and real servers as processes of their own."""

import os
import re
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from starlette.testclient import TestClient

from gallae.models.layers import EmbeddingOptions
from gallae.serving.app import create_app
from gallae.serving.served import open_models
from gallae.serving.settings import Limits, Settings


@pytest.fixture(scope="session")
def loaded(topics_run, several_run):
    """The models "run", "several" (several labels a text) and "headlines" (bundled, 8 bits)."""
    sources = {"run": str(topics_run.folder), "several": str(several_run.folder), "headlines": "headlines"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GALLAE_CACHE", os.environ["GALLAE_CACHE"])  # which serving switches off
        return open_models(sources, EmbeddingOptions())


@pytest.fixture
def app_client(loaded):
    """app_client(limits, key=..., ...) -> a client of an application of its own."""
    opened = []

    def make(limits=None, key="", origins=(), requests=None, models=None, log_texts=False):
        models = loaded if models is None else models
        settings = Settings({}, limits or Limits(), api_key=key, origins=origins, log_texts=log_texts)
        client = TestClient(create_app(settings, models, requests), raise_server_exceptions=False)
        client.__enter__()
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(app_client):
    """A client of an application with the usual limits."""
    return app_client()


@pytest.fixture(scope="session")
def start_server(tmp_path_factory):
    """start_server(arguments...) -> a running `gallae serve`: url, process, its log, and stop()."""
    running = []
    folder = tmp_path_factory.mktemp("servers")

    def start(*arguments, environment=None):
        out, err = folder / f"{len(running)}.out", folder / f"{len(running)}.err"
        command = [sys.executable, "-m", "gallae", "serve", *map(str, arguments), "--port", "0"]
        with out.open("w") as stdout, err.open("w") as stderr:
            process = subprocess.Popen(
                command, stdout=stdout, stderr=stderr, env={**os.environ, **(environment or {})}
            )
        running.append(process)
        until = time.monotonic() + 90
        while not (found := re.search(r"http://\S+", out.read_text())):
            assert process.poll() is None, err.read_text()
            assert time.monotonic() < until, "the server does not get ready"
            time.sleep(0.05)
        return SimpleNamespace(url=found[0], process=process, log=err.read_text)

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture(scope="session")
def server(start_server, topics_run):
    """A server of one model, for tests that leave it running."""
    return start_server(f"news={topics_run.folder}")
