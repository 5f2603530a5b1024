"""Logits of many rows: long texts with long ones, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from gallae.errors import ModelError
from gallae.training.batches import Rows

if TYPE_CHECKING:
    from transformers import PreTrainedModel

TOKENS_A_BATCH = 8192
IN_CACHE = 1024  # tokens whose states fit the caches of a processor: a quarter faster there
ROWS_A_BATCH = 512


def logits(network: PreTrainedModel, rows: Rows, n_labels: int, threads: int | None = None) -> np.ndarray:
    """Return (n, n_labels) float32 logits, whatever the order and the batches.

    Args:
        network: In evaluation mode afterwards.
        rows: What it reads; every text has at least one token.
        n_labels: Number of its outputs.
        threads: That torch computes with here; None changes nothing.

    Raises:
        ModelError: if memory does not suffice for one row alone; batches are halved until it does.
    """
    import torch

    from gallae.training.devices import lacks_memory

    network.eval()

    def answer(chosen: np.ndarray) -> np.ndarray:
        try:
            batch = {name: value.to(network.device) for name, value in rows.batch(chosen).items()}
            return network(**batch).logits.float().cpu().numpy()
        except RuntimeError as error:
            if not lacks_memory(error):
                raise
            if len(chosen) == 1:
                raise ModelError(_too_long(int(rows.lengths[chosen[0]]), network)) from error
        return np.concatenate([answer(half) for half in np.array_split(chosen, 2)])

    with torch.inference_mode(), _torch_threads(threads):
        return in_batches(rows.lengths, n_labels, answer, tokens_a_batch(network.device.type))


def tokens_a_batch(device: str) -> int:
    """Return how many tokens are best computed at once on a device of a type such as "cpu"."""
    return IN_CACHE if device == "cpu" else TOKENS_A_BATCH


def _too_long(length: int, network: PreTrainedModel) -> str:
    return (
        f"memory does not suffice for one text of {length} tokens on {network.device}. Train with a shorter "
        "model.max_length, or let a machine with more memory predict."
    )


@contextmanager
def _torch_threads(count: int | None) -> Iterator[None]:
    """Let torch compute with so many threads within the block."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_batches(
    lengths: np.ndarray,
    n_labels: int,
    answer: Callable[[np.ndarray], np.ndarray],
    tokens: int,
    workers: int = 1,
) -> np.ndarray:
    """Return (n, n_labels) float32, asking for the answers to some rows at a time.

    Args:
        lengths: (n,) tokens of each row.
        n_labels: Number of columns.
        answer: Takes (batch,) row numbers and returns (batch, n_labels).
        tokens: Most tokens of a batch, padding counted, unless one row alone has more.
        workers: Threads that ask, each for a batch of its own.
    """
    result = np.empty((len(lengths), n_labels), dtype=np.float32)
    batches = list(batches_by_length(lengths, tokens))

    def fill(chosen: np.ndarray) -> None:
        result[chosen] = answer(chosen)

    if workers == 1 or len(batches) == 1:
        for chosen in batches:
            fill(chosen)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for _ in pool.map(fill, batches):
                pass
    return result


def batches_by_length(lengths: np.ndarray, tokens: int) -> Iterator[np.ndarray]:
    """Yield row numbers, by falling length; as many at once as the longest one lets.

    Args:
        lengths: (n,) tokens of each row.
        tokens: Most tokens of a batch, padding counted, unless one row alone has more.
    """
    order, start = np.argsort(-lengths, kind="stable"), 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        count = min(ROWS_A_BATCH, max(1, tokens // longest))
        yield order[start : start + count]
        start += count
