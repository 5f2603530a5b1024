"""Dialect pairs: every layout of AI-Hub's, tables, and what labels they give."""

import json

import pytest

import gallae
from gallae.data.dialect_json import clean, find_region
from gallae.data.dialects import DialectPair, stream_pairs
from gallae.errors import DataError
from gallae.recipes import find_recipe
from gallae.workflows.splits import SplitOptions, make_splits

FORMS = {"dialect_form": "밥 먹언", "standard_form": "밥 먹었어"}
PAIR = DialectPair("밥 먹언", "밥 먹었어", "jeju")


def conversation(path, *utterances, encoding="utf-8", **fields):
    """Write a file of AI-Hub's layout."""
    content = {"utterance": list(utterances or (FORMS,)), **fields}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding=encoding)
    return path


def jeju(path, *utterances, **fields):
    return conversation(path, *utterances, metadata={"title": "제주도 방언 발화"}, **fields)


# ---- AI-Hub


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_utterances_are_read(tmp_path, encoding):
    assert list(stream_pairs(jeju(tmp_path / "a.json", encoding=encoding))) == [PAIR]


WORDS = [
    {"id": 1, "eojeol": "밥", "standard": "밥", "isDialect": False},
    {"id": 2, "eojeol": "먹언", "standard": "먹었어", "isDialect": True},
]
VARIANTS = {
    "words": {"eojeolList": WORDS},
    "a form and words": {"dialect_form": "밥 먹언", "standard_form": None, "eojeolList": WORDS},
    "double transcription": {"form": "밥 (먹언)/(먹었어)"},
    "short names": {"dialect": "밥 먹언", "standard": "밥 먹었어"},
    "marks": {"dialect_form": "((밥)) (()) 먹언 {laughing}", "standard_form": "((밥))  먹었어"},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_of_an_utterance(tmp_path, name):
    assert list(stream_pairs(jeju(tmp_path / "a.json", VARIANTS[name]))) == [PAIR]


def test_utterances_deeper_down(tmp_path):
    file = tmp_path / "제주" / "a.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"document": [{"utterance": [FORMS]}]}), encoding="utf-8")
    assert list(stream_pairs(file)) == [PAIR]


def test_names_made_anonymous_stay():
    assert clean("&name1&가 ((와)) 서 (()) 있언\ufeff") == "&name1&가 와 서 있언"


REGIONS = {
    "metadata": ("a.json", {"metadata": {"category": "제주 > 일상대화", "topic": "부산 여행"}}),
    "speaker": (
        "a.json",
        {"speaker": [{"id": "1", "principal_residence": "제주특별자치도", "birthplace": "서울"}]},
    ),
    "code": ("DZES20000001.json", {"metadata": {"topic": "부산 여행"}}),
    "file": ("jeju_001.json", {}),
    "folder": ("제주도/라벨/a.json", {}),
}


@pytest.mark.parametrize("name", REGIONS)
def test_the_region_is_told(tmp_path, name):
    place, fields = REGIONS[name]
    assert list(stream_pairs(conversation(tmp_path / place, **fields))) == [PAIR]


def test_speakers_of_two_regions(tmp_path):
    speakers = [{"id": "1", "birthplace": "경북 안동"}, {"id": "2", "birthplace": "전남 목포"}]
    said = [{**FORMS, "speaker_id": "2"}, {**FORMS, "speaker_id": "1"}]
    file = conversation(tmp_path / "a.json", *said, speaker=speakers)
    assert [pair.region for pair in stream_pairs(file)] == ["jeolla", "gyeongsang"]


def test_no_region_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"a\.json, utterance 1: whose dialect .* folder of that name"):
        list(stream_pairs(conversation(tmp_path / "a.json")))


def test_a_folder_is_read_file_by_file(tmp_path):
    for number in range(3):
        jeju(tmp_path / "deep" / f"{number}.json", {"dialect_form": f"말{number}", "standard_form": "말"})
    pairs = stream_pairs(tmp_path)
    assert next(pairs).dialect == "말0"
    (tmp_path / "deep" / "2.json").write_text("{broken", encoding="utf-8")
    assert next(pairs).dialect == "말1"
    with pytest.raises(DataError, match=r"2\.json, line 1, column 2: not JSON"):
        next(pairs)


@pytest.mark.parametrize(("content", "message"), [("[]", "no utterances"), ('"text"', "holds a JSON str")])
def test_other_json_is_refused(tmp_path, content, message):
    (tmp_path / "jeju.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        list(stream_pairs(tmp_path / "jeju.json"))


def test_regions_have_many_names():
    assert [find_region(text) for text in ("부산광역시", "전라북도", "강원도", "Jeju-do", "서울")] == [
        "gyeongsang", "jeolla", "gangwon", "jeju", None
    ]  # fmt: skip


# ---- tables


def table(path, header, *rows):
    path.write_text("\n".join("\t".join(row) for row in (header, *rows)) + "\n", encoding="utf-8")
    return path


def test_a_dictionary_gives_its_examples(tmp_path):
    header = ("region", "headword", "example_dialect", "example_standard")
    file = table(
        tmp_path / "words.tsv", header, ("제주", "먹언", "밥 먹언", "밥 먹었어"), ("제주", "하영", "", "")
    )
    assert list(stream_pairs(file)) == [PAIR]


def test_a_pair_without_region_names_its_line(tmp_path):
    rows = (("가", "나", "jeju"), ("다", "라", ""))
    with pytest.raises(DataError, match="line 3: the region is empty"):
        list(stream_pairs(table(tmp_path / "pairs.tsv", ("dialect", "standard", "region"), *rows)))


def test_a_missing_column_is_named(tmp_path):
    file = table(tmp_path / "pairs.tsv", ("dialect", "region"), ("가", "jeju"))
    with pytest.raises(DataError, match="which column holds the standard form"):
        list(stream_pairs(file))


# ---- labels

PAIRS = (("밥 먹언", "밥 먹었어", "jeju"), ("좋아", "좋아", "jeolla"), ("밥 뭇다", "밥 먹었어", "gyeongsang"))


def test_pairs_are_a_format_of_read(tmp_path):
    corpus = gallae.read(table(tmp_path / "pairs.tsv", ("dialect", "standard", "region"), *PAIRS))
    assert list(zip(corpus.texts, corpus.labels, strict=True)) == [
        ("밥 먹언", "jeju"), ("밥 먹었어", "standard"), ("좋아", "standard"), ("밥 뭇다", "gyeongsang"),
        ("밥 먹었어", "standard"),
    ]  # fmt: skip
    assert corpus.column("pair").tolist() == ["0", "0", "1", "2", "2"]
    assert corpus.group_column == "pair"


def test_json_is_known_by_what_stands_in_it(tmp_path):
    jeju(tmp_path / "talks" / "a.json")
    for place in (tmp_path / "talks", tmp_path / "talks" / "a.json"):
        assert gallae.read(place).labels == ["jeju", "standard"]


def test_several_labels_for_texts_that_several_say(tmp_path):
    rows = (*PAIRS, ("밥 먹언", "밥 먹었다", "jeolla"))
    file = table(tmp_path / "pairs.tsv", ("dialect", "standard", "region"), *rows)
    corpus = gallae.read(file, format="dialect-multilabel")
    found = dict(zip(corpus.texts, corpus.labels, strict=True))
    assert found == {
        "밥 먹언": ("jeju", "jeolla"), "밥 먹었어": ("standard",), "좋아": ("standard",),
        "밥 뭇다": ("gyeongsang",), "밥 먹었다": ("standard",),
    }  # fmt: skip
    groups = dict(zip(corpus.texts, corpus.column("pair"), strict=True))
    assert (
        groups["밥 먹언"] == groups["밥 먹었어"] == groups["밥 뭇다"] == groups["밥 먹었다"] != groups["좋아"]
    )


def test_several_labels_are_several_even_where_every_text_has_one(tmp_path):
    file = table(tmp_path / "pairs.tsv", ("dialect", "standard", "region"), *PAIRS)
    corpus = gallae.read(file, format="dialect-multilabel")
    assert corpus.label_set.multilabel
    assert ("jeju",) in corpus.labels


def test_naming_columns_reads_a_plain_table(tmp_path):
    file = table(tmp_path / "pairs.tsv", ("dialect", "standard", "region"), *PAIRS)
    corpus = gallae.read(file, text_column="dialect", label_column="region")
    assert corpus.labels == ["jeju", "jeolla", "gyeongsang"]


def test_both_forms_of_a_pair_are_held_out_together():
    splits, _ = make_splits(gallae.sample("dialect"), SplitOptions(folds=3), find_recipe("dialect"))
    for split in splits:
        assert not {*split.train.column("pair")} & {*split.valid.column("pair")}
