import json

import numpy as np
import pytest

from gallae.errors import DataError
from gallae.evaluation.compare import (
    calibration_curve,
    compare_models,
    compare_pair,
    confident_errors,
    label_distribution,
    mcnemar,
)
from gallae.evaluation.metrics import evaluate

CLASSES = ["가", "나", "다"]


def guesses(gold, skill, seed):
    rng = np.random.default_rng(seed)
    return [label if rng.random() < skill else str(rng.choice(CLASSES)) for label in gold]


@pytest.fixture(scope="module")
def gold():
    return np.random.default_rng(0).choice(CLASSES, 1500).tolist()


def test_mcnemar_of_a_textbook():
    # Agresti, Categorical Data Analysis: 86 and 150 discordant; z^2 = 17.36 without, 16.82 with correction.
    result = mcnemar(150, 86)
    assert result["test"] == "chi2"
    assert result["statistic"] == pytest.approx(63**2 / 236)
    assert result["p_value"] == pytest.approx(4.115e-05, rel=1e-3)


def test_mcnemar_exact_for_few_pairs():
    # Two-sided binomial: 2 * (C(10,0) + C(10,1)) / 2^10.
    assert mcnemar(9, 1) == {"test": "exact", "statistic": None, "p_value": pytest.approx(22 / 1024)}
    assert mcnemar(0, 0)["p_value"] == 1.0


def test_compare_pair_finds_a_difference(gold):
    better, worse = guesses(gold, 0.8, 1), guesses(gold, 0.6, 2)
    pair = compare_pair(gold, better, worse, CLASSES)
    one_hot = np.full((len(gold), 3), 1 / 3)
    a = evaluate(gold, one_hot, CLASSES, predicted=better, bootstrap=0)
    b = evaluate(gold, one_hot, CLASSES, predicted=worse, bootstrap=0)
    for name in ("accuracy", "macro_f1"):
        assert pair[f"{name}_difference"] == pytest.approx(a[name] - b[name])
        low, high = pair[f"{name}_difference_interval"]
        assert 0 < low <= pair[f"{name}_difference"] <= high
    assert pair["p_value"] < 1e-6
    assert pair["only_a_right"] - pair["only_b_right"] == round((a["accuracy"] - b["accuracy"]) * len(gold))
    json.dumps(pair, allow_nan=False)


def test_compare_pair_of_equals(gold):
    same = guesses(gold, 0.7, 1)
    pair = compare_pair(gold, same, same, CLASSES)
    assert pair["p_value"] == 1.0
    assert pair["macro_f1_difference_interval"] == [0.0, 0.0]
    other = compare_pair(gold, same, guesses(gold, 0.7, 5), CLASSES)
    low, high = other["accuracy_difference_interval"]
    assert low < 0 < high


def test_compare_models_gives_every_pair_and_the_same_as_compare_pair(gold):
    skills = {"a": 0.8, "b": 0.7, "c": 0.5}
    models = {name: guesses(gold, skill, seed=ord(name)) for name, skill in skills.items()}
    pairs = compare_models(gold, models, CLASSES, seed=3)
    assert [(pair["a"], pair["b"]) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    alone = compare_pair(gold, models["b"], models["c"], CLASSES, seed=3)
    for key, value in alone.items():
        assert pairs[2][key] == pytest.approx(value)


def test_compare_sets_of_labels():
    gold = [("가",), ("가", "나"), (), ("다",)] * 20
    wrong = [("가",), ("가",), (), ("나",)] * 20
    pair = compare_pair(gold, gold, wrong, CLASSES, multilabel=True)
    assert pair["only_a_right"] == 40
    assert pair["accuracy_difference"] == pytest.approx(3 / 12)


def test_compare_refuses_what_does_not_fit(gold):
    with pytest.raises(DataError, match="2 predictions of 'b'"):
        compare_pair(gold, gold, ["가", "나"], CLASSES)
    with pytest.raises(DataError, match="no labelled row"):
        compare_pair([], [], [], CLASSES)


def test_calibration_curve():
    table = [[0.9, 0.1, 0.0], [0.9, 0.1, 0.0], [0.1, 0.6, 0.3]]
    curve = calibration_curve(["가", "나", "나"], table, CLASSES)
    assert [entry["count"] for entry in curve] == [1, 2]
    assert curve[1]["accuracy"] == 0.5
    assert curve[1]["confidence"] == pytest.approx(0.9)
    assert curve[1]["low"] < 0.9 <= curve[1]["high"]
    sets = calibration_curve([("가",), (), ("나",)], table, CLASSES, multilabel=True)
    assert sum(entry["count"] for entry in sets) == 9


def test_confident_errors_are_the_surest_first():
    table = [[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.2, 0.8, 0.0], [0.3, 0.0, 0.7]]
    errors = confident_errors(["ㄱ", "ㄴ", "ㄷ", "ㄹ"], ["가", "나", "가", "나"], table, CLASSES)
    assert [error["text"] for error in errors] == ["ㄷ", "ㄹ", "ㄴ"]
    assert errors[0] == {
        "row": 2, "text": "ㄷ", "gold": "가", "predicted": "나", "probability": 0.8, "gold_probability": 0.2
    }  # fmt: skip
    assert len(confident_errors(["ㄱ"] * 4, ["나"] * 4, table, CLASSES, top=2)) == 2
    assert confident_errors(["ㄱ"], ["가"], table[:1], CLASSES) == []


def test_confident_errors_of_sets():
    errors = confident_errors(
        ["ㄱ", "ㄴ"], [("가",), ("나",)], [[0.9, 0.7, 0.1], [0.1, 0.05, 0.2]], CLASSES, multilabel=True
    )
    assert [error["label"] for error in errors] == ["나", "나"]
    assert errors[0]["probability"] == pytest.approx(0.95)
    assert errors[1]["predicted"] == ["가", "나"]
    json.dumps(errors)


def test_label_distribution():
    counts = label_distribution(["가", "가", "나"], ["가", "다", "다"], CLASSES)
    assert counts == {
        "가": {"gold": 2, "predicted": 1},
        "나": {"gold": 1, "predicted": 0},
        "다": {"gold": 0, "predicted": 2},
    }
    assert label_distribution([("가", "나"), ()], None, CLASSES)["나"] == {"gold": 1}
