"""Training vectors: like company makes neighbours; a function of rows, options and seed."""

import json
import logging
import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp

from gallae.errors import TextError
from gallae.text.vectors import METHODS, FastTextVectors, check_vector_options, load_vectors, train_vectors
from gallae.text.vectors.glove import meetings, train_glove

SMALL = {"dim": 8, "window": 3, "min_count": 2, "epochs": 2, "bucket": 100}


@pytest.fixture(autouse=True)
def _needs_gensim():
    pytest.importorskip("gensim")


@pytest.mark.parametrize("method", METHODS)
def test_words_of_like_company_become_neighbours(company, method):
    vectors = train_vectors(company, method, dim=16, window=4, epochs=40, max_n=0)
    kinds = [["사과", "포도", "참외", "자두"], ["은행", "증권", "보험", "카드"]]
    words = [word for kind in kinds for word in kind]
    for kind in kinds:
        for word in kind:
            near = [token for token, _ in vectors.neighbours(word, len(vectors)) if token in words]
            assert set(near[:3]) == set(kind) - {word}


@pytest.mark.parametrize("skipgram", [True, False])
@pytest.mark.parametrize("method", METHODS)
def test_a_function_of_rows_options_and_seed(company, method, skipgram):
    first, same, other = (
        train_vectors(rows, method, **SMALL, skipgram=skipgram, seed=seed)
        for rows, seed in ((company, 1), (iter(company), 1), (company, 2))
    )
    assert first.tokens == same.tokens == other.tokens
    assert np.array_equal(first.matrix, same.matrix) and not np.allclose(first.matrix, other.matrix)
    assert first.dim == 8 and np.isfinite(first.matrix).all()
    counts = [sum(row.count(token) for row in company) for token in first.tokens]
    assert counts == sorted(counts, reverse=True)


def test_equal_whatever_python_hashes_by(company, tmp_path):
    code = (
        "import sys, json; from gallae.text.vectors import train_vectors; rows = json.load(sys.stdin); "
        "[train_vectors(rows, m, dim=8, epochs=2, bucket=100).save(f'{sys.argv[1]}/{m}.bin') for m in "
        "('word2vec', 'fasttext', 'glove')]"
    )
    subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        input=json.dumps(company).encode(),
        env={**os.environ, "PYTHONHASHSEED": "7"},
        check=True,
    )
    for method in METHODS:
        train_vectors(company, method, dim=8, epochs=2, bucket=100).save(tmp_path / "here.bin", force=True)
        assert (tmp_path / "here.bin").read_bytes() == (tmp_path / f"{method}.bin").read_bytes()


def test_fasttext_is_gensims_and_keeps_its_ngrams(company, tmp_path):
    gensim = pytest.importorskip("gensim.models")
    ours = train_vectors(company, "fasttext", **SMALL, seed=5, min_n=2, max_n=3)
    assert isinstance(ours, FastTextVectors)
    theirs = gensim.FastText(
        company, vector_size=8, window=3, min_count=2, epochs=2, bucket=100, seed=5, sg=1, workers=1,
        min_n=2, max_n=3,
    ).wv  # fmt: skip
    words = [*ours.tokens, "은행원", "사과나무"]
    assert np.allclose(ours.lookup(words)[1], [theirs[word] for word in words], atol=1e-6)
    assert ours.counts[0] == max(sum(row.count(token) for row in company) for token in ours.tokens)
    ours.save(tmp_path / "a.bin")
    assert np.array_equal(load_vectors(tmp_path / "a.bin").lookup(words)[1], ours.lookup(words)[1])


def test_fasttext_without_ngrams(company):
    vectors = train_vectors(company, "fasttext", **{**SMALL, "max_n": 0})
    assert vectors.lookup(["은행", "은행원"])[0].tolist() == [True, False]


def test_rare_tokens_are_left_out(company):
    for method in METHODS:
        assert "드문" not in train_vectors([*company, ["드문", "은행"]], method, **SMALL)


def test_long_rows_count_as_a_whole():
    row = ["가", "나"] * 6000 + ["다", "라"] * 10
    vectors = train_vectors([row], **{**SMALL, "epochs": 1, "min_count": 10})
    assert set(vectors.tokens) == set("가나다라")


def test_tokens_that_are_no_unicode_get_no_vector(company):
    for method in METHODS:
        vectors = train_vectors([*company, ["\ud800", "은행"] * 5], method, **SMALL)
        assert "\ud800" not in vectors and "은행" in vectors


def test_gensim_says_nothing_of_its_own(company, caplog):
    with caplog.at_level(logging.WARNING):
        train_vectors(company, **SMALL)
    assert not caplog.records


def test_meetings_are_weighted_by_distance():
    rows = [["가", "나", "다"], ["가", "?", "가"], ["다"], []]
    counts = meetings(rows, ["가", "나", "다"], 2)
    assert isinstance(counts, sp.coo_array)
    # "?" has no vector and is passed over.
    assert counts.toarray().tolist() == [[2, 1, 0.5], [1, 0, 1], [0.5, 1, 0]]
    assert meetings(rows, ["가", "나", "다"], 1).toarray().tolist() == [[2, 1, 0], [1, 0, 1], [0, 1, 0]]


def test_glove_learns_the_logarithms(company):
    tokens = sorted({token for row in company for token in row})
    counts = meetings(company, tokens, 4)

    def error(epochs):
        made = train_glove(company, tokens, 8, 4, epochs, 1)
        return np.corrcoef((made @ made.T)[counts.row, counts.col], np.log(counts.data))[0, 1]

    assert error(30) > 0.7 > error(1)


def test_no_meeting_at_all():
    vectors = train_vectors([["가"], ["가"], ["나"]], "glove", **{**SMALL, "min_count": 1})
    assert vectors.matrix.shape == (2, 8) and np.isfinite(vectors.matrix).all()


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([], {}, r"no token is found 5 times \(min_count\)"),
        ([["가"], []], {}, "the most frequent of 1 comes 1 times"),
        ([["가"]], {"dim": 0}, "option dim of vectors is 0; it must be a whole number >= 1"),
        ([["가"]], {"window": 1.5}, "option window of vectors is 1.5"),
        ([["가"]], {"skipgram": 1}, "option skipgram of vectors is 1; it must be true or false"),
        ([["가"]], {"min_n": 3, "max_n": 2}, "min_n is 3 and max_n 2"),
        ([["가"]], {"method": "word2vek"}, r"no method 'word2vek' .*\. Did you mean 'word2vec'"),
    ],
)
def test_mistakes_are_told(rows, options, message):
    for given in (rows, iter(rows)):
        with pytest.raises(TextError, match=message):
            train_vectors(given, **options)


def test_unknown_options_are_told():
    check_vector_options({"dim": 5, "skipgram": False})
    with pytest.raises(TextError, match=r"no option 'windows'\. Did you mean 'window'"):
        check_vector_options({"windows": 5})
