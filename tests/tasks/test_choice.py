"""Multiple choice: layouts, questions of different numbers of choices, ranking, and the submission file."""

import csv
import json

import numpy as np
import pytest

from gallae.errors import DataError
from gallae.tasks import Choice
from gallae.tasks.choice_reading import ChoiceQuestion, letter, read_choices

SUBJECTS = ("한국은행", "코스피", "유엔 안보리", "손흥민", "프로야구", "수출", "환율", "류현진")
PREDICATES = (
    "금리 동결에 상승",
    "2% 급락 마감",
    "휴전 협상 촉구",
    "결승골로 승리",
    "시즌 첫 우승",
    "석 달째 증가",
)
TRAINING = {"epochs": 30, "batch_size": 4, "learning_rate": 3e-3, "warmup": 0.0, "device": "cpu"}
EXAM = ["id", "prompt", "A", "B", "C", "D", "E", "answer"]


def question(number, count, context=""):
    """Ask about one of two subjects, which decides the right one of `count` choices."""
    right = number % 2
    others = [PREDICATES[1 - right], *PREDICATES[2:]][: count - 1]
    place = (number // 2) % count
    choices = (*others[:place], PREDICATES[right], *others[place:])
    return ChoiceQuestion(f"q{number}", SUBJECTS[right], choices, context, place)


@pytest.fixture(scope="module")
def questions():
    """Two to five choices in one batch, half of them with a passage."""
    return [
        question(number, 2 + number % 4, context="축구 대표팀 결승 진출 확정" if number % 2 else "")
        for number in range(8)
    ]


@pytest.fixture(scope="module")
def fitted(checkpoint, questions):
    return Choice(checkpoint=str(checkpoint("bert")), max_length=40, training=TRAINING).fit(questions)


def write_lines(path, *rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


# ---- reading --------------------------------------------------------------------------------------


def test_letters():
    assert [letter(number) for number in (0, 4, 25, 26, 27, 52)] == ["A", "E", "Z", "AA", "AB", "BA"]


def test_kaggle_science_exam(tmp_path, write_table):
    rows = [
        (0, "Which is it?", "one", "two", "three", "four", "five", "C"),
        (1, "And?", "a", "b", "c", "", "", "b"),
    ]
    found = read_choices(write_table(tmp_path / "train.csv", EXAM, rows))
    assert found[0] == ChoiceQuestion("0", "Which is it?", ("one", "two", "three", "four", "five"), "", 2)
    assert found[1].choices == ("a", "b", "c")  # fewer choices in this row
    assert found[1].answer == 1
    with_context = write_table(tmp_path / "c.csv", [*EXAM, "context"], [(*rows[0], "It is three.")])
    assert read_choices(with_context)[0].context == "It is three."
    test = write_table(tmp_path / "test.csv", EXAM[:-1], [rows[0][:-1]])
    assert read_choices(test, labelled=False)[0].answer is None
    with pytest.raises(DataError, match="which column holds the answer"):
        read_choices(test)


def test_letter_before_text_in_a_table(tmp_path, write_table):
    blood = ("B", "A", "O", "AB", "", "A")
    (found,) = read_choices(write_table(tmp_path / "b.csv", EXAM, [(0, "혈액형은?", *blood)]))
    assert found.answer == 0


def test_click(tmp_path):
    row = {
        "id": "CSAT_1",
        "paragraph": "한강은 길다.",
        "question": "무엇이?",
        "choices": ["서울", "한강"],
        "answer": "한강",
    }
    bare = row | {"paragraph": "", "answer": "B"}
    found = read_choices(write_lines(tmp_path / "click.jsonl", row, bare))
    assert found[0] == ChoiceQuestion("CSAT_1", "무엇이?", ("서울", "한강"), "한강은 길다.", 1)
    assert (found[1].context, found[1].answer) == ("", 1)


@pytest.mark.parametrize(("answers", "expected"), [((0, 1), [0, 1]), ((1, 2), [0, 1]), (("2", "1"), [1, 0])])
def test_numbers_as_answers(tmp_path, answers, expected):
    rows = [{"question": "?", "choices": ["ㄱ", "ㄴ"], "answer": answer} for answer in answers]
    assert [q.answer for q in read_choices(write_lines(tmp_path / "n.jsonl", *rows))] == expected


def test_numbers_that_are_choices(tmp_path):
    rows = [{"question": "1 + 1?", "choices": ["1", "2", "3"], "answer": "2"}]
    assert read_choices(write_lines(tmp_path / "n.jsonl", *rows))[0].answer == 1


def test_numbers_that_could_be_either(tmp_path):
    path = write_lines(tmp_path / "n.jsonl", {"question": "?", "choices": ["ㄱ", "ㄴ", "ㄷ"], "answer": 1})
    with pytest.raises(DataError, match="from 0 or from 1 cannot be told"):
        read_choices(path)


def test_other_names_of_choices(tmp_path, write_table):
    header = ["question", "choice_1", "choice_2", "label"]
    (found,) = read_choices(write_table(tmp_path / "c.csv", header, [("?", "ㄱ", "ㄴ", "ㄴ")]))
    assert (found.choices, found.answer) == (("ㄱ", "ㄴ"), 1)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"question": "?", "choices": ["ㄱ", "ㄴ"], "answer": "ㄷ"},
            r"line 2: the answer 'ㄷ' is none of the 2 choices",
        ),
        (
            {"question": "?", "choices": ["ㄱ", "ㄴ"], "answer": "C"},
            r"line 2: the answer 'C' is none .* \(A to B\)",
        ),
        ({"question": "?", "choices": ["ㄱ"], "answer": "ㄱ"}, "line 2: 1 choices"),
        ({"question": "?", "choices": ["ㄱ", " "], "answer": "ㄱ"}, "line 2: choice B is empty"),
        ({"question": "?", "choices": "ㄱ, ㄴ", "answer": "ㄱ"}, "line 2: 'choices' must hold a list"),
        ({"question": " ", "choices": ["ㄱ", "ㄴ"], "answer": "ㄱ"}, "line 2: 'question' is empty"),
        ({"question": "?", "choices": ["ㄱ", "ㄴ"]}, "line 2: 'answer' is empty"),
    ],
)
def test_bad_rows(tmp_path, row, message):
    good = {"question": "?", "choices": ["ㄱ", "ㄴ"], "answer": "ㄴ"}
    with pytest.raises(DataError, match=message) as raised:
        read_choices(write_lines(tmp_path / "bad.jsonl", good, row))
    assert "bad.jsonl" in str(raised.value)


def test_bad_tables(tmp_path, write_table):
    gap = write_table(tmp_path / "gap.csv", EXAM, [(0, "?", "one", "", "three", "", "", "A")])
    with pytest.raises(DataError, match=r"gap\.csv, line 2: choice B is empty"):
        read_choices(gap)
    with pytest.raises(DataError, match="where are the choices"):
        read_choices(write_table(tmp_path / "none.csv", ["prompt", "answer"], [("?", "A")]))
    wrong = write_table(tmp_path / "wrong.csv", EXAM, [(0, "?", "one", "two", "", "", "", "E")])
    with pytest.raises(DataError, match=r"wrong\.csv, line 2: the answer 'E' is none of the 2 choices"):
        read_choices(wrong)


# ---- the model ------------------------------------------------------------------------------------


def test_overfits_with_different_numbers_of_choices(fitted, questions):
    figures = fitted.evaluate(questions)
    assert figures["accuracy"] == 1
    assert figures["map_at_3"] == 1
    assert figures["choices"] == {"2": 2, "3": 2, "4": 2, "5": 2}
    chance = figures["baseline"]
    assert chance["accuracy"] == pytest.approx((1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) / 4)
    third = 1 + 1 / 2 + 1 / 3
    assert chance["map_at_3"] == pytest.approx((1.5 / 2 + third / 3 + third / 4 + third / 5) / 4)


def test_predictions(fitted, questions):
    for one, said in zip(questions, fitted.predict(questions), strict=True):
        assert len(said["probabilities"]) == len(one.choices)
        assert sum(said["probabilities"]) == pytest.approx(1)
        assert said["answer"] == letter(one.answer) == said["ranking"][0]
        assert said["text"] == one.choices[one.answer]
        assert len(said["ranking"]) == min(3, len(one.choices))
        order = sorted(range(len(one.choices)), key=lambda at: -said["probabilities"][at])
        assert said["ranking"] == [letter(at) for at in order[:3]]
    assert [len(said["ranking"]) for said in fitted.predict(questions, top_n=5)] == [2, 3, 4, 5] * 2
    with pytest.raises(DataError, match="--top-n 0"):
        fitted.predict(questions, top_n=0)


def test_single_equals_batch_in_any_order(fitted, questions):
    together = fitted.predict(questions)
    for one, said in zip(questions, together, strict=True):
        np.testing.assert_allclose(
            fitted.predict([one])[0]["probabilities"], said["probabilities"], atol=1e-5
        )
    backwards = fitted.predict(questions[::-1])[::-1]
    assert [said["ranking"] for said in backwards] == [said["ranking"] for said in together]


def test_missing_choices_weigh_nothing_in_the_loss(fitted, questions):
    import torch

    features = fitted.encode(questions[:4], True)
    with torch.no_grad():
        whole = fitted.loss(fitted.model, fitted.collate(features))
        each = [fitted.loss(fitted.model, fitted.collate([feature])) for feature in features]
    assert torch.isfinite(whole)
    assert whole.item() == pytest.approx(sum(each).item() / 4, abs=1e-5)
    assert fitted.collate(features)["input_ids"].shape[:2] == (14, 1)  # 2 + 3 + 4 + 5


def test_order_of_choices_does_not_matter(fitted, questions):
    one = questions[3]
    turned = ChoiceQuestion(one.id, one.question, one.choices[::-1], one.context)
    some, other = fitted.predict([one])[0], fitted.predict([turned])[0]
    np.testing.assert_allclose(some["probabilities"], other["probabilities"][::-1], atol=1e-5)


@pytest.mark.parametrize("keep", ["head", "tail"])
def test_only_the_passage_is_cut(checkpoint, questions, keep, caplog):
    context = " ".join(["코스피", *["한국은행 금리 동결에 상승"] * 20, "환율"])
    long = ChoiceQuestion("long", "손흥민", ("결승골로 승리", "시즌 첫 우승"), context, 0)
    task = Choice(
        checkpoint=str(checkpoint("bert")), max_length=40, truncation=keep, training={**TRAINING, "epochs": 1}
    ).fit([*questions, long])
    assert "1 of 9 passages are cut" in caplog.text
    (feature,) = task.encode([long], True)
    for ids, choice in zip(feature["input_ids"], long.choices, strict=True):
        assert 30 < len(ids) <= 40
        text = task.tokenizer.decode(ids, skip_special_tokens=True)
        assert text.endswith(f"손흥민 {choice}")
        assert text.startswith("코스피") == (keep == "head")
        assert ("환율" in text) == (keep == "tail")


def test_map_at_3_by_hand(fitted):
    def asked(answer):
        return ChoiceQuestion("q", "?", ("ㄱ", "ㄴ", "ㄷ", "ㄹ"), "", answer)

    ranked = {"probabilities": [0.1, 0.4, 0.3, 0.2]}  # B C D A
    figures = fitted.measure([asked(1), asked(2), asked(3), asked(0)], [ranked] * 4)
    assert figures["accuracy"] == 0.25
    assert figures["map_at_3"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 0) / 4)
    low, high = figures["map_at_3_interval"]
    assert 0 <= low < figures["map_at_3"] < high <= 1
    with pytest.raises(DataError, match="no answer to measure on"):
        fitted.measure([asked(None)], [ranked])


def test_no_answer_to_learn_from(fitted):
    with pytest.raises(DataError, match="'q9' has no answer"):
        fitted.encode([ChoiceQuestion("q9", "?", ("ㄱ", "ㄴ"))], True)


@pytest.mark.parametrize("family", ["roberta", "deberta-v2", "longformer"])
def test_other_families(checkpoint, questions, family):
    training = {**TRAINING, "epochs": 1}
    task = Choice(checkpoint=str(checkpoint(family)), max_length=40, training=training).fit(questions)
    assert all(abs(sum(said["probabilities"]) - 1) < 1e-6 for said in task.predict(questions))


# ---- the command line -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exam(tmp_path_factory, questions, write_table):
    rows = [
        (q.id, q.question, q.context, *q.choices, *[""] * (5 - len(q.choices)), letter(q.answer))
        for q in questions
    ]
    header = ["id", "prompt", "context", *"ABCDE", "answer"]
    return write_table(tmp_path_factory.mktemp("exam") / "train.csv", header, rows)


def test_command_line_equals_python(gallae_cli, fitted, questions, exam, tmp_path):
    run, out = tmp_path / "run", tmp_path / "out.jsonl"
    options = [f"--set=training.{key}={value}" for key, value in TRAINING.items() if key != "device"]
    told = gallae_cli(
        "tasks", "choice", "train", exam, "--checkpoint", fitted.recipe.checkpoint, "--set=max_length=40",
        "--set=training.device=cpu", *options, "-o", run,
    )  # fmt: skip
    assert told.code == 0, told.err
    measured = gallae_cli("tasks", "choice", "evaluate", run, exam, "--json")
    assert json.loads(measured.out) == fitted.evaluate(questions)
    words = gallae_cli("tasks", "choice", "evaluate", run, exam)
    assert "MAP@3: 1.0000" in words.out
    assert "chance 0.32" in words.out
    assert "choices: 2 with 2, 2 with 3" in words.out
    assert gallae_cli("tasks", "choice", "predict", run, exam, "--top-n", "2", "-o", out).code == 0
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["ranking"] for row in rows] == [
        said["ranking"] for said in fitted.predict(questions, top_n=2)
    ]
    assert rows[0] | {"id": "q0", "gold": "A"} == rows[0]
    submission = tmp_path / "submission.csv"
    assert gallae_cli("tasks", "choice", "predict", run, exam, "--submission", "-o", submission).code == 0
    with submission.open(encoding="utf-8", newline="") as file:
        written = list(csv.reader(file))
    assert written[0] == ["id", "prediction"]
    assert written[4] == ["q3", " ".join(fitted.predict(questions)[3]["ranking"])]
    assert len(written) == 9


def test_submission_needs_ids_that_differ(fitted, questions):
    twice = [questions[0], questions[0]]
    with pytest.raises(DataError, match="'q0' stands in several rows"):
        fitted.rows(twice, fitted.predict(twice), submission=True)


def test_bad_answer_on_the_command_line(gallae_cli, tmp_path, checkpoint, write_table):
    wrong = write_table(tmp_path / "wrong.csv", EXAM, [(0, "?", "one", "two", "", "", "", "E")])
    told = gallae_cli(
        "tasks", "choice", "train", wrong, "--checkpoint", checkpoint("bert"), "-o", tmp_path / "run"
    )
    assert told.code == 2
    assert "wrong.csv, line 2" in told.err
    assert "Traceback" not in told.err
    assert not (tmp_path / "run").exists()
