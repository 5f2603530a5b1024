"""Training vectors on a corpus, and asking them."""

import json
import sys

import numpy as np
import pytest

from gallae.data import Corpus, read
from gallae.errors import DataError, GallaeError, MissingExtra, OutputError, TextError
from gallae.text import kiwi_vectors, tokenize
from gallae.text.vectors import Vectors, load_vectors
from gallae.text.vectors import train_vectors as train_on_rows
from gallae.workflows.vectors import (
    analogy,
    neighbours,
    open_vectors,
    parse_analogy,
    train_vectors,
    training_summary,
)

SMALL = {"dim": 8, "epochs": 2, "min_count": 2}


@pytest.fixture
def royal(tmp_path):
    rows = {"king": (1, 1, 0), "man": (0, 1, 0), "woman": (0, 0, 1), "queen": (1, 0, 1), "눈/NNG": (1, 1, 1)}
    vectors = Vectors(list(rows), np.array(list(rows.values()), dtype=np.float32))
    vectors.save(tmp_path / "royal.vec")
    return tmp_path / "royal.vec"


def test_trains_on_the_units_of_the_clean_texts(topics_csv, tmp_path):
    pytest.importorskip("gensim")
    result = train_vectors(topics_csv, tmp_path / "a.vec", unit="morpheme", options=SMALL)
    rows = tokenize(read(topics_csv).texts, "morpheme")
    expected = train_on_rows(rows, "word2vec", **SMALL)
    found = load_vectors(tmp_path / "a.vec")
    assert found.tokens == expected.tokens and np.array_equal(found.matrix, expected.matrix)
    running = [token for row in rows for token in row]
    numbers = {
        key: result[key] for key in ("texts", "tokens", "distinct", "vectors", "dim", "method", "unit")
    }
    assert numbers == {
        "texts": 72,
        "tokens": len(running),
        "distinct": len(set(running)),
        "vectors": len(expected),
        "dim": 8,
        "method": "word2vec",
        "unit": "morpheme",
    }
    assert result["coverage"] == expected.coverage(running) and 0.5 < result["coverage"] <= 1
    lines = "\n".join(training_summary(result))
    assert f"{len(running):,} tokens (morpheme)" in lines and "vectors of 8 dimensions" in lines


def test_tags_are_no_part_of_ngrams(topics_csv, tmp_path):
    pytest.importorskip("gensim")
    for method, unit in (("fasttext", "morpheme"), ("glove", "morpheme_tag")):
        options = {**SMALL, "bucket": 50}
        assert train_vectors(topics_csv, tmp_path / method, method=method, options=options)["unit"] == unit


def test_without_gensim(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(MissingExtra, match=r'pip install "gallae\[neural\]"'):
        train_vectors(tmp_path / "missing.csv", tmp_path / "a.vec")
    with pytest.raises(DataError):  # it got to the data
        train_vectors(tmp_path / "missing.csv", tmp_path / "a.vec", method="glove")


def test_a_corpus_steps_and_tags(topics_csv, tmp_path):
    pytest.importorskip("gensim")
    corpus = read(topics_csv)
    assert isinstance(corpus, Corpus)
    train_vectors(corpus, tmp_path / "a.vec", steps=["hangul_only"], keep_tags=["N*"], options=SMALL)
    tokens = load_vectors(tmp_path / "a.vec").tokens
    assert tokens and all("/N" in token for token in tokens)
    with pytest.raises(GallaeError, match="for reading a file, not for a Corpus"):
        train_vectors(corpus, tmp_path / "b.vec", text_column="title", options=SMALL)


def test_fasttext_bin_keeps_what_unseen_words_need(topics_csv, tmp_path):
    pytest.importorskip("gensim")
    path = tmp_path / "a.bin"
    train_vectors(topics_csv, path, method="fasttext", unit="word", options={**SMALL, "bucket": 50})
    assert neighbours(path, "한국은행들", 3)[0]["token"] == "한국은행들"
    assert len(neighbours(path, ["한국은행들"], 3)[0]["neighbours"]) == 3


def test_mistakes_are_told_before_anything_is_read(tmp_path):
    missing, out = tmp_path / "missing.csv", tmp_path / "a.vec"
    for message, given in {
        "no method 'word2vek'": {"method": "word2vek"},
        "no unit 'morphem'": {"unit": "morphem"},
        "no text step 'htm'": {"steps": ["htm"]},
        "no option 'dims'": {"options": {"dims": 3}},
        "option dim": {"options": {"dim": "3"}},
        "unit is 'word'": {"unit": "word", "drop_tags": ["J*"]},
    }.items():
        with pytest.raises(TextError, match=message):
            train_vectors(missing, out, **given)
    with pytest.raises(DataError):
        train_vectors(missing, out)
    out.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        train_vectors(missing, out)
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("expression", "weights"),
    [
        ("king - man + woman", {"king": 1, "man": -1, "woman": 1}),
        ("king - man + 1.3*woman", {"king": 1, "man": -1, "woman": 1.3}),
        ("- man + 2 * king", {"man": -1, "king": 2}),
        ("-man +.5*king −1.*woman", {"man": -1, "king": 0.5, "woman": -1}),
        ("왕 + 왕 - 0.5*왕", {"왕": 1.5}),
        ("코로나-19 + C++ - //SP", {"코로나-19": 1, "C++": 1, "//SP": -1}),
        ("1.3 + 2*3", {"1.3": 1, "3": 2}),
        ("king", {"king": 1}),
    ],
)
def test_reading_analogies(expression, weights):
    assert parse_analogy(expression) == pytest.approx(weights)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "there is no word"),
        (" - ", "there is no word"),
        ("king man", "no \\+ or - before 'man'"),
        ("king - - man", "two signs in a row"),
        ("king - man +", "it ends with a sign"),
    ],
)
def test_analogies_without_sense(expression, why):
    with pytest.raises(TextError, match=f"is no analogy \\({why}.*Write one like 'king - man"):
        parse_analogy(expression)


def test_neighbours_and_analogies_of_a_file(royal):
    found = neighbours(royal, ["king", "눈"], 1)
    assert [(one["word"], one["token"]) for one in found] == [("king", "king"), ("눈", "눈/NNG")]
    assert found[0]["neighbours"] == open_vectors(royal).neighbours("king", 1)
    result = analogy(royal, "king - man + 1.3*woman", 2)
    assert result["weights"] == {"king": 1.0, "man": -1.0, "woman": 1.3}
    assert result["neighbours"][0][0] == "queen"
    assert analogy(open_vectors(royal), "눈 + 눈/NNG")["weights"] == {"눈/NNG": 2.0}
    with pytest.raises(TextError, match=r"no vector of 'king-man'\. Put spaces around"):
        analogy(royal, "king-man")
    with pytest.raises(TextError, match="no vector of 'prince'"):
        neighbours(royal, ["king", "prince"])


def test_kiwis_own_vectors(monkeypatch):
    table = kiwi_vectors.kiwi_vectors()
    some = ["은행/NNG", "금융/NNG", "축구/NNG", "야구/NNG", "은행나무/NNG"]
    monkeypatch.setattr(type(table), "morphemes", lambda self: some)
    first, second = neighbours("kiwi", ["은행", "축구/NNG"], 1)
    assert (first["token"], first["neighbours"][0][0]) == ("은행/NNG", "금융/NNG")
    assert second["neighbours"][0][0] == "야구/NNG"


def test_the_command_line_is_python(gallae_cli, topics_csv, tmp_path):
    pytest.importorskip("gensim")
    out = tmp_path / "cli.bin"
    given = ("--method", "fasttext", "--unit", "word", "--dim", 8, "--epochs", 2, "--min-count", 2)
    done = gallae_cli(
        "vectors", "train", topics_csv, "-o", out, *given, "--cbow", "--max-n", 3, "--bucket", 50, "--seed", 7
    )
    assert done.code == 0 and f"Wrote {out}." in done.out and not done.err
    options = {**SMALL, "skipgram": False, "max_n": 3, "bucket": 50, "seed": 7}
    train_vectors(topics_csv, tmp_path / "python.bin", method="fasttext", unit="word", options=options)
    assert out.read_bytes() == (tmp_path / "python.bin").read_bytes()
    again = gallae_cli("vectors", "train", topics_csv, "-o", out)
    assert again.code == 2 and "exists already" in again.err


def test_asking_on_the_command_line(gallae_cli, royal):
    printed = gallae_cli("vectors", "neighbours", royal, "king", "눈", "-n", 2, "--json")
    assert json.loads(printed.out) == json.loads(json.dumps(neighbours(royal, ["king", "눈"], 2)))
    lines = gallae_cli("vectors", "neighbours", royal, "king", "눈", "-n", 2).out.splitlines()
    assert lines[0] == "king" and lines[1] == "  0.816  눈/NNG" and lines[3] == "눈/NNG" and len(lines) == 6
    done = gallae_cli("vectors", "analogy", royal, "king - man + 1.3*woman", "-n", 1)
    assert done.out.split()[1] == "queen"
    printed = gallae_cli("vectors", "analogy", royal, "king - man + 1.3*woman", "--json")
    assert json.loads(printed.out)["weights"] == {"king": 1, "man": -1, "woman": 1.3}
    for mistake in (("king man",), ("유령",)):
        failed = gallae_cli("vectors", "analogy", royal, *mistake)
        assert failed.code == 2 and failed.err.startswith("gallae: ") and not failed.out
    assert gallae_cli("vectors", "neighbours", "missing.vec", "king").code == 2
