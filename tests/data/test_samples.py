"""The embedded corpora keep what the documentation promises about them."""

import csv
import re
import unicodedata
from collections import Counter
from importlib import resources

import pytest

TOPICS = {"IT과학", "경제", "사회", "생활문화", "세계", "스포츠", "정치"}
SENTIMENTS = {"긍정", "부정"}
HANJA = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
COLUMNS = {"headlines": ["title", "topic"], "reviews": ["review", "sentiment"]}


def rows_of(name: str) -> list[list[str]]:
    source = resources.files("gallae").joinpath("data", "samples", f"{name}.csv")
    with source.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines, strict=True))


def normalised(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


@pytest.fixture(scope="module")
def headlines() -> list[list[str]]:
    return rows_of("headlines")[1:]


@pytest.fixture(scope="module")
def reviews() -> list[list[str]]:
    return rows_of("reviews")[1:]


@pytest.mark.parametrize("name", COLUMNS)
def test_every_row_is_whole_and_clean(name: str) -> None:
    header, *rows = rows_of(name)
    assert header == COLUMNS[name]
    for row in rows:
        assert len(row) == 2
        for cell in row:
            assert cell and cell == cell.strip() and cell.isprintable()
            assert cell == unicodedata.normalize("NFC", cell)


@pytest.mark.parametrize("name", COLUMNS)
def test_no_text_comes_twice(name: str) -> None:
    counts = Counter(normalised(text) for text, _ in rows_of(name)[1:])
    assert [text for text, count in counts.items() if count > 1] == []


def test_headlines_cover_the_seven_topics(headlines: list[list[str]]) -> None:
    counts = Counter(topic for _, topic in headlines)
    assert len(headlines) >= 728
    assert set(counts) == TOPICS
    assert min(counts.values()) >= 100


def test_headlines_have_the_length_of_headlines(headlines: list[list[str]]) -> None:
    lengths = [len(title) for title, _ in headlines]
    assert 22 <= sum(lengths) / len(lengths) <= 32
    assert min(lengths) >= 12
    assert max(lengths) <= 50


def test_headlines_use_hanja_as_headlines_do(headlines: list[list[str]]) -> None:
    share = sum(bool(HANJA.search(title)) for title, _ in headlines) / len(headlines)
    assert 0.10 <= share <= 0.20


def test_headlines_are_not_sorted_by_topic(headlines: list[list[str]]) -> None:
    assert {topic for _, topic in headlines[:100]} == TOPICS


def test_reviews_are_balanced(reviews: list[list[str]]) -> None:
    counts = Counter(sentiment for _, sentiment in reviews)
    assert len(reviews) >= 300
    assert set(counts) == SENTIMENTS
    assert counts["긍정"] == counts["부정"]


def test_reviews_are_short(reviews: list[list[str]]) -> None:
    lengths = [len(review) for review, _ in reviews]
    assert min(lengths) >= 3
    assert max(lengths) <= 120


def test_dialect_pairs_are_whole_and_of_three_regions() -> None:
    source = resources.files("gallae").joinpath("data", "samples", "dialect.tsv")
    header, *rows = [line.split("\t") for line in source.read_text(encoding="utf-8").splitlines()]
    assert header == ["dialect", "standard", "region"]
    assert len(rows) >= 150
    counts = Counter(region for _, _, region in rows)
    assert set(counts) == {"gyeongsang", "jeolla", "jeju"}
    assert min(counts.values()) >= 50
    for row in rows:
        assert all(cell == unicodedata.normalize("NFC", cell.strip()) != "" for cell in row)
    assert len({tuple(row) for row in rows}) == len(rows)
    assert len({said for said, standard, _ in rows if said != standard}) == sum(a != b for a, b, _ in rows)
    assert 10 <= sum(said == standard for said, standard, _ in rows) <= len(rows) / 4
