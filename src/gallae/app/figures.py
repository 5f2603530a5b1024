"""Figures of the pages: parts of the reports as they are, and charts that answer to the mouse."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from gallae import explaining
from gallae.app.language import say
from gallae.app.theme import CARD, FAINT, INK, LINK, PAPER, SHADE, WARN, WARN_CARD
from gallae.evaluation.page import Part
from gallae.evaluation.style import CSS
from gallae.evaluation.svg import BLUE, GREEN, ORANGE
from gallae.explaining import Explanation

# The variables of the reports' style sheet, in the colours of the pages.
_PAINT = {"ink": INK, "faint": FAINT, "grid": "#dde2e8", "paper": PAPER, "card": CARD}
_PAINT |= {"link": LINK, "warn": WARN, "warn-card": WARN_CARD}
_CHANGED = "#cfe0f0"
_SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


def note(text: str) -> None:
    """Write small print; a caption's grey would be too pale to read (WCAG AA)."""
    st.markdown(f":small[{text}]")


def show_parts(parts: Sequence[Part]) -> None:
    """Show parts of a report in its own style, in the colours of this page."""
    show_html("".join(part.html() for part in parts))


def show_html(inside: str) -> None:
    """Show markup that this package made itself, every text in it escaped."""
    paint = ";".join(f"--{name}:{colour}" for name, colour in _PAINT.items())
    # The report's style sheet, nested, so that it reaches nothing else.
    style = f"<style>.report{{{paint};color:var(--ink);{CSS}}}</style>"
    st.html(f'{style}<div class="report">{_SVG.sub(_as_image, inside)}</div>')


def _as_image(svg: re.Match[str]) -> str:
    """Return a drawing as a picture: Streamlit takes drawings out of markup."""
    picture = re.sub(r"var\(--([\w-]+),(#\w+)\)", lambda use: _PAINT.get(use[1], use[2]), svg[0])
    head = picture[: picture.index(">")]
    if "xmlns=" not in head:
        picture = picture.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    said = re.search(r'aria-label="([^"]*)"', head)
    coded = base64.b64encode(picture.encode()).decode("ascii")
    return f'<img alt="{said[1] if said else ""}" src="data:image/svg+xml;base64,{coded}">'


def probability_bars(probabilities: Mapping[str, float], most: int = 12) -> None:
    """Show the probabilities of one text, the highest first."""
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])[:most]
    table = pd.DataFrame(ranked, columns=["label", "probability"])
    table["shown"] = [f"{value:.1%}" for value in table["probability"]]
    table["best"] = [row == 0 for row in range(len(table))]
    base = alt.Chart(table).encode(
        x=alt.X("probability:Q", scale=alt.Scale(domain=[0, 1.08]), axis=None),
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=220, ticks=False, domain=False)),
        tooltip=[
            alt.Tooltip("label:N", title=say("app.label")),
            alt.Tooltip("shown:N", title=say("app.probability")),
        ],
    )
    colour = alt.condition("datum.best", alt.value(BLUE), alt.value("#9fb6cc"))
    bars = base.mark_bar(height=16).encode(color=colour)
    numbers = base.mark_text(align="left", dx=5, color=INK).encode(text="shown:N")
    chart = (bars + numbers).properties(height=alt.Step(26))
    said = ", ".join(f"{row.label} {row.shown}" for row in table.itertuples())
    st.altair_chart(_readable(chart), alt=f"{say('app.probability')}: {said}")


def show_explanation(explanation: Explanation, most: int = 8) -> None:
    """Show a text with its telling words coloured, and the strongest of them as bars."""
    show_html(explanation.html())
    parts = explanation.top(most)
    if not parts:
        return
    names = [_place_name(part, explanation) for part in parts]
    table = pd.DataFrame({"part": names, "weight": [part.weight for part in parts]})
    base = alt.Chart(table).encode(
        x=alt.X(
            "weight:Q",
            title=say("app.weight", label=explanation.label),
            axis=alt.Axis(tickCount=4),  # with more, the label of 0 may give way to its neighbours'
        ),
        y=alt.Y("part:N", sort=None, title=None, axis=alt.Axis(labelLimit=180, ticks=False, domain=False)),
        tooltip=[
            alt.Tooltip("part:N", title=say("app.word")),
            alt.Tooltip("weight:Q", format="+.3f", title=say("app.says")),
        ],
    )
    bars = base.mark_bar(height=14).encode(
        color=alt.condition("datum.weight > 0", alt.value(BLUE), alt.value(ORANGE))
    )
    said = ", ".join(f"{name} {part.weight:+.2f}" for name, part in zip(names, parts, strict=True))
    st.altair_chart(_readable(bars.properties(height=alt.Step(24))), alt=f"{explanation.label}: {said}")


def _place_name(part: explaining.Part, explanation: Explanation) -> str:
    """Return a word, numbered from its second time on: each place has a bar of its own."""
    before = sum(other.text == part.text and other.start < part.start for other in explanation.parts)
    return f"{part.text} ({before + 1})" if before else part.text


def show_change(before: str, after: str, changes: Sequence[Mapping[str, Any]]) -> None:
    """Show a text and its translation, with what differs coloured in both."""
    spans = [(one["start"], one["end"]) for one in changes]
    ends = [(one["target_start"], one["target_end"]) for one in changes]
    rows = [(say("dialect.before"), _marked(before, spans)), (say("dialect.after"), _marked(after, ends))]
    show_html("".join(f"<p>{escape(name)}<br><big>{text}</big></p>" for name, text in rows))


def _marked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return a text as markup, some spans of it coloured."""
    out, at = [], 0
    for start, end in spans:
        marked = f'<mark style="background:{_CHANGED};color:inherit">{escape(text[start:end])}</mark>'
        out += [escape(text[at:start]), marked if end > start else ""]
        at = end
    return "".join([*out, escape(text[at:])])


def confusion_chart(cells: pd.DataFrame, classes: Sequence[str], key: str, on_select: Any) -> None:
    """Show a confusion matrix whose cells can be clicked.

    Args:
        cells: label, predicted, count, share, a row a cell.
        classes: The labels in their order.
        key: The selection stands under this key in the session, its parameter is called "cell".
        on_select: Called when a cell is clicked.
    """
    table = cells.assign(shown=[f"{count:,}" if count else "" for count in cells["count"]])
    click = alt.selection_point(name="cell", fields=["label", "predicted"], on="click", empty=False)
    angle = 0 if len(classes) <= 8 else -45
    bare: Any = {"ticks": False, "domain": False, "labelFlush": False, "labelBound": False}
    top = alt.Axis(labelAngle=angle, orient="top", labelOverlap=False, labelLimit=120, **bare)
    side = alt.Axis(labelLimit=160, **bare)
    base = alt.Chart(table).encode(
        x=alt.X("predicted:N", sort=list(classes), title=say("runs.predicted"), axis=top),
        y=alt.Y("label:N", sort=list(classes), title=say("runs.gold"), axis=side),
        tooltip=[
            alt.Tooltip("label:N", title=say("runs.gold")),
            alt.Tooltip("predicted:N", title=say("runs.predicted")),
            alt.Tooltip("count:Q", title=say("runs.count"), format=","),
            alt.Tooltip("share:Q", title=say("runs.share"), format=".1%"),
        ],
    )
    cell = base.mark_rect(cursor="pointer").encode(
        color=alt.Color("share:Q", scale=alt.Scale(domain=[0, 1], range=list(SHADE)), legend=None),
        stroke=alt.condition(click, alt.value(ORANGE), alt.value("#ffffff")),
        strokeWidth=alt.condition(click, alt.value(3), alt.value(1)),
    ).add_params(click)  # fmt: skip
    text = base.mark_text(fontSize=13, color=INK).encode(text="shown:N")
    height = max(220, 44 * len(classes) + 60)
    chart = (cell + text).properties(height=height)
    st.altair_chart(
        _readable(chart), key=key, on_select=on_select, selection_mode="cell", alt=say("runs.confusion_alt")
    )


def learning_curves(histories: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    """Show loss and macro-F1 an epoch; a line a network, such as one a fold."""
    names = {"loss": say("runs.loss"), "valid_loss": say("runs.valid_loss"), "macro_f1": say("runs.valid_f1")}
    rows = [
        {"epoch": row["epoch"], "value": row[key], "figure": name, "fit": fit}
        for fit, history in enumerate(histories)
        for row in history
        for key, name in names.items()
        if row.get(key) is not None
    ]
    if not rows:
        return
    table = pd.DataFrame(rows)
    colours = dict(zip(names.values(), (BLUE, ORANGE, GREEN), strict=True))
    parts = [("loss", "valid_loss"), ("macro_f1",)]
    for place, keys in zip(st.columns(2), parts, strict=True):
        shown = table[table["figure"].isin([names[key] for key in keys])]
        if shown.empty:
            continue
        here = list(shown["figure"].unique())
        scale = alt.Scale(domain=here, range=[colours[name] for name in here])
        chart = (
            alt.Chart(shown)
            .mark_line(point=True)
            .encode(
                x=alt.X("epoch:Q", title=say("runs.epoch"), axis=alt.Axis(tickMinStep=1, format="d")),
                y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
                color=alt.Color("figure:N", title=None, scale=scale, legend=alt.Legend(orient="top")),
                detail="fit:N",
                tooltip=["figure:N", "epoch:Q", alt.Tooltip("value:Q", format=".4f")],
            )
            .properties(height=240)
        )
        place.altair_chart(_readable(chart), alt=say("runs.curves"))


def interval_chart(rows: Sequence[Mapping[str, Any]], zero: bool = False) -> None:
    """Show figures as points with their 95 % intervals.

    Args:
        rows: name, value, low, high.
        zero: Whether to draw a line at nought, for differences.
    """
    table = pd.DataFrame(rows)
    base = alt.Chart(table).encode(y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)))
    scale = alt.Scale(zero=zero)
    lines = base.mark_rule(color=BLUE, strokeWidth=2).encode(
        x=alt.X("low:Q", scale=scale, title=None), x2="high:Q"
    )
    tips = [
        "name:N",
        *(alt.Tooltip(f"{key}:Q", format="+.4f" if zero else ".4f") for key in ("value", "low", "high")),
    ]
    points = base.mark_point(filled=True, size=80, color=BLUE, opacity=1).encode(x="value:Q", tooltip=tips)
    chart = lines + points
    if zero:
        chart = (
            alt.Chart(pd.DataFrame({"x": [0]})).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="x:Q")
            + chart
        )
    said = "; ".join(
        f"{row['name']}: {row['value']:.4f} ({row['low']:.4f}, {row['high']:.4f})" for row in rows
    )
    st.altair_chart(_readable(chart.properties(height=max(90, 34 * len(table) + 50))), alt=said)


def _readable(chart: Any) -> Any:
    """Return a chart whose axes are written in the page's own ink, in letters that can be read."""
    written = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12}
    return chart.configure_axis(**written).configure_legend(**written).configure_view(stroke=None)
