import io
import sys
from types import SimpleNamespace

import pytest
from transformers import TrainerControl, TrainerState

from gallae import progress
from gallae.training.callbacks import ProgressBar

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Make standard error a terminal; in the test, as pytest sets it anew after the fixtures."""

    def make():
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setattr(progress, "_quiet", False)
        return stream

    return make


def train(bar, end=True):
    args, control = SimpleNamespace(), TrainerControl()
    state = TrainerState(max_steps=4, num_train_epochs=2, epoch=0)
    bar.on_train_begin(args, state, control)
    for epoch in range(2):
        bar.on_epoch_begin(args, state, control)
        for _ in range(2):
            state.global_step += 1
            bar.on_step_end(args, state, control)
        state.epoch = epoch + 1.0
        bar.on_log(args, state, control, logs={"loss": 0.51234, "grad_norm": 1.0})
        bar.on_log(args, state, control, logs={"eval_macro_f1": 0.8, "eval_accuracy": 0.9})
    if end:
        bar.on_train_end(args, state, control)


def test_it_shows_epoch_step_loss_and_metric(terminal):
    stream = terminal()
    train(ProgressBar())
    shown = stream.getvalue()
    assert "epoch 2/2" in shown
    assert "4/4" in shown
    assert "loss 0.5123, macro_f1 0.8000" in shown


def test_it_shows_another_metric(terminal):
    stream = terminal()
    train(ProgressBar("accuracy"))
    assert "accuracy 0.9000" in stream.getvalue()


def test_nothing_is_written_when_nobody_watches(terminal):
    stream = terminal()
    progress.set_quiet(True)
    train(ProgressBar())
    assert stream.getvalue() == ""


def test_it_can_be_taken_away_after_an_error(terminal):
    stream = terminal()
    bar = ProgressBar()
    train(bar, end=False)
    bar.close()
    written = stream.getvalue()
    assert written.rindex(SHOW_CURSOR) > written.rindex(HIDE_CURSOR)
    bar.close()
    assert stream.getvalue() == written
