import re

import numpy as np
import pytest

from gallae.errors import GallaeError
from gallae.evaluation.compare import compare_models
from gallae.evaluation.metrics import evaluate
from gallae.evaluation.report import comparison_page, evaluation_page
from gallae.evaluation.wording import LANGUAGES

pytestmark = pytest.mark.filterwarnings("error")

CLASSES = ["경제", "사회", "세계 <i>"]


def case(n=300, seed=0, skill=1.5):
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 3
    scores = rng.normal(size=(n, 3))
    scores[np.arange(n), truth] += skill
    table = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return [CLASSES[number] for number in truth], table


def self_contained(html):
    return not re.search(r"https?://|<script|<link", html)


@pytest.mark.parametrize("language", LANGUAGES)
def test_evaluation_page(language):
    gold, table = case()
    texts = [f"글 {number} <script>" for number in range(len(gold))]
    metrics = evaluate(gold, table, CLASSES, seconds=0.1)
    facts = {"recipe": "fast", "C": 0.25, "seed": 1}
    more = {"texts": texts, "title": "시험", "facts": facts, "notes": ["조심하세요"], "language": language}
    html = evaluation_page(metrics, gold, table, CLASSES, **more)
    assert self_contained(html)
    assert html.count("<svg") == 4
    assert f"{metrics['macro_f1']:.3f}" in html
    assert "조심하세요" in html
    assert "세계 &lt;i&gt;" in html
    assert html.count("&lt;script&gt;") == 20
    assert html == evaluation_page(metrics, gold, table, CLASSES, **more)


def test_evaluation_page_warns_of_small_and_missing_classes():
    html = evaluation_page(
        evaluate(["경제"], [[0.2, 0.8, 0.0]], CLASSES), ["경제"], [[0.2, 0.8, 0.0]], CLASSES, texts=["하나"]
    )
    assert "Only 1 rows" in html
    assert "No row of: 사회" in html
    assert "Never rightly predicted: 경제" in html


def test_evaluation_page_without_mistakes_or_texts():
    gold, _ = case(30)
    table = np.eye(3)[[CLASSES.index(label) for label in gold]]
    metrics = evaluate(gold, table, CLASSES, bootstrap=0)
    assert "every row is right" in evaluation_page(metrics, gold, table, CLASSES, texts=gold)
    assert "The surest mistakes" not in evaluation_page(metrics, gold, table, CLASSES)


def test_evaluation_page_of_sets():
    rng = np.random.default_rng(0)
    table = rng.random((80, 3))
    truth = rng.random((80, 3)) < table
    gold = [tuple(CLASSES[column] for column in np.flatnonzero(row)) for row in truth]
    metrics = evaluate(gold, table, CLASSES, multilabel=True)
    html = evaluation_page(metrics, gold, table, CLASSES, multilabel=True, texts=["글"] * 80)
    assert "whole set right" in html
    assert "혼동 행렬" not in html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [1, 2, 4])
def test_comparison_page(language, count):
    gold, _ = case()
    models, predicted = [], {}
    for number in range(count):
        name = f"모델 {number} <b>"
        _, table = case(seed=number, skill=1 + number)
        models.append({"name": name, **evaluate(gold, table, CLASSES), "fit_seconds": 1.25, "size_mb": 3.0})
        predicted[name] = [CLASSES[column] for column in table.argmax(axis=1)]
    pairs = compare_models(gold, predicted, CLASSES)
    html = comparison_page(models, pairs, facts={"seed": 1}, language=language)
    assert self_contained(html)
    assert "<b>" not in html
    # Best first: the models were made in rising order.
    order = re.findall(r'<td class="name">모델 (\d)', html)[:count]
    assert order == [str(number) for number in reversed(range(count))]
    assert ("<details>" in html) == (count > 2)


def test_comparison_differences_are_of_the_best():
    gold, good = case(skill=3)
    _, poor = case(skill=0.5, seed=1)
    tables = {"poor": poor, "good": good}
    models = [{"name": name, **evaluate(gold, table, CLASSES)} for name, table in tables.items()]
    predicted = {name: [CLASSES[c] for c in table.argmax(axis=1)] for name, table in tables.items()}
    html = comparison_page(models, compare_models(gold, predicted, CLASSES))
    difference = models[1]["macro_f1"] - models[0]["macro_f1"]
    assert f">+{difference:.3f}<" in html
    assert "&lt;0.001" in html


def test_both_languages_say_the_same_things():
    assert LANGUAGES["en"].keys() == LANGUAGES["ko"].keys()
    for key, text in LANGUAGES["en"].items():
        assert set(re.findall(r"{\w*", text)) == set(re.findall(r"{\w*", LANGUAGES["ko"][key])), key


def test_unknown_language():
    with pytest.raises(GallaeError, match="en or ko"):
        comparison_page([], language="fr")
