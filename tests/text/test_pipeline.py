"""The pipeline: order, dictionaries, messages, pickling."""

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallae.errors import TextError
from gallae.text import STEPS, TextPipeline

DICTIONARY = """
[abbreviations]
KFA = "대한축구협회"
AI = "에이아이"
"C++" = "시플러스플러스"
"금감원" = "금융감독원"

[hanja]
"文" = "문재인"
"美" = "아메리카"

[symbols]
"※" = "참고"
"""


@pytest.fixture
def dictionary(tmp_path):
    path = tmp_path / "말.toml"
    path.write_text(DICTIONARY, encoding="utf-8")
    return path


def test_steps_run_in_order():
    assert TextPipeline(["symbols", "spaces"])("수출…↑") == "수출 상승"
    assert TextPipeline(["spaces", "symbols"])("수출…↑") == "수출  상승 "
    assert TextPipeline([])(" 그대로 ") == " 그대로 "


def test_apply_equals_one_at_a_time():
    pipeline = TextPipeline(["html", "hanja", "digits", "spaces"])
    texts = ["美 <b>금리</b> 2.5%", "", "日  경제"]
    assert pipeline.apply(texts) == [pipeline(text) for text in texts] == ["미국 금리 0%", "", "일본 경제"]


def test_an_unknown_step_names_the_nearest_and_all():
    with pytest.raises(
        TextError, match=r"no text step 'hanjas'. Did you mean 'hanja'\? Known: .*nfc.*spaces"
    ):
        TextPipeline(["nfc", "hanjas"])
    with pytest.raises(TextError, match="list of names"):
        TextPipeline("nfc")


def test_a_dictionary_extends_and_overrides(dictionary):
    pipeline = TextPipeline(["abbreviations", "hanja", "symbols"], dictionary)
    assert pipeline("KFA와 AI, IB") == "대한축구협회와 에이아이, 투자은행"
    assert pipeline("C++로 금감원이") == "시플러스플러스로 금융감독원이"
    assert pipeline("文 美 中 韓美") == "문재인 아메리카 중국 한미"
    assert pipeline("※ ㈜") == "참고 (주)"
    assert STEPS["hanja"]("美") == "미국"


def test_pickled_copied_and_rebuilt_it_is_the_same_without_the_file(dictionary):
    pipeline = TextPipeline(["hanja", "spaces"], dictionary)
    dictionary.unlink()
    for other in (
        pickle.loads(pickle.dumps(pipeline)),
        copy.deepcopy(pipeline),
        TextPipeline(**pipeline.to_json()),
    ):
        assert other == pipeline
        assert hash(other) == hash(pipeline)
        assert other("文  美") == "문재인 아메리카"
    assert pipeline != TextPipeline(["hanja", "spaces"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[hanja]\n"文" = "문재인"\n"朴" 박근혜\n', r"말\.toml, line 3: this is not valid TOML"),
        ('[hanja]\n"文" = "문', r"말\.toml, line 2: this is not valid TOML"),
        ('[hanja]\n\n"文" = 3\n', r"말\.toml, line 3: \[hanja\] '文' must become a text.*not 3"),
        ('[hanjas]\n"文" = "문"\n', r"말\.toml, line 1: \[hanjas\] is no table.*Did you mean 'hanja'"),
        ('hanja = "文"\n', r"말\.toml, line 1: \[hanja\] is no table"),
        ('[symbols]\n"->" = "에서"\n', r"line 2: \[symbols\] maps single characters, and '->' has 2"),
        ('[abbreviations]\n"" = "빈"\n', r"\[abbreviations\] has an empty key"),
    ],
)
def test_a_broken_dictionary_is_told_with_file_and_line(tmp_path, content, message):
    path = tmp_path / "말.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TextError, match=message):
        TextPipeline(["hanja"], path)


def test_an_unreadable_dictionary(tmp_path):
    with pytest.raises(TextError, match="does not exist"):
        TextPipeline(["hanja"], tmp_path / "없음.toml")
    with pytest.raises(TextError, match="cannot be read"):
        TextPipeline(["hanja"], tmp_path)
    path = tmp_path / "cp949.toml"
    path.write_bytes('[hanja]\n"x" = "글"\n'.encode("cp949"))
    with pytest.raises(TextError, match="line 2: this is not UTF-8"):
        TextPipeline(["hanja"], path)


def test_what_is_no_text_is_named():
    with pytest.raises(TextError, match=r"item 1 is nan \(float\), not a text"):
        TextPipeline(["nfc"]).apply(["글", float("nan")])
    with pytest.raises(TextError, match="item 0 is None"):
        TextPipeline(["spaces"])(None)


def test_changes_tell_what_each_step_did():
    first, second = TextPipeline(["hanja", "digits"]).changes(["美 1위", "日 2위", "한국"], examples=1)
    assert (first.step, first.changed, first.total) == ("hanja", 2, 3)
    assert first.examples == (("美 1위", "미국 1위"),)
    assert second.examples == (("미국 1위", "미국 0위"),)
    assert second.seconds >= 0


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.characters()) | st.text(st.characters(categories=["Cs", "Cc", "Lo"])), max_size=4))
def test_all_steps_together_survive_any_text(texts):
    pipeline = TextPipeline(list(STEPS))
    assert all(type(text) is str for text in pipeline.apply(texts))
