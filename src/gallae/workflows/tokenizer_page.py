"""The page of a comparison of tokenizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gallae.evaluation.charts import bar_plot
from gallae.evaluation.page import Details, Heading, Part, Plot, Section, Table, Text, page
from gallae.evaluation.wording import words
from gallae.workflows.showing import one_line, percent

_SAY = {
    "en": {
        "title": "Tokenizers on {source}",
        "texts": "texts",
        "summary": "{texts:,} texts, {words:,} words, {characters:,} characters",
        "figures": "Figures (수치)",
        "explained": (
            "A token is what the network reads at once (토큰); a word stands between white space (어절). "
            "Fewer tokens make a network faster and let longer texts in; rare pieces are learned badly, so a "
            "large vocabulary is no gain by itself. Unknown tokens ([UNK]) are lost to the network."
        ),
        "name": "tokenizer",
        "vocabulary": "vocabulary",
        "tokens_per_word": "tokens a word",
        "characters_per_token": "characters a token",
        "whole_words": "words in one piece",
        "unknown": "unknown",
        "mean": "tokens a text",
        "longest": "longest",
        "per_second": "texts/s",
        "examples": "The same texts, cut by each (같은 글, 다른 토큰)",
        "marks": (
            "By tokenizer, ▁ stands before the beginning of a word or ## before its rest; ? stands before "
            "what is unknown, and � for a part of a character."
        ),
        "tokens": "tokens",
        "cut": "cut",
        "more": "more texts",
        "long": "The longest texts, in tokens (가장 긴 글)",
        "text": "text",
        "missing": "What is unknown (모르는 글자)",
        "none_missing": "Nothing is unknown to any of them.",
        "parts": "most frequent, with counts",
    },
    "ko": {
        "title": "{source}: 토크나이저 비교",
        "texts": "글",
        "summary": "글 {texts:,}건, 어절 {words:,}개, 글자 {characters:,}자",
        "figures": "수치",
        "explained": (
            "토큰은 신경망이 한 번에 읽는 단위이고, 어절은 띄어쓰기로 나뉜 말입니다. 토큰이 적으면 빠르고 "
            "더 긴 글을 읽을 수 있습니다. 드문 조각은 잘 배우지 못하므로 어휘가 크다고 반드시 좋지는 "
            "않습니다. 모르는 토큰([UNK])은 신경망이 볼 수 없습니다."
        ),
        "name": "토크나이저",
        "vocabulary": "어휘 수",
        "tokens_per_word": "어절당 토큰",
        "characters_per_token": "토큰당 글자",
        "whole_words": "한 조각인 어절",
        "unknown": "모르는 토큰",
        "mean": "글당 토큰",
        "longest": "최대",
        "per_second": "초당 글",
        "examples": "같은 글을 나눈 모습",
        "marks": (
            "토크나이저에 따라 ▁는 어절의 처음, ##은 이어지는 조각 앞에 옵니다. ?는 모르는 것, �는 글자의 "
            "일부입니다."
        ),
        "tokens": "토큰",
        "cut": "나눈 모습",
        "more": "글 더 보기",
        "long": "토큰이 가장 많은 글",
        "text": "글",
        "missing": "모르는 글자",
        "none_missing": "모르는 글자가 없습니다.",
        "parts": "자주 나온 것과 횟수",
    },
}
_FIGURES = ("vocabulary", "tokens_per_word", "characters_per_token", "whole_words", "unknown", "mean")


def tokenizer_page(result: Mapping[str, Any], source: str = "", *, language: str = "en") -> str:
    """A comparison of tokenizers as a self-contained HTML page.

    Args:
        result: What `compare_tokenizers` returns.
        source: Name of the texts' file.
        language: "en" (with the Korean terms) or "ko".

    Raises:
        GallaeError: for another language.
    """
    words(language)
    say = _SAY[language]
    sections = [
        Section(say["figures"], _figures(result["tokenizers"], say)),
        Section(say["examples"], [Text(say["marks"], faint=True), *_examples(result["examples"], say)]),
        Section(say["long"], [_longest(result["longest"], say)]),
        Section(say["missing"], [_missing(result["tokenizers"], say)]),
    ]
    title = say["title"].format(source=source or say["texts"])
    return page(title, sections, language, summary=say["summary"].format(**result))


def _figures(rows: Any, say: Mapping[str, str]) -> list[Part]:
    columns = (*_FIGURES, "longest", "per_second")
    shares = ("whole_words", "unknown")
    cells = [
        [row["name"], *(percent(row[key]) if key in shares else row[key] for key in columns)] for row in rows
    ]
    bars = bar_plot(
        {row["name"]: row["tokens_per_word"] for row in rows}, label=say["tokens_per_word"], format="{:.2f}"
    )
    names = [say["name"], *(say[key] for key in columns)]
    return [Table(names, cells, decimals=2), Plot(bars), Text(say["explained"])]


def _examples(examples: Any, say: Mapping[str, str]) -> list[Part]:
    parts: list[Part] = []
    for example in examples:
        cells = [[name, len(cut), one_line(" | ".join(cut), 400)] for name, cut in example["cuts"].items()]
        table = Table([say["name"], say["tokens"], say["cut"]], cells)
        parts += [Heading(one_line(example["text"], 200)), table]
    return parts[:6] + ([Details(say["more"], parts[6:])] if parts[6:] else [])


def _longest(rows: Any, say: Mapping[str, str]) -> Part:
    names = list(rows[0]["tokens"])
    cells = [[one_line(row["text"], 100), *row["tokens"].values()] for row in rows]
    return Table([say["text"], *names], cells)


def _missing(rows: Any, say: Mapping[str, str]) -> Part:
    if not any(row["unknown_parts"] for row in rows):
        return Text(say["none_missing"])
    cells = [
        [
            row["name"],
            percent(row["unknown"]),
            "  ".join(f"{one_line(part)} {count:,}" for part, count in row["unknown_parts"].items()),
        ]
        for row in rows
    ]
    return Table([say["name"], say["unknown"], say["parts"]], cells)
