"""The words of the pages, Korean and English, from one file: words.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

import streamlit as st

NAMES = {"ko": "한국어", "en": "English"}
_KEY = "lang"
# Streamlit's own words are English only; these two stand on nearly every page.
_UPLOADER_IN_KOREAN = """<style>
[data-testid=stFileUploaderDropzone] button p {font-size: 0}
[data-testid=stFileUploaderDropzone] button p::after {content: "파일 고르기"; font-size: 1rem}
[data-testid=stFileUploaderDropzoneInstructions] span {font-size: 0}
[data-testid=stFileUploaderDropzoneInstructions] span::after {font-size: .875rem;
  content: "끌어다 놓아도 됩니다. 한 파일에 100 MB까지, CSV·TSV·TXT·JSON·JSONL·XLSX·Parquet"}
</style>"""


@cache
def phrases() -> dict[str, dict[str, str]]:
    """Return every phrase by its key, such as "home.title": {"ko": ..., "en": ...}."""
    tables = tomllib.loads((resources.files("gallae.app") / "words.toml").read_text("utf-8"))
    return {f"{table}.{key}": pair for table, pairs in tables.items() for key, pair in pairs.items()}


def language() -> str:
    """Return the language of this view: as chosen, else the address's (?lang=en), else the browser's."""
    return st.session_state.get(_KEY) or _given()


def _given() -> str:
    asked = st.query_params.get(_KEY, "")
    if asked in NAMES:
        return asked
    return "ko" if (st.context.locale or "").lower().startswith("ko") else "en"


def choose_language() -> None:
    """Draw the switch, below the pages."""
    with st.sidebar:
        st.segmented_control(
            "Language · 언어",
            list(NAMES),
            default=_given(),
            format_func=NAMES.__getitem__,
            key=_KEY,
            required=True,
        )
        # Streamlit's page says that it is English; screen readers would read Korean so.
        st.html(
            f'<script>document.documentElement.lang = "{language()}"</script>', unsafe_allow_javascript=True
        )
    if language() == "ko":
        st.html(_UPLOADER_IN_KOREAN)


def say(key: str, **values: object) -> str:
    """Return a phrase in the language of this view.

    Args:
        key: As in words.toml, "table.key".
        values: For the places in it.
    """
    return phrases()[key][language()].format(**values)
