"""Logits of many rows: long texts with long ones, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from transformers import PreTrainedModel

from gallae.training.batches import Rows

TOKENS_A_BATCH = 8192
ROWS_A_BATCH = 512


def logits(network: PreTrainedModel, rows: Rows, n_labels: int) -> np.ndarray:
    """Return (n, n_labels) float32 logits, whatever the order and the batches.

    Args:
        network: In evaluation mode afterwards.
        rows: What it reads; every text has at least one token.
        n_labels: Number of its outputs.
    """
    network.eval()
    result = np.empty((len(rows), n_labels), dtype=np.float32)
    with torch.inference_mode():
        for chosen in _batches(rows.lengths):
            batch = {name: value.to(network.device) for name, value in rows.batch(chosen).items()}
            result[chosen] = network(**batch).logits.float().cpu().numpy()
    return result


def _batches(lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Yield row numbers, by falling length; as many at once as the longest one lets."""
    order, start = np.argsort(-lengths, kind="stable"), 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        count = min(ROWS_A_BATCH, max(1, TOKENS_A_BATCH // longest))
        yield order[start : start + count]
        start += count
