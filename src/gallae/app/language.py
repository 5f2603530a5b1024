"""The words of the pages, Korean and English, from one file: words.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

import streamlit as st

NAMES = {"ko": "한국어", "en": "English"}
_KEY = "lang"


@cache
def phrases() -> dict[str, dict[str, str]]:
    """Return every phrase by its key, such as "home.title": {"ko": ..., "en": ...}."""
    tables = tomllib.loads((resources.files("gallae.app") / "words.toml").read_text("utf-8"))
    return {f"{table}.{key}": pair for table, pairs in tables.items() for key, pair in pairs.items()}


def language() -> str:
    """Return the language of this view: as chosen, else as the browser's."""
    return st.session_state.get(_KEY) or _of_browser()


def _of_browser() -> str:
    return "ko" if (st.context.locale or "").lower().startswith("ko") else "en"


def choose_language() -> None:
    """Draw the switch; the choice stands in the address, so that a link keeps it."""
    with st.sidebar:
        st.segmented_control(
            "Language · 언어",
            list(NAMES),
            default=_of_browser(),
            format_func=NAMES.__getitem__,
            key=_KEY,
            required=True,
            bind="query-params",
        )


def say(key: str, **values: object) -> str:
    """Return a phrase in the language of this view.

    Args:
        key: As in words.toml, "table.key".
        values: For the places in it.
    """
    return phrases()[key][language()].format(**values)
