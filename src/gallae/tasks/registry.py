"""The tasks by name, each imported when it is used, with the command line's options that only it has."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from gallae.errors import ModelError

if TYPE_CHECKING:
    from gallae.tasks.base import Task

Command = Literal["train", "evaluate", "predict"]
EVERY: tuple[Command, ...] = ("train", "evaluate", "predict")


@dataclass(frozen=True)
class Option:
    """An option of a task's commands, given as a keyword argument to one of its hooks.

    Attributes:
        name: The keyword, such as "top_n"; the option is --top-n.
        help: What it does.
        kind: Whose keyword it is: "read" (`Task.read`), "decide" (`Task.decode`) or "write" (`Task.rows`).
        type: str, int, float or bool (a flag). It is left out of the keywords unless it is given.
        commands: Which commands have it.
        metavar: What stands behind it in the help.
        kept: Whether a run keeps it, to read other files of the same layout.
        flag: The option, where it is another word, such as "--from".
    """

    name: str
    help: str
    kind: Literal["read", "decide", "write"]
    type: type = str
    commands: tuple[Command, ...] = EVERY
    metavar: str | None = None
    kept: bool = False
    flag: str = ""


@dataclass(frozen=True)
class Entry:
    """A task as the command line sees it, without importing it.

    Attributes:
        place: "module:Class".
        summary: What the task is, for the help.
        data: The layouts that `read` knows, for the help.
        options: Options that only it has.
    """

    place: str
    summary: str
    data: str
    options: tuple[Option, ...] = ()


_COLUMNS = (
    Option(
        "columns", "The two columns of text, such as premise,hypothesis.", "read", metavar="A,B", kept=True
    ),
    Option("label_column", "Column of the label or score.", "read", str, ("train", "evaluate"), "C", True),
)

TASKS: dict[str, Entry] = {
    "nli": Entry(
        "gallae.tasks.pairs:Nli",
        "Classify pairs of sentences: inference, paraphrase.",
        "CSV, TSV, JSONL, JSON: two columns of text and a label (KorNLI, KLUE-NLI, question_pair, PAWS).",
        _COLUMNS,
    ),
    "similarity": Entry(
        "gallae.tasks.pairs:Similarity",
        "Score how alike two sentences are, from 0 to 5.",
        "CSV, TSV, JSONL, JSON: two columns of text and a score (KorSTS, KLUE-STS).",
        _COLUMNS,
    ),
    "ner": Entry(
        "gallae.tasks.ner:Ner",
        "Find named entities, in characters of the text.",
        "KMOU's, KLUE's or Naver's layout, or CoNLL's columns; to predict also plain text, CSV, JSONL, ...",
        (
            Option("format", "The layout: kmou, klue, naver or conll.", "read", metavar="F"),
            Option("repair", "Take broken tags as beginnings, leave out broken sentences.", "read", bool),
            Option("inline", "Write only the text, with <name:TYPE>.", "write", bool, ("predict",)),
        ),
    ),
    "qa": Entry(
        "gallae.tasks.qa:Qa",
        "Find the answer to a question in a passage.",
        "JSON in KorQuAD's, SQuAD's or KLUE's layout; a table with context, question, answer, answer_start.",
        (
            Option("n_best", "How many answers are listed a question.", "decide", int, ("predict",), "N"),
            Option(
                "no_answer_threshold",
                "Say that there is no answer where that scores above the best one by more than X.",
                "decide",
                float,
                ("evaluate", "predict"),
                "X",
            ),
        ),
    ),
    "choice": Entry(
        "gallae.tasks.choice:Choice",
        "Choose among answers, with or without a passage.",
        "CSV of prompt, A, B, ..., answer (the Kaggle science exam); JSONL of question, choices, answer "
        "(CLIcK).",
        (
            Option("top_n", "How many choices are ranked a question.", "decide", int, ("predict",), "N"),
            Option(
                "submission", "Write only id and the ranked letters (A C B).", "write", bool, ("predict",)
            ),
        ),
    ),
    "translate": Entry(
        "gallae.tasks.translate:Translate",
        "Translate between dialects and the standard language, or between styles.",
        "AI-Hub's dialect JSON or a folder of it; a table of dialect, standard, region; a table whose "
        "columns are styles (--columns); to predict also plain text, CSV, JSONL, ...",
        (
            Option(
                "source_style", "Style of the texts, such as jeju.", "read", metavar="STYLE", flag="--from"
            ),
            Option(
                "target_style",
                "Style that is wanted, such as standard.",
                "read",
                metavar="STYLE",
                flag="--to",
            ),
            Option(
                "columns",
                "Columns that are styles, such as formal,informal.",
                "read",
                metavar="A,B",
                kept=True,
            ),
            Option("limit", "Read at most N rows, drawn evenly from the whole.", "read", int, metavar="N"),
            Option(
                "beams",
                "Networks: translations kept while writing.",
                "decide",
                int,
                ("evaluate", "predict"),
                "N",
            ),
            Option(
                "boldness",
                "Edits: how readily a word is changed.",
                "decide",
                float,
                ("evaluate", "predict"),
                "X",
            ),
            Option(
                "heat_maps",
                "Networks: folder for pictures of the attention.",
                "write",
                str,
                ("predict",),
                "FOLDER",
            ),
        ),
    ),
}


def find_task(name: str) -> type[Task]:
    """Return a task's class.

    Raises:
        RecipeError: if the name is not known.
    """
    from gallae.tasks.recipe import check_task

    module, _, attribute = TASKS[check_task(name)].place.partition(":")
    found: Any = getattr(import_module(module), attribute)
    return found


def load_task(folder: Any) -> Task:
    """Load a run or saved model of any task.

    Raises:
        ModelError: if it is missing or damaged.
    """
    from gallae.tasks.saving import model_folder, saved_facts

    saved = saved_facts(model_folder(folder))
    if saved["task"] not in TASKS:
        raise ModelError(f"{folder} is of a task that this gallae does not know: {saved['task']!r}.")
    return find_task(saved["task"]).load(folder)
