"""A corpus as token ids on disk, made once and read through the page cache."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from gallae.errors import DataError
from gallae.files import folder_beside, read_json, write_json
from gallae.pretraining.corpora import Source, sentences
from gallae.progress import track

log = logging.getLogger(__name__)
MAX_UNKNOWN = 0.2
_CHUNK = 4096  # sentences given to the tokenizer at once
_MERGED = 1 << 22  # ids copied at once
_BLOCK = 32  # sentences that are held out together
_MOST_HELD = 4096  # sentences: enough to tell losses apart by a hundredth


@dataclass(frozen=True)
class Encoded:
    """A corpus as token ids, without special tokens.

    Attributes:
        ids: (n_tokens,) uint16 or int32, memory-mapped.
        sentences: (n_sentences + 1,) int64; sentence i is ids[sentences[i]:sentences[i + 1]].
        documents: (n_documents, 2) int64: number of a document's first sentence, and of the one behind its
            last.
        sources: (n_documents,) int64 number of each document's source.
        weights: (n_sources,) float64: how often an epoch has each document of a source.
    """

    ids: np.ndarray
    sentences: np.ndarray
    documents: np.ndarray
    sources: np.ndarray
    weights: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """(n_sentences,) int64 tokens of each sentence."""
        return np.diff(self.sentences)

    def sentence(self, number: int) -> np.ndarray:
        """Return the (n,) ids of a sentence."""
        return self.ids[self.sentences[number] : self.sentences[number + 1]]

    def sentence_weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the (n,) numbers of the sentences that stand in a document, and their weights."""
        counts = self.documents[:, 1] - self.documents[:, 0]
        before = np.cumsum(counts) - counts
        numbers = np.arange(counts.sum()) + np.repeat(self.documents[:, 0] - before, counts)
        return numbers, np.repeat(self.weights[self.sources], counts)

    def counts(self, size: int) -> np.ndarray:
        """Return how often an epoch has each id, (size,) float64."""
        found = np.zeros(size)
        for (first, end), source in zip(self.documents, self.sources, strict=True):
            ids = self.ids[self.sentences[first] : self.sentences[end]]
            np.add.at(found, ids, self.weights[source]) if len(ids) < 64 else _add(
                found, ids, self.weights[source]
            )
        return found


def _add(found: np.ndarray, ids: np.ndarray, weight: float) -> None:
    for start in range(0, len(ids), _MERGED):
        found += weight * np.bincount(ids[start : start + _MERGED], minlength=len(found))


def encode(sources: Sequence[Source], tokenizer: Any, folder: Path, parallel: bool = False) -> Encoded:
    """Return a corpus as token ids in a folder; what is there already of the same files is taken over.

    Args:
        sources: Files and weights.
        tokenizer: A fast tokenizer of transformers.
        folder: Made if it is missing. It belongs to these files and this tokenizer.
        parallel: See `sentences`.

    Raises:
        DataError: if a file is damaged, a source holds no sentence, or too many tokens are unknown.
    """
    whole = folder / "whole"
    if not whole.exists():
        with folder_beside(whole) as target:
            parts = [folder / f"source-{number}" for number in range(len(sources))]
            for source, part in zip(sources, parts, strict=True):
                if not part.exists():
                    with folder_beside(part) as made:
                        _encode_source(source, tokenizer, made, parallel)
            _merge(parts, target, np.uint16 if len(tokenizer) <= 1 << 16 else np.int32)
        for part in parts:
            shutil.rmtree(part, ignore_errors=True)
    loaded = {
        name: np.load(whole / f"{name}.npy", mmap_mode="r" if name == "ids" else None)
        for name in ("ids", "sentences", "documents", "sources")
    }
    _check_unknown(read_json(whole / "facts.json")["unknown"])
    return Encoded(**loaded, weights=np.array([source.weight for source in sources]))


def _encode_source(source: Source, tokenizer: Any, folder: Path, parallel: bool) -> None:
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    lengths: list[np.ndarray] = []
    ends: list[int] = []  # number of the sentence behind each document's last
    count = unknown = 0
    lines = track(sentences(source, parallel), f"tokens of {source.path.name}")
    with (folder / "ids.raw").open("wb") as file:
        while chunk := list(islice(lines, _CHUNK)):
            ids = [one.ids for one in backend.encode_batch_fast(chunk, add_special_tokens=False)]
            sizes = np.fromiter(map(len, ids), dtype=np.int32, count=len(ids))
            full = sizes > 0
            ends += _document_ends(chunk, full, count)
            count += int(full.sum())
            flat = np.fromiter(chain.from_iterable(ids), dtype=np.int32, count=int(sizes.sum()))
            if tokenizer.unk_token_id is not None:
                unknown += int((flat == tokenizer.unk_token_id).sum())
            flat.tofile(file)
            lengths.append(sizes[full])
    if not count:
        raise DataError(f"{source.path} holds no sentence: it is empty. Leave it away, or fill it.")
    np.save(folder / "lengths.npy", np.concatenate(lengths))
    np.save(folder / "ends.npy", np.unique([*ends, count]))
    write_json(folder / "facts.json", {"unknown": unknown})


def _document_ends(chunk: Sequence[str], full: np.ndarray, before: int) -> list[int]:
    counts = before + np.cumsum(full)
    return [int(counts[at]) for at, text in enumerate(chunk) if not text and counts[at]]


def _merge(parts: Sequence[Path], folder: Path, kind: Any) -> None:
    """Write the ids of all sources as one array."""
    lengths = [np.load(part / "lengths.npy") for part in parts]
    ends = [np.load(part / "ends.npy") for part in parts]
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths), dtype=np.int64)])
    before = np.cumsum([0, *(len(length) for length in lengths)])
    documents = [
        np.stack([np.concatenate([[0], end[:-1]]), end], axis=1) + start
        for end, start in zip(ends, before[:-1], strict=True)
    ]
    ids = np.lib.format.open_memmap(folder / "ids.npy", mode="w+", dtype=kind, shape=(int(offsets[-1]),))
    at = 0
    for piece in chain.from_iterable(_pieces(part / "ids.raw") for part in parts):
        ids[at : at + len(piece)] = piece
        at += len(piece)
    ids.flush()
    np.save(folder / "sentences.npy", offsets)
    np.save(folder / "documents.npy", np.concatenate(documents).astype(np.int64))
    np.save(folder / "sources.npy", np.repeat(np.arange(len(parts)), [len(end) for end in ends]))
    unknown = sum(read_json(part / "facts.json")["unknown"] for part in parts)
    write_json(folder / "facts.json", {"unknown": unknown / max(1, at)})


def _pieces(path: Path) -> Iterator[np.ndarray]:
    with path.open("rb") as file:
        while len(piece := np.fromfile(file, dtype=np.int32, count=_MERGED)):
            yield piece


def _check_unknown(share: float) -> None:
    if share > MAX_UNKNOWN:
        raise DataError(
            f"{100 * share:.0f} % of the corpus's tokens are unknown to the tokenizer (at most "
            f"{100 * MAX_UNKNOWN:.0f} %), so the network would see next to nothing of the texts. Train a "
            "tokenizer on this corpus: gallae tokenizer train"
        )
    if share > MAX_UNKNOWN / 4:
        log.warning("%.1f %% of the corpus's tokens are unknown to the tokenizer", 100 * share)


def hold_out(encoded: Encoded, share: float, seed: int) -> tuple[Encoded, Encoded | None]:
    """Return what to learn from, and what only to measure: runs of neighbouring sentences.

    Args:
        encoded: The corpus.
        share: Of its sentences; at most a few thousand are taken.
        seed: Of the choice.
    """
    counts = encoded.documents[:, 1] - encoded.documents[:, 0]
    size = int(np.clip(counts.sum() // 100, 2, _BLOCK))  # not 1: a translation stays with its sentence
    blocks = -(-counts // size)
    owner = np.repeat(np.arange(len(counts)), blocks)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(blocks) - blocks, blocks)
    starts = encoded.documents[owner, 0] + within * size
    ends = np.minimum(starts + size, encoded.documents[owner, 1])
    wanted = min(share * len(owner), _MOST_HELD / size)
    number = max(1, round(wanted)) if share else 0
    if not number or number >= len(owner):
        return encoded, None
    held = np.zeros(len(owner), dtype=bool)
    held[np.random.default_rng([seed, 0]).permutation(len(owner))[:number]] = True

    def part(chosen: np.ndarray) -> Encoded:
        where = np.flatnonzero(chosen)
        new = np.ones(len(where), dtype=bool)  # a run of blocks of one document is a document
        new[1:] = (np.diff(where) > 1) | (owner[where][1:] != owner[where][:-1])
        last = np.append(np.flatnonzero(new)[1:] - 1, len(where) - 1)
        ranges = np.stack([starts[where][new], ends[where][last]], axis=1)
        return replace(encoded, documents=ranges, sources=encoded.sources[owner[where][new]])

    return part(~held), part(held)


def unigram_entropy(train: Encoded, held: Encoded, size: int) -> float:
    """Return the mean of -log p of the held-out tokens in nats, p being the training's share of each id.

    A network that has learnt no more than how frequent tokens are has this loss.

    Args:
        train: Where the shares come from, with one added to each count.
        held: Whose tokens are guessed.
        size: Of the vocabulary.
    """
    shares = train.counts(size) + 1.0
    wanted = held.counts(size)
    return float(-(wanted @ np.log(shares / shares.sum())) / wanted.sum())
