import numpy as np
import pytest

import gallae
from gallae.models.calibration import CalibratedClassifier
from gallae.models.linear import LinearClassifier

BLOCKS = [
    {"kind": "tfidf", "unit": "char_wb", "ngrams": [1, 4]},
    {"kind": "tfidf", "unit": "char", "ngrams": [2, 3]},
    {"kind": "count", "unit": "jamo", "ngrams": [1, 5]},
    {"kind": "tfidf", "unit": "jamo_wb", "ngrams": [3, 5]},
    {"kind": "binary", "unit": "word", "ngrams": [1, 2], "min_df": 1},
    {"kind": "tfidf", "unit": "morpheme", "ngrams": [1, 2], "drop_tags": ["J*", "E*"]},
    {"kind": "tfidf", "unit": "morpheme_tag"},
    {"kind": "tfidf", "unit": "char_wb", "hashing": 512},
    {"kind": "count", "unit": "morpheme", "hashing": 256},
    {"kind": "kiwi"},
]
TEXTS = [
    "한국은행, 금리 동결에 상승",
    "美 연준, &quot;금리&quot; 동결에 코스피↑ <b>상승</b>",
    "손흥민  손흥민\t손흥민 골 골",
    "AI가 ㅋㅋㅋ ÷× 갔다",
    "",
    " \n",
]


def total(explanation):
    return sum(part.weight for part in explanation.parts)


def logit(model, text, label):
    """The score as the documentation has it, from probabilities alone."""
    logs = np.log(model.predict_proba([text])[0])
    own = list(model.classes_).index(label)
    return logs[own] - np.delete(logs, own).mean()


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: "-".join(map(str, block.values())))
@pytest.mark.parametrize("unit", ["word", "morpheme"])
def test_shares_add_up_to_the_score(linear, block, unit):
    model = linear(block)
    found = gallae.explain(model, TEXTS, unit=unit)
    assert {explanation.method for explanation in found} == {"exact"}
    for explanation in found:
        expected = logit(model, explanation.text, explanation.label)
        assert explanation.score == pytest.approx(expected, abs=1e-4)
        assert total(explanation) + explanation.base == pytest.approx(expected, abs=1e-4)
    empty = found[-2]
    assert not empty.parts and empty.base == pytest.approx(empty.score, abs=1e-5)


@pytest.mark.parametrize("classifier", ["svm", "logistic", "nbsvm", "complement_nb", "sgd"])
def test_every_linear_classifier(linear, classifier):
    model = linear(BLOCKS[0], classifier=classifier)
    for explanation in gallae.explain(model, TEXTS, label="세계"):
        assert total(explanation) + explanation.base == pytest.approx(
            logit(model, explanation.text, "세계"), abs=1e-4
        )


@pytest.mark.parametrize("method", ["multinomial", "temperature"])
@pytest.mark.parametrize("binary", [False, True])
def test_calibrated_models_are_seen_through(topics, method, binary):
    labels = ["세계" if label == "세계" else "다른" for label in topics[1]] if binary else topics[1]
    model = CalibratedClassifier(LinearClassifier(blocks=BLOCKS[:1]), method).fit(topics[0], labels)
    for label in model.classes_:
        for explanation in gallae.explain(model, TEXTS[:3], label=label):
            assert explanation.method == "exact"
            assert total(explanation) + explanation.base == pytest.approx(
                logit(model, explanation.text, label), abs=1e-4
            )


def test_several_labels_a_text(several):
    texts, labels = several
    for method in ("multinomial", "temperature", "thresholds"):
        model = CalibratedClassifier(LinearClassifier(blocks=BLOCKS[:1]), method).fit(texts, labels)
        chosen = [texts[0], texts[-1]]
        found = gallae.explain(model, chosen)
        given = model.predict(chosen)
        assert [(e.row, e.label) for e in found] == [
            (row, label) for row, labels in enumerate(given) for label in labels
        ]
        for explanation in found:
            p = explanation.probability
            if p < 1 - 1e-9:
                assert explanation.score == pytest.approx(np.log(p / (1 - p)), abs=1e-4)
            assert total(explanation) + explanation.base == pytest.approx(explanation.score, abs=1e-4)


def test_weights_stand_where_the_words_are(linear):
    model = linear(BLOCKS[5])
    [explanation] = gallae.explain(model, ["美 의회, 코스피 <b>제재</b> 논의"], label="세계")
    weights = {part.text: part.weight for part in explanation.parts}
    assert weights["美"] > 0.1 and weights["제재"] > 0.1 and weights["코스피"] < -0.05
    assert weights["<b>"] == weights["</b>"] == 0
    for part in explanation.parts:
        assert explanation.text[part.start : part.end] == part.text


def test_a_word_that_no_feature_knows_has_no_weight(linear):
    model = linear({"kind": "tfidf", "unit": "word", "min_df": 1})
    [explanation] = gallae.explain(model, ["손흥민, 생전처음보는말"], label="스포츠")
    weights = {part.text: part.weight for part in explanation.parts}
    assert weights["생전처음보는말"] == 0 and weights["손흥민"] > 0


def test_a_text_of_a_hundred_thousand_characters(calibrated):
    text = ("한국은행, 美 금리 동결에 상승. " * 6000)[:100_000]
    [explanation] = gallae.explain(calibrated, [text])
    assert total(explanation) + explanation.base == pytest.approx(explanation.score, abs=1e-3)
    assert len(explanation.parts) > 20_000
