"""A workspace with two runs on the same rows."""

import pytest

import gallae
from gallae.workflows.background import Background, Request


@pytest.fixture(scope="session")
def workspace(topics_csv, tmp_path_factory):
    """A folder with a comparison of two recipes."""
    folder = tmp_path_factory.mktemp("workspace")
    gallae.compare(topics_csv, ["fast", "tfidf-word"], holdout=0.4, output=folder / "comparison")
    return folder


@pytest.fixture(scope="session")
def interrupt(topics_csv):
    """interrupt(workspace) -> a training that stopped there after its first fold."""

    def begin(workspace):
        request = Request(topics_csv, ("fast",), workspace / "begun", folds=20)
        training = Background(request)
        while training.progress().folds == 0:
            assert training.wait(0.02) == "running", training.message
        training.cancel()
        assert training.wait(60) == "cancelled"
        return training

    return begin
