"""Rows to tensors, a batch at a time; the corpus stays in flat arrays. Arrays alone need no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gallae.text.token_ids import TokenIds

if TYPE_CHECKING:
    from torch import Tensor


class Rows(Protocol):
    """What a network reads: n texts as ids or as sparse features."""

    @property
    def lengths(self) -> np.ndarray:
        """(n,) number of tokens or features of each text."""

    def arrays(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the network's arguments for some texts."""

    def batch(self, rows: np.ndarray) -> dict[str, Tensor]:
        """Return the same as tensors."""

    def take(self, rows: np.ndarray) -> Rows:
        """Return what the network reads of some texts, which may be several rows a text."""

    def repeated(self, values: np.ndarray) -> np.ndarray:
        """Return (n, ...) values of texts for each of their rows."""

    def pooled(self, logits: np.ndarray, multilabel: bool) -> np.ndarray:
        """Return (n_texts, n_labels) logits of texts, from those of their rows."""

    def __len__(self) -> int: ...


class ArrayRows:
    """Base of rows: a subclass says what its arrays are."""

    def arrays(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the network's arguments for some texts."""
        raise NotImplementedError  # pragma: no cover - all rows have their own

    def batch(self, rows: np.ndarray) -> dict[str, Tensor]:
        """Return the same as tensors."""
        from torch import from_numpy

        return {name: from_numpy(array) for name, array in self.arrays(rows).items()}

    def take(self, rows: np.ndarray) -> Any:
        """Return what the network reads of some texts."""
        return SomeRows(self, rows)  # type: ignore[arg-type]

    def repeated(self, values: np.ndarray) -> np.ndarray:
        """Return the values: a text is one row."""
        return values

    def pooled(self, logits: np.ndarray, multilabel: bool) -> np.ndarray:
        """Return the logits: a text is one row."""
        return logits


class SomeRows(ArrayRows):
    """Some of the rows.

    Args:
        rows: All of them.
        chosen: (n,) numbers of those to take.
    """

    def __init__(self, rows: Rows, chosen: np.ndarray) -> None:
        self.rows, self.chosen = rows, chosen
        self.lengths = rows.lengths[chosen]

    def arrays(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the network's arguments for some of these."""
        return self.rows.arrays(self.chosen[rows])

    def __len__(self) -> int:
        return len(self.chosen)


class PaddedRows(ArrayRows):
    """Ids filled up to the longest text of the batch: input_ids, attention_mask, (batch, length)."""

    def __init__(self, ids: TokenIds) -> None:
        self.ids = ids

    @property
    def lengths(self) -> np.ndarray:
        """(n,) tokens of each text."""
        return self.ids.lengths

    def arrays(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return input_ids and attention_mask, (batch, length) int64."""
        ids, mask = self.ids.padded(rows)
        return {"input_ids": ids, "attention_mask": mask.astype(np.int64)}

    def __len__(self) -> int:
        return len(self.ids)


class FlatRows(ArrayRows):
    """Ids one text after the other: input_ids (n_tokens,), offsets (batch,)."""

    def __init__(self, ids: TokenIds) -> None:
        self.ids = ids

    @property
    def lengths(self) -> np.ndarray:
        """(n,) tokens of each text."""
        return self.ids.lengths

    def arrays(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return input_ids (n_tokens,) and offsets (batch,), int64."""
        flat, lengths = self.ids.gather(rows)
        return {"input_ids": flat, "offsets": _starts(lengths)}

    def __len__(self) -> int:
        return len(self.ids)


class SparseRows(ArrayRows):
    """Features that are not zero: input_ids, weights (n_features,), offsets (batch,).

    Args:
        matrix: (n, n_features) CSR matrix.
    """

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix

    @property
    def lengths(self) -> np.ndarray:
        """(n,) features of each text."""
        return np.diff(self.matrix.indptr)

    def arrays(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return input_ids (n_features,) int64, weights float32, and offsets (batch,) int64."""
        part = self.matrix[rows]
        return {
            "input_ids": part.indices.astype(np.int64),
            "weights": part.data.astype(np.float32),
            "offsets": _starts(np.diff(part.indptr)),
        }

    def __len__(self) -> int:
        return int(self.matrix.shape[0])


def _starts(lengths: np.ndarray) -> np.ndarray:
    return np.asarray(np.cumsum(lengths, dtype=np.int64) - lengths)


class Examples:
    """Rows with their targets, read a whole batch at a time.

    Args:
        rows: What the network reads.
        targets: (n,) class numbers, or (n, n_classes) bool.
        n_classes: Number of classes.
    """

    def __init__(self, rows: Rows, targets: np.ndarray, n_classes: int) -> None:
        self.rows = rows
        self.targets = targets
        self.n_classes = n_classes

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        return self.__getitems__([number])

    def __getitems__(self, numbers: Any) -> dict[str, Tensor]:
        """Return the batch of some rows, with `labels` (batch, n_classes) float32."""
        chosen = np.asarray(numbers, dtype=np.int64)
        return {**self.rows.batch(chosen), "labels": self.labels(chosen)}

    def labels(self, chosen: np.ndarray) -> Tensor:
        """Return the targets of some rows as shares, (batch, n_classes) float32."""
        from torch import from_numpy

        targets = self.targets[chosen]
        if targets.ndim == 1:
            targets = targets[:, None] == np.arange(self.n_classes)
        return from_numpy(targets.astype(np.float32))
