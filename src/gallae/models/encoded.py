"""From clean texts to the rows that a checkpoint reads: ids of its own tokenizer, without torch."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from scipy.special import expit, softmax

from gallae.models.contract import State
from gallae.text.token_ids import TokenIds
from gallae.training.batches import ArrayRows

log = logging.getLogger(__name__)
_CHUNK = 1000
_TOKENIZER = "tokenizer.json"
_LEAST = 1e-15  # of a probability, so that its logarithm is a number
_CLINICAL = 2.0  # how fast the mean gains on the maximum (Huang et al. 2019 write c)


@dataclass(frozen=True)
class Layout:
    """How a checkpoint wants its rows.

    Attributes:
        prefix, suffix: Special ids around a text.
        pad_id: What rows are filled up with, on the right: positions count from the left.
        unk_id: Of unknown tokens; None if there are none.
        extra: Arguments beside input_ids and attention_mask: "token_type_ids", "global_attention_mask".
        global_attention: Positions of tokens that see all others, for "global_attention_mask".
        multiple: Rows are filled up to a multiple of so many tokens.
    """

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    pad_id: int
    unk_id: int | None = None
    extra: tuple[str, ...] = ()
    global_attention: tuple[int, ...] = (0,)
    multiple: int = 1

    @property
    def special(self) -> int:
        """Number of special ids around a text."""
        return len(self.prefix) + len(self.suffix)


@dataclass(frozen=True)
class Reading:
    """How texts that are too long are read.

    Attributes:
        max_length: Most tokens of a row, special ones counted.
        truncation: "head", "tail", or "head_tail": a quarter from the beginning, the rest from the end (Sun
            et al., "How to Fine-Tune BERT for Text Classification?", 2019).
        windows: Read all of a text, in windows.
        stride: Tokens that a window shares with the one before.
        pooling: Of the windows' probabilities: "clinical", "mean", "max" (see `pool_windows`).
    """

    max_length: int = 128
    truncation: str = "head"
    windows: bool = False
    stride: int = 0
    pooling: str = "clinical"


class CheckpointInputs:
    """Ids of a checkpoint's tokenizer (see `gallae.models.inputs.Inputs`).

    Args:
        tokenizer: A `tokenizers.Tokenizer`.
        layout: How the checkpoint wants its rows.
        reading: How long texts are read.
        files: The tokenizer's files by name, for the saved model; "tokenizer.json" among them.

    Attributes:
        truncated: How many texts the last call cut off.
    """

    def __init__(self, tokenizer: Any, layout: Layout, reading: Reading, files: dict[str, bytes]) -> None:
        self.tokenizer = tokenizer
        self.layout, self.reading, self.files = layout, reading, files
        self.truncated = 0
        self.told = False

    @property
    def size(self) -> int:
        """Number of ids."""
        return int(self.tokenizer.get_vocab_size())

    def fit(self, texts: Sequence[str]) -> EncodedTexts:
        """Return the rows of the texts to learn from, and tell how long they are; nothing is learnt."""
        lengths = array("q")
        rows = self._read(texts, lengths)
        if lengths:
            quantiles = np.percentile(np.frombuffer(lengths, np.int64), (50, 90, 99, 100)).astype(int)
            log.info("tokens a text: median %d, 90 %% up to %d, 99 %% up to %d, longest %d", *quantiles)
        return rows

    def transform(self, texts: Sequence[str]) -> EncodedTexts:
        """Return the rows of texts."""
        return self._read(texts, array("q"))

    def _read(self, texts: Sequence[str], lengths: array[int]) -> EncodedTexts:
        """Return the rows, and add the texts' lengths before cutting, without special tokens, to an array."""
        self.truncated = 0
        flat, ends = array("i"), array("q", [0])
        room = self.reading.max_length - self.layout.special
        for ids in self._ids(texts):
            lengths.append(len(ids))
            if len(ids) > room and not self.reading.windows:
                self.truncated += 1
                ids = cut(ids, room, self.reading.truncation)
            flat.extend(ids)
            ends.append(len(flat))
        tokens = np.frombuffer(flat, np.int32) if flat else np.zeros(0, np.int32)
        return EncodedTexts(TokenIds(tokens, np.frombuffer(ends, np.int64)), self.layout, self.reading)

    def _ids(self, texts: Sequence[str]) -> Iterator[Sequence[int]]:
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.tokenizer.encode_special_tokens = True  # "[SEP]" in a text is text
        for start in range(0, len(texts), _CHUNK):
            chunk = [text.encode("utf-8", "replace").decode() for text in texts[start : start + _CHUNK]]
            for found in self.tokenizer.encode_batch_fast(chunk, add_special_tokens=False):
                yield found.ids

    def state(self) -> State:
        """Return tokenizer, layout and reading."""
        values = {"layout": asdict(self.layout), "reading": asdict(self.reading)}
        return State({**values, "files": list(self.files)}, files=dict(self.files))

    @classmethod
    def restore(cls, state: State) -> Self:
        """Make the fitted inputs again."""
        from tokenizers import Tokenizer

        files = {name: state.files[name] for name in state.values["files"]}
        layout: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in state.values["layout"].items()
        }
        made = Tokenizer.from_str(files[_TOKENIZER].decode())
        return cls(made, Layout(**layout), Reading(**state.values["reading"]), files)


def cut(ids: Sequence[int], room: int, truncation: str) -> Sequence[int]:
    """Return the part of a text's ids that is read, `room` of them (see `Reading`)."""
    head = {"head": room, "tail": 0, "head_tail": room // 4}[truncation]
    return [*ids[:head], *ids[len(ids) - (room - head) :]]


class EncodedTexts(ArrayRows):
    """Texts, each of which is a row, or several where it is read in windows (see `take`).

    Args:
        ids: The texts' ids, without special ones.
        layout: How the checkpoint wants its rows.
        reading: How long texts are read.
    """

    def __init__(self, ids: TokenIds, layout: Layout, reading: Reading) -> None:
        self.ids, self.layout, self.reading = ids, layout, reading

    @property
    def lengths(self) -> np.ndarray:
        """(n,) tokens of each text, special ones not counted: 0 for a text without any."""
        return self.ids.lengths

    def __len__(self) -> int:
        return len(self.ids)

    def arrays(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the network's arguments for some texts (see `EncodedRows.arrays`)."""
        taken = self.take(rows)
        return taken.arrays(np.arange(len(taken)))

    def take(self, rows: np.ndarray) -> EncodedRows:
        """Return the rows of some texts; the windows of a text stand one after the other."""
        starts, sizes = self.ids.offsets[:-1][rows], self.lengths[rows]
        if not self.reading.windows:
            return EncodedRows(self.ids.flat, starts, sizes, self.layout)
        room = self.reading.max_length - self.layout.special
        step = room - self.reading.stride
        counts = 1 + np.maximum(0, -(-(sizes - room) // step))
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rest = np.repeat(sizes, counts) - step * within
        begun = np.repeat(starts, counts) + step * within
        return EncodedRows(
            self.ids.flat, begun, np.minimum(rest, room), self.layout, counts, self.reading.pooling
        )


class EncodedRows(ArrayRows):
    """Parts of one flat array of ids as rows with special ids around them.

    Args:
        flat: (n_tokens,) int32 ids of all texts.
        starts: (n,) where each row begins.
        sizes: (n,) ids of each row, special ones not counted.
        layout: How the checkpoint wants its rows.
        counts: (n_texts,) windows of each text; None for a row a text.
        pooling: Of the windows (see `pool_windows`).

    Attributes:
        lengths: (n,) tokens of each row, with special ones, and filled up as the checkpoint wants it.
    """

    def __init__(
        self,
        flat: np.ndarray,
        starts: np.ndarray,
        sizes: np.ndarray,
        layout: Layout,
        counts: np.ndarray | None = None,
        pooling: str = "clinical",
    ) -> None:
        self.flat, self.starts, self.sizes = flat, starts, sizes
        self.layout, self.counts, self.pooling = layout, counts, pooling
        self.lengths = -(-(sizes + layout.special) // layout.multiple) * layout.multiple

    def __len__(self) -> int:
        return len(self.sizes)

    def arrays(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return input_ids, attention_mask and what else the checkpoint reads, (batch, length) int64."""
        layout, sizes = self.layout, self.sizes[rows]
        first, count = len(layout.prefix), len(rows)
        places = np.arange(max(1, int(self.lengths[rows].max(initial=0))))
        inside = (places >= first) & (places < first + sizes[:, None])
        ids = np.full((count, len(places)), layout.pad_id, dtype=np.int64)
        ids[inside] = self.flat[_ranges(self.starts[rows], sizes)]
        ids[:, :first] = layout.prefix
        for number, special in enumerate(layout.suffix):
            ids[np.arange(count), first + sizes + number] = special
        mask = (places < (sizes + layout.special)[:, None]).astype(np.int64)
        found = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in layout.extra:
            found["token_type_ids"] = np.zeros_like(ids)
        if "global_attention_mask" in layout.extra:
            found["global_attention_mask"] = np.isin(places, layout.global_attention) * mask
        return found

    def repeated(self, values: np.ndarray) -> np.ndarray:
        """Return a text's value for each of its rows."""
        return values if self.counts is None else np.repeat(values, self.counts, axis=0)

    def pooled(self, logits: np.ndarray, multilabel: bool) -> np.ndarray:
        """Return (n_texts, n_labels) of the rows' logits (see `pool_windows`)."""
        if self.counts is None:
            return logits
        return pool_windows(logits, self.counts, self.pooling, multilabel)


def _ranges(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the numbers start, start + 1, ... of each range, one range after the other."""
    shifts = np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
    return np.asarray(shifts + np.arange(len(shifts)))


def pool_windows(logits: np.ndarray, counts: np.ndarray, pooling: str, multilabel: bool) -> np.ndarray:
    """Return one row of scores a text from those of its windows.

    Probabilities are pooled: "mean", "max", or "clinical", which is (max + mean n/c) / (1 + n/c) for n
    windows and c = 2: the more windows, the more the mean counts (Huang et al., "ClinicalBERT", 2019,
    equation 4). For single labels they are then made to sum to 1 again.

    Args:
        logits: (n_windows, n_labels), a text's windows one after the other.
        counts: (n_texts,) windows of each text, 1 or more.
        pooling: "clinical", "mean" or "max".
        multilabel: Whether a text may have several labels.

    Returns:
        (n_texts, n_labels) float32: logarithms of the probabilities, or logits for several labels.
    """
    scores = logits.astype(np.float64)
    chances = expit(scores) if multilabel else softmax(scores, axis=1)
    starts = np.cumsum(counts) - counts
    largest = np.maximum.reduceat(chances, starts, axis=0)
    means = np.add.reduceat(chances, starts, axis=0) / counts[:, None]
    weights = {"max": 0.0 * counts, "mean": None, "clinical": counts / _CLINICAL}[pooling]
    found = means if weights is None else (largest + means * weights[:, None]) / (1 + weights[:, None])
    found = np.clip(found, _LEAST, 1 - _LEAST)
    if multilabel:
        return np.asarray(np.log(found) - np.log1p(-found), dtype=np.float32)
    return np.asarray(np.log(found / found.sum(axis=1, keepdims=True)), dtype=np.float32)
