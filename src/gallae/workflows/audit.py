"""`gallae audit`: look at a corpus before training does."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gallae.data import Corpus, LabelSet, read
from gallae.errors import DataError
from gallae.files import refuse_existing
from gallae.progress import status
from gallae.text import TextPipeline, analyses
from gallae.workflows.audit_findings import find
from gallae.workflows.audit_measures import measure
from gallae.workflows.audit_page import audit_page
from gallae.workflows.audit_wording import words
from gallae.workflows.audit_words import measure_words, split_words
from gallae.workflows.clean import read_or_take, run_steps
from gallae.workflows.corpus_file import output_file
from gallae.workflows.showing import percent

log = logging.getLogger(__name__)

AUDIT_STEPS = ("hanja", "nfc", "html", "control", "spaces")
"""Steps before counting words: 美 and 미국 are one word then, markup is none."""

_LABEL_OPTIONS = ("label_column", "label_map", "label_separator", "label_set")


def audit(
    data: str | Path | Corpus,
    *,
    against: str | Path | Corpus | None = None,
    output: str | Path | None = None,
    force: bool = False,
    steps: Sequence[str] = AUDIT_STEPS,
    examples: int = 5,
    language: str = "en",
    **reading: Any,
) -> dict[str, Any]:
    """Look at a corpus: what is wrong with it, what is in it, and what to do before training.

    Args:
        data: What `gallae.data.read` takes, or a corpus; labels are optional.
        against: Another corpus, such as the test set, to look for common texts in.
        output: An HTML page to write, self-contained.
        force: Whether to replace an existing page.
        steps: Names from `gallae.text.STEPS`; morphemes are counted after them.
        examples: Most examples of each kind.
        language: "en" or "ko", of the findings and the page.
        reading: Keywords of `gallae.data.read`.

    Returns:
        A dict for JSON, the same for the same data. "findings" first: {"level" ("problem", "warning" or
        "note"), "kind", "count", "share", "rows" (the first ten), "text"}, the gravest first. Then what
        `gallae.data.describe` returns (with "rows" and "index" beside the examples, and with blank texts
        left out of the duplicates), and "blank",
        "signs_only", "repeated_index" ({"count", "rows", ...}), "near_conflicts", "words" and "morphemes"
        (lengths), "vocabulary" (of morphemes, with "coverage"), "word_vocabulary", "content_vocabulary",
        "telling_terms", "frequent" ({"before", "after"}: [word, count]) and "cleaning" (what each step
        changes). "overlap" also sees the other side ("there"). Rows are counted from 0, the header apart.

    Raises:
        DataError: if the data cannot be read.
        OutputError: if the page exists already or cannot be written.
        TextError: for an unknown step.
        GallaeError: for a language that the page does not speak.
    """
    words(language)
    if output is not None:
        refuse_existing(output, force)
    pipeline = TextPipeline(steps)
    corpus = read_or_take(data, reading)
    other = None if against is None else _read_against(against, corpus, reading)
    result, sizes = look_at(corpus, other, pipeline, examples, language)
    if output is not None:
        with status("drawing"):
            html = audit_page(result, sizes, language)
        with output_file(output, force) as temporary:
            temporary.write_text(html, encoding="utf-8")
    return result


def look_at(
    corpus: Corpus,
    other: Corpus | None = None,
    pipeline: TextPipeline | None = None,
    examples: int = 5,
    language: str = "en",
) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """Return what `audit` returns for a corpus that is read, and what `audit_page` needs beside: the lengths.

    Args:
        corpus: The corpus.
        other: Another one, to look for common texts in.
        pipeline: Of the steps before morphemes are counted; AUDIT_STEPS without.
        examples: Most examples of each kind.
        language: "en" or "ko".
    """
    say = words(language)
    texts = corpus.texts
    with status("counting"):
        result = measure(corpus, other, examples)
        cleaned, changes = run_steps(texts, pipeline or TextPipeline(AUDIT_STEPS), examples)
    for change in changes:
        del change["seconds"]
    # One pass of the analyser, by far the slowest part, for lengths, vocabulary, terms and clouds.
    split = split_words(texts, analyses(cleaned))
    with status("looking at words"):
        result |= measure_words(corpus, split) | {"cleaning": changes}
    sizes = {"characters": [len(text) for text in texts], "morphemes": [len(m) for m in split.morphemes]}
    return {"findings": find(result, say), **result}, sizes


def audit_summary(result: Mapping[str, Any]) -> list[str]:
    """Return what `audit` found as lines of plain text: the findings, then the main figures."""
    marks = {"problem": "!!", "warning": " !", "note": "  "}
    lines = [f"{result['source']}: {result['rows']:,} rows"]
    lines += [f"{marks[finding['level']]} {finding['text']}" for finding in result["findings"]]
    lines += ["", *_figures(result), "Rows are counted from 0, the header apart."]
    return lines


def _figures(result: Mapping[str, Any]) -> list[str]:
    lines = []
    if "labels" in result:
        counts = sorted(result["labels"]["counts"].items(), key=lambda item: -item[1])
        shown = ", ".join(f"{name} {count:,}" for name, count in counts[:12])
        more = f" and {len(counts) - 12} more" if len(counts) > 12 else ""
        lines.append(f"labels: {shown}{more}")
    for name in ("characters", "morphemes"):
        size = result[name]
        lines.append(
            f"{name} a text: mean {size['mean']:.1f}, median {size['quantiles'].get('0.5', 0):g}, "
            f"longest {size['longest']:,} (row {size['longest_row']})"
        )
    scripts = result["scripts"]
    lines.append("texts with " + ", ".join(f"{name} {percent(scripts[name]['texts'])}" for name in scripts))
    vocabulary = result["vocabulary"]
    lines.append(
        f"vocabulary: {vocabulary['words']:,} morphemes, {percent(vocabulary['once_share'])} of them seen "
        f"once ({percent(vocabulary['once_occurrences'])} of all occurrences)"
    )
    kinds = result["duplicates"]
    lines.append(
        "rows that repeat an earlier one: "
        + ", ".join(f"{kind} {kinds[kind]['rows']:,}" for kind in ("exact", "normalised", "near"))
    )
    telling = {label: terms for label, terms in result.get("telling_terms", {}).items() if terms}
    for label, terms in list(telling.items())[:12]:
        lines.append(f"{label}: {', '.join(term['term'] for term in terms[:8])}")
    return lines


def _read_against(against: str | Path | Corpus, corpus: Corpus, reading: Mapping[str, Any]) -> Corpus:
    """Read the other corpus: its labels as names, as ids of the first one's labels, or none at all."""
    if isinstance(against, Corpus):
        return against
    with status("reading"):
        try:
            other = read(against, **{**reading, "labels": "optional"})
            if other.label_set and corpus.label_set and _all_ids(other.label_set, corpus.label_set):
                other = read(against, **{**reading, "labels": "optional", "label_set": corpus.label_set})
            return other
        except DataError as error:
            log.info("%s is read without labels: %s", against, error)
        unlabelled = {name: value for name, value in reading.items() if name not in _LABEL_OPTIONS}
        return read(against, **{**unlabelled, "labels": "none"})


def _all_ids(theirs: LabelSet, ours: LabelSet) -> bool:
    return not set(theirs.names) <= set(ours.names) and set(theirs.names) <= set(ours.ids.values())
