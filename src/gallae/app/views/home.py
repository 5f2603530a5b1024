"""The first page: try it at once, and where to go from here."""

import streamlit as st

from gallae.app import figures
from gallae.app.language import say
from gallae.app.opened import load_model
from gallae.models.bundled import bundled_models
from gallae.workflows.predicting import predict_texts

CARDS = ("classify", "data", "train", "runs", "review", "dialect")


def _at_once() -> None:
    """Classify one headline by the bundled model."""
    text = st.text_input(say("home.text"), value=say("home.example"), key="home_text", max_chars=1000)
    if not text.strip():
        return
    model = load_model(bundled_models()["headlines"]).model
    row = predict_texts(model, [text])
    probabilities = {name[2:]: values[0] for name, values in row.items() if name.startswith("p_")}
    label, share = row["label"][0], row["probability"][0]
    st.markdown(say("home.says", label=f"**{label}**", share=f"{share:.1%}"))
    figures.probability_bars(probabilities)


def _cards() -> None:
    """Say what each page is for."""
    for row in (CARDS[:3], CARDS[3:]):
        for name, place in zip(row, st.columns(3), strict=True):
            with place.container(border=True, height="stretch"):
                st.page_link(f"views/{name}.py", label=f"**{say(f'{name}.menu')}**")
                figures.note(say(f"{name}.what"))


st.title(say("app.title"))
st.markdown(say("home.what"))
_at_once()
st.subheader(say("home.more"))
_cards()
figures.note(say("home.private"))
