"""Training: what a run folder holds, and that its figures and its model are what they say."""

import json
import subprocess
import sys

import numpy as np
import pytest

import gallae
from gallae.errors import DataError, GallaeError, OutputError, RecipeError

FIGURES = {
    "accuracy", "macro_f1", "per_class", "log_loss", "ece", "n", "seconds",
    "accuracy_interval", "macro_f1_interval", "log_loss_interval", "ece_interval",
}  # fmt: skip


def probabilities_of(run):
    table = run.predictions
    return table[[column for column in table if column.startswith("p_")]].to_numpy()


def untimed(metrics):
    timed = {"seconds", "fit_seconds", "texts_per_second", "peak_memory_mb", "model_mb"}
    return {key: value for key, value in metrics.items() if key not in timed}


def test_a_run_folder_holds_what_is_promised(topics_run):
    names = {path.name for path in topics_run.folder.iterdir()}
    assert names == {"recipe.toml", "metrics.json", "predictions.parquet", "report.html", "model"}
    assert (topics_run.folder / "model" / "README.md").read_text(encoding="utf-8").startswith("# fast")
    assert [path.name for path in topics_run.folder.parent.iterdir()] == ["run"]


def test_metrics(topics_run):
    metrics = json.loads((topics_run.folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics == topics_run.metrics
    assert set(metrics) >= FIGURES
    assert (metrics["n"], metrics["rows"], metrics["recipe"]) == (18, 72, "fast")
    assert set(metrics["per_class"]) == {"경제", "세계", "스포츠"}
    assert set(metrics["per_class"]["경제"]) >= {"precision", "recall", "f1", "support"}
    assert metrics["macro_f1_interval"][0] <= metrics["macro_f1"] <= metrics["macro_f1_interval"][1]
    assert metrics["fitted_on"] == "the training rows"


def test_predictions(topics_run):
    table = topics_run.predictions
    assert list(table) == ["index", "fold", "text", "label", "predicted", "p_경제", "p_세계", "p_스포츠"]
    assert len(table) == 18 and set(table["fold"]) == {0}
    assert table["index"].isin(range(72)).all() and table["index"].is_unique
    assert (table["label"] == table["predicted"]).mean() == pytest.approx(topics_run.metrics["accuracy"])
    assert np.array_equal(
        topics_run.model.predict_proba(table["text"].tolist()), probabilities_of(topics_run)
    )


def test_the_same_seed_gives_the_same_figures(topics_csv, topics_run, tmp_path):
    again = gallae.train(topics_csv, "fast", holdout=0.25, output=tmp_path / "again")
    assert untimed(again.metrics) == untimed(topics_run.metrics)
    assert again.predictions.equals(topics_run.predictions)
    other = gallae.train(topics_csv, "fast", holdout=0.25, seed=7, report=False, output=tmp_path / "other")
    assert other.metrics["seed"] == other.recipe.seed == 7
    assert other.predictions["index"].tolist() != again.predictions["index"].tolist()
    assert not (other.folder / "report.html").exists()


def test_another_process_gives_the_same_probabilities(topics_run, tmp_path):
    texts = ["코스피 급락", "손흥민 결승골", "", "日 총리"]
    code = (
        "import sys, gallae, numpy; "
        "numpy.save(sys.argv[2], gallae.load(sys.argv[1]).predict_proba(sys.argv[3:]))"
    )
    target = tmp_path / "there.npy"
    subprocess.run([sys.executable, "-c", code, topics_run.folder, target, *texts], check=True)
    assert np.array_equal(np.load(target), topics_run.model.predict_proba(texts))


def test_a_batch_is_its_rows(topics_run):
    texts = ["코스피 급락", "손흥민 결승골", "", "日 총리"] * 3
    single = np.vstack([topics_run.model.predict_proba([text]) for text in texts])
    assert np.array_equal(topics_run.model.predict_proba(texts), single)


def test_without_a_split_all_rows_are_learned(dacon_run):
    assert dacon_run.metrics["fitted_on"] == "all rows"
    assert "macro_f1" not in dacon_run.metrics
    assert not (dacon_run.folder / "predictions.parquet").exists()
    with pytest.raises(OutputError, match="without held-out rows"):
        _ = dacon_run.predictions


def test_refit_measures_first_and_then_learns_all_rows(topics_csv, topics_run, tmp_path):
    run = gallae.train(topics_csv, "fast", holdout=0.25, refit=True, report=False, output=tmp_path / "refit")
    whole = gallae.train(topics_csv, "fast", report=False, output=tmp_path / "whole")
    assert run.metrics["macro_f1"] == topics_run.metrics["macro_f1"]
    assert run.metrics["fitted_on"] == "all rows"
    texts = run.predictions["text"].tolist()
    assert np.array_equal(run.model.predict_proba(texts), whole.model.predict_proba(texts))
    assert not np.array_equal(run.model.predict_proba(texts), probabilities_of(run))


def test_refit_without_measuring_is_refused(topics_csv, tmp_path):
    with pytest.raises(RecipeError, match=r"--refit.*--holdout"):
        gallae.train(topics_csv, "fast", refit=True, output=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_file_to_validate_on(topics_csv, dacon_folder, tmp_path):
    run = gallae.train(topics_csv, "fast", valid=dacon_folder / "by_name.csv", output=tmp_path / "run")
    assert (run.metrics["n"], run.metrics["n_train"], run.metrics["rows"]) == (15, 72, 72)
    refit = gallae.train(
        topics_csv, "fast", valid=dacon_folder / "by_name.csv", refit=True, output=tmp_path / "refit"
    )
    assert refit.metrics["accuracy"] == run.metrics["accuracy"]


def test_folds_are_averaged(topics_csv, tmp_path):
    run = gallae.train(topics_csv, "fast", folds=3, output=tmp_path / "run")
    table = run.predictions
    assert sorted(table["index"]) == list(range(72)) and set(table["fold"]) == {0, 1, 2}
    assert run.metrics["fitted_on"] == "3 folds, averaged"
    assert len(run.model.members_) == 3
    texts = table["text"].tolist()
    members = [member.predict_proba(texts) for member in run.model.members_]
    assert np.array_equal(run.model.predict_proba(texts), np.mean(members, axis=0))
    rows = table["fold"] == 1
    assert np.array_equal(members[1][rows], probabilities_of(run)[rows])


def test_several_labels_a_text(several_run):
    metrics = several_run.metrics
    assert {"subset_accuracy", "micro_f1", "subset_accuracy_interval", "micro_f1_interval"} <= set(metrics)
    assert several_run.model.multilabel_
    row = several_run.predictions.iloc[0]
    assert [list(row["label"])] == [list(label) for label in [row["label"]]]
    assert {len(labels) for labels in several_run.predictions["label"]} == {1, 2}
    assert isinstance(several_run.model.predict(["환율"])[0], tuple)


def test_zero_one_columns_are_labels(tmp_path, write_table):
    rows = (
        [(f"욕설 {n}", 1, 0) for n in range(8)]
        + [(f"혐오 {n}", 0, 1) for n in range(8)]
        + [("안녕", 0, 0)] * 4
    )
    path = write_table(tmp_path / "flags.csv", ["문장", "욕설", "혐오"], rows)
    run = gallae.train(path, "fast", holdout=0.25, label_column="욕설,혐오", output=tmp_path / "run")
    assert run.model.classes_.tolist() == ["욕설", "혐오"]
    assert gallae.evaluate(run.folder, path)["n"] == 20


def test_labels_made_by_a_map(tmp_path, write_table):
    rows = (
        [(f"최고 {n}", 9 + n % 2) for n in range(9)]
        + [(f"별로 {n}", 1 + n % 4) for n in range(9)]
        + [("음", 6)]
    )
    path = write_table(tmp_path / "ratings.csv", ["후기", "rating"], rows)
    label_map = {"긍정": "9-10", "부정": "1-4"}
    run = gallae.train(path, "fast", holdout=0.3, label_map=label_map, output=tmp_path / "run")
    assert run.metrics["rows"] == 18
    assert set(run.metrics["per_class"]) == {"긍정", "부정"}
    assert run.recipe.data.label_map == label_map
    assert gallae.evaluate(run.folder, path)["n"] == 18  # by the map that the model keeps
    named = write_table(tmp_path / "named.csv", ["후기", "rating"], [("최고", "긍정"), ("별로", "부정")])
    assert gallae.evaluate(run.folder, named)["n"] == 2


def test_integers_are_labels(tmp_path, write_table):
    path = write_table(tmp_path / "ints.csv", ["text", "label"], [("가가", 10), ("나나", 2)] * 6)
    run = gallae.train(path, "fast", output=tmp_path / "run")
    assert run.model.predict(["가가", "나나"]).tolist() == ["10", "2"]


def test_a_corpus_and_a_recipe_in_python(topics_csv, tmp_path):
    corpus = gallae.read(topics_csv)
    recipe = gallae.Recipe(name="mine", calibration={"method": "none"})
    run = gallae.train(corpus, recipe, holdout=0.25, output=tmp_path / "run", overrides=["model.C=2"])
    assert (run.recipe.model.C, run.metrics["recipe"]) == (2, "mine")


def test_default_folders_are_fresh(topics_csv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = {gallae.train(topics_csv, "fast", report=False).folder for _ in range(2)}
    assert len(folders) == 2 and all(folder.parent.name == "runs" for folder in folders)


def test_an_existing_output_is_kept_unless_forced(topics_csv, tmp_path):
    run = gallae.train(topics_csv, "fast", report=False, output=tmp_path / "run")
    with pytest.raises(OutputError, match="--force"):
        gallae.train(topics_csv, "bow", output=run.folder)
    assert gallae.train(topics_csv, "bow", report=False, output=run.folder, force=True).recipe.name == "bow"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_force_replaces_runs_only(topics_csv, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "baby.jpg").write_bytes(b"dear")
    with pytest.raises(OutputError, match="something else than a run"):
        gallae.train(topics_csv, "fast", output=tmp_path / "photos", force=True)
    assert (tmp_path / "photos" / "baby.jpg").exists()


def test_a_language_is_checked_before_training(tmp_path):
    with pytest.raises(GallaeError, match="'fr'"):
        gallae.train(tmp_path / "nothing.csv", language="fr")


def test_mistakes_leave_nothing(topics_csv, tmp_path):
    for options in (
        {"text_column": "headline"},
        {"recipe": "fats"},
        {"folds": 50},
        {"overrides": ["model.C=0"]},
    ):
        with pytest.raises((DataError, RecipeError)):
            gallae.train(topics_csv, output=tmp_path / "deep" / "run", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_saving_leaves_nothing(topics_csv, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("in the middle")

    monkeypatch.setattr("gallae.workflows.job.model_card", fail)
    with pytest.raises(RuntimeError):
        gallae.train(topics_csv, "fast", report=False, output=tmp_path / "deep" / "run")
    assert list(tmp_path.iterdir()) == []
