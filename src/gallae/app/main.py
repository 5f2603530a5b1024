"""The script that Streamlit runs for every view: language, then the page that was asked for."""

from pathlib import Path

import streamlit as st

from gallae.app.language import choose_language, say

PAGES = ("home", "classify", "data", "train", "runs", "review", "dialect")
ICONS = {
    "home": ":material/home:",
    "classify": ":material/edit_note:",
    "data": ":material/table_chart:",
    "train": ":material/model_training:",
    "runs": ":material/leaderboard:",
    "review": ":material/rule:",
    "dialect": ":material/translate:",
}

choose_language()
st.set_page_config(
    page_title=say("app.title"), page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide"
)
pages = [
    st.Page(
        f"views/{name}.py",
        title=say(f"{name}.menu"),
        icon=ICONS[name],
        url_path="" if name == "home" else name,
        default=name == "home",
    )
    for name in PAGES
]
st.navigation(pages).run()
