"""Label review: what is likely wrong first; choose the right label, and take a corrected file home."""

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from gallae.app import figures
from gallae.app.language import language, say
from gallae.app.opened import DataFile, choose_data, complain
from gallae.data.correcting import check_correctable, correct
from gallae.errors import GallaeError
from gallae.workflows.reviewing import Review, review

JUDGES = ("default", "fast", "tfidf-morph")
COLUMNS = ("row", "text", "given", "corrected", "suggested", "probability", "reason")


@st.cache_resource(max_entries=8, show_spinner=False)
def _reviewed(key: str, _file: DataFile, recipe: str, budget: int, speech: str) -> Review:
    reading: dict[str, Any] = dict(_file.reading)
    return review(_file.path, recipe, budget=budget, language=speech, **reading)


def _look(file: DataFile) -> None:
    """Judge the labels, when asked to, and show what was found."""
    left, middle = st.columns(2)
    recipe = left.selectbox(say("review.judge"), JUDGES, key="review_recipe", help=say("review.judge_help"))
    budget = int(middle.number_input(say("review.budget"), 10, 2000, 100, 10, key="review_budget"))
    asked = (file.key, recipe, budget)
    if st.button(say("review.start"), type="primary", key="review_start"):
        st.session_state["review_asked"] = asked
    if st.session_state.get("review_asked") != asked:
        return
    try:
        with st.spinner(say("review.working")):
            found = _reviewed(file.key, file, recipe, budget, language())
    except GallaeError as error:
        raise file.named(error) from error
    if found.kind != "labels":
        st.info(say("review.unlabelled"))
        st.dataframe(
            found.table[["row", "text", "suggested", "probability"]],
            column_config=_columns([]),
            hide_index=True,
        )
        return
    st.markdown(
        say("review.found", all=f"{found.looked_at:,}", wrong=f"{found.wrong:,}", shown=len(found.table))
    )
    savable = _is_savable(file)
    corrected = _edit(found, file, "-".join(map(str, asked)))
    if savable:
        _take_home(file, corrected)
    if found.regions is not None:
        _regions(found.regions.pairs, found.regions.words)


def _is_savable(file: DataFile) -> bool:
    """Whether a corrected file can be written; if not, say so before somebody takes the trouble."""
    reading: dict[str, Any] = dict(file.reading)
    try:
        check_correctable(file.path, **reading)
    except GallaeError as error:
        complain(file.named(error))
        return False
    return True


def _edit(found: Review, file: DataFile, key: str) -> dict[int, Any]:
    """Let labels be changed, and return the new ones by their row."""
    table = found.table.assign(corrected=found.table["given"])
    label_set = file.corpus("partial").label_set
    names = list(label_set.names) if label_set else []
    several = bool(label_set and label_set.multilabel)
    figures.note(say("review.how"))
    edited = st.data_editor(
        table[list(COLUMNS)],
        column_config=_columns([] if several else names),
        disabled=[name for name in COLUMNS if name != "corrected"],
        hide_index=True,
        key=f"review_{key}",
        height=560,
        row_height=72,  # two lines: the whole text has to be read
    )
    changed = edited[edited["corrected"] != edited["given"]]
    if several:
        return {
            int(row): label.split("|")
            for row, label in zip(changed["row"], changed["corrected"], strict=True)
        }
    return {int(row): str(label) for row, label in zip(changed["row"], changed["corrected"], strict=True)}


def _columns(names: list[str]) -> dict[str, Any]:
    column = st.column_config
    label = column.SelectboxColumn(say("review.corrected"), options=names, required=True)
    return {
        "row": column.NumberColumn(say("app.number"), width="small", format="%d"),
        "text": column.TextColumn(say("app.text"), width=290),
        "given": column.TextColumn(say("app.label"), width="small"),
        "corrected": label if names else column.TextColumn(say("review.corrected")),
        "suggested": column.TextColumn(say("review.suggested"), width="small"),
        "probability": column.NumberColumn(say("app.probability"), format="percent", width="small"),
        "reason": column.TextColumn(say("review.reason")),
    }


def _take_home(file: DataFile, labels: dict[int, Any]) -> None:
    """Offer a copy of the file in which nothing but the changed labels differs."""
    if not labels:
        figures.note(say("review.nothing_yet"))
        return
    name = f"{Path(file.name).stem}-corrected{file.path.suffix}"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / name
        reading: dict[str, Any] = dict(file.reading)
        try:
            count = correct(file.path, labels, copy, **reading)
        except GallaeError as error:
            complain(file.named(error))
            return
        content = copy.read_bytes()
    st.download_button(
        say("review.download", count=count),
        content,
        name,
        on_click="ignore",
        type="primary",
        key="review_csv",
    )


def _regions(pairs: list[dict[str, Any]], words: list[dict[str, Any]]) -> None:
    """Show which labels are mistaken for each other, and in which words mistakes gather."""
    st.subheader(say("review.regions"))
    left, right = st.columns(2, gap="large")
    names: dict[str, Any] = {
        "given": say("app.label"),
        "predicted": say("runs.predicted"),
        "word": say("app.word"),
        "rows": say("runs.count"),
        "errors": say("review.errors"),
        "share": st.column_config.NumberColumn(say("runs.share"), format="percent"),
    }
    with left:
        figures.note(say("review.pairs"))
        shown = pd.DataFrame(pairs, columns=["given", "predicted", "rows", "share"])
        st.dataframe(shown, column_config=names, hide_index=True, height=260)
    with right:
        figures.note(say("review.words"))
        shown = pd.DataFrame(words, columns=["word", "rows", "errors"])
        st.dataframe(shown, column_config=names, hide_index=True, height=260)


st.title(say("review.menu"))
st.markdown(say("review.what"))
try:
    _look(choose_data("review"))
except GallaeError as problem:
    complain(problem)
