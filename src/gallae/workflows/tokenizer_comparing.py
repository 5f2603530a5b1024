"""`gallae tokenizer compare`: the same texts cut by several tokenizers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gallae.data import stream
from gallae.errors import DataError, ModelError, require
from gallae.files import refuse_existing, write_beside
from gallae.pretrained.measuring import cut_by, measure
from gallae.pretraining.corpora import SUFFIXES, parse_sources, sentences
from gallae.progress import status
from gallae.workflows.showing import percent
from gallae.workflows.tokenizer_page import tokenizer_page

EXAMPLES = 8
LONGEST = 5
_EXAMPLE_LENGTH = (12, 60)  # characters: the cuts of a line are to be seen at a glance


def compare_tokenizers(
    tokenizers: Sequence[str | Path],
    texts: str | Path | Sequence[str],
    *,
    output: str | Path | None = None,
    language: str = "en",
    force: bool = False,
) -> dict[str, Any]:
    """Compare tokenizers on the same texts, and write a page.

    Args:
        tokenizers: Folders of `gallae tokenizer train`, checkpoints' folders, or hub ids.
        texts: A file of `gallae.pretraining.corpora`, one that `gallae.data.read` reads, or texts.
        output: Where to write the page; None writes none.
        language: Of the page, "en" or "ko".
        force: Whether to replace an existing page.

    Returns:
        "texts", "words", "characters"; "tokenizers": "name", "vocabulary" (tokens), "per_second" (texts) and
        the figures of `gallae.pretrained.measuring.measure_tokenizer` each; "examples" and "longest": "text",
        and "cuts" (tokens by tokenizer's name) or "tokens" (how many, by name).

    Raises:
        ModelError: if a tokenizer is missing or damaged.
        DataError: if the file cannot be read, or holds no text.
        OutputError: for an output that exists or cannot be written.
    """
    if output is not None:
        refuse_existing(output, force)
    require("transformers", "neural")
    loaded = _load(tokenizers)
    rows = [text for text in _read(texts) if text.strip()]
    if not rows:
        raise DataError("there is no text to compare tokenizers on: give a file with a text a line.")
    figures, counted = [], {}
    for name, tokenizer in loaded.items():
        with status(f"measuring {name}"):
            started = time.perf_counter()
            tokenizer(rows, add_special_tokens=False, verbose=False)
            seconds = time.perf_counter() - started
            counted[name] = measure(tokenizer, rows)
        speed = {"vocabulary": len(tokenizer), "per_second": round(len(rows) / max(seconds, 1e-9))}
        figures.append({"name": name, **speed, **counted[name].figures()})
    totals = next(iter(counted.values()))
    order = sorted(range(len(rows)), key=lambda at: -max(found.lengths[at] for found in counted.values()))
    result = {
        "texts": len(rows),
        "words": totals.words,
        "characters": totals.characters,
        "tokenizers": figures,
        "examples": [
            {"text": text, "cuts": {name: cut_by(tokenizer, text) for name, tokenizer in loaded.items()}}
            for text in _examples(rows)
        ],
        "longest": [
            {"text": rows[at], "tokens": {name: found.lengths[at] for name, found in counted.items()}}
            for at in order[:LONGEST]
        ],
    }
    if output is not None:
        source = Path(texts).name if isinstance(texts, str | Path) else ""
        with write_beside(output, force) as path:
            path.write_text(tokenizer_page(result, source, language=language), encoding="utf-8")
    return result


def _load(tokenizers: Sequence[str | Path]) -> dict[str, Any]:
    """Return tokenizers by name: that of the folder, or the whole path where two folders have the same."""
    from gallae.models.embedders import checkpoint_folder
    from gallae.pretrained.tokenizing import load_tokenizer

    if isinstance(tokenizers, str | Path):
        tokenizers = [tokenizers]
    paths = list(dict.fromkeys(str(one) for one in tokenizers))
    if not paths:
        raise ModelError("there is no tokenizer to measure: give folders, or hub ids.")
    names = [Path(path).name for path in paths]
    found = {}
    for path, name in zip(paths, names, strict=True):
        folder = Path(path).expanduser()
        own = (folder / "tokenizer.json").is_file()
        found[name if names.count(name) == 1 else path] = load_tokenizer(
            folder if own else checkpoint_folder(path)
        )
    return found


def _read(texts: str | Path | Sequence[str]) -> Iterable[str]:
    if not isinstance(texts, str | Path):
        return texts
    if Path(texts).suffix in SUFFIXES:
        (source,) = parse_sources([texts])
        return sentences(source)
    return (text for chunk in stream(texts) for text in chunk.texts)


def _examples(rows: Sequence[str]) -> list[str]:
    """Return texts of middling length, spread over the file."""
    low, high = _EXAMPLE_LENGTH
    fit = [text for text in dict.fromkeys(rows) if low <= len(text) <= high] or list(dict.fromkeys(rows))
    return fit[:: max(1, len(fit) // EXAMPLES)][:EXAMPLES]


def comparison_lines(result: Mapping[str, Any]) -> list[str]:
    """Return what `compare_tokenizers` found as lines of plain text."""
    lines = [f"{result['texts']:,} texts, {result['words']:,} words, {result['characters']:,} characters"]
    for row in result["tokenizers"]:
        lines.append(
            f"{row['name']}: {row['vocabulary']:,} tokens known; {row['tokens_per_word']:.2f} a word, "
            f"{row['characters_per_token']:.2f} characters each, {percent(row['whole_words'])} of the words "
            f"whole, {percent(row['unknown'])} unknown; texts of {row['mean']:.1f} tokens, at most "
            f"{row['longest']:,}; {row['per_second']:,} texts/s"
        )
    return lines
