"""Adapted encoders in the engine: killed and resumed, in bf16, in parts of a batch."""

import numpy as np
import pytest
import torch
from transformers import TrainerCallback

from gallae.models.architectures.adapting import add_lora, depths, freeze, gradient_checkpointing, merge_lora
from gallae.pretrained.loading import load_model
from gallae.training.batches import ArrayRows, Examples
from gallae.training.engine import Engine, Training
from gallae.training.options import TrainingOptions
from gallae.training.workspace import workspace

ROWS = 24


class Rows(ArrayRows):
    """Rows of eight tokens; those of one class begin with the same one."""

    def __init__(self):
        self.ids = np.random.default_rng(0).integers(20, 60, (ROWS, 8))
        self.ids[:, 1] = 10 + np.arange(ROWS) % 2
        self.lengths = np.full(ROWS, 8)

    def arrays(self, rows):
        return {"input_ids": self.ids[rows], "attention_mask": np.ones_like(self.ids[rows])}

    def __len__(self):
        return ROWS


ADAPTED = {
    "lora": lambda network: add_lora(network, rank=4, dropout=0.1),
    "frozen": lambda network: freeze(network, "embeddings"),
    "checkpointed": lambda network: gradient_checkpointing(network, True),
    "layered": lambda network: None,
}


@pytest.fixture
def encoder(checkpoint):
    """Return a small BERT with a head, adapted in a way of `ADAPTED`; the same at each call."""

    def make(way):
        torch.manual_seed(5)
        network = load_model(checkpoint("bert"), "AutoModelForSequenceClassification", num_labels=2)
        ADAPTED[way](network)
        return network

    return make


def training(network, way="", epochs=3, **options):
    settings = {"epochs": epochs, "batch_size": 8, "learning_rate": 5e-3, "track": "none"}
    return Training(
        network,
        Examples(Rows(), np.arange(ROWS) % 2, 2),
        None,
        TrainingOptions(**(settings | options)),
        1,
        False,
        embedding_decay=True,
        depths=depths(network),
        layer_decay=0.8 if way == "layered" else 1.0,
        unfreezing=way == "layered",
    )


class Kill(TrainerCallback):
    """Interrupt the training at a step."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("way", ADAPTED)
def test_a_killed_training_goes_on_to_the_same_weights(way, encoder, tmp_path, monkeypatch):
    monkeypatch.setattr("gallae.training.trainer.SAVE_EVERY", 0.0)
    whole = encoder(way)
    training(whole, way).run()
    init = Engine.__init__

    def killed(engine, *args):
        init(engine, *args)
        engine.add_callback(Kill(5))

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "__init__", killed)
        with workspace(lambda: tmp_path), pytest.raises(KeyboardInterrupt):
            training(encoder(way), way).run()
    assert list(tmp_path.glob("fit-0/checkpoint-*"))
    resumed, again = encoder(way), encoder(way)
    with workspace(lambda: tmp_path):
        training(resumed, way).run()
    with workspace(lambda: tmp_path):  # what is finished is only read
        training(again, way).run()
    merge_lora(whole), merge_lora(resumed), merge_lora(again)
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name
        assert torch.equal(weight, again.state_dict()[name]), name


def test_the_best_epochs_adapters_are_kept(encoder):
    network = encoder("lora")
    job = training(network, early_stopping={"share": 0.1, "metric": "loss"})
    job = Training(**{**job.__dict__, "valid": Examples(Rows(), np.arange(ROWS) % 2, 2)})
    history = job.run()
    logits = merge_lora(network)(torch.from_numpy(Rows().ids)).logits
    loss = torch.nn.functional.cross_entropy(logits, torch.arange(ROWS) % 2)
    assert loss.item() == pytest.approx(min(row["valid_loss"] for row in history), abs=1e-4)


def test_bf16_learns_too_and_keeps_weights_in_float32(encoder):
    network = encoder("frozen")
    history = training(network, epochs=12, precision="bf16").run()
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]


def test_parts_of_a_batch_sum_up_to_it(encoder):
    found = []
    for size, parts in ((8, 1), (4, 2)):
        network = encoder("frozen")
        network.config.hidden_dropout_prob = 0.0
        for module in network.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
            if hasattr(module, "attention_dropout"):
                module.attention_dropout = 0.0
        training(
            network, epochs=1, batch_size=size, accumulation=parts, optimizer="sgd", sampler="sequential"
        ).run()
        found.append(network.state_dict())
    for name, weight in found[0].items():
        torch.testing.assert_close(weight, found[1][name], atol=1e-6, rtol=1e-4, msg=name)
