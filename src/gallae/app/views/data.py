"""Look at data before training on it: the audit."""

from typing import Any

import streamlit as st

from gallae.app import figures
from gallae.app.language import language, say
from gallae.app.opened import DataFile, choose_data, complain
from gallae.errors import GallaeError
from gallae.evaluation.page import Section
from gallae.workflows.audit import look_at
from gallae.workflows.audit_page import audit_page, audit_sections


@st.cache_resource(max_entries=8, show_spinner=False)
def _audit(key: str, _file: DataFile, speech: str) -> tuple[list[Section], str]:
    """Return the sections of the audit, and its whole page."""
    found, sizes = look_at(_file.corpus("optional"), language=speech)
    return audit_sections(found, sizes, speech), audit_page(found, sizes, speech)


def _show(file: DataFile) -> None:
    with st.spinner(say("data.working")):
        sections, page = _audit(file.key, file, language())
    first, *rest = sections
    figures.show_parts(first.parts)
    st.download_button(
        say("data.download"),
        page,
        f"audit-{file.path.stem}.html",
        "text/html",
        on_click="ignore",
        key="data_page",
    )
    for tab, section in zip(st.tabs([section.title for section in rest]), rest, strict=True):
        with tab:
            figures.show_parts(section.parts)
    with st.expander(say("data.rows")):
        table = file.corpus("optional").table.head(1000)
        columns: dict[str, Any] = {
            "index": st.column_config.NumberColumn(say("app.number"), format="%d"),
            "text": say("app.text"),
            "label": say("app.label"),
        }
        st.dataframe(table, column_config=columns, hide_index=True)


st.title(say("data.menu"))
st.markdown(say("data.what"))
chosen = choose_data("data")
try:
    _show(chosen)
except GallaeError as problem:
    complain(problem)
