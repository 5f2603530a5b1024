"""`gallae pretrain`: what is printed, and how mistakes are answered."""

import pytest


@pytest.fixture
def corpus(tmp_path):
    """Write forty sentences."""
    path = tmp_path / "corpus.txt"
    subjects = ("코스피", "손흥민", "한국은행", "축구 대표팀")
    path.write_text("\n".join(f"{one}, {n}월 결승 진출 확정" for one in subjects for n in range(10)), "utf-8")
    return path


SMALL = (
    "network.layers=1",
    "network.hidden=32",
    "network.heads=2",
    "training.steps=3",
    "corpus.max_length=32",
)


def test_a_run_is_told(gallae_cli, corpus, checkpoint, tmp_path):
    options = [part for one in SMALL for part in ("--set", one)]
    done = gallae_cli(
        *("pretrain", f"{corpus}@2", "-r", "mlm", "--tokenizer", checkpoint("bert"), "-o", tmp_path / "run"),
        *options,
    )
    assert done.code == 0, done.err
    assert "in 3 steps" in done.out
    assert "held out, a token" in done.out
    assert f"run: {tmp_path / 'run'}" in done.out
    again = gallae_cli("pretrain", corpus, "--tokenizer", checkpoint("bert"), "-o", tmp_path / "run")
    assert again.code == 2
    assert "exists already" in again.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-r", "elektra"], "Did you mean 'electra'"),
        (["--set", "training.batch=3"], "there is no field 'training.batch'"),
        (["--tokenizer", "missing"], "there is no tokenizer folder"),
        ([], "no tokenizer is given"),
    ],
)
def test_mistakes_are_answered_in_a_line(gallae_cli, corpus, arguments, message):
    done = gallae_cli("pretrain", corpus, *arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_recipes_are_listed_in_a_group_of_their_own(gallae_cli):
    done = gallae_cli("recipes")
    assert "\npretraining" in done.out
    assert "electra: " in done.out.split("\npretraining")[1]
    shown = gallae_cli("recipes", "electra")
    assert 'kind = "rtd"' in shown.out
