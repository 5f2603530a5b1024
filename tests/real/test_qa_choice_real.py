"""KorQuAD and CLIcK: read without loss, and a few questions learnt by heart from random weights."""

import os
from pathlib import Path

import pytest

from gallae.tasks import Choice, Qa

ROOT = Path(os.environ.get("GALLAE_DATA", Path(__file__).parents[3] / "shared" / "data"))
KORQUAD, CLICK = ROOT / "korquad" / "KorQuAD_v1.0_dev.json", ROOT / "click" / "choice.jsonl"
pytestmark = pytest.mark.skipif(
    not (KORQUAD.is_file() and CLICK.is_file()), reason=f"no KorQuAD or CLIcK in {ROOT} (set GALLAE_DATA)"
)
SMALL = {"layers": 2, "hidden": 64, "heads": 2}


def test_every_question_of_korquad_is_read():
    questions = Qa.read(KORQUAD)
    assert len(questions) == 5_774
    assert len({question.context for question in questions}) == 964 - 4
    assert all(q.context.startswith(q.answers[0].text, q.answers[0].start) for q in questions)


def test_every_question_of_click_is_read():
    questions = Choice.read(CLICK)
    assert len(questions) == 997
    assert sum(len(question.choices) == 5 for question in questions) == 125
    assert sum(bool(question.context) for question in questions) == 164
    assert all(question.answer is not None for question in questions)


def test_answers_of_korquad_are_the_passages_characters():
    questions = Qa.read(KORQUAD)[:8]
    task = Qa(
        checkpoint="scratch",
        scratch={**SMALL, "tokenizer": "char"},
        max_length=128,
        stride=32,
        training={"epochs": 2},
    ).fit(questions)
    assert task.history[-1]["loss"] < task.history[0]["loss"]
    figures = task.evaluate(questions)
    assert figures["coverable"] > 0.9
    for question, said in zip(questions, task.predict(questions), strict=True):
        assert question.context[said["start"] : said["end"]] == said["answer"] != ""


def test_a_few_questions_of_click_are_learnt_by_heart():
    questions = [question for question in Choice.read(CLICK) if not question.context][:16]
    training = {"epochs": 15, "batch_size": 4, "learning_rate": 1e-3}
    task = Choice(checkpoint="scratch", scratch=SMALL, max_length=96, training=training).fit(questions)
    assert task.evaluate(questions)["accuracy"] > 0.8
