"""From clean texts to what a network reads: ids of tokens, or sparse features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np

from gallae.models.contract import State
from gallae.models.documents import Block, Documents
from gallae.models.features import make_block
from gallae.models.heads import stack
from gallae.text.token_ids import TextTokenizer
from gallae.training.batches import FlatRows, PaddedRows, Rows, SparseRows

TOKENIZER = "tokenizer.json"


class Inputs(Protocol):
    """What turns clean texts into rows.

    Attributes:
        truncated: How many texts the last call cut off.
        told: Whether the user knows that texts are cut off.
    """

    told: bool

    @property
    def truncated(self) -> int:
        """How many texts the last call cut off."""

    @property
    def size(self) -> int:
        """Number of ids or features."""

    def fit(self, texts: Sequence[str]) -> Rows:
        """Choose the vocabulary, and return the rows of the texts."""

    def transform(self, texts: Sequence[str]) -> Rows:
        """Return the rows of texts."""

    def state(self) -> State:
        """Return what `restore` needs."""


class TokenInputs:
    """Ids of tokens.

    Args:
        tokenizer: Splits, and knows the vocabulary.
        layout: "padded" or "flat" (see `Network.layout`).
        known: Tokens to take in beside the corpus's.
    """

    def __init__(self, tokenizer: TextTokenizer, layout: str, known: Iterable[str] = ()) -> None:
        self.tokenizer = tokenizer
        self.layout = layout
        self.known = known
        self.told = False

    @property
    def truncated(self) -> int:
        """How many texts the last call cut off."""
        return self.tokenizer.truncated

    @property
    def size(self) -> int:
        """Number of ids."""
        return len(self.tokenizer.vocabulary)

    def fit(self, texts: Sequence[str]) -> Rows:
        """Choose the vocabulary, and return the ids of the texts."""
        return self._rows(self.tokenizer.fit(texts, self.known))

    def transform(self, texts: Sequence[str]) -> Rows:
        """Return the ids of texts."""
        return self._rows(self.tokenizer.transform(texts))

    def _rows(self, ids: Any) -> Rows:
        return PaddedRows(ids) if self.layout == "padded" else FlatRows(ids)

    def state(self) -> State:
        """Return options and vocabulary."""
        values = {"tokenizer": self.tokenizer.to_json(), "layout": self.layout}
        return State(values, files={TOKENIZER: self.tokenizer.vocabulary.to_json().encode()})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Make the fitted inputs again."""
        vocabulary = state.files[TOKENIZER].decode()
        return cls(TextTokenizer.restore(state.values["tokenizer"], vocabulary), state.values["layout"])


class FeatureInputs:
    """The recipe's feature blocks side by side, as a sparse matrix.

    Args:
        blocks: Their options (see `gallae.models.features.make_block`).
        analyzer: "kiwi" or "mecab".
    """

    told = True
    truncated = 0

    def __init__(self, blocks: Sequence[Mapping[str, Any]], analyzer: str) -> None:
        self.options = [dict(block) for block in blocks]
        self.analyzer = analyzer
        self.blocks: list[Block] = [make_block(block) for block in self.options]
        self.size = 0

    def fit(self, texts: Sequence[str]) -> Rows:
        """Choose the features, and return those of the texts."""
        documents = Documents(list(texts), self.analyzer, keep=True)
        columns = []
        for block in self.blocks:
            counts = block.fit(documents)
            columns.append(block.transform(documents, counts))
        return self._rows(columns)

    def transform(self, texts: Sequence[str]) -> Rows:
        """Return the features of texts."""
        documents = Documents(list(texts), self.analyzer)
        return self._rows([block.transform(documents) for block in self.blocks])

    def _rows(self, columns: list[Any]) -> Rows:
        matrix = stack(columns).tocsr()
        self.size = int(matrix.shape[1])
        return SparseRows(matrix.astype(np.float32))

    def state(self) -> State:
        """Return the blocks."""
        state = State({"blocks": self.options, "analyzer": self.analyzer, "size": self.size})
        for number, block in enumerate(self.blocks):
            state.include(f"block{number}", block.state())
        return state

    @classmethod
    def restore(cls, state: State) -> Self:
        """Make the fitted inputs again."""
        made = cls(state.values["blocks"], state.values["analyzer"])
        made.size = state.values["size"]
        for number, block in enumerate(made.blocks):
            block.restore(state.part(f"block{number}"))
        return made
