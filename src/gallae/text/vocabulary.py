"""Which tokens a network knows, and their ids: a `tokenizers` file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

from gallae.errors import TextError

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""The first ids of every vocabulary."""
PAD, UNK, CLS, SEP, MASK = range(5)
SPACE = "▁"
"""What stands before the first piece of a word (bpe, unigram and morpheme)."""


class Vocabulary:
    """Tokens and their ids, over a `tokenizers.Tokenizer`.

    Args:
        tokenizer: Its first ids are `SPECIAL`. A word-level one takes tokens as they are; others split
            texts into sub-words.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.ids: dict[str, int] = tokenizer.get_vocab()
        # Special tokens are marks of ours: nothing that stands in a text is one of them.
        self.known = {token: number for token, number in self.ids.items() if number >= len(SPECIAL)}
        self.splits = type(tokenizer.model).__name__ != "WordLevel"

    @classmethod
    def of_tokens(cls, tokens: Iterable[str]) -> Self:
        """Make a word-level vocabulary; ids in the order of `tokens`, after the special ones.

        Raises:
            TextError: if there is no token.
        """
        import tokenizers

        known = dict.fromkeys((*SPECIAL, *filter(_is_writable, tokens)))
        ids = {token: number for number, token in enumerate(known)}
        if len(ids) == len(SPECIAL):
            raise TextError(
                "no token is left for the vocabulary, so every text would be unknown. Lower model.min_count, "
                "or use another model.unit or fewer text.drop_tags."
            )
        tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(ids, unk_token=SPECIAL[UNK]))
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
        return cls(tokenizer)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Make the vocabulary again from `to_json`."""
        from tokenizers import Tokenizer

        return cls(Tokenizer.from_str(text))

    def to_json(self) -> str:
        """Return the content of tokenizer.json."""
        return str(self.tokenizer.to_str())

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, token: str) -> bool:
        return token in self.ids

    def tokens(self) -> list[str]:
        """Return the tokens in the order of their ids."""
        return sorted(self.ids, key=self.ids.__getitem__)

    def encode(self, rows: Iterable[Sequence[str]]) -> Iterable[Sequence[int]]:
        """Yield the ids of rows: of tokens, or of the sub-words of the row's texts joined by spaces."""
        if not self.splits:
            get = self.known.get
            return ([get(token, UNK) for token in row] for row in rows)
        joined = (row if isinstance(row, str) else " ".join(row) for row in rows)
        texts = [text.encode("utf-8", "replace").decode("utf-8") for text in joined]
        return (found.ids for found in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False))


def _is_writable(token: str) -> bool:
    """Whether a token can stand in a file: half a surrogate pair cannot."""
    return token.isascii() or not any("\ud800" <= character <= "\udfff" for character in token)
