"""The dialect translator: which dialect is it, and what is it in another."""

import importlib.util
from pathlib import Path

import streamlit as st

from gallae.app import figures, settings
from gallae.app.language import language, phrases, say
from gallae.app.opened import complain
from gallae.errors import GallaeError
from gallae.tasks.translate import Translate
from gallae.workflows import dialects
from gallae.workflows.predicting import predict_texts
from gallae.workflows.runs import Run

KEPT = ".dialect"  # hidden, as it is no run of the user's
AUTOMATIC = "automatic"


@st.cache_resource(max_entries=4, show_spinner=False)
def _recognizer(folder: str) -> Run:
    return dialects.recognizer(Path(folder))


@st.cache_resource(max_entries=4, show_spinner=False)
def _translator(folder: str, family: str) -> Translate:
    return dialects.translator(Path(folder), family) if family else dialects.open_translator(Path(folder))


def _style(name: str) -> str:
    key = f"styles.{name}"
    return say(key) if key in phrases() else name


def _choose_translator() -> Translate:
    """Draw the choice of a translator: those learned from the embedded pairs, and runs."""
    chosen = settings.current()
    kept = str(chosen.workspace / KEPT)
    families = dialects.FAMILIES if importlib.util.find_spec("torch") else dialects.FAMILIES[:1]
    runs = dialects.find_translators([*chosen.runs, chosen.workspace])
    options = [*((str(folder), "") for folder in runs), *((kept, family) for family in families)]
    index = 0 if chosen.runs and runs else len(runs)
    folder, family = st.selectbox(
        say("dialect.translator"), options, index=index, key="dialect_translator",
        format_func=lambda option: say(f"dialect.{option[1]}") if option[1] else Path(option[0]).name,
    )  # fmt: skip
    with st.spinner(say("dialect.learning")):
        return _translator(folder, family)


def _recognized(text: str) -> str:
    """Show which dialect a text is in, and return it."""
    with st.spinner(say("dialect.learning")):
        model = _recognizer(str(settings.current().workspace / KEPT)).model
    row = predict_texts(model, [text])
    shares = {_style(name[2:]): values[0] for name, values in row.items() if name.startswith("p_")}
    found = str(row["label"][0])
    st.markdown(say("dialect.is", style=f"**{_style(found)}**", share=f"{row['probability'][0]:.0%}"))
    figures.probability_bars(shares)
    return found


def _directions(task: Translate, recognized: str) -> tuple[str, str]:
    """Draw the choice of source and target, and return them."""
    left, right = st.columns(2)
    known = [style for style in task.styles if dialects.targets(task, style)]
    automatic = recognized if recognized in known else known[0]
    names = {AUTOMATIC: say("dialect.automatic", style=_style(automatic))}
    names |= {name: _style(name) for name in known}
    chosen = left.selectbox(say("dialect.source"), names, format_func=names.__getitem__, key="dialect_source")
    source = automatic if chosen == AUTOMATIC else chosen
    found = dialects.targets(task, source)
    target = right.selectbox(say("dialect.target"), found, format_func=_style, key=f"dialect_{source}")
    return source, target


def _page() -> None:
    text = st.text_input(say("dialect.text"), value="어데 가노", key="dialect_text", max_chars=500).strip()
    task = _choose_translator()
    if not text:
        return
    left, right = st.columns(2, gap="large")
    with left:
        recognized = _recognized(text)
    with right:
        source, target = _directions(task, recognized)
        names = {style: _style(style) for style in task.styles}
        found = dialects.translate(task, text, source, target, language(), names)
        figures.show_change(found.source, found.text, found.changes)
        figures.note(say("dialect.same" if not found.changes else "dialect.changed"))
        if len(found.via) > 2:
            figures.note(say("dialect.via", way=" → ".join(map(_style, found.via))))
    if found.picture:
        st.subheader(say("dialect.attention"))
        figures.note(say("dialect.attention_what"))
        figures.show_html(found.picture)
    figures.note(say("dialect.small"))


st.title(say("dialect.menu"))
st.markdown(say("dialect.what"))
try:
    _page()
except GallaeError as problem:
    complain(problem)
