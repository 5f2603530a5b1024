"""`gallae tokens`: what a model reads of a text, and how long a corpus's texts are in its tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gallae.data import stream
from gallae.errors import DataError, ModelError, require
from gallae.models.embedders import checkpoint_folder, inner_model, is_own_model
from gallae.models.encoded import cut
from gallae.models.persistence import load
from gallae.progress import status, track
from gallae.text import TextPipeline
from gallae.text.token_ids import TextTokenizer
from gallae.text.vocabulary import UNK
from gallae.workflows.showing import one_line, percent

CHUNK_ROWS = 4096
QUANTILES = (50, 90, 95, 99)


class Reader(Protocol):
    """What turns texts into tokens."""

    @property
    def limit(self) -> int:
        """Most tokens of a text that the model reads, special ones among them."""
        ...

    def rows(self, text: str) -> list[dict[str, Any]]:
        """Return a text's tokens as the model gets them."""
        ...

    def counts(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return (n,) tokens of each text, none cut off, and (n,) how many of them are unknown."""
        ...


@dataclass(frozen=True)
class _Checkpoint:
    """A checkpoint's tokenizer."""

    tokenizer: Any
    limit: int
    pipeline: TextPipeline
    truncation: str = "head"
    windows: bool = False

    def rows(self, text: str) -> list[dict[str, Any]]:
        (clean,) = self._clean([text])
        (encoding,) = self.tokenizer([clean], verbose=False).encodings
        return [
            {
                "number": number,
                "token": encoding.tokens[at],
                "id": encoding.ids[at],
                "mask": encoding.attention_mask[at],
                "start": encoding.offsets[at][0],
                "end": encoding.offsets[at][1],
                "text": clean[slice(*encoding.offsets[at])],
                "special": bool(encoding.special_tokens_mask[at]),
                "unknown": encoding.ids[at] == self.tokenizer.unk_token_id,
            }
            for number, at in enumerate(self._read(encoding))
        ]

    def _read(self, encoding: Any) -> list[int]:
        """Return the places of the tokens that the model reads."""
        special = encoding.special_tokens_mask
        if len(special) <= self.limit or self.windows:
            return list(range(len(special)))
        inner = [at for at, mark in enumerate(special) if not mark]
        kept = cut(inner, self.limit - sum(special), self.truncation)
        return sorted([*kept, *(at for at, mark in enumerate(special) if mark)])

    def counts(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        rows = self.tokenizer(self._clean(texts), verbose=False)["input_ids"]
        unknown = self.tokenizer.unk_token_id
        return np.array([len(ids) for ids in rows]), np.array([ids.count(unknown) for ids in rows])

    def _clean(self, texts: Sequence[str]) -> list[str]:
        self.tokenizer.split_special_tokens = True  # "[SEP]" in a text is text
        return [text.encode("utf-8", "replace").decode() for text in self.pipeline.apply(list(texts))]


@dataclass(frozen=True)
class _Own:
    """The vocabulary of one of our own networks."""

    tokenizer: TextTokenizer
    limit: int
    pipeline: TextPipeline

    def rows(self, text: str) -> list[dict[str, Any]]:
        ids = self.tokenizer.transform(self.pipeline.apply([text])).flat.tolist()
        names = self.tokenizer.vocabulary.tokens()
        return [
            {"number": number, "token": names[one], "id": one, "mask": 1, "unknown": one == UNK}
            for number, one in enumerate(ids)
        ]

    def counts(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        whole, most = self.tokenizer, self.tokenizer.max_length
        whole.max_length = 10**9
        try:
            ids = whole.transform(self.pipeline.apply(list(texts)))
        finally:
            whole.max_length = most
        unknown = np.concatenate([[0], np.cumsum(ids.flat == UNK)])
        return ids.lengths, np.diff(unknown[ids.offsets])


def open_reader(model: str | Path, max_length: int = 0, revision: str = "") -> Reader:
    """Return what turns texts into a model's tokens.

    Args:
        model: A hub id, a checkpoint's folder, or a run or model folder of a network.
        max_length: Most tokens of a text; 0 for the model's own limit.
        revision: Of a hub id.

    Raises:
        ModelError: if it is missing, or reads no tokens.
    """
    if max_length and max_length < 3:
        raise DataError(f"--max-length {max_length}: 3 or more, two of them special tokens.")
    if is_own_model(model):
        return _own_reader(model, max_length)
    require("transformers", "neural")
    from gallae.pretrained.lengths import most_tokens
    from gallae.pretrained.loading import load_config
    from gallae.pretrained.tokenizing import load_tokenizer

    folder = checkpoint_folder(model, revision)
    tokenizer = load_tokenizer(folder)
    limit = most_tokens(load_config(folder), tokenizer)
    return _Checkpoint(tokenizer, min(max_length or limit, limit), TextPipeline(()))


def _own_reader(model: str | Path, max_length: int) -> Reader:
    found = inner_model(load(model))
    inputs = getattr(found, "inputs_", None)
    tokenizer: Any = getattr(inputs, "tokenizer", None)
    if tokenizer is None:
        raise ModelError(
            f"{model} is no network over tokens ({type(found).__name__}). Give a run of a network's recipe "
            "(without --folds, which keep several), or a checkpoint. What preprocessing makes of a text is "
            "shown by: gallae clean"
        )
    if isinstance(tokenizer, TextTokenizer):
        added = 2 if tokenizer.enclose else 0
        return _Own(tokenizer, max_length or tokenizer.max_length + added, found.pipeline_)
    from gallae.pretrained.tokenizing import restore_tokenizer

    reading = found.inputs_.reading
    limit = max_length or reading.max_length
    tokenizer = restore_tokenizer(found.inputs_.files)
    return _Checkpoint(tokenizer, limit, found.pipeline_, reading.truncation, reading.windows)


def show_tokens(
    model: str | Path, texts: Sequence[str], *, max_length: int = 0, revision: str = ""
) -> list[dict[str, Any]]:
    """Return the tokens of texts as a model reads them.

    Args:
        model: A hub id, a checkpoint's folder, or a run or model folder of a network.
        texts: The texts.
        max_length: Most tokens of a text; 0 for the model's own limit.
        revision: Of a hub id.

    Returns:
        A text each: "text", "length" (tokens of the whole text), "truncated", "unknown" (a number), and
        "tokens": "number", "token", "id", "mask" and "unknown" each; a checkpoint's also "special" and where
        they stand in the cleaned text: "start", "end" (characters), "text".

    Raises:
        ModelError, DataError: for what the user can mend.
    """
    reader = open_reader(model, max_length, revision)
    found = []
    for text in [texts] if isinstance(texts, str) else texts:
        rows = reader.rows(text)
        length = int(reader.counts([text])[0][0])
        unknown = sum(row["unknown"] for row in rows)
        found.append(
            {
                "text": text,
                "length": length,
                "truncated": length > len(rows),
                "unknown": unknown,
                "tokens": rows,
            }
        )
    return found


def measure_tokens(
    model: str | Path, data: str | Path, *, max_length: int = 0, revision: str = "", **reading: Any
) -> dict[str, Any]:
    """Measure how long a file's texts are in a model's tokens.

    Args:
        model: A hub id, a checkpoint's folder, or a run or model folder of a network.
        data: A file, or "-" for standard input.
        max_length: Most tokens of a text; 0 for the model's own limit.
        revision: Of a hub id.
        reading: Keywords of `gallae.stream`.

    Returns:
        "texts", "tokens", "mean", "p50", "p90", "p95", "p99", "max" (tokens a text, special ones among them),
        "max_length", "truncated" and "unknown_texts" (shares of the texts), "unknown" (share of the tokens).

    Raises:
        ModelError, DataError: for what the user can mend.
    """
    with status("loading the tokenizer"):
        reader = open_reader(model, max_length, revision)
    given = {key: value for key, value in reading.items() if value}
    chunks = (chunk.texts for chunk in stream(data, chunk_rows=CHUNK_ROWS, **given))
    pairs = [reader.counts(texts) for texts in track(chunks, "counting tokens")]
    lengths = np.concatenate([pair[0] for pair in pairs])
    unknown = np.concatenate([pair[1] for pair in pairs])
    return {
        "texts": len(lengths),
        "tokens": int(lengths.sum()),
        "mean": round(float(lengths.mean()), 2),
        **{f"p{q}": int(np.percentile(lengths, q, method="higher")) for q in QUANTILES},
        "max": int(lengths.max()),
        "max_length": reader.limit,
        "truncated": float((lengths > reader.limit).mean()),
        "unknown": float(unknown.sum() / max(1, lengths.sum())),
        "unknown_texts": float((unknown > 0).mean()),
    }


def token_lines(found: dict[str, Any]) -> Iterable[str]:
    """Return a text's tokens of `show_tokens` as lines of plain text, a token each."""
    yield one_line(found["text"])
    width = max((len(row["token"]) for row in found["tokens"]), default=0)
    for row in found["tokens"]:
        mark = " unknown" if row["unknown"] else ""
        place = "" if "start" not in row or row["special"] else f"  {row['start']}-{row['end']} {row['text']}"
        yield f"{row['number']:>4}  {row['token']:<{width}}  {row['id']:>7}  {row['mask']}{place}{mark}"
    if found["truncated"]:
        yield f"      cut off: the whole text has {found['length']:,} tokens"


def measured_lines(found: dict[str, Any]) -> list[str]:
    """Return what `measure_tokens` found as lines of plain text."""
    return [
        f"{found['texts']:,} texts, {found['tokens']:,} tokens, {found['mean']:.1f} a text",
        "tokens a text: "
        + ", ".join(f"{q} % have at most {found[f'p{q}']:,}" for q in QUANTILES)
        + f"; the longest has {found['max']:,}",
        f"longer than {found['max_length']:,}: {percent(found['truncated'])} of the texts",
        f"unknown: {percent(found['unknown'])} of the tokens; {percent(found['unknown_texts'])} of the texts "
        "have some",
    ]
