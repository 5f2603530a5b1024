"""Our own checkpoints are found by name."""

from __future__ import annotations

import pytest
import transformers

from gallae.errors import ModelError
from gallae.pretrained.finding import resolve
from gallae.tasks.fill_mask import fill_mask


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


def test_the_encoder_in_the_clone_knows_headlines(monkeypatch):
    monkeypatch.delenv("GALLAE_CHECKPOINTS", raising=False)
    folder = resolve("gallae-small")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 60_000_000
    model = transformers.AutoModel.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert model.config.vocab_size == len(tokenizer) == 32_000
    (filled,) = fill_mask("gallae-small", ["한은 기준[MASK] 동결"])
    assert filled["masks"][0][0]["token"] == "금리"
