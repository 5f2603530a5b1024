"""Explanations over HTTP are those of `gallae.explain`."""

import pytest

import gallae

TEXTS = ["한국은행 금리 동결에 상승", "손흥민 결승골로 승리", ""]


def ask(client, **body):
    return client.post("/v1/explain", json={"texts": TEXTS, **body})


@pytest.mark.parametrize("options", [{}, {"label": "세계"}, {"method": "occlusion"}, {"unit": "morpheme"}])
def test_they_are_what_python_says(client, topics_run, options):
    answer = ask(client, **options)
    assert answer.status_code == 200, answer.text
    expected = [one.to_dict() for one in gallae.explain(topics_run.model, TEXTS, **options)]
    assert answer.json() == {"model": "run", "results": expected}
    assert any(part["weight"] for part in expected[0]["parts"])


def test_several_labels_have_an_explanation_each(client, several_run):
    text = "한국은행 美 의회 금리 동결"
    answer = client.post("/v1/explain", json={"texts": ["", text], "model": "several"}).json()["results"]
    expected = [one.label for one in gallae.explain(several_run.model, [text])]
    assert [one["label"] for one in answer if one["row"] == 1] == expected


def test_what_cannot_be_explained_is_told(client):
    for body, field in (
        ({"label": "날씨"}, "label"),
        ({"method": "gradients"}, "method"),
        ({"unit": "syllable"}, "unit"),
    ):
        answer = ask(client, **body)
        assert answer.status_code == 422 and answer.json()["error"].get("field") == field, answer.text
    many = client.post("/v1/explain", json={"texts": ["a"] * 9})
    assert (many.status_code, many.json()["error"]["code"]) == (422, "too_many_texts")
