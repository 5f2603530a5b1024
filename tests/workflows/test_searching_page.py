"""The page of a search: every kind of field, of trial and of ending."""

import pytest

from gallae.errors import GallaeError
from gallae.recipes import find_recipe
from gallae.recipes.space import read_space
from gallae.workflows.searching_page import searching_page
from gallae.workflows.searching_plots import window
from gallae.workflows.searching_records import Answer, Record, ranked, trials_table

# "Glyph ... missing from font(s)" is a warning of matplotlib.
pytestmark = pytest.mark.filterwarnings("error")

EVERY_KIND = {
    "model.C": {"low": 0.01, "high": 10, "log": True},
    "model.alpha": {"low": 0.2, "high": 0.4, "log": True},
    "model.class_weight": {"choices": ["none", "balanced"]},
    "features.blocks.0.ngrams": {"choices": [[1, 2], [1, 3], [1, 4], [2, 4]]},
    "features.blocks.0.sublinear": {"choices": [True]},
    "features.blocks.0.min_df": {"low": 2, "high": 2},
    "features.blocks.0.weight": {"low": 0.5, "high": 1.5, "step": 0.5},
}
FACTS = {
    "recipe": "fast", "data": "here/훈련.csv", "rows": 100, "held_out": 20, "split": "hold-out of 0.2",
    "test_rows": 0, "seed": 42, "metric": "macro_f1", "gallae": "0", "warnings": [], "folder": "runs/탐색",
}  # fmt: skip


def records_of(space, answers):
    """A trial an answer, walking through each field's ends."""
    return [
        Record(number, {p.key: p.ends[number % len(p.ends)] for p in space.parameters}, answer)
        for number, answer in enumerate(answers)
    ]


def finished(value):
    return Answer("finished", value, (value - 0.1, value + 0.1), 61.0)


MIXED = [
    finished(0.5), finished(0.7), Answer("pruned", seconds=2.0), finished(0.69), finished(0.01),
    Answer("failed", reason="<b>out of cheese</b> 치즈 없음"), Answer("finished", 0.7, (0.6, 0.8), same_as=1),
]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_kind(language):
    space = read_space(EVERY_KIND, find_recipe("fast"))
    page = searching_page(
        FACTS,
        records_of(space, MIXED),
        space,
        importances={"model.C": 0.9, "model.alpha": 0.1},
        language=language,
    )
    assert page.count("<svg") == 4 and f'lang="{language}"' in page
    assert "&lt;b&gt;out of cheese" in page and "<b>out of" not in page
    assert "0.700" in page and "[1, 3]" in page


def test_one_trial_of_one_field():
    space = read_space({"model.C": {"low": 0.3, "high": 0.3}}, find_recipe("fast"))
    page = searching_page(FACTS, records_of(space, [finished(0.5)]), space, importances={})
    assert "Too few trials have finished" in page and "No trial was better" in page
    assert page.count("<svg") == 2


def test_what_is_warned_of():
    space = read_space({"model.C": {"low": 0.3, "high": 1.0}}, find_recipe("fast"))
    records = records_of(space, [finished(0.5), finished(0.55)])
    page = searching_page(FACTS, records, space, importances={"model.C": 1.0})
    assert "The best model.C, 1, lies at the end of its range" in page
    assert "leads the recipe as it is by 0.0500, which is within the 95 %" in page
    assert "Only 2 trials have finished" in page and "which --test 0.1 would do" in page
    tested = {"n": 1234, "macro_f1": 0.51, "macro_f1_interval": [0.5, 0.52]}
    page = searching_page(FACTS, records, space, importances={"model.C": 1.0}, tested=tested)
    assert "on the 1,234 rows that no trial has seen" in page and "0.510" in page


def test_many_trials_are_cut_in_the_table():
    space = read_space({"model.C": {"low": 0.3, "high": 1.0}}, find_recipe("fast"))
    answers = [finished(number / 200) for number in range(130)]
    page = searching_page(FACTS, records_of(space, answers), space, importances={"model.C": 1.0})
    assert "The 100 best are shown" in page


def test_another_language():
    space = read_space(EVERY_KIND, find_recipe("fast"))
    with pytest.raises(GallaeError, match="en or ko"):
        searching_page(FACTS, records_of(space, MIXED), space, importances={}, language="fr")


def test_the_window_leaves_out_what_would_hide_the_rest():
    low, high = window([0.01, 0.8, 0.81, 0.82, 0.83], "macro_f1")
    assert 0.5 < low < 0.8 and high > 0.83
    low, high = window([9.0, 0.5, 0.51, 0.52, 0.53], "log_loss")
    assert low < 0.5 and high < 9
    low, high = window([0.7], "macro_f1")
    assert low < 0.7 < high


def test_table_and_ranks():
    space = read_space(EVERY_KIND, find_recipe("fast"))
    records = records_of(space, MIXED)
    assert [record.number for record in ranked(records, "macro_f1")] == [1, 6, 3, 0, 4]
    assert ranked(records, "log_loss")[0].number == 4
    table = trials_table(records, [p.key for p in space.parameters], "macro_f1")
    assert table["state"].tolist().count("finished") == 5
    assert table.loc[6, "same_as"] == 1 and table.loc[1, "features.blocks.0.ngrams"] == "[1, 3]"
