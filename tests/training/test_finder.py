import math

import numpy as np
import pytest

from gallae.errors import ModelError, RecipeError
from gallae.training.finder import find_learning_rate


def valley(rate):
    """A loss that falls around 1e-3 and rises from 1e-1 on."""
    at = math.log10(rate)
    return 2.0 - 1.5 / (1 + math.exp(-4 * (at + 3))) + 4 * max(0.0, at + 1) ** 2


def test_the_suggestion_is_where_the_loss_falls_most_steeply():
    found = find_learning_rate(valley)
    assert found.suggestion == pytest.approx(1e-3, rel=0.2)
    assert 1e-2 < found.lowest < 0.3


def test_noise_moves_it_little():
    generator = np.random.default_rng(0)
    found = find_learning_rate(lambda rate: valley(rate) + 0.1 * generator.standard_normal())
    assert 3e-4 < found.suggestion < 3e-3


def test_the_rates_rise_evenly_on_a_log_scale():
    rates = []
    found = find_learning_rate(lambda rate: rates.append(rate) or valley(rate), 1e-5, 1e-1, 40)
    assert rates == pytest.approx(np.geomspace(1e-5, 1e-1, 40).tolist())
    assert found.rates.tolist() == pytest.approx(rates)
    assert found.losses.tolist() == pytest.approx([valley(rate) for rate in rates])
    assert len(found.smooth) == 40


def test_it_stops_when_the_loss_explodes():
    found = find_learning_rate(lambda rate: valley(rate) if rate < 1e-2 else 1e3 * rate)
    assert found.rates[-1] < 0.1
    assert found.suggestion == pytest.approx(1e-3, rel=0.3)


def test_an_explosion_does_not_hide_the_fall_before_it():
    tame = find_learning_rate(lambda rate: valley(rate) if rate < 1e-2 else 2.5)
    wild = find_learning_rate(lambda rate: valley(rate) if rate < 1e-2 else 1e6)
    assert wild.lowest == pytest.approx(tame.lowest, rel=0.2)
    assert wild.suggestion == pytest.approx(tame.suggestion)


def test_it_stops_when_the_loss_is_no_number():
    found = find_learning_rate(lambda rate: valley(rate) if rate < 1e-2 else math.nan)
    assert found.rates[-1] < 1e-2
    assert np.isfinite(found.losses).all()


@pytest.mark.parametrize("loss", [lambda rate: 2.0, lambda rate: 2.0 + rate])
def test_nothing_is_suggested_where_nothing_falls(loss):
    assert find_learning_rate(loss).suggestion is None


def test_noise_alone_is_no_fall():
    generator = np.random.default_rng(1)
    assert find_learning_rate(lambda rate: 2 + 0.2 * generator.standard_normal()).suggestion is None


def test_no_number_from_the_first_step_on_is_an_error():
    with pytest.raises(ModelError, match="first step"):
        find_learning_rate(lambda rate: math.inf)


@pytest.mark.parametrize("wrong", [{"low": 0.0}, {"low": 2.0}, {"high": math.inf}, {"steps": 5}])
def test_rates_and_steps_that_cannot_be(wrong):
    with pytest.raises(RecipeError):
        find_learning_rate(valley, **wrong)
