"""The page that `audit` writes for a person to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gallae.evaluation.charts import bar_plot, heat_map, histogram, terms_plot
from gallae.evaluation.clouds import word_cloud_pair
from gallae.evaluation.page import (
    Card,
    Cards,
    Cell,
    Details,
    Heading,
    Note,
    Part,
    Plot,
    Row,
    Section,
    Table,
    Text,
    page,
)
from gallae.evaluation.plots import distribution_plot
from gallae.workflows.audit_wording import words
from gallae.workflows.showing import difference, one_line, percent, short_source

MOST_LABELS = 40  # bars
MOST_PANELS = 24  # small multiples
MOST_TOGETHER = 30  # rows of a heat map
SHOWN = 100  # characters of a text in a table

Found = Mapping[str, Any]
Say = Mapping[str, str]


def audit_page(result: Found, sizes: Mapping[str, Sequence[int]], language: str = "en") -> str:
    """What `audit` found, as a self-contained HTML page.

    Args:
        result: What `audit` returns.
        sizes: "characters" and "morphemes": the length of each text.
        language: "en" (with the Korean terms) or "ko".

    Raises:
        GallaeError: for another language.
    """
    say = words(language)
    return page(
        say["title"].format(source=short_source(result["source"])),
        audit_sections(result, sizes, language),
        language,
        summary=say["summary_line"].format(rows=f"{result['rows']:,}"),
        footer=say["footer"],
    )


def audit_sections(result: Found, sizes: Mapping[str, Sequence[int]], language: str = "en") -> list[Section]:
    """Return the sections of `audit_page`, for a page of another frame; the findings come first."""
    say = words(language)
    sections = [Section(say["findings"], [_cards(result, say), *_findings(result, say)])]
    if "labels" in result:
        sections.append(Section(say["labels"], _labels(result, say)))
    sections += [
        Section(say["lengths"], _lengths(result, sizes, say, language)),
        Section(say["duplicates"], _duplicates(result, say)),
    ]
    if "overlap" in result:
        against = short_source(result["overlap"]["against"])
        sections.append(
            Section(say["overlap_title"].format(against=against), _overlap(result["overlap"], say))
        )
    sections += [
        Section(say["scripts"], _scripts(result, say)),
        Section(say["vocabulary_title"], _vocabulary(result, say)),
    ]
    if any(result.get("telling_terms", {}).values()):
        sections.append(Section(say["telling"], _telling(result, say)))
    sections.append(Section(say["cleaning"], _cleaning(result, say)))
    return sections


def _cards(result: Found, say: Say) -> Part:
    kinds, characters, vocabulary = result["duplicates"], result["characters"], result["vocabulary"]
    balance = result.get("labels")
    detail = ""
    if balance:
        key = "card_label_count_multi" if balance["multilabel"] else "card_label_count"
        detail = say[key].format(len(balance["counts"]), balance.get("per_row", 0))
    cards = [Card(say["card_rows"], result["rows"], detail)]
    near = say["card_near"].format(f"{kinds['near']['rows']:,}")
    cards.append(Card(say["card_exact"], kinds["exact"]["rows"], near))
    if "conflicts" in result:
        cards.append(Card(say["card_conflicts"], result["conflicts"]["texts"]))
    longest = say["card_characters"].format(f"{characters['longest']:,}")
    once = say["card_morphemes"].format(percent(vocabulary["once_share"]))
    cards += [
        Card(say["card_length"], round(characters["quantiles"].get("0.5", 0)), longest),
        Card(say["card_vocabulary"], vocabulary["words"], once),
    ]
    return Cards(cards)


def _findings(result: Found, say: Say) -> list[Part]:
    grave = [f for f in result["findings"] if f["level"] != "note"]
    notes = [f for f in result["findings"] if f["level"] == "note"]
    return [
        *(Note(finding["text"], finding["level"] == "problem") for finding in grave),
        *([Heading(say["notes"])] if notes else []),
        *(Text(finding["text"]) for finding in notes),
    ]


# ---- labels ---------------------------------------------------------------------------------------


def _labels(result: Found, say: Say) -> list[Part]:
    balance = result["labels"]
    counts = dict(sorted(balance["counts"].items(), key=lambda item: -item[1]))
    shown = list(counts)[:MOST_LABELS]
    if balance["multilabel"]:
        caption = say["labels_plot_multi"].format(none=f"{balance['none']:,}")
    else:
        most = next(iter(counts))
        caption = say["labels_plot"].format(most=most, share=percent(balance["shares"][most]))
    bars: dict[str, dict[str, int]] = {name: {say["here"]: counts[name]} for name in shown}
    names = None
    other = result.get("overlap", {}).get("labels")
    if other:
        against = one_line(short_source(result["overlap"]["against"]), 30)
        bars = {name: {"here": counts[name], "there": other["counts"].get(name, 0)} for name in shown}
        names = {"here": one_line(short_source(result["source"]), 30), "there": against}
        caption += say["labels_plot_against"].format(against=against)
    if len(shown) < len(counts):
        caption += say["labels_hidden"].format(len(shown), len(counts))
    parts: list[Part] = [Plot(distribution_plot(bars, names=names, description=say["labels"]), caption)]
    together = result.get("together")
    if together and 1 < len(together) <= MOST_TOGETHER:
        labels = list(together)
        values = [[together[one][other] for other in labels] for one in labels]
        texts = [[f"{value:.0%}" if value >= 0.005 else "" for value in row] for row in values]
        plot = heat_map(values, labels, labels, texts, description=say["together"])
        parts += [Heading(say["together"]), Plot(plot, say["together_plot"])]
    return parts


# ---- length ---------------------------------------------------------------------------------------


def _lengths(result: Found, sizes: Mapping[str, Sequence[int]], say: Say, language: str) -> list[Part]:
    plots: list[Part] = [
        Plot(histogram(sizes[kind], label=say[kind], ylabel=say["texts"], language=language))
        for kind in ("characters", "morphemes")
    ]
    columns = [say["unit"], say["mean"], *("5 %", "25 %", "50 %", "75 %", "95 %", "99 %"), say["shortest"]]
    columns += [say["longest"], say["longest_row"]]
    rows: list[list[Cell]] = []
    for kind in ("characters", "words", "morphemes"):
        size = result[kind]
        quantiles = [f"{value:,.0f}" for value in size["quantiles"].values()]
        ends = [size["shortest"], size["longest"], str(size["longest_row"])]
        rows.append([say[kind], f"{size['mean']:,.1f}", *quantiles, *ends])
    return [Row(plots), Text(say["lengths_plot"], faint=True), Table(columns, rows)]


# ---- duplicates -----------------------------------------------------------------------------------


def _duplicates(result: Found, say: Say) -> list[Part]:
    kinds = result["duplicates"]
    rows: list[list[Cell]] = [
        [say[f"{name}_kind"], kinds[name]["rows"], percent(kinds[name]["share"]), kinds[name]["groups"]]
        for name in ("exact", "normalised", "near")
    ]
    columns = [say["kind"], say["repeats"], say["share"], say["groups"]]
    parts: list[Part] = [Text(say["duplicates_text"]), Table(columns, rows)]
    groups = kinds["near"]["examples"]
    if groups:
        parts += [
            Heading(say["largest_groups"]),
            Table(
                [say["size"], say["which"], say["example"]],
                [[group["count"], _rows(group["rows"], group["count"]), _texts(group)] for group in groups],
            ),
        ]
    for kind in ("conflicts", "near_conflicts"):
        if kind in result and result[kind]["examples"]:
            parts += [Heading(say[f"{kind}_title"]), _contradictions(result[kind], say)]
    return parts


def _rows(rows: Sequence[int], count: int) -> str:
    return ", ".join(map(str, rows[:4])) + (", …" if count > min(4, len(rows)) else "")


def _texts(group: Found) -> str:
    return " ┃ ".join(one_line(text, SHOWN) for text in group["texts"][:2])


def _contradictions(torn: Found, say: Say) -> Part:
    """A block of lines for each text: one a label, with its row."""
    lines: list[list[Cell]] = []
    for number, example in enumerate(torn["examples"], 1):
        first = f"{number}."
        for label, count in example["labels"].items():
            if label in example["row_labels"]:
                at = example["row_labels"].index(label)
                row, index = str(example["rows"][at]), str(example["index"][at])
                text = one_line(example["texts"][at], SHOWN)
                lines.append([first, f"{label} × {count}", row, index, text])
                first = ""
    columns = ["", say["label"], say["row_column"], say["id_column"], say["example"]]
    if all(line[2] == line[3] for line in lines):  # the ids are the row numbers
        lines, columns = [[*line[:3], line[4]] for line in lines], [*columns[:3], columns[4]]
    return Table(columns, lines)


def _overlap(overlap: Found, say: Say) -> list[Part]:
    there = overlap["there"]
    rows: list[list[Cell]] = [
        [
            say[f"{kind}_kind"],
            overlap[kind],
            percent(overlap[f"{kind}_share"]),
            there[kind],
            percent(there[f"{kind}_share"]),
        ]
        for kind in ("exact", "normalised", "near")
    ]
    columns = [say["kind"], say["of_here"], say["share"], say["of_there"], say["share"]]
    parts: list[Part] = [Text(say["overlap_text"]), Table(columns, rows)]
    if overlap["examples"]:
        pairs: list[list[Cell]] = [
            [str(e["row"]), one_line(e["text"], SHOWN), str(e["other_row"]), one_line(e["other"], SHOWN)]
            for e in overlap["examples"]
        ]
        parts.append(Table([say["row_column"], say["here"], say["row_column"], say["there"]], pairs))
    return parts


# ---- characters and words -------------------------------------------------------------------------

_SCRIPTS = {"hangul": "hangul", "hanja": "hanja_script", "latin": "latin_script"}


def _scripts(result: Found, say: Say) -> list[Part]:
    scripts = {say[_SCRIPTS.get(name, name)]: shares for name, shares in result["scripts"].items()}
    # 99.98 % is not all of them.
    bars = {name: min(s["texts"], 0.999) if s["texts"] < 1 else 1.0 for name, s in scripts.items()}
    plot = bar_plot(bars, format="{:.1%}", width=4.5)
    rows: list[list[Cell]] = [
        [name, percent(shares["texts"]), percent(shares["characters"])] for name, shares in scripts.items()
    ]
    table = Table([say["script"], say["of_texts"], say["of_characters"]], rows)
    parts: list[Part] = [Row([Plot(plot, say["scripts_plot"]), table])]
    damaged = result["damaged"]["examples"]
    if damaged:
        lines: list[list[Cell]] = [
            [str(item["row"]), say[f"kind_{item['kind']}"], one_line(item["text"], SHOWN)] for item in damaged
        ]
        parts += [
            Heading(say["damaged_title"]),
            Table([say["row_column"], say["kind"], say["example"]], lines),
        ]
    signs = result["signs_only"]
    if signs["examples"]:
        texts = zip(signs["rows"], signs["examples"], strict=False)
        lines = [[str(row), one_line(text, SHOWN)] for row, text in texts]
        parts += [Heading(say["signs_title"]), Table([say["row_column"], say["example"]], lines)]
    return parts


def _vocabulary(result: Found, say: Say) -> list[Part]:
    names = {"words": "word_vocabulary", "morphemes": "vocabulary", "content": "content_vocabulary"}
    rows: list[list[Cell]] = []
    for unit, key in names.items():
        figures = result[key]
        shares = [percent(figures["once_share"]), percent(figures["once_occurrences"])]
        rows.append([say[unit], figures["tokens"], figures["words"], figures["once"], *shares])
    columns = [say[name] for name in ("unit", "tokens", "distinct", "once", "once_share", "once_occurrences")]
    covered = result["vocabulary"]["coverage"]
    covering = Table([f"{float(share) * 100:.0f} %" for share in covered], [list(covered.values())])
    return [Text(say["vocabulary_text"]), Table(columns, rows), Text(say["coverage_text"]), covering]


def _telling(result: Found, say: Say) -> list[Part]:
    terms = {label: found for label, found in result["telling_terms"].items() if found}
    largest = sorted(terms, key=lambda label: -result["labels"]["counts"][label])[:MOST_PANELS]
    pairs = {
        label: [(item["term"], item["z"]) for item in terms[label]] for label in terms if label in largest
    }
    return [Plot(terms_plot(pairs), say["telling_plot"])]


def _cleaning(result: Found, say: Say) -> list[Part]:
    frequent = result["frequent"]
    steps = ", ".join(change["step"] for change in result["cleaning"]) or "–"
    parts: list[Part] = []
    if frequent["before"]:
        before, after = word_cloud_pair(dict(frequent["before"]), dict(frequent["after"]))
        clouds = [Plot(before, say["before"]), Plot(after, say["after"].format(steps))]
        parts += [Row(clouds), Text(say["cloud_text"], faint=True)]
    rows: list[list[Cell]] = []
    for change in result["cleaning"]:
        old, new = difference(*change["examples"][0]) if change["examples"] else ("", "")
        rows.append([change["step"], change["changed"], percent(change["share"]), old, new])
    if rows:
        parts.append(Table([say["step"], say["changed"], say["share"], say["old"], say["new"]], rows))
    more = [(change["step"], pair) for change in result["cleaning"] for pair in change["examples"][1:]]
    if more:
        lines: list[list[Cell]] = [[step, *difference(*pair)] for step, pair in more]
        parts.append(Details(say["more_examples"], [Table([say["step"], say["old"], say["new"]], lines)]))
    return parts or [Text(say["none_of_it"])]
