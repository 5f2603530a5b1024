"""Layers that begin to learn one by one."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState

from gallae.training.batches import ArrayRows, Examples
from gallae.training.engine import Engine, Training
from gallae.training.options import TrainingOptions
from gallae.training.unfreezing import GradualUnfreezing
from gallae.training.workspace import workspace

DEPTHS = {"layers.0.weight": 0, "layers.1.weight": 1, "layers.2.weight": 2, "head.weight": 3}
ROWS = 24


class Rows(ArrayRows):
    """Rows of four numbers each."""

    def __init__(self):
        self.values = np.random.default_rng(0).normal(size=(ROWS, 4)).astype(np.float32)
        self.lengths = np.ones(ROWS, dtype=np.int64)

    def arrays(self, rows):
        return {"values": self.values[rows]}

    def __len__(self):
        return ROWS


class Net(nn.Module):
    """Three layers and a head; `device` and `config` are what the engine asks of it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleList(nn.Linear(4, 4, bias=False) for _ in range(3))
        self.head = nn.Linear(4, 2, bias=False)
        self.device = torch.device("cpu")

    def forward(self, values):
        for layer in self.layers:
            values = torch.tanh(layer(values))
        return SimpleNamespace(logits=self.head(values))


def training(network, epochs=4, unfreezing=True, **options):
    settings = TrainingOptions(
        epochs=epochs, batch_size=8, learning_rate=0.01, schedule="constant", track="none", **options
    )
    targets = np.arange(ROWS) % 2
    return Training(
        network, Examples(Rows(), targets, 2), None, settings, 1, False, depths=DEPTHS, unfreezing=unfreezing
    )


class Watch(TrainerCallback):
    """What has changed in each epoch; stops at a step by an exception."""

    def __init__(self, network, stop=None):
        self.network, self.stop = network, stop
        self.changed = []

    def on_epoch_begin(self, args, state, control, **_):
        self.before = copy.deepcopy(self.network.state_dict())

    def on_epoch_end(self, args, state, control, **_):
        now = self.network.state_dict()
        self.changed.append({name for name in now if not torch.equal(now[name], self.before[name])})

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.stop:
            raise KeyboardInterrupt


@pytest.fixture
def watch(monkeypatch):
    """Put a `Watch` into the engine that is made next."""

    def put(network, stop=None):
        watching, init = Watch(network, stop), Engine.__init__

        def made(engine, *args):
            init(engine, *args)
            engine.add_callback(watching)

        monkeypatch.setattr(Engine, "__init__", made)
        return watching

    yield put
    monkeypatch.undo()


@pytest.mark.parametrize("name", ["adamw", "radam", "lion", "muon", "sgd"])
def test_each_epoch_one_layer_more_learns_from_the_top(watch, name):
    network = Net()
    watching = watch(network)
    training(network, optimizer=name).run()
    names = list(DEPTHS)
    assert watching.changed == [set(names[3 - epoch :]) for epoch in range(4)]
    assert all(weight.requires_grad for weight in network.parameters())


def test_without_it_all_learn_at_once(watch):
    network = Net()
    watching = watch(network)
    training(network, epochs=1, unfreezing=False).run()
    assert watching.changed == [set(DEPTHS)]


def test_frozen_weights_stay_frozen(watch):
    network = Net()
    network.layers[2].requires_grad_(False)
    watching = watch(network)
    training(network).run()
    assert "layers.2.weight" not in set().union(*watching.changed)
    assert watching.changed[-1] == set(DEPTHS) - {"layers.2.weight"}
    assert not network.layers[2].weight.requires_grad


@pytest.mark.parametrize(  # three steps an epoch
    ("stop", "epochs", "ema"), [(3, 4, 0.0), (4, 3, 0.0), (5, 3, 0.9), (8, 2, 0.0)]
)
def test_a_killed_training_goes_on_with_the_same_layers(watch, tmp_path, monkeypatch, stop, epochs, ema):
    monkeypatch.setattr("gallae.training.trainer.SAVE_EVERY", 0.0)
    whole = Net()
    training(whole, ema=ema).run()

    killed = Net()
    watch(killed, stop)
    with workspace(lambda: tmp_path), pytest.raises(KeyboardInterrupt):
        training(killed, ema=ema).run()
    monkeypatch.undo()

    resumed = Net()
    watching = watch(resumed)
    with workspace(lambda: tmp_path):
        training(resumed, ema=ema).run()
    assert watching.changed == [set(list(DEPTHS)[3 - epoch :]) for epoch in range(4 - epochs, 4)]
    for name, weight in resumed.state_dict().items():
        torch.testing.assert_close(weight, whole.state_dict()[name], atol=0, rtol=0, msg=name)


def test_layers_may_learn_at_rates_of_their_own_as_they_thaw():
    plain, layered = Net(), Net()
    training(plain).run()
    job = training(layered)
    Training(**{**job.__dict__, "layer_decay": 0.1}).run()
    start = Net().state_dict()

    def moved(network, name):
        return (network.state_dict()[name] - start[name]).abs().max()

    assert moved(layered, "layers.0.weight") < 0.02 * moved(plain, "layers.0.weight")
    assert moved(layered, "head.weight") > 0.5 * moved(plain, "head.weight")


def test_the_epoch_decides_alone():
    network = Net()
    callback = GradualUnfreezing(network, DEPTHS)
    for epoch, learning in ((2.4, 3), (0.0, 1), (9.0, 4), (0.9999999, 2)):
        callback.on_epoch_begin(None, TrainerState(epoch=epoch), TrainerControl())
        assert sum(weight.requires_grad for weight in network.parameters()) == learning
