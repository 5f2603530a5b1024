"""Every command and option, and what each promises on standard output and in files."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gallae

READS_DATA = ["audit", "clean", "train", "compare", "evaluate", "predict", "submit", "search", "lr-find"]
WRITES = ["demo", *READS_DATA, "ensemble"]
COMMANDS = [*WRITES, "recipes"]


def test_help_names_every_command(gallae_cli):
    answer = gallae_cli("--help")
    assert answer.code == 0
    assert all(f"\n  {command} " in answer.out for command in COMMANDS)
    assert "..." not in answer.out.partition("Commands:")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_options_that_commands_share(gallae_cli, command):
    help_text = gallae_cli(command, "-h").out
    assert "--quiet" in help_text and "--verbose" in help_text
    assert ("--text-column" in help_text and "--label-column" in help_text) == (command in READS_DATA)
    assert ("--force" in help_text) == (command in WRITES)
    assert ("--resume" in help_text) == (command in ("train", "compare", "search"))


def test_version(gallae_cli):
    assert gallae_cli("--version").out == f"gallae {gallae.__version__}\n"


def test_recipes_are_plain_lines(gallae_cli):
    lines = gallae_cli("recipes").out.splitlines()
    assert [line.split(": ")[0] for line in lines][:2] == ["default", "bert-base-uncased"]
    assert any(line.startswith("fasttext: ") and line.endswith("[extra: fasttext]") for line in lines)
    assert not any("…" in line for line in lines)


def test_one_recipe_has_every_default(gallae_cli, tmp_path):
    answer = gallae_cli("recipes", "fast")
    (tmp_path / "again.toml").write_text(answer.out, encoding="utf-8")
    assert gallae_cli("recipes", tmp_path / "again.toml").out == answer.out
    assert all(field in answer.out for field in ("sublinear", "class_weight", "keep_duplicates_together"))


def test_train_prints_figures_and_the_folder(gallae_cli, topics_csv, tmp_path):
    run = tmp_path / "run"
    answer = gallae_cli("train", topics_csv, "-r", "fast", "--holdout", "0.25", "--seed", 3, "-o", run)
    assert answer.code == 0
    assert "macro-F1: " in answer.out and answer.out.endswith(f"run: {run}\n")
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["seed"] == 3 and f"{metrics['macro_f1']:.4f}" in answer.out
    refused = gallae_cli("train", topics_csv, "-r", "fast", "-o", run)
    assert refused.code == 2 and "--force" in refused.err


def test_train_options(gallae_cli, topics_csv, dacon_folder, tmp_path):
    def trained(*options):
        answer = gallae_cli("train", topics_csv, "-r", "fast", "--force", "-o", tmp_path / "run", *options)
        assert answer.code == 0, answer.err
        return gallae.Run(tmp_path / "run")

    assert trained("--set", "model.C=0.9", "--set", "text.steps=['nfc']").recipe.model.C == 0.9
    assert trained("--folds", 2).metrics["n"] == 72
    assert trained("--folds", 2, "--refit").metrics["fitted_on"] == "all rows"
    assert trained("--valid", dacon_folder / "by_name.csv").metrics["n"] == 15
    assert trained("--text-column", "source", "--label-column", "topic").recipe.data.text_column == "source"
    assert trained("--holdout", "0.5", "--group-column", "source").recipe.data.group_column == "source"
    assert 'lang="ko"' in (trained("--holdout", "0.5", "--language", "ko").folder / "report.html").read_text()


def test_several_labels(gallae_cli, several_csv, tmp_path):
    run = tmp_path / "run"
    options = ["--label-separator", "|", "--holdout", "0.25"]
    answer = gallae_cli("train", several_csv, "-r", "fast", *options, "-o", run)
    assert "subset accuracy: " in answer.out and "micro-F1: " in answer.out
    assert gallae_cli("evaluate", run, several_csv).code == 0  # the model keeps the separator


def test_a_user_s_recipe(gallae_cli, topics_csv, tmp_path):
    (tmp_path / "terms.toml").write_text('[abbreviations]\n"美" = "미국"\n', encoding="utf-8")
    (tmp_path / "mine.toml").write_text(
        '[text]\nsteps = ["abbreviations"]\ndictionary = "terms.toml"\n[model]\nC = 1\n', encoding="utf-8"
    )
    answer = gallae_cli("train", topics_csv, "-r", tmp_path / "mine.toml", "-o", tmp_path / "run")
    assert answer.code == 0 and answer.out.startswith("recipe: mine")
    (tmp_path / "terms.toml").unlink()
    run = gallae.Run(tmp_path / "run")
    assert run.recipe.text.tables() == {"abbreviations": {"美": "미국"}}
    first, second = run.model.predict_proba(["美 의회", "미국 의회"])
    assert np.array_equal(first, second)


def test_compare(gallae_cli, topics_csv, tmp_path):
    out = tmp_path / "c"
    answer = gallae_cli(
        "compare", topics_csv, "-r", "fast", "-r", "bow", "--folds", 2, "--seed", 1, "-o", out
    )
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].startswith("recipe") and {lines[1].split()[0], lines[2].split()[0]} == {"fast", "bow"}
    assert "McNemar p = " in answer.out and lines[-1] == f"comparison: {out}"
    assert (out / "comparison.csv").exists() and (out / "report.html").exists()
    assert gallae_cli("compare", topics_csv, "-r", "fast", "-r", "bow", "-o", out).code == 2


def test_evaluate(gallae_cli, topics_run, topics_csv, tmp_path):
    plain = gallae_cli("evaluate", topics_run.folder, topics_csv, "-o", tmp_path / "report.html")
    assert plain.code == 0 and "macro-F1: " in plain.out and "경제: precision" in plain.out
    assert (tmp_path / "report.html").exists()
    exact = gallae_cli("evaluate", topics_run.folder / "model", topics_csv, "--json", "--verbose")
    figures = json.loads(exact.out)
    assert set(figures) <= set(topics_run.metrics) and figures["n"] == 72
    assert exact.err  # --verbose speaks, but not among the JSON


def test_json_is_one_object_even_where_there_is_much_to_say(gallae_cli, tmp_path, write_table, topics_run):
    path = write_table(
        tmp_path / "t.csv", ["title", "topic"], [("", "경제"), ("환율 상승", "경제"), ("x", "세계")]
    )
    audited = gallae_cli("audit", path, "--json", "-o", tmp_path / "a.html")
    assert json.loads(audited.out)["rows"] == 3 and "1 of 3 texts are empty" in audited.err
    assert json.loads(gallae_cli("evaluate", topics_run.folder, path, "--json").out)["n"] == 3


def test_quiet_says_results_only(gallae_cli, tmp_path, write_table, topics_run):
    path = write_table(tmp_path / "t.csv", ["title", "topic"], [("", "경제"), ("환율 상승", "경제")])
    assert gallae_cli("evaluate", topics_run.folder, path, "--quiet").err == ""
    assert "empty" in gallae_cli("evaluate", topics_run.folder, path).err


def test_audit_and_clean(gallae_cli, topics_csv, dacon_folder, tmp_path):
    answer = gallae_cli(
        "audit", topics_csv, "--against", dacon_folder / "test_data.csv", "-o", tmp_path / "a.html"
    )
    assert answer.code == 0 and "72 rows" in answer.out and (tmp_path / "a.html").exists()
    answer = gallae_cli("clean", topics_csv, "-o", tmp_path / "clean.csv", "--steps", "hanja,nfc,spaces")
    assert answer.code == 0
    assert "미국 의회" in (tmp_path / "clean.csv").read_text(encoding="utf-8")
    assert gallae_cli("clean", topics_csv, "-o", tmp_path / "clean.csv").code == 2


@pytest.mark.parametrize("top_k", [0, 1, 3])
def test_predict_equals_python(gallae_cli, topics_run, top_k):
    texts = ["코스피 급락", "손흥민 결승골"]
    given = [word for text in texts for word in ("--text", text)]
    table = pd.read_csv(io.StringIO(gallae_cli("predict", topics_run.folder, *given, "--top-k", top_k).out))
    probabilities = topics_run.model.predict_proba(texts)
    assert table["label"].tolist() == topics_run.model.predict(texts).tolist()
    assert np.array_equal(table["probability"], probabilities.max(axis=1))
    if top_k == 0:
        assert np.array_equal(table[[f"p_{label}" for label in topics_run.model.classes_]], probabilities)
    if top_k == 3:
        assert list(table)[-2:] == ["label_3", "probability_3"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_predict_to_a_file(gallae_cli, topics_run, topics_csv, tmp_path, suffix):
    out = tmp_path / f"out.{suffix}"
    answer = gallae_cli("predict", topics_run.folder, topics_csv, "-o", out)
    assert (answer.code, answer.out) == (0, "") and "72 texts" in answer.err
    readers = {"csv": pd.read_csv, "parquet": pd.read_parquet, "jsonl": lambda p: pd.read_json(p, lines=True)}
    assert len(readers[suffix](out)) == 72


def test_dacon_end_to_end(gallae_cli, dacon_folder, tmp_path):
    run, out = tmp_path / "run", tmp_path / "submission.csv"
    train = gallae_cli("train", dacon_folder / "train_data.csv", "-r", "fast", "--holdout", "0.25", "-o", run)
    assert train.code == 0
    assert set(gallae.Run(run).metrics["per_class"]) == {"경제", "세계", "스포츠"}
    sample = dacon_folder / "sample_submission.csv"
    answer = gallae_cli("submit", run, dacon_folder / "test_data.csv", "--like", sample, "-o", out)
    assert answer.code == 0 and "12 rows" in answer.err
    written, asked = (pd.read_csv(path) for path in (out, sample))
    assert list(written) == list(asked) and written["index"].tolist() == asked["index"].tolist()
    assert set(written["topic_idx"]) <= {0, 1, 2} and written["topic_idx"].nunique() == 3
    by_name, by_id = (
        json.loads(gallae_cli("evaluate", run, dacon_folder / f"by_{kind}.csv", "--json").out)
        for kind in ("name", "id")
    )
    assert by_name["per_class"] == by_id["per_class"]


def test_near_duplicates_are_warned_of(gallae_cli, tmp_path, write_table):
    rows = [
        (f"{'긴 문장 ' * 5}{word * 20}{end}", word)
        for word in "ab"
        for end in (".", "!", "", "?", "..", "!!")
    ]
    path = write_table(tmp_path / "t.csv", ["text", "label"], rows)
    answer = gallae_cli("train", path, "-r", "fast", "--holdout", "0.5", "-o", tmp_path / "run")
    assert "near duplicate" in answer.err and "data.keep_duplicates_together=true" in answer.err
    assert any("near duplicate" in line for line in gallae.Run(tmp_path / "run").metrics["warnings"])


def _heed_ctrl_c():
    """A job in the background ignores Ctrl-C, and so would what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def gallae_process(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "gallae", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_heed_ctrl_c,
        **options,
    )


def test_a_pipe_whose_reader_goes(topics_run):
    process = gallae_process("predict", topics_run.folder, "-")
    feeder = subprocess.Popen(["yes", "코스피 급락"], stdout=process.stdin, stderr=subprocess.DEVNULL)
    process.stdin.close()
    assert process.stdout.readline() == b"text,label,probability\n"
    process.stdout.close()
    try:
        assert process.wait(60) == 0
        assert process.stderr.read() == b""
    finally:
        feeder.kill()
        feeder.wait()


def test_a_pipe_is_answered_as_it_comes(topics_run):
    with gallae_process("predict", topics_run.folder, "-") as process:
        process.stdin.write("코스피 급락\n손흥민\n".encode())
        process.stdin.close()
        assert process.stdout.read().decode().splitlines()[1].startswith("코스피 급락,")
        assert process.wait(60) == 0


@pytest.mark.skipif(os.name == "nt", reason="no Ctrl-C can be sent there")
def test_ctrl_c_and_resume(tmp_path, write_table, topics_run):
    rows = [(f"글 {n} {'가나다라마바사'[n % 7] * 3} 끝 {n * 7919 % 1009}", "abc"[n % 3]) for n in range(9000)]
    data, run = write_table(tmp_path / "t.csv", ["text", "label"], rows), tmp_path / "run"
    options = [data, "-r", "fast", "--folds", 16, "--seed", 5]
    process = gallae_process("train", *options, "-o", run)
    while not (tmp_path / "run.partial" / "fold-0").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err and b"stopped." in err and f"--resume {run}".encode() in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.partial", "t.csv"]
    assert all(not path.name.startswith(".") for path in (tmp_path / "run.partial").iterdir())
    resumed = gallae_process("train", *options, "--resume", run)
    assert resumed.communicate(timeout=120) and resumed.returncode == 0
    whole = gallae.train(data, "fast", folds=16, seed=5, report=False, output=tmp_path / "whole")
    assert gallae.Run(run).predictions.equals(whole.predictions)
    assert gallae.Run(run).metrics["macro_f1_interval"] == whole.metrics["macro_f1_interval"]
    texts = ["글 1 가가가", "글"]
    assert np.array_equal(gallae.load(run).predict_proba(texts), whole.model.predict_proba(texts))


def test_heavy_packages_are_imported_late():
    heavy = {"pandas", "numpy", "sklearn", "scipy", "matplotlib", "kiwipiepy", "pyarrow", "torch", "pydantic"}
    code = (
        "import sys, gallae; before = set(sys.modules); from gallae.cli.main import run; run(['--help']); "
        "run(['predict', '-h']); "
        "print(sorted(before), file=sys.stderr); print(sorted(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported, helped = (set(eval(line)) for line in result.stderr.splitlines())
    assert not heavy & imported and not {"typer", "rich"} & imported
    assert not heavy - {"pydantic"} & helped


def test_the_same_numbers_from_another_working_directory(
    gallae_cli, topics_csv, topics_run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    answer = gallae_cli("train", topics_csv, "-r", "fast", "--holdout", "0.25")
    run = gallae.Run(Path(answer.out.splitlines()[-1].removeprefix("run: ")))
    assert run.folder.parent == Path("runs")
    assert run.predictions.equals(topics_run.predictions)
    assert run.metrics["macro_f1"] == topics_run.metrics["macro_f1"]
