"""Looking vectors up, neighbours and analogies."""

import numpy as np
import pytest

from gallae.errors import TextError
from gallae.text.vectors import FastTextVectors, Vectors
from gallae.text.vectors.ngrams import NgramTable, hashes


def test_lookup(royal):
    found, rows = royal.lookup(["queen", "유령", "king", "queen"])
    assert found.tolist() == [True, False, True, True] and found.dtype == bool
    assert rows.tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]]
    assert rows.dtype == np.float32 and royal.matrix.dtype == np.float32
    found, rows = royal.lookup([])
    assert found.shape == (0,) and rows.shape == (0, 4)
    assert "king" in royal and "유령" not in royal
    assert (len(royal), royal.dim) == (6, 4)
    assert royal.coverage(["king", "유령", "king", "man"]) == 0.75


def test_neighbours_are_by_cosine(royal):
    half = 0.5**0.5
    assert royal.neighbours("king", 2) == [("man", pytest.approx(half)), ("queen", pytest.approx(0.5))]
    # All but itself and the zeros; what is equally near stays in the file's order.
    assert [token for token, _ in royal.neighbours("table", 99)] == ["king", "queen", "man", "woman"]


def test_analogy_is_exact(royal):
    assert royal.analogy({"king": 1, "man": -1, "woman": 1}, 1)[0][0] == "queen"
    # (1, 1, 0) / sqrt 2 - (0, 1, 0) + 1.3 (0, 0, 1), against (1, 0, 1) / sqrt 2
    half = 0.5**0.5
    total = np.array([half, half - 1, 1.3])
    cosine = (half + 1.3) * half / np.linalg.norm(total)
    (first,) = royal.analogy({"king": 1, "man": -1, "woman": 1.3}, 1)
    assert first == ("queen", pytest.approx(cosine, abs=1e-6))
    assert [token for token, _ in royal.analogy({"king": -1}, 9)] == ["woman", "table", "queen", "man"]


def test_neighbours_and_analogies_are_gensims():
    keyed = pytest.importorskip("gensim.models").KeyedVectors(8)
    random = np.random.default_rng(1)
    names, matrix = [f"w{n}" for n in range(50)], random.normal(size=(50, 8)).astype(np.float32)
    keyed.add_vectors(names, matrix)
    ours = Vectors(names, matrix)
    pairs = [
        (ours.neighbours("w3", 7), keyed.most_similar("w3", topn=7)),
        (
            ours.analogy({"w1": 1, "w2": -1, "w3": 1.3}, 7),
            keyed.most_similar(positive=[("w1", 1.0), ("w2", -1.0), ("w3", 1.3)], topn=7),
        ),
    ]
    for mine, theirs in pairs:
        assert [token for token, _ in mine] == [token for token, _ in theirs]
        assert np.allclose([c for _, c in mine], [c for _, c in theirs], atol=1e-6)


def test_a_form_stands_for_its_first_tag():
    vectors = Vectors(["눈/NNG", "눈/NNP", "//SP", "비/NNG"], np.eye(4))
    assert [vectors.resolve(word) for word in ("눈", "눈/NNP", "/")] == ["눈/NNG", "눈/NNP", "//SP"]
    assert vectors.neighbours("눈", 3)[0][0] == "눈/NNP"
    # The taken token is left out of the answers.
    assert "눈/NNG" not in dict(vectors.analogy({"눈": 1, "비": 1}))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda v: v.neighbours("kin"), r"no vector of 'kin'\. Spelt alike: king\."),
        (lambda v: v.neighbours("유령"), "no vector of '유령'. There are 6 others"),
        (lambda v: v.neighbours("king", 0), "n is 0"),
        (lambda v: v.analogy({"king": 1, "유령": 1}), "no vector of '유령'"),
        (lambda v: v.analogy({}), "at least one word"),
        (lambda v: v.analogy({"king": 0}), "add up to a vector of zeros"),
        (lambda v: v.analogy({"nothing": 1}), "add up to a vector of zeros"),
        (lambda v: Vectors(["a", "b"], np.eye(3)), "one row for each token"),
        (lambda v: Vectors(["a", "a"], np.eye(2)), "1 of them distinct"),
    ],
)
def test_mistakes_are_told(royal, call, message):
    with pytest.raises(TextError, match=message):
        call(royal)


def test_ngram_hashes_are_fasttexts():
    gensim = pytest.importorskip("gensim.models.fasttext_inner")
    for token in ("은행", "bank", "a", "é🧿", ""):
        for shortest, longest in ((1, 3), (2, 2), (3, 6)):
            theirs = gensim.compute_ngrams_bytes(token, shortest, longest)
            assert list(hashes(token, shortest, longest)) == [gensim.ft_hash_bytes(part) for part in theirs]


@pytest.fixture
def fast():
    random = np.random.default_rng(2)
    table = NgramTable(random.normal(size=(11, 4)).astype(np.float32), 2, 3)
    return FastTextVectors(["은행", "</s>"], random.normal(size=(2, 4)).astype(np.float32), table)


def test_fasttext_vectors_are_means_of_rows(fast):
    parts = fast.ngrams.rows[[number % 11 for number in hashes("은행", 2, 3)]]
    assert len(parts) == 5  # <은 은행 행> <은행 은행>
    expected = (fast.rows[0] + parts.sum(axis=0)) / 6
    found, rows = fast.lookup(["은행", "은행장", "</s>"])
    assert found.all() and np.allclose(rows[0], expected, atol=1e-6)
    unseen = fast.ngrams.rows[[number % 11 for number in hashes("은행장", 2, 3)]].mean(axis=0)
    assert np.allclose(rows[1], unseen, atol=1e-6)
    assert np.array_equal(rows[2], fast.rows[1])
    assert np.array_equal(fast.matrix, rows[[0, 2]])
    assert "은행장" not in fast


def test_fasttext_answers_for_unseen_words(fast):
    assert {token for token, _ in fast.neighbours("은행장")} == {"은행", "</s>"}
    assert [token for token, _ in fast.analogy({"은행": 1, "은행장": -2})] == ["</s>"]
    without = FastTextVectors(fast.tokens, fast.rows, NgramTable(fast.ngrams.rows[:0], 0, 0))
    assert without.lookup(["은행장", "은행"])[0].tolist() == [False, True]
    with pytest.raises(TextError, match="no vector of '은행장'"):
        without.neighbours("은행장")
