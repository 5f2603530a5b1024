import json
import re

import gallae
from gallae.explaining import Explanation, Part
from gallae.explaining.units import cut, merged
from gallae.text import TextPipeline
from gallae.text.alignment import aligned, identity


def made(text, *parts):
    return Explanation(text, "경제", 0.9, "exact", [Part(s, e, text[s:e], w) for s, e, w in parts])


def test_html_holds_the_whole_text_and_nothing_of_it_is_markup():
    text = "<script>금리</script> & 동결"
    page = made(text, (0, 8, 0.0), (8, 10, 1.0), (10, 19, -0.5), (22, 24, 0.01)).html()
    assert "<script>" not in page
    assert re.sub("<[^>]*>", "", page) == "&lt;script&gt;금리&lt;/script&gt; &amp; 동결"
    assert page.count("<mark") == 2 and "solid" in page and "dotted" in page


def test_dict_is_json(calibrated):
    [explanation] = gallae.explain(calibrated, ["손흥민, 결승골로 승리"])
    values = json.loads(json.dumps(explanation.to_dict()))
    assert values["parts"][0].keys() == {"start", "end", "text", "weight"}
    assert Explanation(**{**values, "parts": [Part(**part) for part in values["parts"]]}) == explanation


def test_top_is_by_size():
    explanation = made("가 나 다 라", (0, 1, 0.1), (2, 3, -2.0), (4, 5, 1.0), (6, 7, 0.0))
    assert [part.text for part in explanation.top(2)] == ["나", "다"]
    assert len(explanation.top(9)) == 3


def test_words_and_signs_are_parts():
    text = "R&D 2.5%↑…美·中 1,500만명 &amp; <b>끝</b>"
    words = [text[s:e] for s, e in cut(text, "word", identity(text))]
    assert words == [
        *("R&D", "2.5", "%↑…", "美", "·", "中", "1,500만명", "&amp;", "<b>", "끝", "</b>"),
    ]


def test_morphemes_that_share_characters_are_one_part():
    text = "美 연준이 <b>금리를</b> 올렸다"
    alignment = aligned(TextPipeline(["html", "hanja"]), text)
    parts = [text[s:e] for s, e in cut(text, "morpheme", alignment)]
    assert parts == ["美", "연준", "이", "<b>", "금리", "를", "</b>", "올렸", "다"]


def test_neighbours_are_joined_evenly():
    places = [(at, at + 1) for at in range(0, 20, 2)]
    assert merged(places, 3) == [(0, 7), (8, 13), (14, 19)]
    assert merged(places, 10) == places
