"""Try a model: a text, many texts, or a file."""

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from gallae.app import figures
from gallae.app.language import say
from gallae.app.opened import DataFile, choose_model, complain, csv_bytes, upload_file
from gallae.errors import GallaeError
from gallae.explaining import Explanation, explain
from gallae.workflows.predicting import predict, predict_texts
from gallae.workflows.runs import LoadedModel

MOST_TEXTS = 1000
UNITS = ("word", "morpheme")
SHOWN_ROWS = 200


def _texts(loaded: LoadedModel) -> None:
    """Classify what was typed or pasted, a text a line."""
    with st.form("texts", border=False):
        typed = st.text_area(
            say("classify.texts"), value=say("classify.examples"), height=130, key="classify_texts"
        )
        st.form_submit_button(say("classify.classify"), type="primary", key="classify_go")
    texts = [line.strip() for line in typed.splitlines() if line.strip()]
    if not texts:
        st.info(say("classify.no_text"))
        return
    if len(texts) > MOST_TEXTS:
        st.warning(say("classify.too_many", most=MOST_TEXTS))
        texts = texts[:MOST_TEXTS]
    with st.spinner(say("classify.working")):
        table = pd.DataFrame(predict_texts(loaded.model, texts))
    chosen = _result(table) if len(texts) > 1 else 0
    _details(loaded, table.iloc[chosen])


def _result(table: pd.DataFrame) -> int:
    """Show all results, and return the row that was chosen."""
    event = st.dataframe(
        table[["text", "label", "probability"]],
        column_config=_columns(),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row-required",
        key="classify_result",
        height=min(38 + 35 * len(table), 300),
    )
    st.download_button(
        say("app.download"),
        csv_bytes(table),
        "gallae-predictions.csv",
        "text/csv",
        on_click="ignore",
        key="classify_csv",
    )
    rows = event.selection.rows
    return rows[0] if rows and rows[0] < len(table) else 0


def _columns() -> dict[str, Any]:
    return {
        "text": st.column_config.TextColumn(say("app.text"), width="large"),
        "label": st.column_config.TextColumn(say("app.predicted_label")),
        "probability": st.column_config.ProgressColumn(
            say("app.probability"), min_value=0.0, max_value=1.0, format="percent"
        ),
    }


def _details(loaded: LoadedModel, row: "pd.Series[Any]") -> None:
    """Show one text's probabilities, and what each word says for the label."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(say("classify.probabilities"))
        named = {str(name)[2:]: float(row[name]) for name in row.index if str(name).startswith("p_")}
        figures.probability_bars(named)
    with right:
        st.subheader(say("classify.reasons"))
        unit = st.segmented_control(
            say("classify.unit"), UNITS, default="word", required=True, key="classify_unit",
            format_func=lambda name: say(f"classify.{name}"),
        )  # fmt: skip
        try:
            with st.spinner(say("classify.explaining")):
                found = _explained(str(loaded.folder), str(row["text"]), str(unit), loaded)
        except GallaeError as error:
            complain(error)
            return
        for explanation in found:
            figures.show_explanation(explanation)
        figures.note(say("classify.colours", method=say(f"methods.{found[0].method}")))


@st.cache_data(max_entries=200, show_spinner=False)
def _explained(folder: str, text: str, unit: str, _loaded: LoadedModel) -> list[Explanation]:
    return explain(_loaded.model, [text], unit=unit)


def _file(loaded: LoadedModel) -> None:
    """Classify an uploaded file, and give back its rows with labels and probabilities."""
    file = upload_file("classify")
    if file is None:
        figures.note(say("classify.file_help"))
        return
    column = st.text_input(
        say("app.text_column"), key="classify_column", help=say("app.columns_help")
    ).strip()
    if not st.button(say("classify.classify_file", name=file.name), type="primary", key="classify_file"):
        return
    try:
        with tempfile.TemporaryDirectory() as folder, st.spinner(say("classify.working")):
            output = Path(folder) / "predictions.csv"
            count = _predict(loaded, file, column, output)
            content = output.read_bytes()
            table = pd.read_csv(output, nrows=SHOWN_ROWS)
    except GallaeError as error:
        st.error(str(file.named(error)))
        return
    st.success(say("classify.done", count=f"{count:,}"))
    st.download_button(
        say("app.download"), b"\xef\xbb\xbf" + content, f"{Path(file.name).stem}-predictions.csv", "text/csv",
        on_click="ignore", key="classify_download", type="primary",
    )  # fmt: skip
    st.dataframe(table[["text", "label", "probability"]], column_config=_columns(), hide_index=True)


def _predict(loaded: LoadedModel, file: DataFile, column: str, output: Path) -> int:
    reading: dict[str, Any] = {"text_column": column} if column else {}
    return predict(loaded.folder, file.path, top_k=0, output=output, **reading)


st.title(say("classify.menu"))
st.markdown(say("classify.what"))
try:
    model = choose_model("classify_model")
except GallaeError as error:
    complain(error)
    st.stop()
typing, uploading = st.tabs([say("classify.type"), say("classify.upload")])
with typing:
    _texts(model)
with uploading:
    _file(model)
