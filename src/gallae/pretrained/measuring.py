"""What a tokenizer makes of texts: figures to compare tokenizers by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_BATCH = 4096
UNKNOWN_SHOWN = 20
"""Most of the unknown stretches that are named."""


@dataclass
class Measured:
    """Counts over texts.

    Attributes:
        words: Between white space.
        whole: Words that are one token.
        characters: White space not counted.
        tokens: Special ones around a text not counted.
        unknown: Tokens that are unknown.
        lengths: (n,) tokens of each text.
        unknown_parts: What the unknown tokens stand for, with their counts.
    """

    words: int = 0
    whole: int = 0
    characters: int = 0
    tokens: int = 0
    unknown: int = 0
    lengths: list[int] = field(default_factory=list)
    unknown_parts: Counter[str] = field(default_factory=Counter)

    def figures(self) -> dict[str, Any]:
        """Return shares and means: see `measure_tokenizer`."""
        lengths = np.array(self.lengths or [0])
        return {
            "tokens_per_word": self.tokens / max(1, self.words),
            "characters_per_token": self.characters / max(1, self.tokens),
            "whole_words": self.whole / max(1, self.words),
            "unknown": self.unknown / max(1, self.tokens),
            "mean": float(lengths.mean()),
            **{f"p{q}": int(np.percentile(lengths, q, method="higher")) for q in (50, 99)},
            "longest": int(lengths.max()),
            "unknown_parts": dict(self.unknown_parts.most_common(UNKNOWN_SHOWN)),
        }


def measure_tokenizer(tokenizer: Any, texts: Sequence[str]) -> dict[str, Any]:
    """Measure a tokenizer on texts.

    Args:
        tokenizer: A fast tokenizer of transformers.
        texts: As a network would read them.

    Returns:
        "tokens_per_word" (words stand between white space), "characters_per_token" (white space not counted),
        "whole_words" (share of the words that are one token), "unknown" (share of the tokens); "mean", "p50",
        "p99" and "longest" (tokens a text, no special ones), and "unknown_parts" (the most frequent stretches
        of text that are unknown, with their counts).
    """
    measured = measure(tokenizer, texts)
    return measured.figures()


def measure(tokenizer: Any, texts: Sequence[str]) -> Measured:
    """Count words, characters and tokens; see `measure_tokenizer`."""
    found = Measured()
    for text, encoding in _encoded(tokenizer, texts):
        numbers = _word_numbers(text)
        tokens = [numbers[end - 1] for start, end in encoding.offsets if end > start]
        a_word = Counter(number for number in tokens if number >= 0)
        found.words += max(numbers, default=-1) + 1
        found.whole += sum(count == 1 for count in a_word.values())
        found.characters += sum(number >= 0 for number in numbers)
        found.tokens += len(encoding.ids)
        found.lengths.append(len(encoding.ids))
        if tokenizer.unk_token_id in encoding.ids:
            for number, span in zip(encoding.ids, encoding.offsets, strict=True):
                if number == tokenizer.unk_token_id:
                    found.unknown += 1
                    found.unknown_parts[text[slice(*span)].strip()] += 1
    return found


def cut_by(tokenizer: Any, text: str) -> list[str]:
    """Return the names of a text's tokens; of unknown ones "?" and what they stand for.

    Byte-level tokens are shown as the characters they are of, bytes that are only a part of one as "�".
    """
    from tokenizers.decoders import ByteLevel

    decoder = tokenizer.backend_tokenizer.decoder
    of_bytes = isinstance(decoder, ByteLevel)
    (encoding,) = (encoding for _text, encoding in _encoded(tokenizer, [text]))
    shown = []
    for name, number, span in zip(encoding.tokens, encoding.ids, encoding.offsets, strict=True):
        if number == tokenizer.unk_token_id:
            name = "?" + text[slice(*span)].strip()
        elif of_bytes:
            name = decoder.decode([name]).replace(" ", "▁")
        shown.append(name)
    return shown


def _encoded(tokenizer: Any, texts: Sequence[str]) -> Iterator[tuple[str, Any]]:
    tokenizer.split_special_tokens = True  # "[SEP]" in a text is text
    for start in range(0, len(texts), _BATCH):
        part = [text.encode("utf-8", "replace").decode() for text in texts[start : start + _BATCH]]
        yield from zip(part, tokenizer(part, add_special_tokens=False, verbose=False).encodings, strict=True)


def _word_numbers(text: str) -> list[int]:
    """Return the number of each character's word, -1 for white space."""
    numbers, word, inside = [], -1, False
    for character in text:
        if character.isspace():
            inside = False
            numbers.append(-1)
            continue
        if not inside:
            inside, word = True, word + 1
        numbers.append(word)
    return numbers
