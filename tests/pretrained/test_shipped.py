"""Our own checkpoints are found by name."""

from __future__ import annotations

import pytest

from gallae.errors import ModelError
from gallae.pretrained.finding import resolve


def test_a_folder_of_ones_own_comes_first(tmp_path, monkeypatch):
    folder = tmp_path / "gallae-small"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("GALLAE_CHECKPOINTS", str(tmp_path))
    assert resolve("gallae-small") == folder


def test_what_is_not_there_is_said_to_be_in_the_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLAE_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr("gallae.pretrained.shipped._REPOSITORY", tmp_path / "none")
    with pytest.raises(ModelError, match=r"checkpoints/.*GALLAE_CHECKPOINTS"):
        resolve("gallae-small")
