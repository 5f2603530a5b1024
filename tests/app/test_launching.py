"""`gallae app`: what it takes, what it refuses, and that it listens only where it should."""

import socket
import sys

import pytest

from gallae.app import launching, settings
from gallae.app.launching import sorted_out
from gallae.errors import DataError, OutputError


@pytest.fixture(autouse=True)
def _settings():
    yield
    settings.use(settings.Settings())


@pytest.fixture
def never_serves(monkeypatch):
    """Fail if a server would be started."""
    import streamlit

    def serve(*_):
        raise AssertionError("a server was started")

    monkeypatch.setattr(streamlit, "App", serve)


def test_data_and_runs_are_told_apart(topics_csv, workspace):
    run = workspace / "comparison" / "fast"
    found = sorted_out([topics_csv, run, run / "model", workspace / "comparison"], "study")
    assert found.data == (topics_csv,)
    assert found.runs == (run, run / "model", workspace / "comparison")
    assert str(found.workspace) == "study"


def test_what_is_neither_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no run"):
        sorted_out([tmp_path], "runs")
    with pytest.raises(DataError, match="no such file"):
        sorted_out([tmp_path / "nothing.csv"], "runs")
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="need a folder"):
        sorted_out([], tmp_path / "file")


def test_missing_extra_is_answered_with_one_line(gallae_cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "streamlit", None)
    result = gallae_cli("app", "--no-browser")
    assert result.code == 2
    assert 'pip install "gallae[app]"' in result.err
    assert "Traceback" not in result.err


def test_bad_input_is_code_2(gallae_cli, tmp_path, never_serves):
    result = gallae_cli("app", tmp_path / "nothing.csv", "--no-browser")
    assert result.code == 2
    assert "no such file" in result.err


def test_taken_port_is_said(gallae_cli, never_serves):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = gallae_cli("app", "--no-browser", "--port", taken.getsockname()[1])
    assert result.code == 2
    assert "Choose another by --port" in result.err


def test_server_gets_what_was_asked_for(gallae_cli, monkeypatch, topics_csv, tmp_path):
    import streamlit

    seen = {}

    class Served:
        def __init__(self, script, routes):
            seen["script"], seen["paths"] = script, [route.path for route in routes]

        def run(self, config):
            seen.update(config)

    monkeypatch.setattr(streamlit, "App", Served)
    result = gallae_cli("app", topics_csv, "--no-browser", "--port", 8765, "--workspace", tmp_path / "study")
    assert result.code == 0
    assert "http://127.0.0.1:8765" in result.err
    assert seen["server.address"] == "127.0.0.1"
    assert seen["server.port"] == 8765
    assert seen["server.headless"] is True
    assert seen["paths"] == ["/fonts"]
    assert seen["script"] == launching.SCRIPT
    assert settings.current().data == (topics_csv,)
    assert settings.current().workspace == tmp_path / "study"
