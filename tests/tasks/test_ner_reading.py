"""Reading named entities: every layout gives the same raw texts and spans, and broken lines are named."""

import logging

import pytest

from gallae.errors import DataError
from gallae.tasks.bio import Span, character_tags, parse_tag, tags_of
from gallae.tasks.ner_reading import (
    Sentence,
    parse_marked,
    read_sentences,
    read_texts,
    write_marked,
)

KMOU = """; 한석규가 지난 7일 서울에 왔다.
$<한석규:PS>가 <지난 7일:DT> <서울:LC>에 왔다.
1	한석규	NNP	B_PS
1	가	JKS	O
2	지나	VV	B_DT
2	ㄴ	ETM	I
3	7	SN	I
3	일	NNB	I
4	서울	NNP	B_LC
4	에	JKB	O
5	왔다	VV	O
5	.	SF	O

; 비가 온다.
$비가 온다.
1	비	NNG	O
1	가	JKS	O
2	온다	VV	O
2	.	SF	O
"""
GOLD = [
    Sentence("한석규가 지난 7일 서울에 왔다.", (Span(0, 3, "PS"), Span(5, 10, "DT"), Span(11, 13, "LC"))),
    Sentence("비가 온다."),
]


def klue(sentences):
    """The KLUE layout of sentences."""
    blocks = []
    for number, (text, spans) in enumerate((s.text, s.spans) for s in sentences):
        tags = character_tags(spans, len(text))
        lines = [f"{character}\t{tag}" for character, tag in zip(text, tags, strict=True)]
        blocks.append("\n".join([f"## klue-ner-v1_dev_{number:05}\t{write_marked(text, spans)}", *lines]))
    return "\n\n".join(blocks) + "\n"


@pytest.fixture
def written(tmp_path):
    def write(content, name="ner.txt", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content.encode(encoding))
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_kmou_is_read_with_any_line_ends_and_encoding(written, encoding):
    assert read_sentences(written(KMOU.replace("\n", "\r\n"), encoding=encoding)) == GOLD


def test_kmou_without_empty_lines_between_sentences(written):
    assert read_sentences(written(KMOU.replace("\n\n", "\n"))) == GOLD


def test_klue_with_and_without_its_header(written):
    assert read_sentences(written(klue(GOLD))) == GOLD
    bare = "\n".join(line for line in klue(GOLD).split("\n") if not line.startswith("##"))
    assert read_sentences(written(bare.replace("\n\n", "\n\t\n"))) == GOLD


def test_naver_joins_words_and_needs_no_empty_lines(written):
    content = "1\t비토리오\tPER_B\n2\t에마누엘레\tPER_I\n3\t만에\t-\n\n1\t영사관\tORG_B\n"
    expected = [
        Sentence("비토리오 에마누엘레 만에", (Span(0, 10, "PER"),)),
        Sentence("영사관", (Span(0, 3, "ORG"),)),
    ]
    assert read_sentences(written(content)) == expected
    assert read_sentences(written(content.replace("\n\n", "\n"))) == expected


def test_conll_takes_more_columns_comments_and_other_schemes(written):
    content = (
        "-DOCSTART- -X- O\n\n# text = 홍 길동 집\n홍 NNP B-PER\n길동 NNP E-PER\n집 NNG O\n\n서울 NNP S-LOC\n"
    )
    assert read_sentences(written(content)) == [
        Sentence("홍 길동 집", (Span(0, 4, "PER"),)),
        Sentence("서울", (Span(0, 2, "LOC"),)),
    ]


def test_two_entities_of_one_type_side_by_side_stay_two(written):
    read = read_sentences(written("집\tO\n에\tO\n\n한\tB-LC\n미\tB-LC\n \tO\n회\tO\n"))
    assert read == [Sentence("집에"), Sentence("한미 회", (Span(0, 1, "LC"), Span(1, 2, "LC")))]


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("1\t가\tJKS\tO", "1\t가\tJKS", 4, "3 columns"),
        ("3\t7\tSN\tI", "3\t7\tSN\tQ_DT", 7, "'Q_DT' is no tag"),
        ("$<한석규:PS>가", "$<한석규:PS>는", 2, "not the raw text of line 1"),
        ("$비가 온다.\n", "", 15, r'"\$"'),
        ("2\t지나\tVV\tB_DT", "2\t지나\tVV\tO", 6, "no entity stands before it"),
        ("3\t7\tSN\tI", "3\t7\tSN\tI_PS", 7, "an entity of type DT stands before it"),
    ],
)
def test_a_broken_line_is_named(written, old, new, line, reason):
    assert old in KMOU
    path = written(KMOU.replace(old, new, 1))
    with pytest.raises(DataError, match=rf"ner.txt, line {line}: .*{reason}.*--repair"):
        read_sentences(path)


def test_repair_takes_a_broken_tag_as_a_beginning_and_leaves_out_what_cannot_be_read(written, caplog):
    broken = "한\tI-PS\n씨\tI-PS\n미\tI-LC\n\n미\tO\n국\n\n집\tO\n"
    with caplog.at_level(logging.WARNING):
        read = read_sentences(written(broken), repair=True)
    assert read == [Sentence("한 씨 미", (Span(0, 3, "PS"), Span(4, 5, "LC"))), Sentence("집")]
    assert "2 tags" in caplog.text and "1 sentences cannot be read" in caplog.text


def test_where_marked_line_and_tags_differ_is_counted(written, caplog):
    with caplog.at_level(logging.WARNING):
        assert read_sentences(written(KMOU.replace("4\t서울\tNNP\tB_LC", "4\t서울\tNNP\tB_OG"))) == GOLD
    assert "1 of 2 sentences name other entities" in caplog.text
    caplog.clear()
    read_sentences(written(KMOU))  # 지나 + ㄴ is 지난
    assert "name other entities" not in caplog.text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ("그냥 문장이다.\n또 하나.\n", "none of the known layouts"),
        ("text,label\n안녕,O\n", "none of the known layouts"),
        ("\x89PNG\r\n\x1a\n\0\0\0", "not a text file"),
    ],
)
def test_what_is_no_such_file_is_refused_with_the_layouts(written, content, reason):
    with pytest.raises(DataError, match=reason):
        read_sentences(written(content, encoding="latin-1" if "PNG" in content else "utf-8"))


def test_a_format_that_is_forced(written):
    path = written("1 비 -\n")
    assert read_sentences(path, format="conll") == [Sentence("1")]
    with pytest.raises(DataError, match="line 1: is not number, word and tag"):
        read_sentences(path, format="naver")
    with pytest.raises(DataError, match=r"--format iob: not known. Known: kmou"):
        read_sentences(path, format="iob")


def test_texts_to_predict_come_from_a_layout_or_any_table(written, write_table, tmp_path):
    texts = [sentence.text for sentence in GOLD]
    plain = written("\n".join(texts), "plain.txt")
    table = write_table(tmp_path / "rows.csv", ["id", "text"], list(enumerate(texts)))
    assert read_texts(plain) == read_texts(table) == [Sentence(text) for text in texts]
    assert [sentence.text for sentence in read_texts(written(KMOU))] == texts


def test_marks_are_written_as_they_are_read():
    text, spans = parse_marked("<한석규:PS>가 <3:00:TI>에 < 5 cm, <KBS:OG>")
    assert text == "한석규가 3:00에 < 5 cm, KBS"
    assert [text[start:end] for start, end, _ in spans] == ["한석규", "3:00", "KBS"]
    assert parse_marked(write_marked(text, spans)) == (text, spans)


def test_tags_in_every_spelling():
    assert [parse_tag(tag) for tag in ("B-PS", "B_PS", "PS_B", "PS-B")] == [("B", "PS")] * 4
    assert [parse_tag(tag) for tag in ("O", "-", "I", "E-PS")] == [
        ("O", ""),
        ("O", ""),
        ("I", ""),
        ("I", "PS"),
    ]
    assert [parse_tag(tag) for tag in ("", "PS", "X_PS", "B", "B-")] == [None] * 5


def test_units_get_the_tag_of_the_span_they_share_characters_with():
    units = [(0, 2), (2, 2), (2, 4), (5, 7), (7, 8)]
    assert tags_of([(5, 8, "LC"), (0, 3, "PS")], units) == ["B-PS", "O", "I-PS", "B-LC", "I-LC"]
