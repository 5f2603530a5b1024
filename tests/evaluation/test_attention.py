"""Heat maps of attention."""

import unicodedata

import numpy as np

from gallae.evaluation.attention import attention_plot, shown_token


def test_a_heat_map_is_a_picture_with_its_glyphs_as_paths():
    svg = attention_plot(np.eye(3), ["밥", "▁", "뷁"], ["<from:jeju>", "밥", "ㄱ"])
    assert svg.startswith("<svg")
    assert "attention" in svg
    assert "<text" not in svg


def test_tokens_are_shown_as_people_read_them():
    assert shown_token("▁밥") == "_밥"
    assert shown_token("<from:jeju>") == "jeju →"
    assert shown_token("<to:standard>") == "→ standard"
    assert [shown_token(letter) for letter in unicodedata.normalize("NFD", "닭")] == ["ㄷ", "ㅏ", "ㄺ"]
