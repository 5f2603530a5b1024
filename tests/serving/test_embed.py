"""Vectors over HTTP are those of `gallae embed`."""

import numpy as np
import pytest

import gallae
from gallae.errors import RecipeError
from gallae.models.layers import EmbeddingOptions
from gallae.serving.served import open_models

TEXTS = ["한국은행, 금리 동결", "", "손흥민 결승골"]


def served(app_client, options=None, **sources):
    models = open_models(
        {name: str(source) for name, source in sources.items()}, options or EmbeddingOptions()
    )
    client = app_client(models=models)

    def vectors(texts=TEXTS, **given):
        answer = client.post("/v1/embed", json={"texts": list(texts), **given})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert {len(row) for row in found["vectors"]} == {found["dimensions"]}
        return np.array(found["vectors"], dtype=np.float32)

    return client, vectors


@pytest.fixture(autouse=True)
def _cache(monkeypatch):
    import os

    monkeypatch.setenv("GALLAE_CACHE", os.environ["GALLAE_CACHE"])


def test_kiwi(app_client):
    expected = gallae.embed("kiwi", texts=TEXTS)
    client, vectors = served(app_client, kiwi="kiwi")
    assert (vectors() == expected).all()
    refused = client.post("/v1/classify", json={"texts": TEXTS})
    assert refused.status_code == 404 and "classify" in refused.json()["error"]["message"]


def test_a_checkpoint_and_its_layers(app_client, checkpoint):
    folder = checkpoint("bert")
    options = EmbeddingOptions(layer="-1", pool="cls")
    _, vectors = served(app_client, options, bert=folder)
    assert np.abs(vectors() - gallae.embed(folder, texts=TEXTS, layer=-1, pool="cls")).max() < 1e-6
    with pytest.raises(RecipeError, match=r"bert-tiny: .*layer"):
        open_models({"bert-tiny": str(folder)}, EmbeddingOptions(layer="7"))


def test_a_run_of_an_encoder_classifies_and_embeds(app_client, checkpoint, topics_csv, tmp_path):
    settings = [f"model.checkpoint={checkpoint('bert')}", "training.epochs=1", "model.max_length=32"]
    run = gallae.train(topics_csv, "encoder", overrides=settings, output=tmp_path / "encoder")
    client, vectors = served(app_client, encoder=run.folder)
    assert np.abs(vectors() - gallae.embed(run.folder, texts=TEXTS)).max() < 1e-6
    answer = client.post("/v1/classify", json={"texts": TEXTS}).json()
    assert [row["label"] for row in answer["results"]] == run.model.predict(TEXTS).tolist()
    assert client.get("/v1/models").json()["models"][0]["can"][:2] == ["classify", "embed"]
