"""The tokens that the networks of `translate` read and write, and the way back from tokens to a text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from gallae.text.morpheme_pieces import surfaces
from gallae.text.vocabulary import SPACE, UNK, Vocabulary

BEGIN, END = 2, 3  # [CLS] and [SEP] of every vocabulary
UNITS = ("char", "jamo", "morpheme")


def split(texts: Sequence[str], unit: str) -> list[list[str]]:
    """Return the tokens of texts: syllables, letters (jamo), or the surfaces of Kiwi's morphemes.

    Letters are those of Unicode's canonical decomposition, where an initial and a final consonant differ, so
    that they come together again without any doubt. "▁" stands for a space.
    """
    spaced = [" ".join(text.split()) for text in texts]
    if unit == "morpheme":
        return list(surfaces(spaced))
    if unit == "jamo":
        spaced = [unicodedata.normalize("NFD", text) for text in spaced]
    return [list(text.replace(" ", SPACE)) for text in spaced]


def joined(tokens: Iterable[str], unit: str) -> str:
    """Return the text of tokens."""
    text = "".join(tokens).replace(SPACE, " ")
    return " ".join((unicodedata.normalize("NFC", text) if unit == "jamo" else text).split())


def style_tokens(source: str, target: str) -> tuple[str, str]:
    """Return the two tokens that open a source: what it is, and what is wanted."""
    return f"<from:{source.replace(' ', '_')}>", f"<to:{target.replace(' ', '_')}>"


class Tokens:
    """A vocabulary with the styles' tokens, and ids for tokens that it lacks.

    Args:
        vocabulary: Known tokens.
        unit: One of `UNITS`.
        backwards: Whether sources are read from their end.
        most: Most tokens of a text; the rest is cut off.
    """

    def __init__(self, vocabulary: Vocabulary, unit: str, backwards: bool, most: int) -> None:
        self.vocabulary, self.unit, self.backwards, self.most = vocabulary, unit, backwards, most
        self.names = vocabulary.tokens()

    @classmethod
    def learn(cls, texts: Sequence[str], styles: Sequence[tuple[str, str]], *options: Any) -> Tokens:
        """Make the vocabulary of texts and of their directions."""
        found = {token for row in split(texts, options[0]) for token in row}
        control = sorted({token for style in styles for token in style_tokens(*style)})
        return cls(Vocabulary.of_tokens([*control, *sorted(found)]), *options)

    def read(self, row: Sequence[str], direction: tuple[str, str]) -> tuple[list[int], list[str]]:
        """Return the ids of a source with its styles in front, and the tokens that the vocabulary lacks.

        A lacking token's id is the size of the vocabulary plus its place among them.
        """
        row = row[: self.most - 2]
        lacking = list(dict.fromkeys(token for token in row if token not in self.vocabulary.known))
        own = {token: len(self.vocabulary) + at for at, token in enumerate(lacking)}
        ids = [self.vocabulary.known.get(token, own.get(token, UNK)) for token in row]
        styles = [self.vocabulary.known.get(token, UNK) for token in style_tokens(*direction)]
        return [*styles, *(reversed(ids) if self.backwards else ids)], lacking

    def targets(self, row: Sequence[str], lacking: Sequence[str]) -> list[int]:
        """Return the ids of a translation with its end; tokens that the vocabulary lacks may be the
        source's."""
        own = {token: len(self.vocabulary) + at for at, token in enumerate(lacking)}
        return [*(self.vocabulary.known.get(t, own.get(t, UNK)) for t in row[: self.most - 1]), END]

    def written(self, ids: Iterable[int], lacking: Sequence[str]) -> list[str]:
        """Return the tokens of ids; an unknown one that is no copy is left out."""
        names = [*self.names, *lacking]
        return [names[at] for at in ids if at not in (0, UNK, BEGIN, END)]
