"""One self-contained HTML page from a handful of parts.

Everything a caller passes as text is escaped; the font's glyphs that the page uses are inside it; a
content security policy forbids the page any request.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol

from gallae.evaluation.font import font_face
from gallae.evaluation.style import CSS

Cell = str | int | float | None
NUMBER = re.compile(r"[+\-−<]?\d[\d,]*(\.\d+)?( ?%| ?[kMG]?B| ?m?s|/s)?|\[[^\]]*\]|–|")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:"


class Part(Protocol):
    """Anything that can stand in a page."""

    def html(self) -> str:
        """The part as safe HTML."""


@dataclass(frozen=True)
class Text:
    """A paragraph; blank lines separate more. `faint` for small print."""

    text: str
    faint: bool = False

    def html(self) -> str:
        """The part as safe HTML."""
        kind = ' class="faint"' if self.faint else ""
        return "".join(f"<p{kind}>{escape(part.strip())}</p>" for part in re.split(r"\n\s*\n", self.text))


@dataclass(frozen=True)
class Note:
    """A sentence that must not be overlooked; `warning` colours it."""

    text: str
    warning: bool = False

    def html(self) -> str:
        """The part as safe HTML."""
        role = ' role="alert"' if self.warning else ""
        return f'<div class="note{" warning" if self.warning else ""}"{role}>{escape(self.text)}</div>'


@dataclass(frozen=True)
class Card:
    """A key figure: what it is, the figure, and a line of detail such as its interval."""

    label: str
    value: Cell
    detail: str = ""


@dataclass(frozen=True)
class Cards:
    """Key figures side by side."""

    cards: Sequence[Card]

    def html(self) -> str:
        """The part as safe HTML."""
        inside = "".join(
            f'<div class="card"><span>{escape(card.label)}</span><b>{escape(written(card.value))}</b>'
            f"<span>{escape(card.detail)}</span></div>"
            for card in self.cards
        )
        return f'<div class="cards">{inside}</div>'


@dataclass(frozen=True)
class Table:
    """A table; a column whose cells are all numbers (or look so) is set to the right.

    Floats are written with `decimals` places, None as a dash. Long texts may wrap, short ones do not.
    Columns that are all "" leave the head out.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    decimals: int = 3

    def html(self) -> str:
        """The part as safe HTML."""
        cells = [[written(cell, self.decimals) for cell in row] for row in self.rows]
        kinds = [_column_kind([row[number] for row in cells]) for number in range(len(self.columns))]
        caption = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        head = "".join(
            f'<th scope="col" class="{kind}">{escape(name)}</th>'
            for name, kind in zip(self.columns, kinds, strict=True)
        )
        head = f"<thead><tr>{head}</tr></thead>" if any(self.columns) else ""
        body = "".join(f"<tr>{_cells(row, kinds)}</tr>" for row in cells)
        return f'<div class="scroll"><table>{caption}{head}<tbody>{body}</tbody></table></div>'


@dataclass(frozen=True)
class Plot:
    """An SVG string of this package's plots, or a `data:image/` URI, with what it says beneath.

    `wide` keeps its size on a narrow screen and lets the reader scroll sideways.
    """

    picture: str
    caption: str = ""
    wide: bool = False

    def html(self) -> str:
        """The part as safe HTML."""
        caption = f"<figcaption>{escape(self.caption)}</figcaption>" if self.caption else ""
        if self.picture.startswith("data:image/"):
            picture = f'<img alt="" src="{escape(self.picture)}">'
        else:
            picture = self.picture.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1)
        return f'<figure><div class="plot{" wide" if self.wide else ""}">{picture}</div>{caption}</figure>'


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str

    def html(self) -> str:
        """The part as safe HTML."""
        return f"<h3>{escape(self.text)}</h3>"


@dataclass(frozen=True)
class Row:
    """Parts side by side where there is room, else one below the other."""

    parts: Sequence[Part]

    def html(self) -> str:
        """The part as safe HTML."""
        return f'<div class="row">{"".join(f"<div>{part.html()}</div>" for part in self.parts)}</div>'


@dataclass(frozen=True)
class Details:
    """Parts that open on a click."""

    summary: str
    parts: Sequence[Part]

    def html(self) -> str:
        """The part as safe HTML."""
        inside = "".join(part.html() for part in self.parts)
        return f"<details><summary>{escape(self.summary)}</summary>{inside}</details>"


@dataclass(frozen=True)
class Section:
    """A titled stretch of the page."""

    title: str
    parts: Sequence[Part]


def written(cell: Cell, decimals: int = 3) -> str:
    """A table cell or key figure as text: thousands separated, floats rounded, None a dash."""
    if cell is None:
        return "–"
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return str(cell)
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.{decimals}f}"


def _cells(row: Sequence[str], kinds: Sequence[str]) -> str:
    return "".join(f'<td class="{kind}">{escape(cell)}</td>' for cell, kind in zip(row, kinds, strict=True))


def _column_kind(cells: Sequence[str]) -> str:
    if cells and all(NUMBER.fullmatch(cell) for cell in cells):
        return "num"
    return "text" if any(len(cell) > 24 for cell in cells) else "name"


def page(
    title: str, sections: Sequence[Section], language: str = "en", *, summary: str = "", footer: str = ""
) -> str:
    """A whole HTML page, one string that needs nothing beside it.

    Args:
        title: The page's title and first heading.
        sections: What stands in it; a table of contents appears from four sections on.
        language: Language code of the page, "en" or "ko".
        summary: A line under the title.
        footer: Small print at the end.
    """
    links = "".join(
        f'<a href="#s{number}">{escape(section.title)}</a>' for number, section in enumerate(sections, 1)
    )
    body = "".join(
        f'<section><h2 id="s{number}">{escape(section.title)}</h2>'
        f"{''.join(part.html() for part in section.parts)}</section>\n"
        for number, section in enumerate(sections, 1)
    )
    head = f"<h1>{escape(title)}</h1>" + (f'<p class="faint">{escape(summary)}</p>' if summary else "")
    contents = f"<nav>{links}</nav>" if len(sections) > 3 else ""
    end = f"<footer>{escape(footer)}</footer>" if footer else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{font_face([head, body, end])}\n{CSS}</style>\n"
        f"</head>\n<body>\n<header>{head}</header>\n{contents}\n<main>\n{body}</main>\n{end}\n</body>\n</html>\n"
    )
