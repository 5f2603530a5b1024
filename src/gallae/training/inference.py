"""Logits of many rows: long texts with long ones, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from gallae.training.batches import Rows

if TYPE_CHECKING:
    from transformers import PreTrainedModel

TOKENS_A_BATCH = 8192
ROWS_A_BATCH = 512


def logits(network: PreTrainedModel, rows: Rows, n_labels: int) -> np.ndarray:
    """Return (n, n_labels) float32 logits, whatever the order and the batches.

    Args:
        network: In evaluation mode afterwards.
        rows: What it reads; every text has at least one token.
        n_labels: Number of its outputs.
    """
    import torch

    network.eval()

    def answer(chosen: np.ndarray) -> np.ndarray:
        batch = {name: value.to(network.device) for name, value in rows.batch(chosen).items()}
        return network(**batch).logits.float().cpu().numpy()

    with torch.inference_mode():
        return in_batches(rows.lengths, n_labels, answer)


def in_batches(lengths: np.ndarray, n_labels: int, answer: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return (n, n_labels) float32, asking for the answers to some rows at a time.

    Args:
        lengths: (n,) tokens of each row.
        n_labels: Number of columns.
        answer: Takes (batch,) row numbers and returns (batch, n_labels).
    """
    result = np.empty((len(lengths), n_labels), dtype=np.float32)
    for chosen in _batches(lengths):
        result[chosen] = answer(chosen)
    return result


def _batches(lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Yield row numbers, by falling length; as many at once as the longest one lets."""
    order, start = np.argsort(-lengths, kind="stable"), 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        count = min(ROWS_A_BATCH, max(1, TOKENS_A_BATCH // longest))
        yield order[start : start + count]
        start += count
