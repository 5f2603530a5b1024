"""Kiwi and mecab-ko behind one interface."""

import importlib.util
import multiprocessing
import os
import pickle
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallae.errors import MissingExtra, TextError
from gallae.text import TAGS, Morpheme, analyzer, morphemes

TEXTS = ["은행이 금리를 올렸다", "걸어서 학교에 갔다", "", "예쁜 꽃 https://example.com 😀 ㅋㅋ"]
mecab = pytest.mark.skipif(
    importlib.util.find_spec("mecab") is None,
    reason='python-mecab-ko is not installed: pip install "gallae[mecab]"',
)
BOTH = pytest.mark.parametrize("name", ["kiwi", pytest.param("mecab", marks=mecab)])


@BOTH
def test_morphemes_and_their_tags(name):
    first, second, empty, last = analyzer(name).analyze(TEXTS)
    assert first[0] == Morpheme("은행", "NNG")
    assert [item for item in first if item.tag == "VV"] == [Morpheme("올리", "VV")]
    assert Morpheme("걷", "VV") in second
    assert empty == []
    assert {item.tag for text in (first, second, last) for item in text} <= set(TAGS)


@BOTH
def test_one_per_process_also_through_a_pickle(name):
    assert analyzer(name) is analyzer(name)
    assert pickle.loads(pickle.dumps(analyzer(name))) is analyzer(name)
    assert analyzer(name).version


@BOTH
@settings(max_examples=30, deadline=None)
@given(text=st.text(st.characters()) | st.text(st.sampled_from("가 /\x00\ud800\ude00\n+*ㅋ美😀")))
def test_any_text_is_survived(name, text):
    (tokens,) = analyzer(name).tagged([text])
    assert all(token.rpartition("/")[2] in TAGS for token in tokens)


@BOTH
def test_texts_are_streamed(name):
    results = analyzer(name).tagged(f"문장 {i}" for i in range(5_000))
    assert next(results)[0] == "문장/NNG"
    assert next(results)[-1] == "1/SN"
    results.close()


@BOTH
def test_a_long_text_is_cut_at_spaces_and_joined_again(name, monkeypatch):
    monkeypatch.setattr(morphemes, "PIECE", 20)
    long = "은행이 금리를 올렸다. " * 7
    before, joined, after = analyzer(name).tagged(["앞", long, "뒤"])
    assert before == ["앞/NNG"]
    assert len(after) == 1
    assert joined.count("은행/NNG") == joined.count("금리/NNG") == 7


def test_pieces_lose_nothing():
    for text in ("", "가" * 10_000, "가 나" * 4_000, " " * 9_000):
        pieces = morphemes._pieces(text)
        assert "".join(pieces) == text
        assert max(map(len, pieces)) <= morphemes.PIECE


def test_threads_share_one_kiwi():
    expected = list(analyzer().tagged(TEXTS))
    results = [None] * 4

    def work(i):
        results[i] = list(analyzer().tagged(TEXTS))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [expected] * 4


def _analyze(texts):
    return list(analyzer().tagged(texts)), os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="no fork on Windows")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_on_with_the_parents_model():
    expected = list(analyzer().tagged(TEXTS))
    with multiprocessing.get_context("fork").Pool(1) as pool:
        result, pid = pool.apply_async(_analyze, (TEXTS,)).get(30)
    assert result == expected
    assert pid != os.getpid()
    assert list(analyzer().tagged(TEXTS)) == expected


@pytest.mark.parametrize(
    ("raw", "tag"), [("VV-I", "VV"), ("VA-R", "VA"), ("XSA-I", "XSA"), ("W_URL", "W_URL"), ("USER0", "UN")]
)
def test_kiwi_tags(raw, tag):
    assert morphemes._kiwi_tag(raw) == tag


@mecab
def test_mecab_fused_morphemes_are_taken_apart():
    (tokens,) = analyzer("mecab").tagged(["학교에 갔다, 3마리"])
    assert tokens[:4] == ["학교/NNG", "에/JKB", "가/VV", "았/EP"]
    assert ",/SP" in tokens
    assert tokens[-1] == "마리/NNB"


def test_a_missing_analyzer_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mecab", None)
    with pytest.raises(MissingExtra, match=r'pip install "gallae\[mecab\]"'):
        morphemes.MecabAnalyzer()
    with pytest.raises(TextError, match="no analyzer 'okt'"):
        analyzer("okt")
