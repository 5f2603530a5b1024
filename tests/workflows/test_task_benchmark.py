"""`gallae tasks benchmark`: finding data, one table, failures noted, going on after a kill."""

import json
import shutil

import pandas as pd
import pytest

from gallae.errors import DataError, ModelError, RecipeError
from gallae.workflows.task_benchmark import benchmark_tasks
from gallae.workflows.task_benchmark_cells import cell_recipe, run_cell
from gallae.workflows.task_benchmark_data import find_files, read_task

MONEY = ["금리 동결에 상승", "2% 급락 마감", "석 달째 증가", "시장 전망 하향"]
SPORT = ["결승골로 승리", "시즌 첫 우승", "부상 복귀전 완승", "결승 진출 확정"]
QUICK = ["training.epochs=1", "training.batch_size=8", "max_length=32"]


@pytest.fixture(scope="module")
def data(tmp_path_factory, write_table):
    """NLI in two files, similarity in one of a folder, classification as a file of its own."""
    folder = tmp_path_factory.mktemp("benchmark")
    texts = [(text, topic) for topic, group in enumerate((MONEY, SPORT)) for text in group]
    pairs = [(a, b, x == y) for a, x in texts for b, y in texts]
    (folder / "nli").mkdir()
    labels = [(a, b, "같음" if same else "다름") for a, b, same in pairs]
    for name, rows in (("train.csv", labels[::2]), ("dev.csv", labels[1::2])):
        write_table(folder / "nli" / name, ["premise", "hypothesis", "label"], rows)
    (folder / "similarity").mkdir()
    scores = [(a, b, 5.0 * same) for a, b, same in pairs]
    write_table(folder / "similarity" / "sts.csv", ["sentence1", "sentence2", "score"], scores)
    topics = [(text, ("경제", "스포츠")[topic]) for text, topic in texts] * 4
    write_table(folder / "classification.csv", ["title", "topic"], topics)
    return folder


@pytest.fixture(scope="module")
def done(data, checkpoint, tmp_path_factory):
    names = [str(checkpoint("bert")), str(checkpoint("electra"))]
    output = tmp_path_factory.mktemp("runs") / "benchmark"
    return names, benchmark_tasks(names, data, overrides=QUICK, output=output)


def test_one_row_a_checkpoint_and_one_column_a_task(done):
    names, found = done
    assert {path.name for path in found.folder.iterdir()} == {
        "benchmark.csv",
        "benchmark.json",
        "report.html",
    }
    table = pd.read_csv(found.folder / "benchmark.csv")
    assert table["checkpoint"].tolist() == names
    for task in ("nli", "similarity", "classification"):
        assert (table[f"{task}_low"] <= table[task]).all() and (table[task] <= table[f"{task}_high"]).all()
        assert (table[f"{task}_seconds"] > 0).all()
    assert "ner" not in table.columns
    saved = json.loads((found.folder / "benchmark.json").read_text(encoding="utf-8"))
    assert len(saved["cells"]) == len(saved["recipes"]) == 6
    assert saved["tasks"]["nli"] == {"split": "train.csv, measured on dev.csv", "trained_on": 32, "n": 32}
    assert saved["tasks"]["similarity"]["split"] == "sts.csv, 0.2 of it held out"
    assert all(cell["baseline"]["value"] is not None for cell in saved["cells"])
    page = (found.folder / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3 and all(name in page for name in names)


def test_a_cell_is_what_the_task_alone_gives(done, data):
    from gallae.tasks import Nli
    from gallae.tasks.recipe import task_recipe

    names, found = done
    task = Nli(task_recipe("nli", None, QUICK, checkpoint=names[0], seed=42))
    task.fit(Nli.read(data / "nli" / "train.csv"))
    figures = task.evaluate(Nli.read(data / "nli" / "dev.csv"))
    cell = next(c for c in found.cells if c["task"] == "nli" and c["checkpoint"] == names[0])
    assert cell["value"] == figures["accuracy"] and cell["interval"] == figures["accuracy_interval"]
    assert cell["parameters"] == task.model.num_parameters() and cell["n"] == 32


def test_classification_learns_and_has_its_baseline(checkpoint, data):
    part = read_task("classification", *find_files(data)["classification"], 0, 1)
    steps = ["max_length=32", "training.epochs=15", "training.batch_size=8", "training.learning_rate=3e-3"]
    cell = run_cell(cell_recipe("classification", str(checkpoint("bert")), steps, 1), part.train, part.held)
    assert cell["value"] == 1.0 > cell["baseline"]["value"]
    assert cell["figure"] == "macro-F1" and "majority" in cell["baseline"]["name"]


def test_scratch_and_limit(gallae_cli, data, tmp_path):
    small = ["scratch.layers=1", "scratch.hidden=16", "scratch.heads=2", "scratch.min_count=1", *QUICK]
    options = [part for override in small for part in ("--set", override)]
    out = gallae_cli("tasks", "benchmark", "scratch", "--data", data, "--limit", 10, "-o", tmp_path / "b",
                     "--language", "ko", *options)  # fmt: skip
    assert out.code == 0
    head, row, end = out.out.splitlines()
    assert head.split() == ["checkpoint", "weights", "nli", "similarity", "classification", "seconds"]
    assert row.startswith("scratch") and end == f"benchmark: {tmp_path / 'b'}"
    saved = json.loads((tmp_path / "b" / "benchmark.json").read_text(encoding="utf-8"))
    assert {(part["trained_on"], part["n"]) for part in saved["tasks"].values()} <= {(10, 10), (10, 6)}
    assert 'lang="ko"' in (tmp_path / "b" / "report.html").read_text(encoding="utf-8")


def test_what_fails_is_noted_and_the_rest_goes_on(gallae_cli, data, checkpoint, tmp_path):
    name = str(checkpoint("bert"))  # it reads 128 tokens
    options = [part for override in QUICK for part in ("--set", override)]
    out = gallae_cli("tasks", "benchmark", name, "--data", data, "--tasks", "nli,similarity",
                     "--set", "nli.max_length=500", "-o", tmp_path / "b", *options)  # fmt: skip
    assert out.code == 0 and "failed" in out.out
    assert f"{name} on nli failed: max_length is 500" in out.out
    table = pd.read_csv(tmp_path / "b" / "benchmark.csv")
    assert table["nli"].isna().all() and table["similarity"].notna().all()
    assert "max_length is 500" in (tmp_path / "b" / "report.html").read_text(encoding="utf-8")
    with pytest.raises(ModelError, match="every cell"):
        benchmark_tasks([name], data, tasks=["nli"], overrides=["max_length=500"], output=tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_tokenizers_are_read_before_anything_is_trained(checkpoint, data, tmp_path, monkeypatch):
    broken = shutil.copytree(checkpoint("bert"), tmp_path / "broken")
    (broken / "tokenizer.json").unlink()
    (broken / "tokenizer_config.json").unlink()
    monkeypatch.setattr("gallae.workflows.task_benchmark.run_cell", None)
    with pytest.raises(ModelError, match="has no tokenizer"):
        benchmark_tasks([str(checkpoint("electra")), str(broken)], data, output=tmp_path / "c")


def test_a_killed_benchmark_goes_on(done, data, tmp_path, monkeypatch):
    from gallae.workflows import task_benchmark

    names, whole = done
    ran = []

    def interrupted(recipe, train, held):
        ran.append(recipe.task)
        if len(ran) == 3:
            raise KeyboardInterrupt
        return run_cell(recipe, train, held)

    monkeypatch.setattr(task_benchmark, "run_cell", interrupted)
    with pytest.raises(KeyboardInterrupt):
        benchmark_tasks(names, data, overrides=QUICK, output=tmp_path / "b")
    assert not list(tmp_path.glob("b.partial/training-cell-[01]"))
    found = benchmark_tasks(names, data, overrides=QUICK, resume=tmp_path / "b")
    assert len(ran) == 3 + 4
    assert [cell["value"] for cell in found.cells] == [cell["value"] for cell in whole.cells]


def test_overrides_of_one_task_leave_the_others():
    overrides = ["training.epochs=2", "ner.stride=32", "qa.max_length=300"]
    assert cell_recipe("nli", "scratch", overrides, 1).training.epochs == 2
    assert cell_recipe("ner", "scratch", overrides, 1).stride == 32
    assert cell_recipe("qa", "scratch", overrides, 1).max_length == 300
    assert cell_recipe("classification", "scratch", overrides, 1).training.epochs == 2
    with pytest.raises(RecipeError, match="strid"):
        cell_recipe("ner", "scratch", ["ner.strid=3"], 1)


def test_files_are_told_by_their_names(tmp_path):
    for name in ("ner/ner.train", "ner/ner.test", "ner/ner.dev", "qa/KorQuAD_v1.0_dev.json", "nli.tsv",
                 "choice/.hidden", "readme.md"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = find_files(tmp_path)
    assert found["ner"] == (tmp_path / "ner" / "ner.train", tmp_path / "ner" / "ner.dev")
    assert found["qa"] == (tmp_path / "qa" / "KorQuAD_v1.0_dev.json", None)
    assert found["nli"] == (tmp_path / "nli.tsv", None)
    assert set(found) == {"ner", "qa", "nli"} and set(find_files(tmp_path, ["qa"])) == {"qa"}
    (tmp_path / "ner" / "train2.txt").write_text("x")
    (tmp_path / "ner" / "train.old.txt").write_text("x")
    with pytest.raises(DataError, match="which file is ner"):
        find_files(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["scratch", "--data", "nowhere"], "no such file"),
        (["scratch", "--data", "classification.csv"], "is a file"),
        (["scratch", "--data", "nli"], "data of no task"),
        (["scratch", "--data", ".", "--tasks", "ner"], "no data of ner"),
        (["scratch", "--data", ".", "--tasks", "poetry"], "no task 'poetry'"),
        (["scratch", "scratch", "--data", "."], "given twice"),
        (["./missing", "--data", "."], "missing"),
        (["scratch", "--data", ".", "--limit", "-1"], "--limit"),
        (["scratch", "--data", ".", "--set", "training.epoch=1"], "epochs"),
        (["scratch", "--data", ".", "--resume", "never"], "nothing to resume"),
    ],
)
def test_mistakes_end_with_2_before_anything_is_trained(gallae_cli, data, monkeypatch, arguments, says):
    monkeypatch.chdir(data)
    out = gallae_cli("tasks", "benchmark", *arguments)
    assert out.code == 2 and says in out.err and not out.out
    assert not list(data.glob("*.partial"))
