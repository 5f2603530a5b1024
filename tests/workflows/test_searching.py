"""Searching: the same trials every time, kept whatever happens, and told honestly."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

import gallae
from gallae.errors import DataError, GallaeError, OutputError, RecipeError
from gallae.recipes import find_recipe
from gallae.workflows import searching_work
from gallae.workflows.searching import search_lines

SPACE = {
    "model.C": {"low": 0.01, "high": 10.0, "log": True},
    "features.blocks.0.ngrams.1": {"low": 2, "high": 4},
}
SPACE_FILE = """
"model.C" = {low = 0.01, high = 10.0, log = true}
"features.blocks.0.ngrams.1" = {low = 2, high = 4}
"""
PLAIN = ["calibration.method=none"]
QUICK = {"space": SPACE, "holdout": 0.25, "overrides": PLAIN, "report": False}


def what(done):
    """The trials, without the time they took."""
    return done.table.drop(columns="seconds")


@pytest.fixture(scope="module")
def news(tmp_path_factory, write_table):
    """195 of the embedded headlines."""
    table = gallae.sample("headlines").table[::6]
    rows = table[["text", "label"]].itertuples(index=False)
    return write_table(tmp_path_factory.mktemp("news") / "news.csv", ["text", "label"], rows)


@pytest.fixture(scope="module")
def space_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("space") / "space.toml"
    path.write_text(SPACE_FILE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def searched(news, tmp_path_factory):
    """Six trials of `fast`, one after the other."""
    given = {**QUICK, "report": True}
    return gallae.search(news, "fast", trials=6, output=tmp_path_factory.mktemp("s") / "s", **given)


def test_the_folder_holds_what_is_promised(searched):
    names = {path.name for path in searched.folder.iterdir()}
    assert names == {"best.toml", "trials.csv", "report.html", "search.json", "trials.log"}
    assert searched.table["trial"].tolist() == list(range(6))
    assert set(searched.table["state"]) == {"finished"}
    assert searched.facts["trials"] == {"finished": 6, "pruned": 0, "failed": 0}
    assert searched.tested is None


def test_trial_0_is_the_recipe_as_it_is(searched):
    assert searched.table.loc[0, ["model.C", "features.blocks.0.ngrams.1"]].tolist() == [0.3, 4]
    assert searched.facts["recipe_itself"] == searched.table.loc[0, "macro_f1"]


def test_a_space_without_the_recipe_is_told(news, tmp_path, caplog):
    given = {**QUICK, "space": {"model.C": {"low": 1, "high": 2}}}
    done = gallae.search(news, "fast", trials=1, output=tmp_path / "s", **given)
    assert "the space does not hold its model.C = 0.3" in caplog.text
    assert done.facts["recipe_itself"] is None and 1 <= done.table.loc[0, "model.C"] <= 2


def test_values_keep_to_their_ranges(searched):
    table = searched.table
    assert table["model.C"].between(0.01, 10).all() and table["model.C"].nunique() == 6
    assert table["features.blocks.0.ngrams.1"].dtype.kind == "i"
    assert table["features.blocks.0.ngrams.1"].between(2, 4).all()


def test_the_best_recipe_trains_to_the_same_figure(searched, news, tmp_path):
    best = searched.table.sort_values("macro_f1", ascending=False, kind="stable").iloc[0]
    assert searched.facts["best"]["value"] == best["macro_f1"]
    assert searched.best.name == "fast-best" and best["model.C"] == searched.best.model.C
    run = gallae.train(news, searched.folder / "best.toml", holdout=0.25, output=tmp_path / "run")
    assert run.metrics["macro_f1"] == best["macro_f1"]
    assert run.metrics["macro_f1_interval"] == [best["macro_f1_low"], best["macro_f1_high"]]


def test_the_report_says_that_the_best_is_optimistic(searched):
    page = (searched.folder / "report.html").read_text(encoding="utf-8")
    assert "figure is optimistic: 6 trials" in page and page.count("<svg") == 4 and "model.C" in page
    assert any("optimistic" in line for line in search_lines(searched))


def test_the_same_seed_gives_the_same_trials_and_another_others(searched, news, tmp_path):
    again = gallae.search(news, "fast", trials=3, output=tmp_path / "a", **QUICK)
    pd.testing.assert_frame_equal(what(again), what(searched).head(3))
    other = gallae.search(news, "fast", trials=2, seed=7, output=tmp_path / "b", **QUICK)
    assert other.table.loc[1, "model.C"] != searched.table.loc[1, "model.C"]


def test_a_finished_search_goes_on_with_more_trials(searched, news, tmp_path):
    gallae.search(news, "fast", trials=2, output=tmp_path / "s", **QUICK)
    given = {**QUICK, "report": True}
    done = gallae.search(news, "fast", trials=6, resume=tmp_path / "s", language="ko", **given)
    pd.testing.assert_frame_equal(what(done), what(searched))
    page = (done.folder / "report.html").read_text(encoding="utf-8")
    assert 'lang="ko"' in page and "실제보다 좋게" in page


def test_interrupted_and_resumed_is_uninterrupted(searched, news, tmp_path, monkeypatch):
    fit, calls = searching_work.fit_split, []

    def stopped(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return fit(*arguments)

    monkeypatch.setattr(searching_work, "fit_split", stopped)
    with pytest.raises(KeyboardInterrupt):
        gallae.search(news, "fast", trials=6, output=tmp_path / "s", **QUICK)
    kept = pd.read_csv(tmp_path / "s" / "trials.csv")
    assert len(kept) == 2 and find_recipe(tmp_path / "s" / "best.toml").name == "fast-best"
    assert not (tmp_path / "s" / "report.html").exists()
    done = gallae.search(news, "fast", trials=6, resume=tmp_path / "s", **QUICK)
    pd.testing.assert_frame_equal(what(done), what(searched))
    assert len(calls) == 7


def test_killed_and_resumed_is_uninterrupted(searched, news, space_file, tmp_path):
    call = [
        "search",
        news,
        "-r",
        "fast",
        "--space",
        space_file,
        "--holdout",
        "0.25",
        "--set",
        *PLAIN,
        "-o",
        tmp_path / "s",
    ]
    process = subprocess.Popen([sys.executable, "-m", "gallae", *map(str, call), "--trials", "500"],
                               stderr=subprocess.DEVNULL)  # fmt: skip
    table = tmp_path / "s" / "trials.csv"
    while not table.exists() or table.read_text().count("\n") < 3:
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = gallae.search(news, "fast", trials=6, resume=tmp_path / "s", **{**QUICK, "space": space_file})
    pd.testing.assert_frame_equal(what(done).head(6), what(searched))


@pytest.mark.parametrize("torn", [5, 120, 400])
def test_a_torn_journal_is_mended(torn, searched, news, tmp_path):
    done = gallae.search(news, "fast", trials=3, output=tmp_path / "s", **QUICK)
    journal = done.folder / "trials.log"
    journal.write_bytes(journal.read_bytes()[:-torn])
    done = gallae.search(news, "fast", trials=4, resume=done.folder, **QUICK)
    pd.testing.assert_frame_equal(what(done), what(searched).head(4))


def test_a_damaged_journal_is_told(news, tmp_path):
    done = gallae.search(news, "fast", trials=1, output=tmp_path / "s", **QUICK)
    (done.folder / "trials.log").write_text("nonsense\n{}\n")
    with pytest.raises(OutputError, match=r"trials.log is damaged .* --force"):
        gallae.search(news, "fast", trials=2, resume=done.folder, **QUICK)
    (done.folder / "search.json").unlink()
    with pytest.raises(OutputError, match="nothing to resume"):
        gallae.search(news, "fast", trials=2, resume=done.folder, **QUICK)


def test_side_by_side(searched, news, tmp_path):
    done = gallae.search(news, "fast", trials=4, jobs=2, output=tmp_path / "s", **QUICK)
    assert done.table["trial"].tolist() == [0, 1, 2, 3] and set(done.table["state"]) == {"finished"}
    # The first are proposed at random, whatever runs beside them.
    pd.testing.assert_frame_equal(what(done), what(searched).head(4))


def test_a_second_search_in_the_same_folder_is_refused(news, tmp_path):
    refused = []

    def meanwhile(line):
        with pytest.raises(OutputError, match="another search is at work"):
            gallae.search(news, "fast", trials=3, resume=tmp_path / "s", **QUICK)
        refused.append(line)

    gallae.search(news, "fast", trials=1, output=tmp_path / "s", say=meanwhile, **QUICK)
    assert len(refused) == 1


def test_a_share_that_no_trial_sees(news, tmp_path):
    done = gallae.search(
        news, "fast", trials=2, test=0.2, folds=2, overrides=PLAIN, space=SPACE, output=tmp_path / "s"
    )
    assert (done.facts["rows"], done.facts["held_out"], done.facts["test_rows"]) == (156, 156, 39)
    run = done.tested
    assert run.metrics["n"] == 39 and run.recipe == done.best
    assert "measured on 39 rows that no trial has seen" in "\n".join(search_lines(done))
    assert "39 rows that no trial has seen" in (done.folder / "report.html").read_text(encoding="utf-8")
    before = (run.folder / "metrics.json").stat().st_mtime_ns
    gallae.search(
        news,
        "fast",
        trials=2,
        test=0.2,
        folds=2,
        overrides=PLAIN,
        space=SPACE,
        resume=done.folder,
        report=False,
    )
    assert (run.folder / "metrics.json").stat().st_mtime_ns == before


def test_trials_of_the_same_values_are_run_once(news, tmp_path):
    space = {"features.blocks.0.ngrams": {"choices": [[1, 3], [1, 4]]}}
    done = gallae.search(
        news, "fast", trials=5, space=space, overrides=PLAIN, report=False, output=tmp_path / "s"
    )
    table = done.table
    first = table.drop_duplicates("features.blocks.0.ngrams")
    assert set(table["features.blocks.0.ngrams"]) == {"[1, 3]", "[1, 4]"}
    assert first["same_as"].isna().all() and table["same_as"].notna().sum() == 3
    assert table.groupby("features.blocks.0.ngrams")["macro_f1"].nunique().tolist() == [1, 1]


def test_values_that_do_not_go_together_are_failed_trials(news, tmp_path):
    space = {f"features.blocks.0.ngrams.{end}": {"low": 1, "high": 4} for end in (0, 1)}
    done = gallae.search(news, "fast", trials=8, space=space, overrides=PLAIN, output=tmp_path / "s")
    failed = done.table[done.table["state"] == "failed"]
    assert len(failed) and failed["reason"].str.contains("the shortest comes first").all()
    assert "failed" in (done.folder / "report.html").read_text(encoding="utf-8")


# ---- what is refused, and the command line


@pytest.mark.parametrize(
    ("options", "error", "part"),
    [
        ({"trials": 0}, RecipeError, "--trials 0"),
        ({"jobs": 0}, RecipeError, "--jobs 0"),
        ({"timeout": 0}, RecipeError, "--timeout 0"),
        ({"metric": "f1"}, RecipeError, "--metric 'f1' is not known. Allowed: macro_f1"),
        ({"metric": "micro_f1"}, RecipeError, "several labels a text"),
        ({"test": 1.5}, DataError, "--test 1.5"),
        ({"folds": 2}, DataError, "--holdout and --folds contradict"),
        ({"space": {"model.c": {"low": 1, "high": 2}}}, RecipeError, "Did you mean 'model.C'"),
        ({"space": {"model.classifier": {"choices": ["svm", "svn"]}}}, RecipeError, "allowed: svm"),
        ({"resume": "absent"}, OutputError, "nothing to resume"),
        ({"language": "fr"}, GallaeError, "en or ko"),
    ],
)  # fmt: skip
def test_refused_before_anything_runs(options, error, part, news, tmp_path):
    given = {**QUICK, "trials": 2, **options}
    if "resume" not in given:
        given["output"] = tmp_path / "s"
    with pytest.raises(error, match=part):
        gallae.search(news, "fast", **given)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_search_is_kept_unless_forced_or_gone_on_with(searched, news, tmp_path):
    with pytest.raises(OutputError, match=r"holds a search already. Go on with it by --resume .*--force"):
        gallae.search(news, "fast", output=searched.folder, **QUICK)
    with pytest.raises(OutputError, match="begun with another recipe"):
        gallae.search(news, "bow", resume=searched.folder, **QUICK)
    for _ in range(2):
        done = gallae.search(news, "fast", trials=1, output=tmp_path / "s", force=True, **QUICK)
    assert len(done.table) == 1
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="something else"):
        gallae.search(news, "fast", output=tmp_path / "other", force=True, **QUICK)


def test_several_labels(several_csv, tmp_path):
    done = gallae.search(
        several_csv,
        "fast",
        trials=2,
        metric="micro_f1",
        label_separator="|",
        output=tmp_path / "s",
        space=SPACE,
    )
    assert done.table["micro_f1"].between(0, 1).all()


def test_the_command_line_does_the_same(gallae_cli, searched, news, space_file, tmp_path):
    call = ["search", news, "-r", "fast", "--space", space_file, "--holdout", 0.25, "--set", *PLAIN]
    answer = gallae_cli(*call, "--trials", 3, "-o", tmp_path / "s")
    assert answer.code == 0
    assert answer.err.count("trial ") >= 3 and "best: trial " in answer.out
    assert answer.out.endswith(f"search: {tmp_path / 's'}\n")
    table = pd.read_csv(tmp_path / "s" / "trials.csv").astype({"same_as": "Int64"}).drop(columns="seconds")
    pd.testing.assert_frame_equal(table, what(searched).head(3))
    more = gallae_cli(*call, "--trials", 4, "--resume", tmp_path / "s", "--quiet")
    assert more.code == 0 and more.err == ""
    assert json.loads((tmp_path / "s" / "search.json").read_text())["trials"]["finished"] == 4
    assert gallae_cli("search", news, "--trials", 0).code == 2


def test_optuna_is_loaded_only_by_a_search():
    code = (
        "import sys, gallae, gallae.cli.commands; gallae.search; from gallae.recipes import space;"
        "assert not {'optuna', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
