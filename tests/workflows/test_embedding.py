"""`gallae embed`: vectors of files, pipes and texts."""

import io

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import gallae
from gallae.errors import DataError, ModelError, OutputError, RecipeError
from gallae.models.embedders import open_embedder
from gallae.models.layers import EmbeddingOptions
from gallae.workflows import embedding


@pytest.fixture(scope="module")
def expected(checkpoint, topics_csv):
    texts = gallae.read(topics_csv).texts
    return texts, open_embedder(checkpoint("bert"), EmbeddingOptions("-2:", "concat", max_length=32)).embed(
        texts
    )


OPTIONS = {"layer": "-2:", "combine": "concat", "max_length": 32}


def test_a_file_in_pieces(checkpoint, topics_csv, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(embedding, "CHUNK_ROWS", 10)
    texts, vectors = expected
    for suffix in ("npy", "parquet"):
        out = tmp_path / f"x.{suffix}"
        found = gallae.embed(checkpoint("bert"), topics_csv, output=out, **OPTIONS)
        assert found == {"texts": 72, "width": 64, "truncated": 0, "output": str(out)}
    read = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert read.dtype == np.float32 and read.shape == (72, 64) and np.allclose(read, vectors, atol=1e-5)
    table = pd.read_parquet(tmp_path / "x.parquet")
    assert table.columns.tolist() == ["index", "text", "embedding"]
    assert table["text"].tolist() == texts and table["index"].tolist() == [str(row) for row in range(72)]
    assert np.array_equal(np.vstack(table["embedding"]), read)
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy", "x.parquet"] or len(
        [*tmp_path.iterdir()]
    ) == 2


def test_texts_and_pipes(checkpoint, expected, tmp_path, monkeypatch):
    texts, vectors = expected
    folder = checkpoint("bert")
    assert np.allclose(gallae.embed(folder, texts=texts[:5], **OPTIONS), vectors[:5], atol=1e-5)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(texts).encode()), "utf-8"))
    gallae.embed(folder, "-", output=tmp_path / "piped.npy", **OPTIONS)
    assert np.allclose(np.load(tmp_path / "piped.npy"), vectors, atol=1e-5)


def test_kiwis_vectors(topics_csv, tmp_path):
    found = gallae.embed("kiwi", topics_csv, output=tmp_path / "kiwi.npy")
    assert found["width"] == 256 and np.load(tmp_path / "kiwi.npy").any(axis=1).all()


def test_mistakes(checkpoint, topics_csv, tmp_path):
    folder, there = checkpoint("bert"), tmp_path / "there.npy"
    there.write_bytes(b"mine")
    for kind, why, given in (
        (OutputError, "exists already", {"data": topics_csv, "output": there}),
        (OutputError, r"written as \.npy, \.parquet", {"data": topics_csv, "output": tmp_path / "x.csv"}),
        (RecipeError, "either a file", {}),
        (RecipeError, "either a file", {"data": topics_csv, "texts": ["a"]}),
        (RecipeError, "no layer 9", {"data": topics_csv, "layer": 9}),
        (RecipeError, "finite", {"texts": ["a"], "combine": "weighted", "weights": [float("nan")]}),
        (DataError, "holds 3", {"texts": ["a", 3]}),
        (DataError, "missing", {"data": tmp_path / "missing.csv", "output": tmp_path / "y.npy"}),
    ):
        with pytest.raises(kind, match=why):
            gallae.embed(folder, **given)
    with pytest.raises(ModelError, match="no checkpoint folder"):
        gallae.embed("./nowhere", texts=["a"])
    assert there.read_bytes() == b"mine" and [*tmp_path.iterdir()] == [there]


def test_the_command_line_is_python(gallae_cli, checkpoint, topics_csv, tmp_path):
    folder, out = checkpoint("bert"), tmp_path / "cli.npy"
    asked = (
        "--layer",
        "-2:",
        "--combine",
        "weighted",
        "--weights",
        "0.25,0.75",
        "--pool",
        "max",
        "--max-length",
        5,
    )
    done = gallae_cli("embed", folder, topics_csv, "-o", out, *asked)
    assert done.code == 0 and not done.out and "72 texts, 32 numbers each" in done.err
    assert "were cut off" in done.err
    texts = gallae.read(topics_csv).texts
    same = gallae.embed(
        folder, texts=texts, layer="-2:", combine="weighted", weights=[0.25, 0.75], pool="max", max_length=5
    )
    assert np.allclose(np.load(out), same, atol=1e-5)
    assert gallae_cli("embed", folder, topics_csv, "-o", out).code == 2
    assert (
        gallae_cli("embed", folder, "--text", "가", "--text", "나", "-o", out, "--force", "--quiet").err == ""
    )
    assert np.load(out).shape == (2, 32)
    wrong = gallae_cli("embed", folder, "--text", "가", "-o", tmp_path / "x.npy", "--weights", "a,b")
    assert wrong.code == 2 and "numbers with commas" in wrong.err
    layers = gallae_cli("embed", folder, "--text", "가", "-o", tmp_path / "x.npy", "--layer", "12")
    assert layers.code == 2 and "0 (embeddings) to 2" in layers.err and "Traceback" not in layers.err
