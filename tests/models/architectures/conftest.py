"""Small networks of every family, and random rows for them."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from gallae.models.architectures.factory import make_network
from gallae.text.token_ids import TokenIds
from gallae.training.batches import FlatRows, PaddedRows, SparseRows

VOCABULARY, LABELS, WIDTH = 60, 3, 12
SMALL = {
    "bag": {"hidden": 0},
    "recurrent": {"hidden": 10},
    "convolutional": {"filters": 8, "windows": [2, 3]},
    "branched": {"hidden": 8, "filters": 8, "windows": [1, 4]},
    "transformer": {"hidden": 16, "heads": 2, "layers": 1, "feed_forward": 24, "max_length": 24},
    "mlp": {"hidden": [12]},
}


class Texts:
    """Random texts of 1 to 9 tokens, as ids or as features, with random labels."""

    def __init__(self, count=32, seed=0):
        generator = np.random.default_rng(seed)
        lengths = generator.integers(1, 10, count)
        lengths[:3] = 1, 9, 5
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        self.ids = TokenIds(generator.integers(5, VOCABULARY, offsets[-1]).astype(np.int32), offsets)
        self.ids.flat[offsets[:-1]] = np.arange(count) % (VOCABULARY - 5) + 5  # no two texts are the same
        weights = generator.uniform(0.2, 1.5, offsets[-1])
        self.matrix = csr_matrix((weights, self.ids.flat, offsets), (count, VOCABULARY))
        self.matrix.sum_duplicates()
        self.labels = torch.from_numpy(generator.integers(0, LABELS, count))

    def __len__(self):
        return len(self.ids)

    def batch(self, network, rows=None, padding=0):
        """Return the network's arguments for some rows, with more padding than they need."""
        rows = np.arange(len(self)) if rows is None else np.atleast_1d(rows)
        if network.config.model_type == "gallae-mlp":
            return SparseRows(self.matrix).batch(rows)
        if getattr(network, "layout", "padded") == "flat":
            return FlatRows(self.ids).batch(rows)
        found = PaddedRows(self.ids).batch(rows)
        return {name: torch.nn.functional.pad(value, (0, padding)) for name, value in found.items()}


def make_small(family, options, **more):
    """Return a small network, the same each time."""
    torch.manual_seed(0)
    fields = {
        "embedding": WIDTH,
        "max_length": 24,
        "dropout": 0.1,
        **SMALL.get(family, {}),
        **options,
        **more,
    }
    return make_network(family, fields, VOCABULARY, LABELS)


def evaluate(network, batch):
    """Return logits in evaluation mode, (batch, labels)."""
    network.eval()
    with torch.inference_mode():
        return network(**batch).logits


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def texts():
    """32 random texts."""
    return Texts()


@pytest.fixture(scope="session")
def make():
    """Return `make_small`."""
    return make_small


@pytest.fixture(scope="session")
def logits_of():
    """Return `evaluate`."""
    return evaluate
