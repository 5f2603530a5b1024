"""What is served is what Python and the command line say."""

import csv

import numpy as np
import pytest

import gallae

TEXTS = ["한국은행, 금리 동결에 상승", "손흥민, 결승골로 승리", "", "美 의회 대사 초치 항의", "zzz 😀 漢字"]

TINY = """
name = "tiny"
[model]
family = "convolutional"
unit = "word"
min_count = 1
embedding = 16
filters = 12
[training]
epochs = 1
learning_rate = 1e-2
"""


def probabilities(answer, labels):
    assert answer.status_code == 200, answer.text
    return np.array([[row["probabilities"][label] for label in labels] for row in answer.json()["results"]])


def test_it_says_exactly_what_python_and_the_command_line_say(client, topics_run, gallae_cli):
    model = gallae.load(topics_run.folder)
    answer = client.post("/v1/classify", json={"texts": TEXTS, "model": "run"})
    assert (probabilities(answer, model.classes_) == model.predict_proba(TEXTS)).all()
    results = answer.json()["results"]
    assert [row["label"] for row in results] == model.predict(TEXTS).tolist()

    texts = [word for text in TEXTS for word in ("--text", text)]
    rows = list(csv.DictReader(gallae_cli("predict", topics_run.folder, *texts).out.splitlines()))
    assert [(row["label"], float(row["probability"])) for row in rows] == [
        (row["label"], row["probability"]) for row in results
    ]


def test_a_text_gets_the_same_alone_and_in_company(client):
    together = client.post("/v1/classify", json={"texts": TEXTS}).json()["results"]
    alone = [client.post("/v1/classify", json={"texts": [text]}).json()["results"][0] for text in TEXTS]
    assert alone == together


def test_probabilities_stand_in_their_order_and_top_k_cuts_them(client):
    for top_k, count in ((0, 3), (1, 1), (2, 2), (9, 3)):
        answer = client.post("/v1/classify", json={"texts": TEXTS, "top_k": top_k, "model": "run"})
        for row in answer.json()["results"]:
            found = list(row["probabilities"].items())
            assert len(found) == count and found[0] == (row["label"], row["probability"])
            assert sorted((p for _, p in found), reverse=True) == [p for _, p in found]
            assert "labels" not in row


def test_several_labels(client, several_run):
    model = gallae.load(several_run.folder)
    texts = [*TEXTS, "한국은행 美 의회", "컬링팀 손흥민"]
    answer = client.post("/v1/classify", json={"texts": texts, "model": "several"})
    assert (probabilities(answer, model.classes_) == model.predict_proba(texts)).all()
    rows, given = answer.json()["results"], model.predict(texts)
    assert [set(row["labels"]) for row in rows] == [set(labels) for labels in given]
    assert any(row["labels"] for row in rows)
    for row in rows:
        assert row["label"] == (row["labels"][0] if row["labels"] else None)
        assert row["label"] is None or row["probability"] == row["probabilities"][row["label"]]


def test_a_network_is_as_in_python_within_a_millionth(app_client, topics_csv, tmp_path):
    from gallae.models.layers import EmbeddingOptions
    from gallae.serving.served import open_models

    pytest.importorskip("torch")
    (tmp_path / "tiny.toml").write_text(TINY, encoding="utf-8")
    run = gallae.train(topics_csv, tmp_path / "tiny.toml", output=tmp_path / "net")
    models = open_models({"net": str(run.folder)}, EmbeddingOptions())
    client = app_client(models=models)
    expected = run.model.predict_proba(TEXTS)
    found = probabilities(client.post("/v1/classify", json={"texts": TEXTS}), run.model.classes_)
    assert np.abs(found - expected).max() < 1e-6
    for text, row in zip(TEXTS, expected, strict=True):
        alone = probabilities(client.post("/v1/classify", json={"texts": [text]}), run.model.classes_)
        assert np.abs(alone - row).max() < 1e-6


def test_a_text_of_an_8_bit_model_does_not_depend_on_other_requests(client):
    from concurrent.futures import ThreadPoolExecutor

    model = gallae.load("headlines", threads=1)
    texts = [text for text in TEXTS if text] * 6

    def ask(text):
        body = {"texts": [text], "model": "headlines"}
        return probabilities(client.post("/v1/classify", json=body), model.classes_)[0]

    with ThreadPoolExecutor(8) as pool:
        found = np.array(list(pool.map(ask, texts)))
    alone = np.vstack([model.predict_proba([text]) for text in texts])
    assert np.abs(found - alone).max() < 1e-3  # a number half-way between two steps may round either way


def test_the_first_model_that_can_answers_if_none_is_named(client):
    assert client.post("/v1/classify", json={"texts": ["가"]}).json()["model"] == "run"
    named = client.post("/v1/classify", json={"texts": ["가"], "model": "headlines"}).json()
    assert named["model"] == "headlines" and len(named["results"][0]["probabilities"]) == 7


def test_models_are_listed(client):
    found = {model["name"]: model for model in client.get("/v1/models").json()["models"]}
    assert list(found) == ["run", "several", "headlines"]
    assert found["run"]["labels"] == ["경제", "세계", "스포츠"] and "classify" in found["run"]["can"]
    assert found["several"]["multilabel"] and not found["run"]["multilabel"]
