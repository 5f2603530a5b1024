"""What `gallae review` writes: a table, or a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.errors import OutputError
from gallae.evaluation import page
from gallae.files import refuse_existing, write_beside

if TYPE_CHECKING:
    from gallae.workflows.reviewing import Review

SUFFIXES = (".csv", ".jsonl", ".html")

ENGLISH = {
    "wrong": "probably wrong",
    "close": "between two labels",
    "doubtful": "doubtful",
    "uncertain": "the model is unsure",
    "title_labels": "Labels to check: {source}",
    "title_unlabelled": "Texts to label next: {source}",
    "summary": "In short (요약)",
    "summary_labels": (
        "{looked_at:,} labels were judged by {model}, by models that had not seen them. {wrong:,} of them "
        "are probably wrong (라벨 오류). The list begins with those; a wrong guess of the model's looks the "
        "same, so read before you change."
    ),
    "summary_unlabelled": (
        "{model} was asked about {looked_at:,} texts without a label. The list holds those that it is least "
        "sure of, chosen to differ from each other: they teach most when they are labelled next (능동 학습)."
    ),
    "skipped": (
        "{skipped:,} rows were not judged: no other row has their label, or the run did not hold them out."
    ),
    "proposals": "The rows",
    "rows_note": "Rows are counted from 0, the header apart.",
    "where": "Where the mistakes are (오류가 몰린 곳)",
    "figures": (
        "{errors:,} of {rows:,} rows are predicted otherwise than labelled. In {close:,} the two most "
        "probable labels are less than 0.1 apart; {close_errors:,} of the mistakes are among these."
    ),
    "pairs": "Labels mistaken for each other",
    "words": "Words that gather mistakes",
    "row": "row",
    "text": "text",
    "given": "given",
    "suggested": "suggested",
    "probability": "probability",
    "given_probability": "of the given",
    "reason": "reason",
    "predicted": "predicted",
    "count": "rows",
    "share": "share",
    "word": "word",
    "errors": "mistakes",
    "footer": "Made by gallae. This page needs no other file.",
}
KOREAN = {
    "wrong": "틀린 라벨로 보임",
    "close": "두 라벨 사이",
    "doubtful": "의심스러움",
    "uncertain": "모델이 확신하지 못함",
    "title_labels": "확인할 라벨: {source}",
    "title_unlabelled": "다음에 라벨을 달 글: {source}",
    "summary": "요약",
    "summary_labels": (
        "라벨 {looked_at:,}개를 {model} 모델이, 그 글을 보지 않고 학습한 상태로 판정했습니다. 그중 "
        "{wrong:,}개가 틀린 것으로 보이며 목록은 이들부터 시작합니다. 모델이 틀렸을 때도 똑같이 보이므로 "
        "읽어 보고 고치세요."
    ),
    "summary_unlabelled": (
        "라벨이 없는 글 {looked_at:,}건을 {model} 모델에 물었습니다. 모델이 가장 확신하지 못하면서 서로 다른 "
        "글을 골랐습니다. 이 글들에 라벨을 달면 가장 많이 배웁니다(능동 학습)."
    ),
    "skipped": (
        "{skipped:,}건은 판정하지 못했습니다. 같은 라벨의 다른 글이 없거나 평가용으로 떼어 두지 않은 "
        "글입니다."
    ),
    "proposals": "목록",
    "rows_note": "행 번호는 머리글을 빼고 0부터 셉니다.",
    "where": "오류가 몰린 곳",
    "figures": (
        "{rows:,}건 가운데 {errors:,}건의 예측이 라벨과 다릅니다. 확률이 가장 높은 두 라벨의 차이가 0.1보다 "
        "작은 글이 {close:,}건이고, 오류 가운데 {close_errors:,}건이 여기에 있습니다."
    ),
    "pairs": "서로 착각하는 라벨",
    "words": "오류가 몰린 낱말",
    "row": "행",
    "text": "글",
    "given": "라벨",
    "suggested": "제안",
    "probability": "확률",
    "given_probability": "라벨의 확률",
    "reason": "이유",
    "predicted": "예측",
    "count": "건수",
    "share": "비율",
    "word": "낱말",
    "errors": "오류",
    "footer": "gallae가 만들었습니다. 이 페이지는 다른 파일이 없어도 열립니다.",
}
WORDS = {"en": ENGLISH, "ko": KOREAN}


def reason(cause: str, probabilities: np.ndarray, classes: Sequence[str], given: Any, language: str) -> str:
    """Say why a row is proposed: "probably wrong: 경제 0.93, 정치 0.02"."""
    best = np.argsort(-probabilities, kind="stable")[:2].tolist()
    labels = [] if given is None else [given] if isinstance(given, str) else list(given)
    shown = [*best, *(at for name in labels if (at := list(classes).index(str(name))) not in best)]
    if labels and not isinstance(given, tuple) and cause == "wrong":
        shown = [best[0], list(classes).index(str(given))]
    figures = ", ".join(f"{classes[at]} {probabilities[at]:.2f}" for at in dict.fromkeys(shown))
    return f"{WORDS[language][cause]}: {figures}"


def check_outputs(outputs: Sequence[Path], force: bool) -> None:
    """Make sure that all outputs can be written.

    Raises:
        OutputError: for a suffix that is not known, or one that exists.
    """
    for path in outputs:
        if path.suffix.lower() not in SUFFIXES:
            raise OutputError(f"{path}: a review is written as {', '.join(SUFFIXES)}; name the output so.")
        refuse_existing(path, force)


def write_outputs(review: Review, outputs: Sequence[Path], force: bool, language: str) -> None:
    """Write each output."""
    for path in outputs:
        with write_beside(path, force) as temporary:
            if path.suffix.lower() == ".html":
                temporary.write_text(review_page(review, language), encoding="utf-8", errors="replace")
            elif path.suffix.lower() == ".csv":
                review.table.to_csv(temporary, index=False, errors="replace")
            else:
                review.table.to_json(temporary, orient="records", lines=True, force_ascii=False)


def review_page(review: Review, language: str = "en") -> str:
    """Return the page."""
    say = WORDS[language]
    known = {"looked_at": review.looked_at, "wrong": review.wrong, "model": review.model}
    parts: list[page.Part] = [page.Text(say[f"summary_{review.kind}"].format(**known))]
    if review.skipped:
        parts.append(page.Note(say["skipped"].format(skipped=review.skipped)))
    columns = ["row", "text", "given", "suggested", "probability", "given_probability", "reason"]
    if review.kind == "unlabelled":
        columns = ["row", "text", "suggested", "probability", "reason"]
    rows = [
        [str(number), *(None if value != value else value for value in row)]  # a name, without separators
        for number, *row in review.table[columns].astype(object).itertuples(index=False)
    ]
    sections = [
        page.Section(say["summary"], parts),
        page.Section(
            say["proposals"],
            [page.Text(say["rows_note"], faint=True), page.Table([say[name] for name in columns], rows)],
        ),
    ]
    if review.regions is not None:
        sections.append(page.Section(say["where"], _regions(review, say)))
    title = say[f"title_{review.kind}"].format(source=Path(review.source).name)
    return page.page(title, sections, language, footer=say["footer"])


def _regions(review: Review, say: dict[str, str]) -> list[page.Part]:
    regions = review.regions
    assert regions is not None
    parts: list[page.Part] = [page.Text(say["figures"].format(**regions.to_dict()))]
    tables: list[page.Part] = []
    if regions.pairs:
        rows = [[p["given"], p["predicted"], p["rows"], f"{p['share']:.1%}"] for p in regions.pairs]
        heads = [say["given"], say["predicted"], say["count"], say["share"]]
        tables.append(page.Table(heads, rows, caption=say["pairs"]))
    if regions.words:
        rows = [[w["word"], w["rows"], w["errors"], f"{w['share']:.1%}"] for w in regions.words]
        heads = [say["word"], say["count"], say["errors"], say["share"]]
        tables.append(page.Table(heads, rows, caption=say["words"]))
    return [*parts, page.Row(tables)] if tables else parts
