"""Reading questions with their passages: KorQuAD's and SQuAD's JSON, and flat tables."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gallae.data.columns import INDEX, find
from gallae.data.opening import detect_encoding, existing, open_text, read_head, refuse_binary
from gallae.errors import DataError
from gallae.tasks.records import Rows, open_rows, spelt

log = logging.getLogger(__name__)

CONTEXT = ("context", "passage", "paragraph", "document", "text", "지문", "본문", "문맥")
QUESTION = ("question", "query", "질문", "질의")
ANSWER = ("answers", "answer", "answer_text", "정답", "답")
START = ("answer_start", "start", "시작")
IMPOSSIBLE = ("is_impossible", "impossible")
NEAR = 100  # characters by which a stated start may be off where the answer stands several times
NOWHERE = -1


@dataclass(frozen=True)
class Answer:
    """A right answer: its text, and the passage's character where it starts (-1 where it is not found)."""

    text: str
    start: int = NOWHERE


@dataclass(frozen=True)
class Question:
    """A question about a passage.

    Attributes:
        id: The file's, else its number.
        question: The question.
        context: The passage, raw.
        answers: The right answers; none where the passage holds none, or none are known.
    """

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...] = ()

    @property
    def golds(self) -> tuple[str, ...]:
        """The texts of the right answers."""
        return tuple(answer.text for answer in self.answers)


@dataclass
class _Tally:
    """How many stated starts were right, moved, absent from the file, or impossible to find."""

    given: int = 0
    moved: int = 0
    lost: int = 0
    first_lost: str = ""

    def locate(self, context: str, text: str, stated: int | None, where: str) -> Answer:
        self.given += 1
        start = find_answer(context, text, stated)
        if start == NOWHERE:
            self.lost += 1
            self.first_lost = self.first_lost or f"{text[:40]!r} at {where}"
        elif stated is not None and start != stated:
            self.moved += 1
        return Answer(text, start)

    def report(self, source: str, labelled: bool) -> None:
        if self.moved:
            log.warning(
                "%s: %d of %d answers do not stand where answer_start says; they are taken where they stand",
                source,
                self.moved,
                self.given,
            )
        if labelled and self.lost == self.given:
            raise DataError(
                f"{source}: none of the {self.given} answers is found in its passage; the first is "
                f"{self.first_lost}. Are the columns the right ones, and the answers copied from the passage?"
            )
        if self.lost:
            log.warning(
                "%s: %d of %d answers are not found in their passage (the first is %s); nothing is learnt "
                "from these questions, and in an evaluation their text still counts",
                source,
                self.lost,
                self.given,
                self.first_lost,
            )


def find_answer(context: str, text: str, stated: int | None = None) -> int:
    """Return the character where an answer starts in its passage, -1 if it does not stand there.

    Args:
        context: The passage.
        text: The answer.
        stated: Where it should start. If it does not, the only place where it stands is taken, or the nearest
            within 100 characters. None takes the first place.
    """
    if stated is not None and stated >= 0 and context.startswith(text, stated):
        return stated
    places = list(_places(context, text))
    if not places or not text:
        return NOWHERE
    if stated is None or len(places) == 1:
        return places[0]
    nearest = min(places, key=lambda place: abs(place - stated))
    return nearest if abs(nearest - stated) <= NEAR else NOWHERE


def _places(context: str, text: str) -> Iterator[int]:
    at = context.find(text)
    while at >= 0:
        yield at
        at = context.find(text, at + 1)


def read_questions(path: str | Path, labelled: bool = True, *, encoding: str | None = None) -> list[Question]:
    """Read questions, their passages and their answers.

    Layouts: KorQuAD 1.0, KorQuAD 2.0, SQuAD 1, SQuAD 2 and KLUE (JSON of articles, paragraphs and questions);
    a table of any format with columns `context`, `question` and, if labelled, `answer` and `answer_start`.
    `answers` may be a list, or `{"text": [...], "answer_start": [...]}`. A question marked `is_impossible`,
    or without answers in a file that has some, has no answer in its passage.

    Args:
        path: The file.
        labelled: Whether there have to be answers; without, they are read where they are.
        encoding: Of a text file; None detects it.

    Raises:
        DataError: names the file and the place of what cannot be used.
    """
    tally = _Tally()
    articles = _articles(path, encoding)
    if articles is not None:
        made = list(_nested(articles, str(path), tally))
    else:
        made = list(_flat(open_rows(path, (*CONTEXT, *QUESTION, *ANSWER), encoding), labelled, tally))
    if not made:
        raise DataError(f"{path} holds no questions.")
    if labelled and not tally.given:
        raise DataError(f"{path}: no question has an answer. To answer them, use predict.")
    tally.report(str(path), labelled)
    none = sum(not question.answers for question in made)
    if labelled and none:
        log.info("%s: %d of %d questions have no answer in their passage", path, none, len(made))
    return made


# ---- JSON of articles -----------------------------------------------------------------------------


def _articles(path: str | Path, encoding: str | None) -> list[Any] | None:
    """Return the articles of a file in SQuAD's layout; None for another layout."""
    if not str(path).endswith(".json"):
        return None
    file = existing(path)
    if file.is_dir():
        return None
    refuse_binary(read_head(file), str(file))
    with open_text(file, detect_encoding(file, encoding)) as handle:
        text = handle.read()
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None  # perhaps an object a line: the tables' reader takes that, or says what is wrong
    data = value.get("data") if isinstance(value, dict) else value
    if not isinstance(data, list):
        return None
    nested = any(isinstance(item, dict) and ("paragraphs" in item or "qas" in item) for item in data)
    return data if nested else None


def _nested(articles: Sequence[Any], source: str, tally: _Tally) -> Iterator[Question]:
    for at, article in enumerate(articles, 1):
        where = f"{source}, article {at}"
        paragraphs = _object(article, where).get("paragraphs", [article])  # KorQuAD 2.0 has no paragraphs
        for nth, paragraph in enumerate(_list(paragraphs, f"{where}: 'paragraphs'"), 1):
            spot = f"{where}, paragraph {nth}"
            context = _field(_object(paragraph, spot), "context", spot)
            for number, item in enumerate(_list(paragraph.get("qas", []), f"{spot}: 'qas'"), 1):
                here = f"{spot}, question {number}"
                entry = _object(item, here)
                name = spelt(entry.get("id", entry.get("guid"))) or f"{at}-{nth}-{number}"
                answers = _answers(entry, context, here, tally)
                yield Question(name, _field(entry, "question", here), context, answers)


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{where}: a JSON {type(value).__name__} where an object is wanted.")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise DataError(f"{where} is a JSON {type(value).__name__} where a list is wanted.")
    return value


def _field(entry: Mapping[str, Any], name: str, where: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{where}: {name!r} is missing or empty. It must hold a text.")
    return spelt(value)


def _answers(entry: Mapping[str, Any], context: str, where: str, tally: _Tally) -> tuple[Answer, ...]:
    if _true(entry.get("is_impossible")):
        return ()
    given = entry.get("answers", entry.get("answer"))
    return tuple(
        tally.locate(context, text, start, where)
        for text, start in _given(given, None, where)
        if text.strip()
    )


# ---- tables ---------------------------------------------------------------------------------------


def _flat(rows: Rows, labelled: bool, tally: _Tally) -> Iterator[Question]:
    question = rows.column("question", QUESTION)
    context = rows.column("passage", [name for name in CONTEXT if name != question])
    answer = rows.column("answer", ANSWER) if labelled else find(ANSWER, rows.columns)
    start, index, impossible = (find(names, rows.columns) for names in (START, INDEX, IMPOSSIBLE))
    for row in range(len(rows.cells)):
        passage = rows.required(row, context)
        answers: list[Answer] = []
        if answer is not None and not _true(rows.text(row, impossible)):
            stated = None if start is None else rows.value(row, start)
            found = _given(rows.value(row, answer), stated, rows.where(row))
            answers = [tally.locate(passage, *pair, rows.place(row)) for pair in found if pair[0].strip()]
        name = rows.text(row, index) or str(row)
        yield Question(name, rows.required(row, question), passage, tuple(answers))


def _given(value: Any, start: Any, where: str) -> Iterator[tuple[str, int | None]]:
    """Yield text and stated start of each answer, however they are written."""
    if isinstance(value, dict):
        if "text" not in value:
            raise DataError(f"{where}: an answer is an object without 'text'.")
        yield from _given(value["text"], value.get("answer_start"), where)
    elif isinstance(value, list):
        starts = start if isinstance(start, list) else [start] * len(value)
        if len(starts) != len(value):
            raise DataError(f"{where}: {len(value)} answers, but answer_start has {len(starts)} numbers.")
        for item, place in zip(value, starts, strict=True):
            yield from _given(item, place, where)
    elif value is not None:
        yield spelt(value), _number(start, where)


def _number(value: Any, where: str) -> int | None:
    text = spelt(value).strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise DataError(
            f"{where}: answer_start is {text[:40]!r}. It must be the number of the passage's character where "
            "the answer starts, counted from 0."
        ) from None


def _true(value: Any) -> bool:
    return spelt(value).strip().casefold() in ("true", "1", "yes", "y")
