"""What the readers of vector files share: words out of bytes, and each word once."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from gallae.errors import TextError

log = logging.getLogger(__name__)


class Decoder:
    """Decodes words, and counts those that are not UTF-8 (some tools cut words within a character).

    Args:
        source: The file's name, for messages.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.words = self.damaged = 0

    def __call__(self, word: bytes) -> str:
        """Return the word, with � for what is not UTF-8."""
        self.words += 1
        try:
            return word.decode("utf-8")
        except UnicodeDecodeError:
            self.damaged += 1
            return word.decode("utf-8", "replace")

    def close(self) -> None:
        """Say how many words were damaged.

        Raises:
            TextError: if they are more than a tenth.
        """
        if self.damaged * 10 > self.words:
            raise TextError(
                f"{self.source}: {self.damaged:,} of {self.words:,} words are not UTF-8. Save it as UTF-8."
            )
        if self.damaged:
            log.warning("%s: %d words are not UTF-8 and hold a � now", self.source, self.damaged)


def distinct(source: str, tokens: Sequence[str], matrix: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return tokens and rows without those whose token came before, and say how many these were."""
    places: dict[str, int] = {}
    for row, token in enumerate(tokens):
        places.setdefault(token, row)
    if len(places) == len(tokens):
        return list(tokens), matrix
    log.warning("%s: %d words come again; the first of each counts", source, len(tokens) - len(places))
    return list(places), matrix[list(places.values())]
