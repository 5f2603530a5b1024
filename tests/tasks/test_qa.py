"""Question answering on passages made of headlines."""

import json

import numpy as np
import pytest

from gallae.errors import DataError, RecipeError
from gallae.tasks import Qa
from gallae.tasks.qa_reading import Answer, Question
from gallae.tasks.qa_windows import coverable, spans

SUBJECTS = ("한국은행", "코스피", "유엔 안보리", "손흥민", "프로야구", "수출", "환율", "류현진")
PREDICATES = (
    "금리 동결에 상승",
    "2% 급락 마감",
    "휴전 협상 촉구",
    "결승골로 승리",
    "시즌 첫 우승",
    "석 달째 증가",
)
TRAINING = {"epochs": 60, "batch_size": 4, "learning_rate": 5e-3, "warmup": 0.0, "device": "cpu"}


def passage(first, count):
    """Return sentences about `count` subjects, the first one's number given."""
    numbers = range(first, first + count)
    return ", ".join(f"{SUBJECTS[n % 8]} {PREDICATES[n % 6]}" for n in numbers)


def question(number, count=3, at=1):
    """Ask for what is said of the subject at place `at` of a passage."""
    context, predicate = passage(number, count), PREDICATES[(number + at) % 6]
    subject = SUBJECTS[(number + at) % 8]
    start = context.index(subject) + len(subject) + 1
    assert context.startswith(predicate, start)
    return Question(f"q{number}", subject, context, (Answer(predicate, start),))


def korquad(path, questions):
    paragraphs = [
        {
            "context": q.context,
            "qas": [
                {
                    "id": q.id,
                    "question": q.question,
                    "is_impossible": not q.answers,
                    "answers": [{"text": a.text, "answer_start": a.start} for a in q.answers],
                }
            ],
        }
        for q in questions
    ]
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def questions():
    return [question(number, at=number % 3) for number in range(8)]


@pytest.fixture(scope="module")
def long_questions():
    """The answer stands late, behind several windows."""
    return [question(number, count=8, at=7) for number in range(4)]


@pytest.fixture(scope="module")
def impossible(questions):
    """Questions about what the passage does not speak of."""
    return [Question(f"none{n}", "컬링팀", one.context) for n, one in enumerate(questions[:4])]


@pytest.fixture(scope="module")
def fitted(checkpoint, questions, long_questions):
    task = Qa(checkpoint=str(checkpoint("bert")), max_length=26, stride=10, training=TRAINING)
    return task.fit([*questions, *long_questions])


@pytest.fixture(scope="module")
def silent(checkpoint, questions, impossible):
    task = Qa(checkpoint=str(checkpoint("bert")), max_length=64, stride=16, training=TRAINING)
    return task.fit([*questions, *impossible])


def test_overfits(fitted, questions):
    figures = fitted.evaluate(questions)
    assert figures["exact_match"] == 1
    assert figures["f1"] == 1
    assert figures["exact_match_interval"] == [1, 1]
    assert figures["baseline"]["exact_match"] < 0.5
    assert figures["answers_not_found"] == 0
    assert figures["coverable"] == 1


def test_answers_are_the_passages_own_characters(fitted, questions):
    for one, said in zip(questions, fitted.predict(questions), strict=True):
        assert one.context[said["start"] : said["end"]] == said["answer"] == one.golds[0]
        assert 0 < said["score"] <= 1
        assert said["no_answer"] is None
        assert said["candidates"][0]["answer"] == said["answer"]


def test_windows_find_a_late_answer(fitted, long_questions):
    features = fitted.encode(long_questions, True)
    assert len(features) >= 3 * len(long_questions)
    assert all(len(feature["input_ids"]) <= 26 for feature in features)
    held = [feature for feature in features if feature["start_positions"] != feature["special"]]
    assert {feature["example"] for feature in held} == {0, 1, 2, 3}
    assert not any(
        f["example"] == 0 and f["start_positions"] for f in features[:2]
    )  # not in the first windows
    assert [said["answer"] for said in fitted.predict(long_questions)] == [q.golds[0] for q in long_questions]


def test_every_character_is_in_a_window(fitted, long_questions):
    context = long_questions[0].context
    covered = np.zeros(len(context), dtype=bool)
    for feature in fitted.encode(long_questions[:1], False):
        for start, end in feature["offsets"]:
            covered[start:end] = True
    assert all(covered[at] for at, character in enumerate(context) if not character.isspace())


def test_targets_are_the_answers_tokens(fitted, questions):
    for feature in fitted.encode(questions, True):
        if feature["start_positions"] == feature["special"]:
            continue
        one = questions[feature["example"]]
        begin, end = (
            feature["start_positions"] - feature["first"],
            feature["end_positions"] - feature["first"],
        )
        offsets = feature["offsets"]
        assert one.context[offsets[begin][0] : offsets[end][1]] == one.golds[0]


def test_single_equals_batch_in_any_order(fitted, questions, long_questions):
    several = [*questions, *long_questions]
    together = fitted.predict(several)
    for one, said in zip(several, together, strict=True):
        alone = fitted.predict([one])[0]
        assert alone["answer"] == said["answer"]
        assert alone["score"] == pytest.approx(said["score"], abs=1e-4)
    assert [s["answer"] for s in fitted.predict(several[::-1])] == [s["answer"] for s in together][::-1]
    assert fitted.predict([]) == []


def test_n_best(fitted, questions):
    (said,) = fitted.predict(questions[:1], n_best=5)
    scores = [one["score"] for one in said["candidates"]]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert len({(one["start"], one["end"]) for one in said["candidates"]}) == 5
    with pytest.raises(DataError, match="--n-best 0"):
        fitted.predict(questions[:1], n_best=0)


def test_no_answer(silent, questions, impossible):
    figures = silent.evaluate([*questions, *impossible])
    assert figures["exact_match"] == 1
    assert figures["unanswerable"]["n"] == 4
    assert figures["answerable"]["exact_match"] == 1
    said = silent.predict(impossible)
    assert {(one["answer"], one["start"], one["end"]) for one in said} == {("", None, None)}
    assert all(one["no_answer"] > 0 for one in said)


def test_no_answer_threshold(silent, questions, impossible):
    rows = [*questions, *impossible]
    assert all(said["answer"] for said in silent.predict(rows, no_answer_threshold=1e6))
    assert not any(said["answer"] for said in silent.predict(rows, no_answer_threshold=-1e6))
    always = silent.evaluate(rows, no_answer_threshold=1e6)
    assert always["exact_match"] == pytest.approx(8 / 12)
    best = silent.evaluate(rows, no_answer_threshold=always["best_threshold"])
    assert best["exact_match"] == 1


def test_threshold_needs_a_model_that_knows_no_answer(fitted, questions):
    with pytest.raises(DataError, match="always gives one"):
        fitted.predict(questions, no_answer_threshold=0.0)


def test_baseline_is_the_better_of_two(silent, questions, impossible):
    assert silent.evaluate([*questions[:1], *impossible])["baseline"]["name"] == "no answer"
    assert "first 5 words" in silent.evaluate(questions)["baseline"]["name"]


def test_lost_answers_teach_nothing_but_count(fitted, questions):
    lost = Question("lost", "한국은행", questions[0].context, (Answer("금융 위기"),))
    assert {feature["example"] for feature in fitted.encode([lost, questions[0]], True)} == {1}
    figures = fitted.evaluate([questions[0], lost])
    assert figures["answers_not_found"] == 1
    assert figures["exact_match"] == 0.5
    with pytest.raises(DataError, match="none of the answers is found"):
        fitted.encode([lost], True)


def test_long_question_is_cut(fitted, questions, caplog):
    long = Question("long", " ".join(SUBJECTS * 5), questions[0].context, questions[0].answers)
    assert fitted.predict([long])[0]["answer"] in questions[0].context
    assert "1 of 1 questions are cut" in caplog.text


def test_saved_and_loaded(fitted, questions, tmp_path):
    fitted.save(tmp_path / "model")
    assert Qa.load(tmp_path / "model").predict(questions) == fitted.predict(questions)


def test_no_room_for_the_passage(checkpoint, questions):
    task = Qa(checkpoint=str(checkpoint("bert")), max_length=8, stride=4, training=TRAINING)
    with pytest.raises(RecipeError, match="max_length = 8 leaves no room"):
        task.fit(questions)


@pytest.mark.parametrize("family", ["roberta", "deberta-v2", "xlm-roberta", "longformer"])
def test_other_families_answer_in_characters(checkpoint, questions, family):
    training = {**TRAINING, "epochs": 1}
    task = Qa(checkpoint=str(checkpoint(family)), max_length=48, stride=8, training=training).fit(questions)
    for one, said in zip(questions, task.predict(questions), strict=True):
        assert one.context[said["start"] : said["end"]] == said["answer"]
        assert said["answer"].strip() == said["answer"] != ""


def test_best_spans_by_hand():
    starts, ends = np.array([0.0, 5.0, 1.0], np.float32), np.array([4.0, 0.0, 3.0], np.float32)
    # The end may not come before the start, and an answer has two tokens at most.
    found = list(spans(starts, ends, longest=2, most=3))
    assert found == [(8.0, 1, 2), (5.0, 1, 1), (4.0, 0, 0)]
    assert next(iter(spans(starts, ends, longest=9, most=99))) == (8.0, 1, 2)
    assert len(list(spans(starts, ends, longest=9, most=99))) == 6
    assert list(spans(starts[:0], ends[:0], 2, 3)) == []


# ---- the command line -----------------------------------------------------------------------------


def test_command_line_equals_python(gallae_cli, checkpoint, questions, impossible, tmp_path):
    data, run, out = (
        korquad(tmp_path / "dev.json", [*questions, *impossible]),
        tmp_path / "run",
        tmp_path / "out.csv",
    )
    told = gallae_cli(
        "tasks", "qa", "train", data, "--checkpoint", checkpoint("bert"), "-o", run, "--set=max_length=64",
        "--set=stride=16", "--set=training.epochs=2", "--set=training.device=cpu", "--holdout", "0.3",
    )  # fmt: skip
    assert told.code == 0, told.err
    task = Qa.load(run)
    rows = Qa.read(data)
    measured = gallae_cli("tasks", "qa", "evaluate", run, data, "--json")
    assert json.loads(measured.out) == task.evaluate(rows)
    words = gallae_cli("tasks", "qa", "evaluate", run, data, "--no-answer-threshold", "-1e6")
    assert "unanswerable: 4 questions, exact match 1.0000" in words.out
    assert "F1 of characters: 0.3333" in words.out
    assert "--no-answer-threshold" in words.out
    assert gallae_cli("tasks", "qa", "predict", run, data, "--n-best", "2", "-o", out).code == 0
    lines = out.read_text("utf-8").splitlines()
    assert lines[0] == "id,question,gold,answer,start,end,score,no_answer,candidates"
    assert len(lines) == 13
    printed = gallae_cli("tasks", "qa", "predict", run, data, "--n-best", "2")
    said = [json.loads(line) for line in printed.out.splitlines()]
    assert [one["answer"] for one in said] == [one["answer"] for one in task.predict(rows)]
    assert [len(one["candidates"]) for one in said] == [2] * 12


def test_passages_are_not_split_between_training_and_hold_out(checkpoint, questions, impossible):
    from gallae.tasks.holding_out import hold_out

    train, held = hold_out(Qa(checkpoint="scratch"), [*questions, *impossible], 0.3, 0)
    assert not {one.context for one in train} & {one.context for one in held}
    assert len(train) + len(held) == 12


def test_bad_data_on_the_command_line(gallae_cli, checkpoint, questions, tmp_path):
    elsewhere = [Question(q.id, q.question, q.context, (Answer("금융 위기", 0),)) for q in questions]
    data = korquad(tmp_path / "dev.json", elsewhere)
    told = gallae_cli(
        "tasks", "qa", "train", data, "--checkpoint", checkpoint("bert"), "-o", tmp_path / "run"
    )
    assert told.code == 2
    assert "none of the 8 answers is found in its passage" in told.err
    assert "Traceback" not in told.err
    assert not (tmp_path / "run").exists()


def test_answers_inside_a_token(fitted):
    # One token is "상승"; an answer that ends inside it cannot be said.
    inside = Question("q", "한국은행", passage(0, 1), (Answer("금리 동결에 상", 5),))
    assert coverable(fitted.tokenizer, [inside]) == ["금리 동결에 상승"]
    assert fitted.evaluate([inside, question(1)])["coverable"] == 0.5
    assert coverable(fitted.tokenizer, [Question("none", "?", passage(0, 1))]) == [""]


def test_targets_point_into_the_batch(fitted, long_questions):
    features = fitted.encode(long_questions, True)
    batch = fitted.collate(features)
    for row, feature in enumerate(features):
        for name in ("start_positions", "end_positions"):
            token = batch["input_ids"][row, batch[name][row]].item()
            assert token == feature["input_ids"][feature[name]]
    assert (batch["attention_mask"][:, -1] == 0).any()


def test_padding_side_changes_nothing(fitted, questions, long_questions):
    rows = [*questions, *long_questions]
    right = fitted.predict(rows)
    fitted.tokenizer.padding_side = "left"
    try:
        left = fitted.predict(rows)
    finally:
        fitted.tokenizer.padding_side = "right"
    assert left == right
