"""gallae tasks translate on the command line: train, evaluate, predict, and bad input."""

import json

import pytest


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    rows = [
        ("밥 먹언", "밥 먹었어", "jeju"),
        ("집에 완", "집에 왔어", "jeju"),
        ("책 봔", "책 봤어", "jeju"),
        ("물이 좋아", "물이 좋아", "jeju"),
        ("밥 뭇나", "밥 먹었니", "gyeongsang"),
        ("집에 갔나", "집에 갔니", "gyeongsang"),
        ("물이 좋나", "물이 좋니", "gyeongsang"),
        ("물이 좋다", "물이 좋다", "gyeongsang"),
    ]
    file = tmp_path_factory.mktemp("pairs") / "pairs.tsv"
    lines = ["dialect\tstandard\tregion", *("\t".join(row) for row in rows * 2)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def run(pairs, tmp_path_factory):
    from gallae.workflows.tasks import train_task

    return train_task("translate", pairs, holdout=0.3, output=tmp_path_factory.mktemp("runs") / "run").folder


def test_a_run_holds_what_it_promises(run):
    assert {file.name for file in run.iterdir()} == {
        "recipe.toml",
        "metrics.json",
        "predictions.jsonl",
        "model",
    }
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["checkpoint"] == "edits"
    assert metrics["chrf"] > metrics["baseline"]["chrf"]
    assert "same, always" in metrics["bold_dictionary_baseline"]["name"]
    first = json.loads((run / "predictions.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert {"source", "from", "to", "translation", "gold", "via", "changes"} <= set(first)


def test_training_says_what_it_measured(gallae_cli, pairs, tmp_path):
    done = gallae_cli(
        "tasks", "translate", "train", pairs, "--holdout", "0.3", "-o", tmp_path / "run", "--quiet"
    )
    assert done.code == 0, done.err
    assert "translate: edits, trained on" in done.out
    assert "accuracy of changed words" in done.out


def test_evaluate_one_direction(gallae_cli, run, pairs):
    done = gallae_cli(
        "tasks", "translate", "evaluate", run, pairs, "--from", "jeju", "--to", "standard", "--json"
    )
    found = json.loads(done.out)
    assert found["n"] == 8
    assert found["changed_accuracy"] > 0.5


def test_predict_texts_between_two_dialects(gallae_cli, run, tmp_path):
    file = tmp_path / "texts.txt"
    file.write_text("밥 먹언\n", encoding="utf-8")
    done = gallae_cli(
        "tasks", "translate", "predict", run, file, "--from", "jeju", "--to", "gyeongsang", "--quiet"
    )
    row = json.loads(done.out)
    assert row["via"] == ["jeju", "standard", "gyeongsang"]
    assert "gold" not in row
    out = tmp_path / "out.csv"
    done = gallae_cli(
        "tasks",
        "translate",
        "predict",
        run,
        file,
        "--from",
        "jeju",
        "--to",
        "standard",
        "--boldness",
        "2",
        "-o",
        out,
    )
    assert done.code == 0, done.err
    assert out.read_text(encoding="utf-8").startswith("source,from,to,translation")


BAD = {
    "no style": (["predict", "RUN", "TEXTS"], "--from jeju --to standard"),
    "an unknown style": (
        ["predict", "RUN", "TEXTS", "--from", "seoul", "--to", "standard"],
        "does not translate from",
    ),
    "an option of networks": (
        ["predict", "RUN", "TEXTS", "--from", "jeju", "--to", "standard", "--beams", "3"],
        "only --boldness",
    ),
    "a heat map of edits": (
        ["predict", "RUN", "TEXTS", "--from", "jeju", "--to", "standard", "--heat-maps", "maps"],
        "no attention",
    ),
    "texts without pairs": (["train", "TEXTS"], "dialect, standard and region"),
    "a direction that is not there": (["train", "PAIRS", "--from", "jeolla"], "no pair for --from jeolla"),
    "a wrong field": (["train", "PAIRS", "--set", "network.unit=word"], "network.unit"),
    "a family without checkpoint": (["train", "PAIRS", "--set", "family=pretrained"], "contradict"),
    "a missing dictionary": (["train", "PAIRS", "--set", "dictionary=no.csv"], "no.csv"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_code_2_and_a_reason(gallae_cli, run, pairs, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts.txt").write_text("밥 먹언\n", encoding="utf-8")
    places = {"RUN": run, "PAIRS": pairs, "TEXTS": tmp_path / "texts.txt"}
    arguments, message = BAD[name]
    done = gallae_cli("tasks", "translate", *(places.get(word, word) for word in arguments))
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err
    assert not list(tmp_path.glob("runs/*"))
