import re
from html.parser import HTMLParser

import pytest

from gallae.evaluation.charts import bar_plot
from gallae.evaluation.page import (
    Card,
    Cards,
    Details,
    Heading,
    Note,
    Plot,
    Row,
    Section,
    Table,
    Text,
    page,
    written,
)

BAD = "<script>alert('1')</script> & \"그것\""


class Checker(HTMLParser):
    """Open tags in order, their attributes, and whether every one is closed."""

    EMPTY = ("meta", "img", "path", "use")

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def whole_page():
    parts = [
        Text(f"{BAD}\n\nsecond"),
        Note(BAD, warning=True),
        Cards([Card(BAD, 0.123456, BAD), Card("rows", 12345)]),
        Table([BAD, "n"], [(BAD, 1), ("한글 美", None)], caption=BAD),
        Row([Plot(bar_plot({BAD: 1.0}), caption=BAD), Plot("data:image/png;base64,AAAA")]),
        Details(BAD, [Heading(BAD)]),
    ]
    return page(BAD, [Section(f"{BAD} {number}", parts) for number in range(4)], summary=BAD, footer=BAD)


def test_everything_is_escaped_and_closed():
    checker = Checker()
    checker.feed(whole_page())
    assert checker.open == []
    assert "script" not in checker.tags
    assert not [name for name, _ in checker.attributes if name.startswith("on")]
    assert "".join(checker.text).count(BAD) > 20


def test_no_request_leaves_the_page():
    html = whole_page()
    assert not re.search(r"https?:|[\"'(]//", html)
    assert "default-src 'none'" in html
    assert not re.search(r"<(link|script|iframe|object)|@import", html)
    assert set(re.findall(r"url\((\w+:)", html)) == {"data:"}


def test_same_input_same_bytes():
    assert whole_page() == whole_page()


def test_font_holds_the_characters_of_the_page():
    short, long = page("가", []), page("가나다라마바사아자차카타파하", [])
    assert "@font-face" in short
    assert len(long) > len(short) + 500
    assert len(short) < 40_000


def test_language_and_contents():
    html = page("제목", [Section(f"절 {number}", []) for number in range(4)], language="ko")
    assert '<html lang="ko">' in html
    assert '<a href="#s4">절 3</a>' in html
    assert "<nav>" not in page("제목", [Section("절", [])])


def test_numbers_stand_right():
    rows = [("x", 1, "-12.5 %", "[0.1, 0.2]"), ("y", None, "<0.001", "")]
    html = Table(["name", "a", "b", "c"], rows).html()
    assert re.findall(r'<th scope="col" class="(\w+)"', html) == ["name", "num", "num", "num"]
    assert '<td class="num">–</td>' in html


def test_a_table_without_rows():
    assert "<tbody></tbody>" in Table(["a"], []).html()


@pytest.mark.parametrize(
    ("cell", "text"), [(1234567, "1,234,567"), (0.12349, "0.123"), (None, "–"), ("가", "가"), (9.5, "9.500")]
)
def test_written(cell, text):
    assert written(cell) == text
