"""Reading questions with several answers to choose from: one of them a column, or a list in one column."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, takewhile
from pathlib import Path

from gallae.data.columns import INDEX, find, listing
from gallae.errors import DataError
from gallae.tasks.records import Rows, open_rows, spelt

log = logging.getLogger(__name__)

QUESTION = ("prompt", "question", "query", "질문", "문제")
CONTEXT = ("context", "paragraph", "passage", "document", "지문", "본문")
CHOICES = ("choices", "options", "candidates", "보기", "선택지")
ANSWER = ("answer", "label", "correct", "answer_key", "answerkey", "정답")
_LETTERED = re.compile(r"(choice|option|ending|보기|)[ _-]?([a-z]|\d{1,2})", re.IGNORECASE)


@dataclass(frozen=True)
class ChoiceQuestion:
    """A question and its choices.

    Attributes:
        id: The file's, else the row's number.
        question: The question.
        choices: Two or more.
        context: The passage that goes with it; "" without.
        answer: Number of the right choice, from 0; None where it is not known.
    """

    id: str
    question: str
    choices: tuple[str, ...]
    context: str = ""
    answer: int | None = None


def letter(number: int) -> str:
    """Return a choice's name: A to Z, then AA, AB, ..."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


def read_choices(
    path: str | Path, labelled: bool = True, *, encoding: str | None = None
) -> list[ChoiceQuestion]:
    """Read questions with their choices.

    Layouts: a table with `prompt` (or `question`), a column a choice (`A`, `B`, ...), `answer` and perhaps
    `context`, as in the Kaggle science exam, where the last choices of a row may be empty; rows with a list
    `choices`, as in CLIcK (`paragraph`, `question`, `choices`, `answer`). The answer is a choice's letter,
    its text, or its number, counted from 0 or from 1 as the whole file tells.

    Args:
        path: The file.
        labelled: Whether there have to be answers; without, they are read where they are.
        encoding: Of a text file; None detects it.

    Raises:
        DataError: names the file and the line of what cannot be used.
    """
    rows = open_rows(path, (*QUESTION, *CONTEXT, *CHOICES, *ANSWER), encoding)
    question, context = rows.column("question", QUESTION), find(CONTEXT, rows.columns)
    index, listed = find(INDEX, rows.columns), find(CHOICES, rows.columns)
    columns = {} if listed else _choice_columns(rows)
    made = [
        ChoiceQuestion(
            rows.text(row, index) or str(row),
            rows.required(row, question),
            _listed(rows, row, listed) if listed else _lettered(rows, row, columns),
            rows.text(row, context),
        )
        for row in range(len(rows.cells))
    ]
    answer = rows.column("answer", ANSWER) if labelled else find(ANSWER, rows.columns)
    return made if answer is None else _answered(rows, made, answer, bool(columns), labelled)


def _choice_columns(rows: Rows) -> dict[str, str]:
    """Return the columns of the choices, letter or number to name, in their order."""
    groups: dict[str, dict[str, str]] = {}
    for column in rows.columns:
        if (match := _LETTERED.fullmatch(column.strip())) and (match[1] or not match[2].isdigit()):
            groups.setdefault(match[1].casefold(), {})[match[2].upper()] = column
    runs = [
        {name: group[name] for name in takewhile(group.__contains__, names)}
        for group in groups.values()
        for names in (map(letter, count()), map(str, count()), map(str, count(1)))
    ]
    best = max(runs, key=len, default={})
    if len(best) < 2:
        raise DataError(
            f"{rows.source}: where are the choices? Wanted are columns A, B, C, ... or one column with a "
            f"list, such as choices. Columns: {listing(rows.columns)}."
        )
    return best


def _lettered(rows: Rows, row: int, columns: Mapping[str, str]) -> tuple[str, ...]:
    texts = [rows.text(row, column).strip() for column in columns.values()]
    while texts and not texts[-1]:
        texts.pop()
    for key, text in zip(columns, texts, strict=False):
        if not text:
            raise DataError(
                f"{rows.where(row)}: choice {key} is empty, but a later one is not. Fill it in, or move the "
                "choices up."
            )
    return _several(rows, row, texts)


def _listed(rows: Rows, row: int, column: str) -> tuple[str, ...]:
    value = rows.value(row, column)
    if isinstance(value, dict) and isinstance(value.get("text"), list):  # ARC's layout
        value = value["text"]
    if not isinstance(value, list):
        raise DataError(
            f"{rows.where(row)}: {column!r} must hold a list of choices, not {spelt(value)[:40]!r}."
        )
    texts = [spelt(item).strip() for item in value]
    if not all(texts):
        raise DataError(f"{rows.where(row)}: choice {letter(texts.index(''))} is empty.")
    return _several(rows, row, texts)


def _several(rows: Rows, row: int, texts: Sequence[str]) -> tuple[str, ...]:
    if len(texts) < 2:
        raise DataError(f"{rows.where(row)}: {len(texts)} choices. A question needs two or more.")
    return tuple(texts)


def _answered(
    rows: Rows, made: Sequence[ChoiceQuestion], column: str, letters_first: bool, labelled: bool
) -> list[ChoiceQuestion]:
    """Return the questions with their answers, each looked up among its choices."""
    said = [rows.text(row, column).strip() for row in range(len(made))]
    blank = next((row for row, text in enumerate(said) if not text), None)
    if labelled and blank is not None:
        raise DataError(f"{rows.where(blank)}: {column!r} is empty. Fill it in, or leave the row out.")
    base = _first_number(rows, said, made)
    answered = []
    for row, (text, question) in enumerate(zip(said, made, strict=True)):
        number = _number(text, question.choices, letters_first, base) if text else None
        if text and number is None:
            raise DataError(
                f"{rows.where(row)}: the answer {text[:60]!r} is none of the {len(question.choices)} "
                f"choices. Write its letter (A to {letter(len(question.choices) - 1)}) or its text."
            )
        answered.append(replace(question, answer=number))
    return answered


def _number(text: str, choices: Sequence[str], letters_first: bool, base: int | None) -> int | None:
    """Return the number of the choice that an answer names."""
    if base is not None:
        number = int(text) - base
        return number if 0 <= number < len(choices) else None
    ways = [([letter(at) for at in range(len(choices))], text.upper()), (list(choices), text)]
    for names, name in ways if letters_first else reversed(ways):
        if name in names:
            return names.index(name)
    return None


def _first_number(rows: Rows, said: Sequence[str], made: Sequence[ChoiceQuestion]) -> int | None:
    """Return from which number answers count; None where they are letters or texts."""
    given = [(text, question.choices) for text, question in zip(said, made, strict=True) if text]
    if not given or not all(re.fullmatch(r"\d{1,2}", text) for text, _ in given):
        return None
    if all(text in choices for text, choices in given):
        return None
    if any(int(text) == 0 for text, _ in given):
        return 0
    if any(int(text) == len(choices) for text, choices in given):
        log.info("%s: the answers are numbers, counted from 1", rows.source)
        return 1
    raise DataError(
        f"{rows.source}: the answers are numbers, and whether they count from 0 or from 1 cannot be told. "
        "Write letters (A, B, ...) instead."
    )
