"""Saved runs as one model: what it holds, that its figures are honest, and what is refused."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import gallae
from gallae.errors import DataError, GallaeError, ModelError, OutputError, RecipeError
from gallae.models.combining import METHODS, find_combination
from gallae.models.persistence import find_model
from gallae.recipes import find_recipe
from gallae.workflows import held_out
from gallae.workflows.runs import open_model

HALVES = np.full((2, 3), 0.5)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, write_table):
    """240 headlines of three topics, half of them with the wrong words: index, title, topic."""
    whole = gallae.sample("headlines")
    rows = [
        (number, text, label)
        for number, (text, label) in enumerate(zip(whole.texts, whole.labels, strict=True))
        if label in ("경제", "스포츠", "세계")
    ]
    path = tmp_path_factory.mktemp("corpus") / "news.csv"
    return write_table(path, ["index", "title", "topic"], rows[::2])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("members")


def train(corpus, folder, recipe="fast", **options):
    options = {"holdout": 0.4} | options
    return gallae.train(corpus, recipe, report=False, output=folder, **options)


@pytest.fixture(scope="module")
def fast(corpus, place):
    return train(corpus, place / "fast-1")


@pytest.fixture(scope="module")
def bayes(corpus, place):
    return train(corpus, place / "bayes-1", "naive-bayes")


@pytest.fixture(scope="module")
def folded(corpus, place):
    return train(corpus, place / "folds-1", "bow", holdout=None, folds=3)


@pytest.fixture(scope="module")
def whole(fast, bayes, place):
    return gallae.ensemble([fast, bayes], output=place / "whole")


def columns(run):
    return run.predictions.filter(regex="^p_").to_numpy()


def test_it_is_a_run_like_any_other(whole, fast, corpus, gallae_cli, tmp_path):
    names = {path.name for path in whole.folder.iterdir()}
    assert names == {"recipe.toml", "metrics.json", "predictions.parquet", "report.html", "model"}
    assert set(whole.metrics) >= set(fast.metrics) - {"n_train"}
    assert list(whole.predictions) == list(fast.predictions)
    table = whole.predictions
    assert (table["label"] == table["predicted"]).mean() == pytest.approx(whole.metrics["accuracy"])
    loaded = open_model(whole.folder)
    assert loaded.label_set.names == open_model(fast.folder).label_set.names and loaded.name == "whole"
    assert loaded.reading == open_model(fast.folder).reading
    answer = gallae_cli("predict", whole.folder, "--text", "코스피 급락", "--top-k", 3)
    assert answer.code == 0 and "코스피" in answer.out
    answer = gallae_cli("evaluate", whole.folder, corpus, "-o", tmp_path / "report.html")
    assert answer.code == 0 and "macro-F1" in answer.out
    assert "fast" in (whole.folder / "report.html").read_text(encoding="utf-8")


def test_the_members_figures_are_those_of_their_runs(whole, fast, bayes):
    members = whole.metrics["members"]
    assert [one["name"] for one in members] == ["fast", "naive-bayes"]
    assert sum(one["weight"] for one in members) == pytest.approx(1)
    for one, run in zip(members, (fast, bayes), strict=True):
        for figure in ("macro_f1", "accuracy", "log_loss", "ece", "macro_f1_interval"):
            assert one[figure] == pytest.approx(run.metrics[figure])
        lead = one["lead"]
        assert lead["macro_f1_difference"] == pytest.approx(whole.metrics["macro_f1"] - one["macro_f1"])
        assert 0 <= lead["p_value"] <= 1
    card = (whole.folder / "model" / "README.md").read_text(encoding="utf-8")
    assert f"| fast | {members[0]['weight']:.3f} |" in card and "## What it is made of" in card
    assert "| data | " in card and f"{fast.metrics['rows']:,} rows" in card


@pytest.mark.parametrize("method", METHODS)
def test_what_is_saved_was_found_on_all_common_rows(method, fast, bayes, tmp_path):
    run = gallae.ensemble([fast, bayes], method=method, output=tmp_path / "e")
    table = run.predictions
    gold = np.searchsorted(run.model.classes_, table["label"])
    tables = [columns(fast), columns(bayes)]
    found = find_combination(method, tables, gold, HALVES)
    assert run.model.predict_proba(table["text"].tolist()) == pytest.approx(found(tables, False))
    assert run.model.method == run.recipe.model.method == run.metrics["method"] == method
    expected = None if method == "stacking" else found.weights.tolist()
    weights = [one["weight"] for one in run.metrics["members"]]
    assert weights == ([None, None] if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("method", ["weighted", "stacking"])
def test_no_row_is_measured_by_what_was_found_on_it(method, fast, bayes, tmp_path):
    run = gallae.ensemble([fast, bayes], method=method, output=tmp_path / "e")
    table, tables = run.predictions, [columns(fast), columns(bayes)]
    gold = np.searchsorted(run.model.classes_, table["label"])
    assert set(table["fold"]) == set(range(5))
    for part in range(5):
        rows, others = (table["fold"] == part).to_numpy(), (table["fold"] != part).to_numpy()
        found = find_combination(method, [t[others] for t in tables], gold[others], HALVES)
        assert columns(run)[rows] == pytest.approx(found([t[rows] for t in tables], False))


def test_only_rows_that_all_held_out_count(fast, folded, corpus, tmp_path):
    """Folds hold every row out, a share only some; rows of another file or label do not count at all."""
    run = gallae.ensemble([folded, fast], method="mean", output=tmp_path / "e")
    held = fast.predictions.set_index("index")
    assert set(run.predictions["index"]) == set(held.index) and len(run.predictions) == len(held)
    other = folded.predictions.set_index("index").loc[run.predictions["index"]]
    mean = (held.loc[run.predictions["index"]].filter(regex="^p_") + other.filter(regex="^p_")) / 2
    assert columns(run) == pytest.approx(mean.to_numpy())
    assert any("were held out by all" in text for text in run.metrics["warnings"])
    assert "bow: 3 stratified folds; fast: stratified hold-out of 0.4" in run.metrics["split"]
    assert run.metrics["fitted_on"].startswith("bow: 3 folds, averaged")
    assert type(run.model.members_[0]).__name__ == "AverageClassifier"


def test_other_splits_share_what_happens_to_be_held_out_by_both(fast, corpus, tmp_path):
    other = train(corpus, tmp_path / "other", "naive-bayes", seed=7)
    run = gallae.ensemble([fast, other], output=tmp_path / "e")
    both = set(fast.predictions["index"]) & set(other.predictions["index"])
    assert set(run.predictions["index"]) == both and 20 <= len(both) < len(fast.predictions)


def test_the_saved_model_may_have_been_fitted_on_all_rows(fast, bayes, corpus, tmp_path):
    """The figures come from the models that were measured; only the saved one has learned from all."""
    refitted = train(corpus, tmp_path / "refit", "naive-bayes", refit=True)
    run = gallae.ensemble([fast, refitted], method="mean", output=tmp_path / "e")
    expected = gallae.ensemble([fast, bayes], method="mean", output=tmp_path / "f")
    assert columns(run) == pytest.approx(columns(expected))
    assert run.metrics["fitted_on"] == "fast: the training rows; naive-bayes: all rows"
    texts = run.predictions["text"].tolist()
    assert not np.allclose(run.model.predict_proba(texts), expected.model.predict_proba(texts))


def test_its_recipe_is_whole_and_trains(whole, bayes, corpus, tmp_path):
    recipe = whole.recipe
    assert [member.name for member in recipe.model.members] == ["fast", "naive-bayes"]
    assert recipe.data == gallae.Recipe().data and recipe.calibration.method == "none"
    mean = find_recipe(whole.folder / "recipe.toml", ["model.method=mean"])
    done = gallae.compare(corpus, [mean, "fast"], holdout=0.4, output=tmp_path / "c")
    again = done.runs["ensemble"]
    assert again.recipe == mean and again.metrics["macro_f1"] > 0.5
    members = [columns(run) for run in (done.runs["fast"], bayes)]
    assert columns(again) == pytest.approx(np.mean(members, axis=0))


def test_the_same_runs_give_the_same_figures(whole, fast, bayes, tmp_path):
    again = gallae.ensemble([fast.folder, bayes.folder / "model"], output=tmp_path / "again")
    assert again.predictions.equals(whole.predictions)
    timed = {"texts_per_second", "fit_seconds", "peak_memory_mb", "model_mb"}
    first, second = ({k: v for k, v in run.metrics.items() if k not in timed} for run in (whole, again))
    assert first == second
    assert (again.folder / "recipe.toml").read_bytes() == (whole.folder / "recipe.toml").read_bytes()


def test_runs_of_one_recipe_are_called_by_their_folders(corpus, fast, tmp_path):
    other = train(corpus, tmp_path / "strong", "fast", overrides=["model.C=3"])
    run = gallae.ensemble([fast, other], output=tmp_path / "e")
    assert [one["name"] for one in run.metrics["members"]] == ["fast-1", "strong"]


@pytest.mark.parametrize("method", METHODS)
def test_several_labels(several_csv, several_run, method, tmp_path):
    options = {"folds": 2, "label_separator": "|", "report": False}
    other = gallae.train(several_csv, "bow", output=tmp_path / "bow", **options)
    run = gallae.ensemble([several_run, other], method=method, output=tmp_path / "e")
    table = run.predictions
    right = [set(a) == set(b) for a, b in zip(table["label"], table["predicted"], strict=True)]
    assert np.mean(right) == pytest.approx(run.metrics["subset_accuracy"])
    assert run.model.multilabel_ and isinstance(run.model.predict(["코스피, 2% 급락 마감"])[0], tuple)
    if method != "stacking":
        thresholds = [several_run.model.thresholds, other.model.thresholds]
        weights = [one["weight"] for one in run.metrics["members"]]
        assert run.model.thresholds == pytest.approx(np.array(weights) @ thresholds)


def test_ids_of_labels_are_kept_for_submissions(dacon_folder, tmp_path, gallae_cli):
    data = dacon_folder / "train_data.csv"
    members = [train(data, tmp_path / name, name) for name in ("fast", "bow")]
    run = gallae.ensemble(members, output=tmp_path / "e")
    assert dict(open_model(run.folder).label_set.ids) == {"경제": "0", "세계": "2", "스포츠": "1"}
    sample, out = dacon_folder / "sample_submission.csv", tmp_path / "s.csv"
    answer = gallae_cli("submit", run.folder, dacon_folder / "test_data.csv", "--like", sample, "-o", out)
    assert answer.code == 0 and set(pd.read_csv(out)["topic_idx"]) <= {0, 1, 2}
    manifest = find_model(members[1].folder) / "model.json"
    model = members[1].model
    shutil.rmtree(manifest.parent)
    swapped = {"names": ["경제", "세계", "스포츠"], "ids": {"경제": "1", "세계": "2", "스포츠": "0"}}
    from gallae.models.persistence import save

    save(model, manifest.parent, label_set=swapped)
    with pytest.raises(DataError, match="'경제' has the id 0 in one run, 1 in another"):
        gallae.ensemble(members, output=tmp_path / "f")


# ---- what is refused


def refused(runs, tmp_path, kind=GallaeError, **options):
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(kind) as caught:
        gallae.ensemble(runs, output=tmp_path / "e", **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    return str(caught.value)


def test_runs_without_a_common_row(fast, corpus, tmp_path):
    table = pd.read_csv(corpus)
    table.assign(index=table["index"] + 10_000).to_csv(tmp_path / "moved.csv", index=False)
    moved = train(tmp_path / "moved.csv", tmp_path / "moved", "bow")
    message = refused([fast, moved], tmp_path, DataError)
    for part in ("no row was held out by all", "stratified hold-out of 0.4, seed 42", "stand under another"):
        assert part in message
    assert "--seed" in message and "--holdout" in message


def test_too_few_common_rows(fast, bayes, tmp_path, monkeypatch):
    monkeypatch.setattr(held_out, "LEAST_ROWS", 10_000)
    message = refused([fast, bayes], tmp_path, DataError)
    assert f"only {len(fast.predictions)} rows were held out by all" in message and "10,000" in message


def test_a_row_with_another_label_is_another_row(fast, corpus, tmp_path):
    table = pd.read_csv(corpus)
    own = fast.predictions["index"].iloc[0]
    table.loc[table["index"] == own, "topic"] = (
        "경제" if fast.predictions["label"].iloc[0] != "경제" else "세계"
    )
    table.to_csv(tmp_path / "mended.csv", index=False)
    mended = train(tmp_path / "mended.csv", tmp_path / "mended", "bow", holdout=None, folds=2)
    run = gallae.ensemble([fast, mended], output=tmp_path / "e")
    assert own not in set(run.predictions["index"])
    assert len(run.predictions) == len(fast.predictions) - 1


def test_equal_rows_are_paired_one_by_one(fast, bayes, tmp_path):
    folders = []
    for run in (fast, bayes):
        folder = tmp_path / run.folder.name
        shutil.copytree(run.folder, folder)
        table = run.predictions
        pd.concat([table, table.iloc[:1]]).to_parquet(folder / "predictions.parquet", index=False)
        folders.append(folder)
    run = gallae.ensemble(folders, output=tmp_path / "e")
    assert len(run.predictions) == len(fast.predictions) + 1


def test_a_run_that_held_nothing_out(fast, corpus, tmp_path):
    blind = train(corpus, tmp_path / "blind", "bow", holdout=None)
    message = refused([fast, blind], tmp_path, DataError)
    assert "blind held no rows out" in message and "--holdout" in message


def test_other_labels_and_kinds_of_labels(fast, corpus, several_run, topics_run, tmp_path):
    table = pd.read_csv(corpus)
    table["topic"] = table["topic"].replace("세계", "국제")
    table.to_csv(tmp_path / "other.csv", index=False)
    other = train(tmp_path / "other.csv", tmp_path / "other", "bow")
    assert "only one of them knows '국제', '세계'" in refused([fast, other], tmp_path, DataError)
    assert "several labels" in refused([fast, several_run], tmp_path, DataError)


def test_what_is_no_pair_of_runs(fast, bayes, whole, tmp_path):
    copy = tmp_path / "copy"
    copy.symlink_to(fast.folder)
    empty = tmp_path / "empty"
    empty.mkdir()
    for runs, kind, part in [
        ([], RecipeError, "at least two runs, not 0"),
        ([fast], RecipeError, "at least two runs, not 1"),
        (fast.folder, RecipeError, "not 1"),
        ([fast, fast], RecipeError, "given twice"),
        ([fast, fast.folder / "model"], RecipeError, "given twice"),
        ([fast, copy], RecipeError, "given twice"),
        ([fast, "nowhere"], ModelError, "no run 'nowhere'"),
        ([fast, empty], ModelError, "metrics.json is missing"),
        ([fast, fast.folder.parent], ModelError, "It holds runs: "),
        ([fast, fast.model], RecipeError, "by their folders"),
        ([fast, whole], RecipeError, "is an ensemble itself"),
    ]:
        assert part in refused(runs, tmp_path, kind)
    assert "mean, weighted, stacking" in refused([fast, bayes], tmp_path, RecipeError, method="vote")


def test_damaged_runs(fast, bayes, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(bayes.folder, folder)
    (folder / "predictions.parquet").write_bytes(b"PAR1")
    assert "predictions.parquet is damaged" in refused([fast, folder], tmp_path, OutputError)
    bayes.predictions.drop(columns="label").to_parquet(folder / "predictions.parquet")
    assert "it lacks label" in refused([fast, folder], tmp_path, OutputError)
    renamed = bayes.predictions
    renamed.to_parquet(folder / "predictions.parquet")
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    (folder / "metrics.json").write_text("{}", encoding="utf-8")
    assert "metrics.json is damaged" in refused([fast, folder], tmp_path, OutputError)
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    (folder / "model" / "tensors.safetensors").unlink()
    assert "is missing" in refused([fast, folder], tmp_path, ModelError)


def test_a_model_that_is_not_the_one_that_predicted(fast, bayes, topics_run, tmp_path):
    folder = tmp_path / "mixed"
    shutil.copytree(bayes.folder, folder)
    texts = ["가 나", "가 다", "라 마", "라 바"] * 5
    shutil.rmtree(folder / "model")
    gallae.build("bow").fit(texts, ["a", "a", "b", "b"] * 5).save(folder / "model")
    assert "differ in labels" in refused([fast, folder], tmp_path, ModelError)


def test_outputs(fast, bayes, whole, tmp_path):
    with pytest.raises(OutputError, match="--force"):
        gallae.ensemble([fast, bayes], output=whole.folder)
    for output in (fast.folder, fast.folder.parent):
        with pytest.raises(OutputError, match=r"is or holds the member fast|something else"):
            gallae.ensemble([fast, bayes], output=output, force=True)
    assert fast.folder.is_dir() and bayes.folder.is_dir()
    (tmp_path / "comparison.csv").touch()
    shutil.copytree(fast.folder, tmp_path / "inner")
    with pytest.raises(OutputError, match="is or holds the member fast"):
        gallae.ensemble([tmp_path / "inner", bayes], output=tmp_path, force=True)


# ---- the command line


def test_the_command_line(fast, bayes, gallae_cli, tmp_path):
    answer = gallae_cli("ensemble", fast.folder, bayes.folder, "-o", tmp_path / "e", "--language", "ko")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[0].startswith("recipe: ensemble") and lines[-1] == f"run: {tmp_path / 'e'}"
    assert any(line.startswith("naive-bayes") for line in lines)
    assert any(line.startswith("ensemble - fast: macro-F1") and "McNemar p" in line for line in lines)
    assert "분류" in (tmp_path / "e" / "report.html").read_text(encoding="utf-8")
    again = gallae_cli("ensemble", fast.folder, bayes.folder, "-o", tmp_path / "e")
    assert again.code == 2 and "--force" in again.err
    forced = gallae_cli(
        "ensemble", fast.folder, bayes.folder, "-o", tmp_path / "e", "--force", "--method", "stacking"
    )
    assert forced.code == 0 and "stacking cross-fitted" in forced.out


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["{fast}"], "at least two runs"),
        (["{fast}", "gone"], "no run 'gone'"),
        (["{fast}", "{fast}"], "given twice"),
        ([], "Usage:"),
        (["{fast}", "{bayes}", "--method", "vote"], "vote"),
        (["{fast}", "{bayes}", "--language", "fr"], "fr"),
    ],
)
def test_mistakes_on_the_command_line(fast, bayes, gallae_cli, arguments, part, tmp_path):
    given = [text.format(fast=fast.folder, bayes=bayes.folder) for text in arguments]
    answer = gallae_cli("ensemble", *given, "-o", tmp_path / "e")
    assert answer.code == 2 and "Traceback" not in answer.err
    assert part in answer.err + answer.out
    assert not list(tmp_path.iterdir())
