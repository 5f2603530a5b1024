"""A workspace with two runs on the same rows."""

import pytest

import gallae


@pytest.fixture(scope="session")
def workspace(topics_csv, tmp_path_factory):
    """A folder with a comparison of two recipes."""
    folder = tmp_path_factory.mktemp("workspace")
    gallae.compare(topics_csv, ["fast", "tfidf-word"], holdout=0.4, output=folder / "comparison")
    return folder
