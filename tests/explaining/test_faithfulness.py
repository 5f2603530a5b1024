"""Deleting the words that are said to decide moves the probability more than deleting others."""

import numpy as np
import pytest

import gallae


def falls(model, explanations, choose):
    """Return how far each label's probability falls when two parts are deleted."""
    columns = [str(name) for name in model.classes_]
    after = []
    for row, explanation in enumerate(explanations):
        text = explanation.text
        for number in sorted(choose(row, explanation), reverse=True):
            part = explanation.parts[number]
            text = text[: part.start] + text[part.end :]
        after.append(model.predict_proba([text])[0][columns.index(explanation.label)])
    return np.array([explanation.probability for explanation in explanations]) - after


@pytest.mark.parametrize("method", ["exact", "occlusion", "lime"])
@pytest.mark.parametrize("unit", ["word", "morpheme"])
def test_on_the_embedded_headlines(method, unit):
    corpus = gallae.sample("headlines")
    held_out, rest = corpus.take(range(0, len(corpus), 24)), np.arange(len(corpus)) % 24 != 0
    rest = corpus.take(np.flatnonzero(rest))
    model = gallae.build("fast").fit(rest.texts, rest.labels)
    found = [e for e in gallae.explain(model, held_out.texts, method=method, unit=unit) if len(e.parts) > 3]

    def top(row, explanation):
        return np.argsort([-part.weight for part in explanation.parts], kind="stable")[:2]

    def any_two(row, explanation):
        return np.random.default_rng(row).permutation(len(explanation.parts))[:2]

    gain = falls(model, found, top) - falls(model, found, any_two)
    assert len(found) > 30
    assert gain.mean() > 0.1
    assert gain.mean() > 3 * gain.std() / np.sqrt(len(gain))
