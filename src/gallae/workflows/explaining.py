"""Explaining texts of a file, a pipe, or given directly: lines, a page, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gallae.data import stream
from gallae.errors import OutputError, RecipeError
from gallae.evaluation.wording import words as report_words
from gallae.explaining import Explanation, explain
from gallae.explaining.attention import Attention, attention
from gallae.explaining.methods import check_wish
from gallae.files import refuse_existing, write_beside
from gallae.models.contract import TextClassifier
from gallae.workflows.columns import reading_for
from gallae.workflows.explaining_page import explanation_page
from gallae.workflows.predicting import given_texts
from gallae.workflows.runs import LoadedModel, open_model
from gallae.workflows.showing import one_line

SUFFIXES = (".html", ".jsonl")
_CHUNK = 256
_PAGE = 500  # texts of a page


@dataclass(frozen=True)
class Wish:
    """What is to be explained, and how.

    Attributes:
        label: The label; None for the one that the model gives.
        method, unit, seed: See `gallae.explain`.
        attention: Whether to show the network's attention too.
    """

    label: str | None = None
    method: str = "auto"
    unit: str = "word"
    seed: int = 0
    attention: bool = False


def explain_texts(
    model: str | Path | TextClassifier,
    data: str | Path | None = None,
    *,
    texts: Sequence[str] = (),
    wish: Wish | None = None,
    top: int = 8,
    output: str | Path | None = None,
    language: str = "en",
    threads: int | None = None,
    force: bool = False,
    **reading: Any,
) -> Iterator[str]:
    """Explain texts, and yield readable lines for each explanation; an output is written by the end.

    Args:
        model: A run folder, its `model/`, the name of a bundled classifier, or a model in memory.
        data: A file, or "-" for standard input, one text a line.
        texts: Texts given directly, instead of `data`.
        wish: What is to be explained, and how.
        top: Words shown a text.
        output: A .html page (of at most 500 texts) or a .jsonl file.
        language: Of the page.
        threads: Threads of the model's networks.
        force: Replace an existing output.
        reading: Keywords of `gallae.stream`.

    Raises:
        GallaeError: for what the user can mend.
    """
    wish = wish or Wish()
    report_words(language)
    if (data is None) == (not texts):
        raise RecipeError("give either a file (or - for standard input) or --text, and not both.")
    if output is not None:
        _check_output(Path(output), force)
    loaded = open_model(model, threads)
    check_wish(loaded.model, wish.label, wish.method, wish.unit)
    chunks = [given_texts(texts)] if data is None else _chunks(data, loaded, reading)
    found = _explained(loaded, chunks, wish)
    if output is None:
        return (line for explanation, looked in found for line in readable(explanation, looked, top))
    return _written(found, Path(output), loaded, top, language, force)


def _check_output(output: Path, force: bool) -> None:
    if output.suffix.lower() not in SUFFIXES:
        raise OutputError(f"{output}: explanations are written as {', '.join(SUFFIXES)}; name the output so.")
    refuse_existing(output, force)


def _chunks(data: str | Path, loaded: LoadedModel, reading: dict[str, Any]) -> Iterator[list[str]]:
    for corpus in stream(data, chunk_rows=_CHUNK, **reading_for(data, loaded.reading, reading)):
        yield corpus.texts


Explained = tuple[Explanation, Attention | None]


def _explained(loaded: LoadedModel, chunks: Any, wish: Wish) -> Iterator[Explained]:
    options: dict[str, Any] = {
        "label": wish.label,
        "method": wish.method,
        "unit": wish.unit,
        "seed": wish.seed,
    }
    for texts in chunks:
        for start in range(0, len(texts), _CHUNK):
            part = texts[start : start + _CHUNK]
            looked = attention(loaded.model, part) if wish.attention else [None] * len(part)
            for explanation in explain(loaded.model, part, **options):
                yield explanation, looked[explanation.row]


def readable(explanation: Explanation, looked: Attention | None, top: int) -> Iterator[str]:
    """Yield one line of the label, its probability and the text, and one of the words that decided.

    Args:
        explanation: What to show.
        looked: The text's attention; adds a line of the tokens looked at most.
        top: Words shown.
    """
    said = f"{explanation.label} {explanation.probability:.3f}"
    yield f"{said}  {one_line(explanation.text)}  ({explanation.method})"
    parts = explanation.top(top)
    weights = "  ".join(f"{one_line(part.text, 24)} {part.weight:+.2f}" for part in parts)
    yield "  " + (weights or "no word says anything")
    if looked is not None:
        shares = looked.received()
        order = sorted(range(len(shares)), key=lambda at: -shares[at])[:top]
        yield "  looked at: " + "  ".join(f"{looked.tokens[at]} {shares[at]:.2f}" for at in order)


def _written(
    found: Iterator[Explained], output: Path, loaded: LoadedModel, top: int, language: str, force: bool
) -> Iterator[str]:
    """Write the explanations, and yield a line for each."""
    with write_beside(output, force) as path, path.open("w", encoding="utf-8", errors="replace") as file:
        if output.suffix.lower() == ".jsonl":
            for explanation, looked in found:
                values = explanation.to_dict()
                if looked is not None:
                    values["attention"] = {"tokens": looked.tokens, "weights": looked.weights.tolist()}
                file.write(json.dumps(values, ensure_ascii=False) + "\n")
                yield next(readable(explanation, None, top))
            return
        kept: list[Explained] = []
        for explanation, looked in found:
            if len(kept) == _PAGE:
                raise OutputError(
                    f"a page shows {_PAGE} explanations, and there are more: give fewer texts, or -o "
                    f"{output.stem}.jsonl."
                )
            kept.append((explanation, looked))
            yield next(readable(explanation, None, top))
        file.write(explanation_page(kept, loaded.name, top, language))
