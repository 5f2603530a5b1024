"""Token ids on disk: what stands where, what is taken over, what is held out."""

import numpy as np
import pytest

from gallae.errors import DataError
from gallae.pretraining import encoding
from gallae.pretraining.corpora import parse_sources
from gallae.pretraining.encoding import Encoded, encode, hold_out, unigram_entropy

DOCUMENTS = [["한국은행 금리 동결", "코스피 상승 마감"], ["손흥민 결승골"], ["류현진 승리", "여자배구 우승"]]


@pytest.fixture(scope="module")
def tokenizer(checkpoint):
    """Return the tokenizer of a tiny BERT of headlines."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(checkpoint("bert"))


@pytest.fixture
def sources(tmp_path):
    """Return two files: two documents in the first, which counts double, and one in the second."""
    texts = ["\n\n".join("\n".join(document) for document in some) for some in (DOCUMENTS[:2], DOCUMENTS[2:])]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_text(text + "\n\n\n", encoding="utf-8")
    return parse_sources([f"{tmp_path / '0.txt'}@2", tmp_path / "1.txt"])


def test_sentences_documents_and_sources(tmp_path, sources, tokenizer):
    encoded = encode(sources, tokenizer, tmp_path / "encoded")
    assert encoded.ids.dtype == np.uint16
    assert isinstance(encoded.ids, np.memmap)
    assert encoded.documents.tolist() == [[0, 2], [2, 3], [3, 5]]
    assert encoded.sources.tolist() == [0, 0, 1]
    assert encoded.weights.tolist() == [2.0, 1.0]
    flat = [sentence for document in DOCUMENTS for sentence in document]
    for number, sentence in enumerate(flat):
        assert encoded.sentence(number).tolist() == tokenizer.encode(sentence, add_special_tokens=False)
    numbers, weights = encoded.sentence_weights()
    assert numbers.tolist() == [0, 1, 2, 3, 4]
    assert weights.tolist() == [2, 2, 2, 1, 1]


def test_what_is_there_is_taken_over(tmp_path, sources, tokenizer, monkeypatch):
    calls = []
    work = encoding._encode_source
    monkeypatch.setattr(
        encoding, "_encode_source", lambda *given: calls.append(given[0].path) or work(*given)
    )

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(encoding, "_merge", killed)
    with pytest.raises(KeyboardInterrupt):
        encode(sources, tokenizer, tmp_path / "encoded")
    monkeypatch.undo()
    monkeypatch.setattr(encoding, "_encode_source", lambda *_: pytest.fail("it was there already"))
    first = encode(sources, tokenizer, tmp_path / "encoded")
    second = encode(sources, tokenizer, tmp_path / "encoded")
    assert len(calls) == 2
    assert first.ids.tolist() == second.ids.tolist()


def test_an_empty_source_is_named(tmp_path, tokenizer):
    (tmp_path / "leer.txt").write_text("\n \n", encoding="utf-8")
    with pytest.raises(DataError, match=r"leer\.txt holds no sentence"):
        encode(parse_sources([tmp_path / "leer.txt"]), tokenizer, tmp_path / "encoded")


def test_a_tokenizer_that_knows_nothing_of_the_texts(tmp_path, tokenizer):
    (tmp_path / "a.txt").write_text("ಕನ್ನಡ ಭಾಷೆ\nქართული ენა\n", encoding="utf-8")
    with pytest.raises(DataError, match="unknown to the tokenizer"):
        encode(parse_sources([tmp_path / "a.txt"]), tokenizer, tmp_path / "encoded")


def made(n_sentences, ends, weights=(1.0,), sources=None):
    """Return a corpus whose sentence i is the single id i."""
    documents = np.stack([[0, *ends[:-1]], ends], axis=1)
    return Encoded(
        np.arange(n_sentences, dtype=np.int32),
        np.arange(n_sentences + 1),
        documents,
        np.array(sources or [0] * len(ends)),
        np.array(weights),
    )


def test_held_out_sentences_are_taken_from_the_others():
    encoded = made(10_000, [3_000, 3_001, 9_990, 10_000])
    train, held = hold_out(encoded, 0.02, 42)
    kept, taken = train.sentence_weights()[0], held.sentence_weights()[0]
    assert sorted([*kept, *taken]) == list(range(10_000))
    assert 130 < len(taken) < 270
    assert len(held.documents) < 10  # neighbours together
    borders = {3_000, 3_001, 9_990}
    for first, end in [*train.documents, *held.documents]:
        assert not borders & set(range(first + 1, end))
    again, other = hold_out(encoded, 0.02, 42)[1], hold_out(encoded, 0.02, 43)[1]
    assert (again.documents == held.documents).all()
    assert other.documents.tolist() != held.documents.tolist()


def test_nothing_is_held_out_where_nothing_is_asked_for():
    encoded = made(100, [100])
    assert hold_out(encoded, 0.0, 1) == (encoded, None)
    assert hold_out(made(1, [1]), 0.5, 1)[1] is None


def test_a_small_corpus_holds_something_out():
    assert len(hold_out(made(20, [20]), 0.005, 1)[1].sentence_weights()[0]) == 2


def test_unigram_entropy_of_even_ids_is_the_logarithm_of_their_number():
    even = made(1_000, [1_000])
    assert unigram_entropy(even, even, 1_000) == pytest.approx(np.log(1_000))
    often = made(2, [1, 2], weights=(999.0, 0.001), sources=[0, 1])
    assert unigram_entropy(often, often, 2) < 0.01
