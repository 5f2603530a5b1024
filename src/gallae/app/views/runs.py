"""Finished runs: their figures, what is confused with what, how they learned, two side by side."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from gallae.app import figures
from gallae.app.language import say
from gallae.app.opened import complain, csv_bytes, load_model, runs
from gallae.errors import GallaeError
from gallae.workflows import browsing
from gallae.workflows.measuring import histories
from gallae.workflows.runs import Run


def _table(found: list[Run]) -> list[Run]:
    """Show all runs, and return those that were chosen, the first ones without a choice."""
    table = browsing.overview(found)
    table["interval"] = [
        f"{low_high[0]:.3f}–{low_high[1]:.3f}" if isinstance(low_high, list) else ""
        for low_high in table["macro_f1_interval"]
    ]
    table["texts_per_second"] = table["texts_per_second"].round()
    number = st.column_config.NumberColumn
    event = st.dataframe(
        table[
            [
                "name",
                "recipe",
                "macro_f1",
                "interval",
                "accuracy",
                "fit_seconds",
                "texts_per_second",
                "model_mb",
                "n",
            ]
        ],
        column_config={
            "name": st.column_config.TextColumn(say("runs.name"), width=170),
            "recipe": say("runs.recipe"),
            "macro_f1": number("macro-F1", format="%.4f"),
            "interval": say("runs.interval"),
            "accuracy": number(say("runs.accuracy"), format="%.4f"),
            "fit_seconds": number(say("runs.fit_seconds"), format="%.1f"),
            "texts_per_second": number(say("runs.speed"), format="localized"),
            "model_mb": number("MB", format="%.1f"),
            "n": number(say("runs.n"), format="localized"),
        },
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key="runs_table",
        height=min(38 + 35 * len(table), 300),
    )
    figures.note(say("runs.choose"))
    rows = [row for row in event.selection.rows if row < len(found)]
    return [found[row] for row in rows]


def _one(run: Run) -> None:
    """Show one run."""
    st.subheader(browsing.run_name(run))
    if not browsing.is_measured(run):
        st.info(say("runs.not_measured"))
        return
    _figures(run.metrics)
    rows = browsing.held_out(run)
    titles = [say("runs.confusion"), say("runs.classes"), say("runs.curves"), say("runs.report")]
    confusion, classes, curves, report = st.tabs(titles)
    with confusion:
        if browsing.is_multilabel(rows):
            st.info(say("runs.multilabel"))
        else:
            _confusion(run, rows)
    with classes:
        _classes(run.metrics)
    with curves:
        _curves(run)
    with report:
        _report(run)


def _figures(metrics: dict[str, Any]) -> None:
    places = st.columns(4)
    for place, key, name in zip(
        places, ("macro_f1", "accuracy"), ("macro-F1", say("runs.accuracy")), strict=False
    ):
        low, high = metrics[f"{key}_interval"]
        place.metric(name, f"{metrics[key]:.4f}", help=say("runs.interval_help"))
        with place:
            figures.note(say("runs.between", low=f"{low:.3f}", high=f"{high:.3f}"))
    places[2].metric(say("runs.n"), f"{metrics['n']:,}")
    places[3].metric(say("runs.log_loss"), f"{metrics['log_loss']:.3f}")
    with places[2]:
        figures.note(say("runs.of_rows", rows=f"{metrics['rows']:,}", seed=metrics["seed"]))


def _confusion(run: Run, rows: pd.DataFrame) -> None:
    """Show the confusion matrix, and the texts behind the cell that was clicked or chosen."""
    cells, classes = browsing.confusion_cells(rows), browsing.classes_of(rows)
    key = f"cell_{run.folder.resolve()}"
    wrong = cells[cells["label"] != cells["predicted"]].sort_values("count", ascending=False).iloc[0]
    st.session_state.setdefault(f"{key}_gold", wrong["label"])
    st.session_state.setdefault(f"{key}_predicted", wrong["predicted"])

    def clicked() -> None:
        chosen = st.session_state[key].selection["cell"]
        if chosen:
            st.session_state[f"{key}_gold"] = chosen[0]["label"]
            st.session_state[f"{key}_predicted"] = chosen[0]["predicted"]

    left, right = st.columns(2, gap="medium")
    with left:
        figures.note(say("runs.click"))
        figures.confusion_chart(cells, classes, key, clicked)
    with right:
        places = st.columns(2)
        gold = places[0].selectbox(say("runs.gold"), classes, key=f"{key}_gold")
        predicted = places[1].selectbox(say("runs.predicted"), classes, key=f"{key}_predicted")
        behind = browsing.rows_behind(rows, gold, predicted)
        st.markdown(say("runs.behind", count=f"{len(behind):,}", gold=gold, predicted=predicted))
        shown = {
            "text": st.column_config.TextColumn(say("app.text"), width=260),
            "probability": _probability(),
        }
        st.dataframe(
            behind[["text", "probability"]], column_config=shown, hide_index=True, height=330, row_height=72
        )
        st.download_button(
            say("app.download"), csv_bytes(behind[["text", "label", "predicted", "probability"]]),
            f"{gold}-{predicted}.csv", "text/csv", on_click="ignore", key=f"{key}_csv",
        )  # fmt: skip


def _probability() -> Any:
    return st.column_config.NumberColumn(say("app.probability"), format="percent", width="small")


def _classes(metrics: dict[str, Any]) -> None:
    table = pd.DataFrame([{"label": label, **given} for label, given in metrics["per_class"].items()])
    number = st.column_config.NumberColumn
    st.dataframe(
        table[["label", "f1", "precision", "recall", "support"]],
        column_config={
            "label": say("app.label"),
            "f1": number("F1", format="%.3f"),
            "precision": number(say("runs.precision"), format="%.3f"),
            "recall": number(say("runs.recall"), format="%.3f"),
            "support": number(say("runs.count"), format="localized"),
        },
        hide_index=True,
        height="content",
    )


def _curves(run: Run) -> None:
    """Show how the networks of a run learned, if it has any."""
    try:
        learned = histories([load_model(run.folder).model])
    except GallaeError as error:
        complain(error)
        return
    if learned:
        figures.learning_curves(learned)
    else:
        st.info(say("runs.no_curves"))


def _report(run: Run) -> None:
    """Offer the report's page and the recipe that ran."""
    report = run.folder / "report.html"
    if report.is_file():
        st.download_button(
            say("runs.download_report"),
            report.read_bytes(),
            "report.html",
            "text/html",
            on_click="ignore",
            key=f"report_{run.folder}",
        )
    st.code(run.recipe.to_toml(), language="toml", height=320)


def _two(first: Run, second: Run) -> None:
    """Show two runs side by side on the rows that both held out."""
    names = browsing.run_name(first), browsing.run_name(second)
    st.subheader(say("runs.side_by_side", first=names[0], second=names[1]))
    found = browsing.side_by_side(first, second)
    given = found.figures
    rows = []
    for key, name in (("macro_f1", "macro-F1"), ("accuracy", say("runs.accuracy"))):
        low, high = given[f"{key}_difference_interval"]
        rows.append({"name": name, "value": given[f"{key}_difference"], "low": low, "high": high})
    figures.interval_chart(rows, zero=True)
    low, high = given["macro_f1_difference_interval"]
    verdict = "runs.same" if low <= 0 <= high else "runs.first_better" if low > 0 else "runs.second_better"
    st.markdown(say(verdict, first=names[0], second=names[1], low=f"{low:+.4f}", high=f"{high:+.4f}"))
    figures.note(
        say(
            "runs.mcnemar",
            n=f"{given['n']:,}",
            first=given["only_a_right"],
            second=given["only_b_right"],
            p=f"{given['p_value']:.2g}",
        )
    )
    columns = {"text": say("app.text"), "label": say("runs.gold"), "first": names[0], "second": names[1]}
    with st.expander(say("runs.differ", count=f"{len(found.rows):,}")):
        st.dataframe(found.rows.rename(columns=columns), hide_index=True)


def _or_complain(show: Callable[..., None], *shown: Run) -> None:
    """Show runs; what is wrong with them stands in their place, and the rest of the page below it."""
    try:
        show(*shown)
    except GallaeError as problem:
        complain(problem)


st.title(say("runs.menu"))
st.markdown(say("runs.what"))
every = runs()
if not every:
    st.info(say("runs.none"))
    st.page_link("views/train.py", label=say("train.menu"))
    st.stop()
chosen = _table(every)
if len(chosen) == 2:
    _or_complain(_two, *chosen)
for each in chosen[:2] or every[:1]:
    _or_complain(_one, each)
