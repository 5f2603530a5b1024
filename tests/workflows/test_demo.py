"""The demo, with recipes that need no morphemes so that it is quick."""

import pytest

from gallae.data import Corpus, sample
from gallae.errors import GallaeError, OutputError
from gallae.workflows import demo as module
from gallae.workflows.demo import demo


@pytest.fixture
def quick(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "RECIPES", ("fast", "bow", "tfidf-word"))

    def few(name):
        corpus: Corpus = sample(name)
        return corpus.take(range(0, len(corpus), 12))

    monkeypatch.setattr(module, "sample", few)
    return tmp_path


def test_the_whole_path(quick):
    lines = []
    folder = demo("out", say=lines.append)
    assert {path.name for path in folder.iterdir()} == {"audit.html", "comparison", "run"}
    assert (folder / "run" / "model" / "model.json").exists()
    text = "\n".join(lines)
    assert all(f"{number}. " in text for number in range(1, 6)) and "McNemar" in text
    for line in lines:
        if line.strip().endswith(".html"):
            assert (quick / line.strip()).is_file()
    with pytest.raises(OutputError, match="--force"):
        demo("out", say=lines.append)


def test_default_folders_are_fresh_and_a_failure_leaves_nothing(quick, monkeypatch):
    (quick / "gallae-demo").mkdir()
    seen = []

    def fail(*_, output, **__):
        seen.append(output)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "audit", fail)
    with pytest.raises(KeyboardInterrupt):
        demo(say=seen.append)
    assert "gallae-demo-2" in str(seen[-1])
    assert [path.name for path in quick.iterdir()] == ["gallae-demo"]


def test_force_replaces_demos_only(quick):
    (quick / "mine").mkdir()
    (quick / "mine" / "thesis.hwp").touch()
    with pytest.raises(OutputError, match="something else"):
        demo("mine", force=True, say=str)
    with pytest.raises(GallaeError, match="'fr'"):
        demo("new", language="fr", say=str)
