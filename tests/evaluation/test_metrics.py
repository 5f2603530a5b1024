import json
import time

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_recall_fscore_support

from gallae.errors import DataError
from gallae.evaluation.metrics import confusion_matrix, decide, encode, evaluate

CLASSES = ["IT과학", "경제", "사회", "생활문화", "세계", "스포츠", "정치"]


def random_case(n, classes=CLASSES, seed=0, skill=2.0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, len(classes)))
    truth = rng.integers(0, len(classes), n)
    scores[np.arange(n), truth] += skill
    table = np.exp(scores)
    table /= table.sum(axis=1, keepdims=True)
    return [classes[number] for number in truth], table


def random_sets(n, classes=CLASSES, seed=0):
    rng = np.random.default_rng(seed)
    table = rng.random((n, len(classes)))
    truth = rng.random(table.shape) < table
    return [tuple(classes[c] for c in np.flatnonzero(row)) for row in truth], truth, table


def intervals(metrics):
    for source in (metrics, *metrics["per_class"].values()):
        for name, value in source.items():
            if name.endswith("_interval"):
                yield source[name.removesuffix("_interval")], value


def test_agrees_with_scikit_learn():
    gold, table = random_case(2000)
    predicted = [CLASSES[c] for c in table.argmax(axis=1)]
    metrics = evaluate(gold, table, CLASSES, seconds=1.5)
    assert metrics["accuracy"] == pytest.approx(accuracy_score(gold, predicted))
    assert metrics["macro_f1"] == pytest.approx(f1_score(gold, predicted, labels=CLASSES, average="macro"))
    assert metrics["log_loss"] == pytest.approx(log_loss(gold, table, labels=CLASSES))
    assert metrics["n"] == 2000
    assert metrics["seconds"] == 1.5
    theirs = precision_recall_fscore_support(gold, predicted, labels=CLASSES)
    keys = ("precision", "recall", "f1", "support")
    ours = [[metrics["per_class"][c][key] for c in CLASSES] for key in keys]
    np.testing.assert_allclose(ours, theirs)


def test_ece_by_hand():
    # Three rows at 0.9 of which two are right, one at 0.6 that is right: gaps 0.7 and 0.4 over 4 rows.
    table = [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.4, 0.6]]
    metrics = evaluate(["a", "a", "b", "b"], table, ["a", "b"])
    assert metrics["ece"] == pytest.approx((abs(2.7 - 2) + abs(0.6 - 1)) / 4)


def test_keys_of_metrics_json():
    gold, table = random_case(50)
    metrics = evaluate(gold, table, CLASSES)
    figures = {"accuracy", "macro_f1", "log_loss", "ece"}
    assert set(metrics) == figures | {f"{name}_interval" for name in figures} | {"per_class", "n", "seconds"}
    scores = {"precision", "recall", "f1"}
    assert list(metrics["per_class"]) == CLASSES
    assert set(metrics["per_class"]["경제"]) == scores | {f"{s}_interval" for s in scores} | {"support"}
    assert metrics["seconds"] is None
    json.dumps(metrics, allow_nan=False)


def test_intervals_hold_the_figures_and_shrink_with_n():
    widths = []
    for n in (100, 10_000):
        gold, table = random_case(n)
        metrics = evaluate(gold, table, CLASSES)
        for value, (low, high) in intervals(metrics):
            assert low <= value <= high
        low, high = metrics["macro_f1_interval"]
        widths.append(high - low)
    assert widths[1] < widths[0] / 5


def test_intervals_cover_the_truth():
    """Of 100 samples of 400 rows about 95 intervals should hold the figure of the whole population."""
    classes = CLASSES[:3]
    whole, table = random_case(40_000, classes, seed=1)
    truth = evaluate(whole, table, classes, bootstrap=0)
    covered = {"accuracy": 0, "macro_f1": 0, "log_loss": 0}
    for start in range(0, 40_000, 400):
        rows = slice(start, start + 400)
        metrics = evaluate(whole[rows], table[rows], classes, bootstrap=300, seed=start)
        for name in covered:
            low, high = metrics[f"{name}_interval"]
            covered[name] += low <= truth[name] <= high
    assert all(88 <= count <= 100 for count in covered.values()), covered


def test_same_seed_same_figures_and_other_seed_other_intervals():
    gold, table = random_case(300)
    first = evaluate(gold, table, CLASSES, seed=3)
    assert first == evaluate(gold, table, CLASSES, seed=3)
    assert first["accuracy_interval"] != evaluate(gold, table, CLASSES, seed=4)["accuracy_interval"]


def test_no_bootstrap_no_intervals():
    gold, table = random_case(30)
    metrics = evaluate(gold, table, CLASSES, bootstrap=0)
    assert not list(intervals(metrics))
    assert {"macro_f1", "log_loss", "ece"} <= set(metrics)


def test_a_class_without_rows_counts_as_zero():
    gold, table = ["a", "b", "a"], [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.7, 0.3, 0.0]]
    metrics = evaluate(gold, table, ["a", "b", "c"])
    assert metrics["macro_f1"] == pytest.approx(2 / 3)
    assert metrics["per_class"]["c"] == {
        "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0,
        "precision_interval": [0.0, 0.0], "recall_interval": [0.0, 0.0], "f1_interval": [0.0, 0.0],
    }  # fmt: skip


def test_rare_classes_do_not_push_the_interval_below_the_figure():
    classes = [f"c{number}" for number in range(12)]
    metrics = evaluate(classes, np.eye(12), classes)
    assert metrics["macro_f1"] == 1.0
    assert metrics["macro_f1_interval"] == [1.0, 1.0]


def test_one_row():
    metrics = evaluate(["b"], [[0.9, 0.1]], ["a", "b"])
    assert metrics["accuracy"] == 0.0
    json.dumps(metrics, allow_nan=False)
    metrics = evaluate(["b"], [[1.0, 0.0]], ["a", "b"])
    assert 30 < metrics["log_loss"] < 40


def test_predicted_labels_override_the_probabilities():
    gold, table = random_case(100)
    metrics = evaluate(gold, table, CLASSES, predicted=gold)
    assert metrics["accuracy"] == metrics["macro_f1"] == 1.0


def test_multilabel_agrees_with_scikit_learn():
    gold, truth, table = random_sets(1500)
    metrics = evaluate(gold, table, CLASSES, multilabel=True)
    said = table >= 0.5
    assert metrics["accuracy"] == pytest.approx((truth == said).mean())
    assert metrics["subset_accuracy"] == pytest.approx(accuracy_score(truth, said))
    assert metrics["micro_f1"] == pytest.approx(f1_score(truth, said, average="micro"))
    assert metrics["macro_f1"] == pytest.approx(f1_score(truth, said, average="macro"))
    binary = [log_loss(truth[:, c], table[:, c]) for c in range(len(CLASSES))]
    assert metrics["log_loss"] == pytest.approx(np.mean(binary), rel=1e-5)
    assert metrics["ece"] < 0.05
    assert metrics["per_class"]["경제"]["support"] == truth[:, 1].sum()
    for value, (low, high) in intervals(metrics):
        assert low <= value <= high
    json.dumps(metrics, allow_nan=False)


def test_multilabel_thresholds():
    gold, truth, table = random_sets(200)
    bounds = np.linspace(0.2, 0.8, len(CLASSES))
    metrics = evaluate(gold, table, CLASSES, multilabel=True, thresholds=bounds)
    assert metrics["accuracy"] == pytest.approx((truth == (table >= bounds)).mean())
    assert decide(table, multilabel=True, thresholds=0.3).sum() == (table >= 0.3).sum()
    with pytest.raises(DataError, match="each of the 7"):
        decide(table, multilabel=True, thresholds=[0.1, 0.2])


def test_multilabel_rows_may_be_empty():
    metrics = evaluate([(), ("a",)], [[0.1, 0.2], [0.9, 0.1]], ["a", "b"], multilabel=True)
    assert metrics["subset_accuracy"] == 1.0


@pytest.mark.parametrize(
    ("gold", "table", "message"),
    [
        ([], np.zeros((0, 2)), "no labelled row"),
        (["a"], [[0.5, 0.3, 0.2]], "shape"),
        (["a", "정차"], [[0.5, 0.5]] * 2, r"row 1 .*'정차'.*Did you mean '정치'"),
        (["a"], [[np.nan, 1.0]], "between 0 and 1"),
        (["a"], [[3.0, -2.0]], "between 0 and 1"),
        ([("a",)], [[0.5, 0.5]], "row 0"),
    ],
)
def test_bad_input_is_refused(gold, table, message):
    with pytest.raises(DataError, match=message):
        evaluate(gold, table, ["a", "정치"])


def test_predictions_of_another_length_are_refused():
    with pytest.raises(DataError, match="1 predictions for 2"):
        evaluate(["a", "a"], [[1, 0], [1, 0]], ["a", "b"], predicted=["a"])


def test_confusion_matrix_counts_gold_by_predicted():
    matrix = confusion_matrix(encode(["a", "a", "b"], ["a", "b"]), encode(["a", "b", "b"], ["a", "b"]), 2)
    assert matrix.tolist() == [[1, 1], [0, 1]]


def test_a_thousand_resamples_are_fast():
    gold, table = random_case(10_000)
    start = time.process_time()
    evaluate(gold, table, CLASSES)
    assert time.process_time() - start < 2.0
