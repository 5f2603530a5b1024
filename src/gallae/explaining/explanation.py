"""What an explanation is, and how it looks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

FOR, AGAINST = "47, 111, 168", "209, 122, 34"  # the blue and the orange of the plots
_FAINTEST = 0.05  # of the strongest part: what is below stays without colour


@dataclass(frozen=True)
class Part:
    """A word or morpheme of a text.

    Attributes:
        start, end: It is text[start:end], in characters of the raw text.
        text: How it is written there.
        weight: What it adds to the score: above 0 it speaks for the label, below against it.
    """

    start: int
    end: int
    text: str
    weight: float


@dataclass(frozen=True)
class Explanation:
    """Why a model gives a text a label.

    The score is the logarithm of the label's odds: log p / (1 - p) where a text may have several labels, or
    there are two; else log p minus the mean of the other labels' log p.

    Attributes:
        text: The raw text.
        label: The label that is explained.
        probability: What the model gives it.
        method: "exact", "gradients", "occlusion" or "lime".
        parts: In the text's order; white space belongs to none.
        unit: "word" or "morpheme".
        score: Of the label.
        base: The score without any of the parts: score minus base is the sum of the weights, where a method
            gives one ("exact", "gradients"); else None.
        row: Number of the text among those given.
    """

    text: str
    label: str
    probability: float
    method: str
    parts: list[Part]
    unit: str = "word"
    score: float = 0.0
    base: float | None = None
    row: int = 0

    def top(self, count: int = 5) -> list[Part]:
        """Return the parts of the largest weights, for or against, the largest first."""
        return sorted((part for part in self.parts if part.weight), key=lambda part: -abs(part.weight))[
            :count
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    def html(self) -> str:
        """Return the text as safe HTML: blue speaks for the label, orange (dotted) against it."""
        strongest = max((abs(part.weight) for part in self.parts), default=0.0)
        out, at = [], 0
        for part in self.parts:
            out.append(escape(self.text[at : part.start]))
            out.append(_marked(part, strongest))
            at = part.end
        out.append(escape(self.text[at:]))
        inside = "".join(out)
        return f'<span class="explained" style="line-height:2;white-space:pre-wrap">{inside}</span>'


def _marked(part: Part, strongest: float) -> str:
    """Return a part on a ground whose colour says which way it speaks, and how strongly."""
    share = abs(part.weight) / strongest if strongest else 0.0
    if share < _FAINTEST:
        return escape(part.text)
    colour = FOR if part.weight > 0 else AGAINST
    line = "solid" if part.weight > 0 else "dotted"
    style = (
        f"color:inherit;background:rgba({colour}, {0.6 * share:.2f});border-bottom:2px {line} rgb({colour});"
        "border-radius:.2em;padding:.1em 0"
    )
    return f'<mark title="{part.weight:+.3f}" style="{style}">{escape(part.text)}</mark>'
