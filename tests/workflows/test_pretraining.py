"""Pretraining from files to a checkpoint: it learns, goes on after a kill, and refuses what does not fit."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

import gallae
from gallae.errors import DataError, ModelError, OutputError, RecipeError
from gallae.pretraining.recipe import pretraining_recipe
from gallae.training import trainer

SMALL = (
    *("network.layers=2", "network.hidden=32", "network.heads=2", "network.embedding=32"),
    *("corpus.max_length=32", "corpus.held_out=0.05", "training.batch_tokens=512"),
    *("training.learning_rate=5e-3", "training.precision=float32"),
)


@pytest.fixture(scope="module")
def corpus(topics_csv, tmp_path_factory):
    """72 headlines as a plain text, with the weight 4."""
    path = tmp_path_factory.mktemp("corpus") / "headlines.txt"
    table = gallae.read(topics_csv, text_column="title", label_column="topic")
    path.write_text("\n".join(table.texts), encoding="utf-8")
    return f"{path}@4"


@pytest.fixture
def pretrain(corpus, checkpoint, tmp_path):
    """Pretrain a small network on the headlines: pretrain(recipe, steps, name, more overrides...)."""

    def work(recipe="mlm", steps=60, name="run", *overrides, **options):
        return gallae.pretrain(
            options.pop("corpus", corpus),
            recipe,
            tokenizer=options.pop("tokenizer", checkpoint("bert")),
            output=None if "resume" in options else tmp_path / name,
            overrides=[*SMALL, f"training.steps={steps}", *overrides],
            **options,
        )

    return work


@pytest.mark.parametrize("recipe", ["mlm", "electra"])
def test_it_learns_more_than_frequencies_and_leaves_a_checkpoint(pretrain, recipe):
    from transformers import AutoModel, AutoTokenizer

    run = pretrain(recipe, 120)
    found = run.metrics
    assert found["token_loss"] < 0.9 * found["unigram_entropy"]
    assert found["history"][-1]["loss"] < found["history"][0]["loss"]
    assert found["steps"] == found["history"][-1]["step"] == 120
    assert found["tokens"] == found["history"][-1]["tokens"] > 0
    model = AutoModel.from_pretrained(run.model)
    tokenizer = AutoTokenizer.from_pretrained(run.model)
    states = model(**tokenizer(["코스피 2% 급락 마감"], return_tensors="pt")).last_hidden_state
    assert states.shape[-1] == 32
    assert sorted(path.name for path in run.folder.iterdir()) == ["metrics.json", "model", "recipe.toml"]
    assert pretraining_recipe(run.folder / "recipe.toml").training.steps == 120
    assert "headlines.txt" in (run.model / "README.md").read_text(encoding="utf-8")


def test_an_encoder_of_ours_is_a_checkpoint_of_a_task(pretrain, topics_csv, tmp_path):
    run = pretrain("electra", 20)
    trained = gallae.train(
        topics_csv,
        "encoder",
        output=tmp_path / "trained",
        text_column="title",
        label_column="topic",
        overrides=[f"model.checkpoint={run.folder}", "training.epochs=1", "model.max_length=32"],
    )
    assert len(trained.model.predict(["코스피 2% 급락 마감"])) == 1


def weights(run):
    """Return a run's weights."""
    return load_file(run.model / "model.safetensors")


def test_a_killed_run_goes_on_as_if_nothing_had_been(pretrain, corpus, checkpoint, tmp_path):
    whole = pretrain("electra", 30, "whole")
    script = tmp_path / "killed.py"
    script.write_text(
        "import os, signal, sys\n"
        "from gallae.training import trainer\n"
        "from gallae.pretraining import engine\n"
        "trainer.SAVE_EVERY = 0.0\n"
        "count = engine.Engine.count_step\n"
        "def stop(self):\n"
        "    count(self)\n"
        "    if self.state.global_step == 17:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "engine.Engine.count_step = stop\n"
        "import gallae\n"
        f"gallae.pretrain({corpus!r}, 'electra', tokenizer={str(checkpoint('bert'))!r},"
        f" output={str(tmp_path / 'killed')!r}, overrides={[*SMALL, 'training.steps=30']!r})\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, script], env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    assert done.returncode == -signal.SIGKILL
    resumed = pretrain("electra", 30, resume=tmp_path / "killed")
    assert resumed.metrics["history"] == whole.metrics["history"]
    assert resumed.metrics["tokens"] == whole.metrics["tokens"]
    before, after = weights(whole), weights(resumed)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not (tmp_path / "killed.partial").exists()


def test_only_the_same_run_goes_on(pretrain, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "SAVE_EVERY", 0.0)
    from gallae.pretraining.engine import Engine

    count = Engine.count_step

    def stop(self):
        count(self)
        if self.state.global_step == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "count_step", stop)
        with pytest.raises(KeyboardInterrupt):
            pretrain("mlm", 10, "run")
    other = tmp_path / "other.txt"
    other.write_text("다른 글\n" * 50, encoding="utf-8")
    with pytest.raises(OutputError, match="another recipe, other data"):
        pretrain("mlm", 11, resume=tmp_path / "run")
    with pytest.raises(OutputError, match="another recipe, other data"):
        pretrain("mlm", 10, resume=tmp_path / "run", corpus=other)
    assert pretrain("mlm", 10, resume=tmp_path / "run").metrics["steps"] == 10


def test_a_checkpoint_learns_on(pretrain, checkpoint):
    base = checkpoint("bert", "AutoModelForMaskedLM")
    run = pretrain("mlm", 5, tokenizer=None, checkpoint=str(base))
    before, after = load_file(base / "model.safetensors"), weights(run)
    name = "bert.embeddings.position_embeddings.weight"
    assert 0 < (before[name] - after[name]).abs().max() < 0.1


def test_what_does_not_fit_is_refused(pretrain, corpus, tmp_path, checkpoint):
    empty = tmp_path / "empty.txt"
    empty.write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"empty\.txt holds no sentence"):
        pretrain(corpus=empty)
    with pytest.raises(RecipeError, match="no tokenizer is given"):
        gallae.pretrain(corpus, output=tmp_path / "none")
    with pytest.raises(ModelError, match="is not that of the checkpoint"):
        pretrain(tokenizer=checkpoint("roberta"), checkpoint=str(checkpoint("bert")))
    with pytest.raises(RecipeError, match="tokens at most"):
        pretrain(
            "mlm", 5, "long", "corpus.max_length=200", tokenizer=None, checkpoint=str(checkpoint("bert"))
        )
    assert not list(tmp_path.glob("*.partial"))


def test_a_loss_that_is_no_number(pretrain, tmp_path):
    with pytest.raises(ModelError, match="the loss became"):
        pretrain("mlm", 40, "run", "training.learning_rate=1e18", "training.max_grad_norm=0")
    assert not list(tmp_path.iterdir())


def test_after_a_corpus_of_another_format_nothing_is_in_the_way(pretrain, tmp_path):
    with pytest.raises(DataError, match="not a sentence, a tab and its translation"):
        pretrain("tlm", 2)
    assert not list(tmp_path.iterdir())
    assert pretrain("mlm", 2).metrics["steps"] == 2


def test_a_full_disk_keeps_the_encoded_corpus(pretrain, tmp_path, monkeypatch):
    def full(*_):
        raise OutputError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("gallae.training.checkpoints.keep_final", full)
        with pytest.raises(OutputError, match="full"):
            pretrain("mlm", 2)
    assert (tmp_path / "run.partial" / "corpus" / "whole").is_dir()
    assert pretrain("mlm", 2, resume=tmp_path / "run").metrics["steps"] == 2


def test_two_processes_learn_together(corpus, checkpoint, tmp_path):
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-port",
        "29617",
    ]
    command += ["-m", "gallae", "pretrain", corpus, "-r", "electra", "--tokenizer", str(checkpoint("bert"))]
    command += ["-o", str(tmp_path / "run"), *(part for one in SMALL for part in ("--set", one))]
    command += ["--set", "training.steps=30", "--set", "training.device=cpu"]
    started = time.monotonic()
    done = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stderr, time.monotonic() - started)
    found = gallae.workflows.pretraining.PretrainingRun(tmp_path / "run").metrics
    assert found["steps"] == 30
    assert found["history"][-1]["mlm"] < found["history"][0]["mlm"]
    assert done.stdout.count("run: ") == 1
