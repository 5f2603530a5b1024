"""Texts with their morphemes, and what every block of features does with them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol, Self

from gallae.models.contract import State
from gallae.text import analyses, analyzer, match_tags


class Documents:
    """Clean texts together with their morphemes, analysed once for all the blocks that ask.

    Args:
        texts: Texts after the recipe's steps.
        analyzer_name: "kiwi" or "mecab".
        keep: Whether to keep the analyses for later calls (training does, prediction is a stream).
    """

    def __init__(self, texts: Sequence[str], analyzer_name: str = "kiwi", keep: bool = False) -> None:
        self.texts = texts
        self._analyzer = analyzer_name
        self._keep = keep

    @cached_property
    def tagged(self) -> list[list[str]]:
        """The morphemes of each text, as "form/TAG"."""
        if self._keep:
            return analyses(self.texts, self._analyzer)
        return list(analyzer(self._analyzer).tagged(self.texts))


class Block(Protocol):
    """One group of columns."""

    weight: float

    def fit(self, documents: Documents) -> Any:
        """Learn the columns; may return counts of the documents, to be given to `transform`."""
        ...

    def transform(self, documents: Documents, counts: Any = None) -> Any:
        """Return (n_texts, n_features) float32, sparse or dense, each row of length `weight` (or zero)."""
        ...

    def names(self) -> list[str]:
        """Return the name of each column."""
        ...

    def state(self) -> State:
        """Return what was learned."""
        ...

    def restore(self, state: State) -> Self:
        """Take over what was learned."""
        ...


class TagFilter:
    """Choose and name the tokens of tagged morphemes, with each distinct morpheme looked at once."""

    def __init__(self, unit: str, drop_tags: Sequence[str], keep_tags: Sequence[str]) -> None:
        self._with_tag = unit == "morpheme_tag"
        self._dropped = match_tags(drop_tags)
        self._kept = match_tags(keep_tags)
        self._chosen: dict[str, str] = {}

    def __call__(self, tagged: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the tokens of each text's morphemes ("form/TAG")."""
        chosen, choose = self._chosen, self._choose
        if len(chosen) > 500_000:
            chosen.clear()
        result = []
        for morphemes in tagged:
            row = []
            for morpheme in morphemes:
                token = chosen.get(morpheme)
                if token is None:
                    token = choose(morpheme)
                if token:
                    row.append(token)
            result.append(row)
        return result

    def _choose(self, morpheme: str) -> str:
        form, _, tag = morpheme.rpartition("/")
        wanted = tag not in self._dropped and (not self._kept or tag in self._kept)
        token = (morpheme if self._with_tag else form) if wanted else ""
        self._chosen[morpheme] = token
        return token
