import numpy as np

from gallae.evaluation import bootstrap
from gallae.evaluation.bootstrap import interval, resampled_counts, resampled_sums, unbiased_interval


def test_resampled_counts_keep_the_total_and_the_mean():
    counts = np.array([[30, 10], [0, 60]])
    drawn = resampled_counts(counts, 2000, np.random.default_rng(0))
    assert drawn.shape == (2000, 2, 2)
    assert (drawn.sum(axis=(1, 2)) == 100).all()
    assert (drawn[:, 1, 0] == 0).all()
    np.testing.assert_allclose(drawn.mean(axis=0), counts, atol=0.5)


def test_resampled_sums_in_pieces(monkeypatch):
    """Groups of resamples and blocks of rows change nothing but the memory."""
    values = np.random.default_rng(1).random((500, 3)).astype(np.float32)
    whole = resampled_sums(lambda rows: values[rows], 500, 50, np.random.default_rng(0))
    monkeypatch.setattr(bootstrap, "WEIGHTS_AT_ONCE", 500 * 7)
    monkeypatch.setattr(bootstrap, "ROWS_AT_ONCE", 64)
    pieces = resampled_sums(lambda rows: values[rows], 500, 50, np.random.default_rng(0))
    np.testing.assert_allclose(whole, pieces, rtol=1e-5)
    np.testing.assert_allclose(whole.mean(axis=0), values.sum(axis=0), rtol=0.02)


def test_interval_leaves_nan_out_and_holds_the_point():
    values = np.array([np.nan, *np.linspace(0, 1, 1001)])
    low, high = interval(values, 0.5)
    assert (round(low, 3), round(high, 3)) == (0.025, 0.975)
    assert interval(values, 2.0)[1] == 2.0
    assert interval(np.array([np.nan]), 0.3) == [0.3, 0.3]


def test_unbiased_interval_is_centred_on_the_point():
    low, high = unbiased_interval(np.linspace(0.2, 0.4, 1000), 0.1)
    assert low < 0.1 < high
    assert low >= 0
