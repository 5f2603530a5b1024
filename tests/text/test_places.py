import pytest

import gallae
from gallae.text.morphemes import analyzer
from gallae.text.places import token_places
from gallae.text.token_ids import TextTokenizer

TEXT = "美 연준이 금리를 올렸다😀 갔다…손흥민 골"


@pytest.fixture(scope="module")
def texts():
    return [*gallae.sample("headlines").texts[:150], TEXT]


@pytest.mark.parametrize("name", ["kiwi", "mecab"])
def test_morphemes_know_where_they_stand(name):
    if name == "mecab":
        pytest.importorskip("mecab")
    found = analyzer(name).located(TEXT)
    assert [morpheme.tagged for morpheme in found] == next(iter(analyzer(name).tagged([TEXT])))
    stand = {morpheme.tagged: TEXT[morpheme.start : morpheme.end] for morpheme in found}
    assert stand["금리/NNG"] == "금리" and stand["가/VV"] == "갔"


def test_long_texts_are_cut_and_counted_on():
    text = "한국은행 금리 동결 " * 1500
    found = analyzer("kiwi").located(text)
    assert len(found) == len(next(iter(analyzer("kiwi").tagged([text]))))
    assert text[found[-1].start : found[-1].end] == "동결" and found[-1].end == len(text) - 1


@pytest.mark.parametrize(
    ("unit", "of"),
    [
        *((unit, "word") for unit in ("word", "char", "jamo", "morpheme", "morpheme_tag")),
        *((unit, of) for unit in ("bpe", "byte_bpe", "wordpiece", "unigram") for of in ("word", "morpheme")),
        ("morpheme_piece", "word"),
    ],
)
def test_each_token_has_a_place(texts, unit, of):
    tokenizer = TextTokenizer(unit, subwords_of=of, size=2500, min_count=1, max_length=200)
    lengths = tokenizer.fit(texts).lengths
    places = [token_places(tokenizer, text) for text in texts]
    assert [len(found) for found in places] == lengths.tolist()
    for text, found in zip(texts, places, strict=True):
        assert all(0 <= start <= end <= len(text) for start, end in found)
        starts = [start for start, _ in found]
        assert starts == sorted(starts)
