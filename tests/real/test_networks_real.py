"""Networks on real headlines: they learn, and an ensemble of runs is measured on rows no member has seen."""

import os
from pathlib import Path

import pytest

import gallae

ROOT = Path(os.environ.get("GALLAE_DATA", Path(__file__).parents[3] / "shared" / "data"))
pytestmark = pytest.mark.skipif(
    not (ROOT / "ynat").is_dir(), reason=f"no data sets in {ROOT} (set GALLAE_DATA to their folder)"
)


@pytest.fixture(scope="module")
def corpus():
    rows = gallae.read(ROOT / "ynat" / "train_data.csv")
    return rows.take(range(0, len(rows), 6))


@pytest.fixture(scope="module")
def network(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "embedding-bag"
    return gallae.train(corpus, "embedding-bag", holdout=0.2, output=folder, overrides=["training.epochs=3"])


def test_a_bag_of_embeddings_learns_from_6000_headlines(network):
    assert network.metrics["n_train"] + network.metrics["n"] == 6_092
    assert network.metrics["macro_f1"] > 0.72
    losses = [row["loss"] for row in network.model.history_]
    assert losses == sorted(losses, reverse=True)


def test_an_ensemble_with_fast_is_no_worse_than_its_members(corpus, network, tmp_path):
    fast = gallae.train(corpus, "fast", holdout=0.2, output=tmp_path / "fast")
    joined = gallae.ensemble([network.folder, fast.folder], output=tmp_path / "both")
    best = max(network.metrics["macro_f1"], fast.metrics["macro_f1"])
    assert joined.metrics["n"] == network.metrics["n"]
    assert joined.metrics["macro_f1"] > best - 0.01
