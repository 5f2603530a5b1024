"""Blocks of features: what a text's row holds."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer

from gallae.errors import RecipeError, TextError
from gallae.models import features
from gallae.models.documents import Documents
from gallae.models.features import NgramBlock, make_block
from gallae.text import decompose_jamo, tokenize

UNITS = ["char", "char_wb", "jamo", "jamo_wb", "word", "morpheme", "morpheme_tag"]


def fitted(block, texts):
    documents = Documents(texts, keep=True)
    return block.transform(documents, block.fit(documents))


def dense(rows):
    return rows.toarray() if sp.issparse(rows) else rows


@pytest.mark.parametrize("unit", ["char", "word"])
@pytest.mark.parametrize("sublinear", [True, False])
def test_tfidf_equals_scikit_learn(headlines, unit, sublinear):
    texts = [" ".join(text.split()) for text in headlines[0][:400]]
    rows = fitted(block := NgramBlock(unit=unit, ngrams=(1, 3), sublinear=sublinear), texts)
    vectorizer = TfidfVectorizer(
        analyzer=unit,
        ngram_range=(1, 3),
        lowercase=False,
        min_df=2,
        sublinear_tf=sublinear,
        token_pattern=r"\S+" if unit == "word" else None,
    )
    expected = vectorizer.fit_transform(texts)
    columns = [vectorizer.vocabulary_[name] for name in block.names()]
    assert rows.shape == expected.shape
    assert abs(rows - expected[:, columns]).max() < 1e-6


@pytest.mark.parametrize("unit", UNITS)
def test_names_are_the_units_own(headlines, unit):
    texts = headlines[0][:60]
    block = NgramBlock(unit=unit, ngrams=(1, 1))
    rows = fitted(block, texts)
    split = unit.removesuffix("_wb")
    tokens = {token for row in tokenize(texts, split) for token in row}
    assert len(block.names()) == rows.shape[1] == block.n_features
    assert set(block.names()) <= tokens


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("hashing", [0, 4096])
def test_rows_have_length_weight_and_do_not_depend_on_their_neighbours(headlines, unit, hashing):
    texts = headlines[0][:80]
    block = NgramBlock(unit=unit, ngrams=(1, 2), hashing=hashing, weight=0.5)
    rows = fitted(block, texts)
    lengths = np.sqrt(rows.power(2).sum(axis=1))
    assert np.allclose(lengths[np.diff(rows.indptr) > 0], 0.5, atol=1e-5)
    assert (block.transform(Documents(texts)) != rows).nnz == 0
    for number in (0, 7, 79):
        assert (block.transform(Documents([texts[number]])) != rows[number]).nnz == 0


def test_counts_and_binary():
    texts = ["가 가 가 나", "가 나"]
    counts = fitted(NgramBlock("count", "word", (1, 1)), texts).toarray()
    assert np.allclose(counts[0], np.array([3, 1]) / np.sqrt(10))
    assert np.allclose(fitted(NgramBlock("binary", "word", (1, 1)), texts).toarray(), 1 / np.sqrt(2))


def test_jamo_ngrams_see_letters():
    block = NgramBlock(unit="jamo", ngrams=(2, 2), min_df=1)
    fitted(block, ["각"])
    assert block.names() == [decompose_jamo("각")[:2], decompose_jamo("각")[1:]]


def test_tags_choose_morphemes():
    texts = ["은행이 금리를 올렸다", "은행이 금리를 내렸다"]
    for options in ({"keep_tags": ["NNG"]}, {"drop_tags": ["J*", "E*", "V*"]}):
        block = make_block({"unit": "morpheme", "ngrams": [1, 1], **options})
        fitted(block, texts)
        assert set(block.names()) == {"은행", "금리"}


@pytest.mark.parametrize("block", [{"unit": "char_wb"}, {"unit": "word", "hashing": 64}, {"kind": "kiwi"}])
def test_empty_and_unknown_texts_are_rows_of_zeros(headlines, block):
    made = make_block(block)
    width = fitted(made, headlines[0][:50]).shape[1]
    assert made.transform(Documents([])).shape == (0, width)
    rows = dense(made.transform(Documents(["", "  "])))
    assert rows.shape == (2, width) and not rows.any()
    if not block.get("hashing"):
        assert np.isfinite(dense(made.transform(Documents(["ⴰⵣⵓⵍ"])))).all()


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("hashing", [0, 512])
def test_what_was_learned_comes_back(headlines, unit, hashing):
    options = {"unit": unit, "ngrams": (1, 2), "hashing": hashing, "max_features": 0 if hashing else 300}
    block = make_block(options)
    rows = fitted(block, headlines[0][:80])
    copy = make_block(options).restore(block.state())
    assert copy.names() == block.names()
    assert (copy.transform(Documents(headlines[0][:80])) != rows).nnz == 0


def test_max_features(headlines):
    block = NgramBlock(unit="char_wb", max_features=100)
    rows = fitted(block, headlines[0][:100])
    assert rows.shape[1] == block.n_features == len(block.idf) == len(set(block.names())) == 100
    assert (np.bincount(rows.indices, minlength=100) > 1).all()


def test_batches_do_not_change_the_counts(headlines, monkeypatch):
    texts = headlines[0][:100]
    whole = fitted(NgramBlock(), texts)
    monkeypatch.setattr(features, "batches", lambda lengths: [slice(0, 30), slice(30, len(lengths))])
    assert (fitted(NgramBlock(), texts) != whole).nnz == 0


def test_nothing_frequent_enough_is_said():
    with pytest.raises(TextError, match="Lower min_df"):
        NgramBlock(unit="word").fit(Documents(["가", "나"]))
    with pytest.raises(TextError, match="nothing to learn from"):
        NgramBlock().fit(Documents(["", " "]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "tfdif"}, "kind is 'tfdif'; allowed: tfidf, count, binary, kiwi"),
        ({"unit": "syllable"}, "unit is 'syllable'; allowed: char, char_wb"),
        ({"ngram": [1, 2]}, "no such field.*ngram"),
        ({"kind": "kiwi", "unit": "word"}, "no such field.*unit"),
        ({"ngrams": [3, 2]}, "shortest"),
        ({"ngrams": [0, 2]}, "shortest"),
        ({"min_df": 0}, "min_df"),
        ({"unit": "morpheme", "drop_tags": ["NOPE"]}, "NOPE"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises((RecipeError, TextError), match=message):
        make_block(options)
