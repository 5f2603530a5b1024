"""Trials that are given up or fail, with a classifier that says how good it is."""

import types
from dataclasses import replace

import numpy as np
import pytest

import gallae
from gallae.errors import GallaeError
from gallae.models.contract import TextClassifier, check_fit_input, encode_labels
from gallae.training.watching import report
from gallae.workflows import searching_work
from gallae.workflows.searching import search_lines


class Pretend(TextClassifier):
    """Gives a share of the texts their right label, which the texts end in: the greater C, the more."""

    def __init__(self, C=1.0, epochs=0):
        self.C, self.epochs = C, epochs

    def fit(self, texts, labels):
        texts, array = check_fit_input(texts, labels)
        self.classes_, _, self.multilabel_ = encode_labels(array)
        for epoch in range(self.epochs):
            report(epoch, self.C * (epoch + 1) / self.epochs)
        return self

    def scores(self, texts):
        table = np.zeros((len(texts), len(self.classes_)))
        for row, text in enumerate(texts):
            right = np.flatnonzero(self.classes_ == text.split()[-1])[0]
            table[row, right if row % 10 < self.C * 10 else (right + 1) % len(self.classes_)] = 5.0
        return table


@pytest.fixture
def pretend(monkeypatch):
    """Put `Pretend` in the place of every classifier; returns a corpus and a space for it."""
    options = types.SimpleNamespace(epochs=0)

    def make(recipe):
        return Pretend(recipe.model.C, options.epochs)

    monkeypatch.setattr(searching_work, "build", make)
    corpus = gallae.sample("headlines").take(range(0, 1100, 10))
    table = corpus.table.assign(
        text=[f"{text} {label}" for text, label in zip(corpus.texts, corpus.labels, strict=True)]
    )
    options.corpus = replace(corpus, table=table)
    options.given = {"space": {"model.C": {"low": 0.01, "high": 0.99}}, "report": False}
    return options


def behind_the_median(table):
    """Whether each trial was, at its time, behind the median of five or more that had finished."""
    found = []
    for row in table.itertuples():
        ended = table[(table["trial"] < row.trial) & (table["state"] == "finished")]["model.C"]
        found.append(len(ended) >= 5 and row[8] < ended.median())
    return found


def test_trials_behind_after_a_fold_are_given_up(pretend, tmp_path):
    done = gallae.search(pretend.corpus, "fast", trials=12, folds=3, output=tmp_path / "s", **pretend.given)
    pruned = done.table["state"] == "pruned"
    assert pruned.any() and done.table.loc[pruned, "macro_f1"].isna().all()
    behind = np.array(behind_the_median(done.table))
    assert (pruned <= behind).all() and pruned[behind].mean() > 0.5  # figures come in steps of C
    assert done.facts["trials"]["pruned"] == pruned.sum()
    assert done.facts["best"]["values"]["model.C"] > 0.8


def test_trials_behind_after_an_epoch_are_given_up(pretend, tmp_path):
    pretend.epochs = 3
    done = gallae.search(
        pretend.corpus, "fast", trials=12, holdout=0.3, output=tmp_path / "s", **pretend.given
    )
    pruned = done.table["state"] == "pruned"
    assert pruned.any() and pruned.tolist() == behind_the_median(done.table)


def test_without_reports_nothing_is_given_up(pretend, tmp_path):
    done = gallae.search(
        pretend.corpus, "fast", trials=12, holdout=0.3, output=tmp_path / "s", **pretend.given
    )
    assert set(done.table["state"]) == {"finished"}


def test_a_small_figure_may_be_the_good_one(pretend, tmp_path):
    pretend.epochs = 3
    done = gallae.search(
        pretend.corpus, "fast", trials=12, folds=2, metric="log_loss", output=tmp_path / "s", **pretend.given
    )
    table = done.table
    assert done.facts["best"]["value"] == table["log_loss"].min()
    assert done.facts["best"]["values"]["model.C"] > 0.8 and (table["state"] == "pruned").any()
    assert any("log loss" in line for line in search_lines(done))


def test_a_search_where_every_trial_fails_stops_and_leaves_nothing(pretend, monkeypatch, tmp_path):
    def failing(*_):
        raise RuntimeError("out of cheese")

    monkeypatch.setattr(searching_work, "fit_split", failing)
    with pytest.raises(GallaeError, match=r"all 3 trials failed, .*: out of cheese"):
        gallae.search(pretend.corpus, "fast", trials=9, output=tmp_path / "s", **pretend.given)
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_of_the_program_is_no_failed_trial(pretend, monkeypatch, tmp_path):
    monkeypatch.setattr(searching_work, "fit_split", lambda *_: 1 / None)
    with pytest.raises(TypeError):
        gallae.search(pretend.corpus, "fast", trials=9, output=tmp_path / "s", **pretend.given)


def test_no_trial_begins_when_the_time_is_up(pretend, tmp_path):
    said = []
    with pytest.raises(GallaeError, match=r"no trial was finished. Give --timeout"):
        gallae.search(pretend.corpus, "fast", timeout=1e-9, output=tmp_path / "s", **pretend.given)
    done = gallae.search(pretend.corpus, "fast", trials=2, output=tmp_path / "s", **pretend.given)
    done = gallae.search(
        pretend.corpus, "fast", trials=9, timeout=1e-9, resume=done.folder, say=said.append, **pretend.given
    )
    assert said == ["2 trials are taken over", "the time is up; 7 of 9 trials were not begun"]
