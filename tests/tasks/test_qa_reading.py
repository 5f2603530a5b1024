"""KorQuAD's and SQuAD's JSON, flat tables, and answers that are not where they should be."""

import json
import logging

import pytest

from gallae.errors import DataError
from gallae.tasks.qa_reading import Answer, find_answer, read_questions

CONTEXT = "한강은 서울을 지난다. 한강의 길이는 494km이다."


def korquad(path, *questions, context=CONTEXT, **article):
    content = {
        "version": "KorQuAD_v1.0_dev",
        "data": [{"paragraphs": [{"context": context, "qas": questions}]}],
    }
    content["data"][0] |= article
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def asked(text, start, name="q1", **more):
    return {"id": name, "question": "길이는?", "answers": [{"text": text, "answer_start": start}], **more}


def test_korquad(tmp_path):
    (question,) = read_questions(korquad(tmp_path / "dev.json", asked("494km", 21), title="한강"))
    assert question.id == "q1"
    assert question.question == "길이는?"
    assert question.context == CONTEXT
    assert question.answers == (Answer("494km", 21),)
    assert CONTEXT[21:26] == "494km"


def test_korquad_2(tmp_path):
    html = "<p>한강은 <b>494km</b></p>"
    answer = {"text": "494km", "answer_start": 10, "html_answer_start": 99}
    asked = {"id": 7, "question": "길이는?", "answer": answer}
    article = {"title": "한강", "context": html, "raw_html": "...", "qas": [asked]}
    path = tmp_path / "korquad2.json"
    path.write_text(json.dumps({"version": "2.1", "data": [article]}), encoding="utf-8")
    (question,) = read_questions(path)
    assert (question.id, question.answers) == ("7", (Answer("494km", 10),))


def test_squad_2_and_klue(tmp_path):
    impossible = {
        "guid": "q2", "question": "깊이는?", "answers": [], "is_impossible": True,
        "plausible_answers": [{"text": "494km", "answer_start": 21}],
    }  # fmt: skip
    flagged = asked("서울", 4, "q3", is_impossible=True)
    found = read_questions(korquad(tmp_path / "dev.json", asked("서울", 4), impossible, flagged))
    assert [question.id for question in found] == ["q1", "q2", "q3"]
    assert [question.golds for question in found] == [("서울",), (), ()]


def test_several_answers_and_none_asked_for(tmp_path):
    question = asked("서울", 4) | {
        "answers": [{"text": "서울", "answer_start": 4}, {"text": "서울을", "answer_start": 4}]
    }
    path = korquad(tmp_path / "dev.json", question, {"id": "q2", "question": "깊이는?"})
    assert read_questions(path)[0].golds == ("서울", "서울을")
    bare = korquad(tmp_path / "test.json", {"id": "q2", "question": "깊이는?"})
    assert read_questions(bare, labelled=False)[0].answers == ()
    with pytest.raises(DataError, match="no question has an answer"):
        read_questions(bare)


def test_csv_and_jsonl(tmp_path, write_table):
    table = write_table(
        tmp_path / "qa.csv",
        ["id", "context", "question", "answer", "answer_start"],
        [("a", CONTEXT, "길이는?", "494km", 21), ("b", CONTEXT, "깊이는?", "", "")],
    )
    found = read_questions(table)
    assert found[0].answers == (Answer("494km", 21),)
    assert found[1].answers == ()
    rows = [
        {"context": CONTEXT, "question": "길이는?", "answers": {"text": ["494km"], "answer_start": [21]}},
        {"context": CONTEXT, "question": "어디를?", "answers": ["서울", "서울을"], "answer_start": [4, 4]},
        {"context": CONTEXT, "question": "무엇이?", "answers": [{"text": "한강", "answer_start": 12}]},
    ]
    lines = tmp_path / "qa.jsonl"
    lines.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = read_questions(lines)
    assert [question.answers for question in found] == [
        (Answer("494km", 21),), (Answer("서울", 4), Answer("서울을", 4)), (Answer("한강", 13),)
    ]  # fmt: skip
    assert [question.id for question in found] == ["0", "1", "2"]


def test_where_an_answer_stands():
    assert find_answer(CONTEXT, "한강", 0) == 0
    assert find_answer(CONTEXT, "한강", 13) == 13
    assert find_answer(CONTEXT, "한강", 11) == 13  # the nearest
    assert find_answer(CONTEXT, "494km") == 21  # nothing stated
    assert find_answer(CONTEXT, "494km", 900) == 21  # it stands there only
    assert find_answer(CONTEXT, "부산", 4) == -1
    assert find_answer(CONTEXT, "서울", -7) == 4
    far = "서울 " + "가" * 500 + " 서울"
    assert find_answer(far, "서울", 250) == -1  # which one it is cannot be told


def test_lost_and_moved_answers_are_counted(tmp_path, caplog):
    path = korquad(tmp_path / "dev.json", asked("494km", 21), asked("서울", 6, "q2"), asked("부산", 4, "q3"))
    with caplog.at_level(logging.WARNING):
        found = read_questions(path)
    assert [question.answers[0].start for question in found] == [21, 4, -1]
    assert "1 of 3 answers do not stand where answer_start says" in caplog.text
    assert "1 of 3 answers are not found in their passage" in caplog.text
    assert "'부산'" in caplog.text
    assert "question 3" in caplog.text


def test_no_answer_found_at_all(tmp_path):
    with pytest.raises(DataError, match=r"none of the 1 answers is found .*부산.*question 1"):
        read_questions(korquad(tmp_path / "dev.json", asked("부산", 4)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', r"article 1, paragraph 1: 'context' is missing"),
        ('{"data": [{"paragraphs": [{"context": "a", "qas": [{"id": 1}]}]}]}', "question 1: 'question' is"),
        ('{"data": [{"paragraphs": {"context": "a"}}]}', "'paragraphs' is a JSON dict"),
        ('{"data": [{"paragraphs": [3]}]}', "paragraph 1: a JSON int"),
        ('{"data": [{"paragraphs": []}]}', "holds no questions"),
        ('{"data": [', "line 1, column 11: not JSON"),
        ('[{"passage": "a b", "question": "?"}]', "which column holds the answer"),
        ('[{"context": "a b", "answer": "a"}]', "which column holds the question"),
        (
            '[{"context": "a", "question": "?", "answer": "a", "answer_start": "first"}]',
            "item 1: answer_start is",
        ),
        ('[{"context": "", "question": "?", "answer": "a"}]', "item 1: 'context' is empty"),
        ('[{"context": "a", "question": "?", "answers": [{"start": 0}]}]', "an object without 'text'"),
    ],
)
def test_bad_files(tmp_path, content, message):
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message) as raised:
        read_questions(path)
    assert "bad.json" in str(raised.value)


def test_bad_line_of_a_table(tmp_path, write_table):
    path = write_table(
        tmp_path / "bad.csv",
        ["context", "question", "answer", "answer_start"],
        [(CONTEXT, "길이는?", "494km", 21), (CONTEXT, "길이는?", "494km", "x")],
    )
    with pytest.raises(DataError, match=r"bad\.csv, line 3: answer_start is 'x'"):
        read_questions(path)
