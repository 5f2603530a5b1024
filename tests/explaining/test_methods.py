import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import gallae
from gallae.explaining import allowed_methods
from gallae.models.ensemble import EnsembleClassifier


def weights(explanation):
    return {part.text: part.weight for part in explanation.parts}


@pytest.fixture(scope="module")
def pipeline(topics):
    return make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)).fit(*topics)


@pytest.mark.parametrize("method", ["occlusion", "lime"])
def test_an_estimator_of_ones_own(pipeline, method):
    found = gallae.explain(pipeline, ["손흥민, 결승골로 승리", "코스피, 시즌 급락"], method=method)
    assert [e.label for e in found] == ["스포츠", "경제"]
    assert weights(found[0])["손흥민"] > 0.2 and weights(found[0])[","] == pytest.approx(0, abs=0.05)
    assert weights(found[1])["시즌"] < 0 < weights(found[1])["급락"]
    assert found[0].base is None and found[0].method == method


def test_occlusion_and_lime_agree_with_exact_shares(calibrated):
    texts = ["손흥민, 美 의회 금리 동결에 상승", "국제유가, 결승골로 승리 英 왕실"]
    for exact, *others in zip(
        *(gallae.explain(calibrated, texts, method=m) for m in ("exact", "occlusion", "lime")), strict=True
    ):
        true = [part.weight for part in exact.parts]
        for other in others:
            found = [part.weight for part in other.parts]
            assert np.corrcoef(true, found)[0, 1] > 0.9


def test_the_bundled_model_by_name():
    [explanation] = gallae.explain("headlines", ["류현진, 시즌 첫 완봉승"])
    assert explanation.label == "스포츠" and explanation.method == "occlusion"
    assert explanation.top(1)[0].weight > 0


def test_a_run_folder(topics_run):
    [explanation] = gallae.explain(topics_run.folder, ["손흥민, 결승골로 승리"])
    assert explanation.method == "exact" and explanation.top(1)[0].weight > 0


def test_ensembles_are_asked_as_a_whole(topics, calibrated, linear):
    joined = EnsembleClassifier.of([calibrated, linear({"kind": "tfidf", "unit": "word", "min_df": 1})])
    assert allowed_methods(joined) == ("occlusion", "lime")
    [explanation] = gallae.explain(joined, ["손흥민, 결승골로 승리"])
    assert explanation.method == "occlusion" and weights(explanation)["결승골로"] > 0


def test_a_long_text_is_tried_in_stretches(pipeline, caplog):
    text = "손흥민 결승골 " + "그냥 말 " * 25_000
    [explanation] = gallae.explain(pipeline, [text])
    assert len(explanation.parts) == 20
    assert explanation.parts[-1].end == len(text.rstrip())
    assert "20 stretches" in caplog.text


@pytest.mark.parametrize("method", ["exact", "occlusion", "lime"])
def test_an_empty_text(calibrated, method):
    [explanation] = gallae.explain(calibrated, [""], method=method)
    assert explanation.parts == [] and explanation.label in calibrated.classes_
    assert gallae.explain(calibrated, []) == []


def test_the_same_seed_the_same_samples(pipeline):
    text = ["손흥민, 코스피 급락에 결승골로 승리"]
    first, again, other = (gallae.explain(pipeline, text, method="lime", seed=s) for s in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "날씨"}, "does not know the label '날씨'. It knows: 경제, 세계, 스포츠"),
        ({"method": "magic"}, "allowed: auto, exact, gradients, occlusion, lime"),
        ({"method": "gradients"}, "Allowed for it: auto, exact, occlusion, lime"),
        ({"unit": "letter"}, "allowed: word, morpheme"),
    ],
)
def test_what_is_not_known_is_named(calibrated, options, message):
    with pytest.raises(gallae.GallaeError, match=message):
        gallae.explain(calibrated, ["손흥민"], **options)


def test_what_is_no_model_is_refused(pipeline):
    with pytest.raises(gallae.GallaeError, match="predict_proba"):
        gallae.explain(object(), ["손흥민"])
    with pytest.raises(gallae.GallaeError, match="Allowed for it: auto, occlusion, lime"):
        gallae.explain(pipeline, ["손흥민"], method="exact")
    with pytest.raises(gallae.GallaeError, match="there is no model"):
        gallae.explain("no-such-model", ["손흥민"])
    with pytest.raises(gallae.GallaeError, match="list of strings"):
        gallae.explain(pipeline, "손흥민")
