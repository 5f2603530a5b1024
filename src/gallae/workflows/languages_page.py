"""The page of a comparison of languages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gallae.evaluation.page import Note, Part, Section, Table, Text, page
from gallae.evaluation.wording import words

_SAY = {
    "en": {
        "title": "{recipe}: languages of {data}",
        "table": "Trained on, tested on (학습한 언어, 평가한 언어)",
        "trained": "trained on",
        "explained": (
            "macro-F1 with its 95 % interval (신뢰구간). Each line is what was trained on, each column a "
            "part of the same held-out rows. * The language tested was not trained on (zero-shot)."
        ),
        "translated": (
            '"ko, translated": as a line, rows of ko and those translated from ko; as a column, rows of ko '
            "that were translated from another language. The columns of a language's bare name, and all, are "
            "originals."
        ),
        "rows": "Rows (건수)",
        "language": "language",
        "original": "originals",
        "translations": "translated",
        "facts": "Facts (정보)",
    },
    "ko": {
        "title": "{recipe}: {data}의 언어별 비교",
        "table": "학습한 언어와 평가한 언어",
        "trained": "학습한 언어",
        "explained": (
            "macro-F1과 95 % 신뢰구간입니다. 줄은 학습한 언어, 열은 따로 떼어 둔 같은 자료의 부분입니다. "
            "* 평가한 언어는 학습하지 않았습니다(zero-shot)."
        ),
        "translated": (
            "“ko, translated”: 줄에서는 ko와 ko에서 번역한 글로 학습한 것이고, 열에서는 다른 언어에서 ko로 "
            "번역한 글입니다. 언어 이름만 있는 열과 all은 번역하지 않은 글입니다."
        ),
        "rows": "건수",
        "language": "언어",
        "original": "원문",
        "translations": "번역문",
        "facts": "정보",
    },
}


def languages_page(facts: Mapping[str, Any], *, language: str = "en") -> str:
    """A comparison of languages as a self-contained HTML page.

    Args:
        facts: What languages.json has: data, recipe, split, seed, rows, warnings, results.
        language: "en" (with the Korean terms) or "ko".

    Raises:
        GallaeError: for another language.
    """
    words(language)
    say = _SAY[language]
    results = facts["results"]
    tested = list(dict.fromkeys(row["tested_on"] for row in results))
    cells = {(row["trained_on"], row["tested_on"]): written_cell(row) for row in results}
    trained = dict.fromkeys(row["trained_on"] for row in results)
    rows = [[name, *(cells[name, part] for part in tested)] for name in trained]
    parts: list[Part] = [Table([say["trained"], *tested], rows), Text(say["explained"])]
    if any(count["translated"] for count in facts["rows"].values()):
        parts.append(Text(say["translated"], faint=True))
    parts += [Note(warning, warning=True) for warning in facts["warnings"]]
    counts = [[name, count["original"], count["translated"]] for name, count in facts["rows"].items()]
    named = [[key, str(facts[key])] for key in ("data", "recipe", "split", "seed")]
    sections = [
        Section(say["table"], parts),
        Section(say["rows"], [Table([say["language"], say["original"], say["translations"]], counts)]),
        Section(say["facts"], [Table(("", ""), named)]),
    ]
    title = say["title"].format(recipe=facts["recipe"], data=Path(facts["data"]).name)
    return page(title, sections, language)


def written_cell(row: Mapping[str, Any]) -> str:
    """Return a figure with its interval, and a star where the language was not trained on."""
    star = "*" if row["zero_shot"] else ""
    return f"{row['macro_f1']:.3f}{star} ({row['macro_f1_low']:.3f}-{row['macro_f1_high']:.3f})"
