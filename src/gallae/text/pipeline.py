"""A recipe's text steps as one object, the same at training and at prediction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gallae.errors import TextError
from gallae.text import steps as text_steps
from gallae.text import tables

DEFAULT_STEPS = ("nfc", "html", "control", "spaces")

_MAKERS: dict[str, Callable[[Mapping[str, str]], text_steps.Step]] = {
    "abbreviations": text_steps.make_abbreviations,
    "hanja": text_steps.make_hanja,
    "symbols": text_steps.make_symbols,
}


@dataclass(frozen=True)
class StepChange:
    """What one step did to a list of texts: how many it changed, examples before and after, seconds."""

    step: str
    changed: int
    total: int
    examples: tuple[tuple[str, str], ...]
    seconds: float


class TextPipeline:
    """The named steps, in order, as one callable `str -> str`.

    It can be pickled, copied and compared; two with the same steps and dictionary are equal.

    Args:
        steps: Names from `gallae.text.STEPS`, in the order in which they run. None of them: texts stay.
        dictionary: A TOML file with tables `[abbreviations]`, `[hanja]` and `[symbols]` that extend or
            override the shipped ones, or its content as a mapping. A file is read once, here.

    Attributes:
        steps: The names, as a tuple.
        dictionary: The dictionary's tables, as plain dicts ({} without one).

    Raises:
        TextError: for an unknown step, or a dictionary that cannot be read.
    """

    def __init__(
        self,
        steps: Sequence[str] = DEFAULT_STEPS,
        dictionary: str | Path | Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        if isinstance(steps, str):
            raise TextError(f"text steps are a list of names, not the single text {steps!r}.")
        self.steps = tuple(steps)
        self.dictionary = tables.read_dictionary(dictionary)
        self._functions = [_function(name, self.dictionary) for name in self.steps]

    def __call__(self, text: str) -> str:
        """Return `text` after every step."""
        try:
            for function in self._functions:
                text = function(text)
        except (TypeError, AttributeError):
            _refuse_other_than_text([text])
            raise
        return text

    def apply(self, texts: Sequence[str]) -> list[str]:
        """Return every text after every step.

        Raises:
            TextError: naming the first item that is no text.
        """
        out = list(texts)
        try:
            for function in self._functions:
                out = [function(text) for text in out]
        except (TypeError, AttributeError):
            _refuse_other_than_text(texts)
            raise
        return out

    def stages(self, text: str) -> Iterator[tuple[text_steps.Step, str]]:
        """Yield each of the steps, and the text after it."""
        for function in self._functions:
            text = function(text)
            yield function, text

    def changes(self, texts: Sequence[str], examples: int = 3) -> list[StepChange]:
        """Return what each step changes, one after the other, with the first `examples` (before, after)."""
        report = []
        before = list(texts)
        for name, function in zip(self.steps, self._functions, strict=True):
            started = time.perf_counter()
            after = [function(text) for text in before]
            seconds = time.perf_counter() - started
            changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
            report.append(StepChange(name, len(changed), len(before), tuple(changed[:examples]), seconds))
            before = after
        return report

    def to_json(self) -> dict[str, Any]:
        """Return plain values from which `TextPipeline(**values)` makes an equal one."""
        return {"steps": list(self.steps), "dictionary": self.dictionary}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TextPipeline) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.steps)

    def __repr__(self) -> str:
        return f"TextPipeline({list(self.steps)!r}{', dictionary=...' if self.dictionary else ''})"

    def __reduce__(self) -> tuple[type[TextPipeline], tuple[Any, ...]]:
        return TextPipeline, (self.steps, self.dictionary)


def _function(name: str, dictionary: Mapping[str, Mapping[str, str]]) -> text_steps.Step:
    if name not in text_steps.STEPS:
        raise TextError(f"there is no text step {name!r}. {tables.nearest(str(name), text_steps.STEPS)}")
    if name in _MAKERS and name in dictionary:
        return _MAKERS[name](dictionary[name])
    return text_steps.STEPS[name]


def _refuse_other_than_text(texts: Sequence[object]) -> None:
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise TextError(
                f"item {number} is {text!r} ({type(text).__name__}), not a text. Every text must be a str."
            )
