"""Which column is the text, which the label, which the index: well-known names, or what the user says."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from gallae.errors import DataError

TEXT = (
    "text", "title", "headline", "document", "sentence", "review", "comment", "comments", "content",
    "contents", "utterance", "utterances", "query", "question", "tweet", "message", "news", "body",
    "description", "article", "texts", "sentences", "documents", "titles", "reviews", "review_text",
    "review_body",
    "텍스트", "문장", "제목", "헤드라인", "본문", "내용", "리뷰", "댓글", "발화", "발화문",
    "질문", "문서", "기사", "후기", "글",
)  # fmt: skip
LABEL = (
    "label", "labels", "topic", "topic_idx", "category", "categories", "class", "target", "sentiment",
    "intent", "emotion", "section", "genre", "tag", "tags", "label_id", "label_idx", "class_id",
    "category_id", "topics", "polarity", "라벨", "레이블", "주제", "분류", "범주", "카테고리", "감성",
    "감정", "의도", "섹션", "긍부정",
    "rating", "stars", "star", "score", "평점", "별점",
)  # fmt: skip
INDEX = ("index", "id", "idx", "guid", "review_id", "no", "번호", "인덱스", "아이디")


def listing(columns: Sequence[str]) -> str:
    """Return the columns for a message, at most forty of them."""
    shown = ", ".join(repr(column) for column in columns[:40])
    return shown + (f", ... ({len(columns)} in all)" if len(columns) > 40 else "")


def named_columns(wanted: str | Sequence[str], columns: Sequence[str], option: str, source: str) -> list[str]:
    """Return the columns that the user named: one, several as a list, or several as "a,b,c".

    A name may differ from the file's in case and in spaces around it.

    Raises:
        DataError: if one is not there; names the nearest, lists all, and the option.
    """
    if isinstance(wanted, str):
        whole = _match(wanted, columns)
        if whole is not None:
            return [whole]
        wanted = wanted.split(",")
    found = []
    for name in wanted:
        column = _match(name, columns)
        if column is None:
            near = difflib.get_close_matches(name.strip(), list(columns), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise DataError(
                f"{source}: there is no column {name.strip()!r} (asked for by {option}).{hint} "
                f"Columns: {listing(columns)}."
            )
        found.append(column)
    return list(dict.fromkeys(found))


def _match(name: str, columns: Sequence[str]) -> str | None:
    if name in columns:
        return name
    folded = {column.strip().casefold(): column for column in columns}
    return folded.get(name.strip().casefold())


def find(known: Sequence[str], columns: Sequence[str], taken: Sequence[str] = ()) -> str | None:
    """Return the first well-known name that the file has, apart from those taken."""
    folded = {column.casefold(): column for column in columns if column not in taken}
    return next((folded[name] for name in known if name in folded), None)


def find_text(columns: Sequence[str], taken: Sequence[str]) -> str | None:
    """Return the text column: a well-known name, else the only column left beside label and index."""
    found = find(TEXT, columns, taken)
    if found is not None:
        return found
    left = [column for column in columns if column not in taken and column.casefold() not in INDEX]
    return left[0] if len(left) == 1 else None


def no_text(columns: Sequence[str], source: str) -> DataError:
    """Return the error for a file whose text column cannot be told."""
    return DataError(
        f"{source}: which column holds the text? None has a well-known name. Columns: {listing(columns)}. "
        "Name it with --text-column (in Python: text_column=)."
    )


def no_label(columns: Sequence[str], source: str) -> DataError:
    """Return the error for a file whose label column cannot be told."""
    return DataError(
        f"{source}: which column holds the label? None has a well-known name. Columns: {listing(columns)}. "
        'Name it with --label-column (in Python: label_column=); several 0/1 columns as "a,b,c".'
    )
