"""Runs in folders: found, looked into, put side by side."""

import shutil

import pytest

import gallae
from gallae.errors import DataError
from gallae.files import read_json
from gallae.workflows import browsing


@pytest.fixture(scope="module")
def workspace(topics_csv, tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    gallae.compare(topics_csv, ["fast", "tfidf-word"], holdout=0.4, output=folder / "both")
    gallae.train(topics_csv, "fast", output=folder / "whole")
    (folder / "broken").mkdir()
    (folder / "broken" / "metrics.json").write_text("{")
    shutil.copytree(folder / "whole", folder / "stopped.partial" / "fast")
    return folder


def by_name(workspace):
    return {browsing.run_name(run): run for run in browsing.find_runs([workspace])}


def test_finished_runs_are_found_once_the_newest_first(workspace):
    found = browsing.find_runs([workspace, workspace / "both", workspace / "whole"])
    names = [browsing.run_name(run) for run in found]
    assert names[0] == "whole"
    assert sorted(names) == ["both/fast", "both/tfidf-word", "whole"]


def test_hidden_runs_are_left_out_and_a_hidden_workspace_is_none(workspace, tmp_path):
    hidden = tmp_path / ".config" / "runs"
    shutil.copytree(workspace / "whole", hidden / "whole")
    shutil.copytree(workspace / "whole", hidden / ".kept" / "whole")
    assert [browsing.run_name(run) for run in browsing.find_runs([hidden])] == ["whole"]


def test_overview_has_a_row_a_run(workspace):
    table = browsing.overview(browsing.find_runs([workspace]))
    assert len(table) == 3
    row = table.set_index("name").loc["both/fast"]
    assert 0 <= row["macro_f1_interval"][0] <= row["macro_f1"] <= row["macro_f1_interval"][1] <= 1
    assert browsing.overview([]).empty


def test_only_measured_runs_have_rows(workspace):
    runs = by_name(workspace)
    assert browsing.is_measured(runs["both/fast"])
    assert not browsing.is_measured(runs["whole"])


def test_confusion_cells_count_every_row_and_lead_to_them(workspace):
    rows = browsing.held_out(by_name(workspace)["both/tfidf-word"])
    cells = browsing.confusion_cells(rows)
    assert cells["count"].sum() == len(rows)
    assert cells.groupby("label")["share"].sum().round(6).eq(1).all()
    for cell in cells.itertuples():
        behind = browsing.rows_behind(rows, cell.label, cell.predicted)
        assert len(behind) == cell.count
        assert behind["probability"].is_monotonic_decreasing


def test_two_runs_side_by_side(workspace):
    runs = by_name(workspace)
    found = browsing.side_by_side(runs["both/fast"], runs["both/tfidf-word"])
    pair = read_json(workspace / "both" / "tests.json")[0]
    low, high = found.figures["macro_f1_difference_interval"]
    assert low <= found.figures["macro_f1_difference"] <= high
    assert (found.rows["first"] != found.rows["second"]).all()
    assert len(found.rows) >= found.figures["only_a_right"] + found.figures["only_b_right"]
    assert found.figures["macro_f1_difference"] == pytest.approx(pair["macro_f1_difference"])


def test_runs_with_other_labels_are_not_compared(workspace, tmp_path):
    other = gallae.train(gallae.sample("reviews"), "fast", holdout=0.3, output=tmp_path / "reviews")
    with pytest.raises(DataError, match="other labels"):
        browsing.side_by_side(by_name(workspace)["both/fast"], other)


def test_multilabel_rows_are_known(several_run):
    assert browsing.is_multilabel(browsing.held_out(several_run))
