import math

import pytest

from gallae.errors import GallaeError
from gallae.training.finder import find_learning_rate
from gallae.workflows.lr_finding_page import lr_page, lr_plot

FACTS = {"recipe": "own", "data": "train.csv", "rows": 1200, "learning_rate": 1e-3}


def falling():
    return find_learning_rate(lambda rate: 2 - math.tanh(math.log10(rate) + 3) + 40 * max(0.0, rate - 0.1))


def still():
    return find_learning_rate(lambda rate: 2.0)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("finding", [falling(), still()])
def test_page(finding, language):
    page = lr_page(finding, FACTS, language=language)
    assert page.count("<svg") == 1
    assert ("training.learning_rate=" in page) == (finding.suggestion is not None)
    assert "1,200" in page


def test_the_same_finding_is_the_same_picture():
    assert lr_plot(falling(), 1e-3) == lr_plot(falling(), 1e-3)


@pytest.mark.parametrize("own", [None, 1e-9, 30.0])
def test_a_rate_outside_is_not_marked(own):
    assert lr_plot(falling(), own) == lr_plot(falling())


def test_another_language_is_refused():
    with pytest.raises(GallaeError):
        lr_page(falling(), FACTS, language="fr")
