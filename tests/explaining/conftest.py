"""Fitted models of every kind that explanations tell apart, on headlines of three topics."""

import pytest

import gallae
from gallae.models.calibration import CalibratedClassifier
from gallae.models.linear import LinearClassifier

MARKED = "美 연준, &quot;금리&quot; 동결에 코스피↑ <b>상승</b>"


@pytest.fixture(scope="session")
def topics(topics_csv):
    """72 headlines and their three topics."""
    corpus = gallae.read(topics_csv)
    return corpus.texts, list(corpus.labels)


@pytest.fixture(scope="session")
def linear(topics):
    """Fit a linear classifier: linear(blocks, **parameters)."""

    def fit(*blocks, labels=None, **parameters):
        steps = ("nfc", "html", "hanja", "symbols", "spaces")
        made = LinearClassifier(steps=steps, blocks=blocks, **parameters)
        return made.fit(topics[0], topics[1] if labels is None else labels)

    return fit


@pytest.fixture(scope="session")
def calibrated(topics):
    """The recipe `fast`, calibrated, fitted on the headlines."""
    model = gallae.build("fast").fit(*topics)
    assert isinstance(model, CalibratedClassifier)
    return model


@pytest.fixture(scope="session")
def several(several_csv):
    """Texts with one or two topics each."""
    corpus = gallae.read(several_csv, label_separator="|")
    return corpus.texts, list(corpus.labels)
