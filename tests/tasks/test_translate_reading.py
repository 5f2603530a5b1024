"""What can be translated, from which files."""

import pytest

from gallae.errors import DataError
from gallae.tasks.translate_reading import Passage, drawn, read_passages


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def pairs(tmp_path):
    return write(
        tmp_path / "pairs.tsv", "dialect\tstandard\tregion\n먹언\t먹었어\tjeju\n뭇다\t먹었다\tgyeongsang\n"
    )


@pytest.fixture
def styles(tmp_path):
    return write(tmp_path / "styles.tsv", "formal\tinformal\tking\n갑니다\t간다\t가노라\n옵니다\t온다\t\n")


def test_a_pair_gives_both_directions(pairs):
    assert read_passages(pairs)[:2] == [
        Passage("먹언", "먹었어", "jeju", "standard", 0),
        Passage("먹었어", "먹언", "standard", "jeju", 0),
    ]
    assert [one.pair for one in read_passages(pairs)] == [0, 0, 1, 1]


def test_a_direction_is_chosen(pairs):
    assert read_passages(pairs, source_style="standard", target_style="jeju") == [
        Passage("먹었어", "먹언", "standard", "jeju", 0)
    ]
    with pytest.raises(DataError, match=r"no pair for --from jeolla\. It has: gyeongsang to standard"):
        read_passages(pairs, source_style="jeolla")
    with pytest.raises(DataError, match="both are the same"):
        read_passages(pairs, source_style="jeju", target_style="jeju")


def test_columns_are_styles(styles):
    found = read_passages(styles, columns="formal,informal,king")
    assert len(found) == 6 + 2  # every two of three, every two of the two that are there
    assert Passage("가노라", "갑니다", "king", "formal", 0) in found
    assert len(read_passages(styles, columns="formal,informal", source_style="formal")) == 2
    with pytest.raises(DataError, match="name them with --columns"):
        read_passages(styles)
    with pytest.raises(DataError, match="two or more"):
        read_passages(styles, columns="formal")


def test_texts_without_a_style(tmp_path):
    file = write(tmp_path / "texts.txt", "밥 먹언\n어디 감시니\n")
    found = read_passages(file, labelled=False, source_style="jeju", target_style="standard")
    assert found[1] == Passage("어디 감시니", None, "jeju", "standard", 1)
    with pytest.raises(DataError, match="--from jeju --to standard"):
        read_passages(file, labelled=False, source_style="jeju")


def test_a_sample_is_drawn_evenly_in_constant_memory(pairs):
    numbers = [number for number, _ in drawn(iter(range(1000)), 100)]
    assert len(numbers) == 100
    assert numbers == sorted(numbers)
    assert 350 < sum(numbers) / 100 < 650
    assert len(read_passages(pairs, limit=1)) == 2
    with pytest.raises(DataError, match="--limit 0"):
        read_passages(pairs, limit=0)


def test_texts_of_pairs_may_become_a_third_style(pairs, styles):
    assert read_passages(pairs, labelled=False, source_style="jeju", target_style="gyeongsang") == [
        Passage("먹언", None, "jeju", "gyeongsang", 0)
    ]
    with pytest.raises(DataError, match="no pair for --from jeju --to gyeongsang"):
        read_passages(pairs, source_style="jeju", target_style="gyeongsang")


def test_columns_of_the_training_are_no_columns_of_plain_texts(tmp_path):
    file = write(tmp_path / "texts.txt", "갑니다\n")
    given = {"source_style": "formal", "target_style": "informal", "columns": "formal,informal"}
    assert read_passages(file, labelled=False, **given)[0].source == "갑니다"
