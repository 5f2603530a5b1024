"""Altered copies of texts, for a student that has few: by rules, or by a masked language model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zlib import crc32

import numpy as np

from gallae.errors import ModelError, RecipeError, require
from gallae.text.morphemes import analyzer

OPEN_TAGS = ("NNG", "NNP", "NNB", "NR", "NP", "VV", "VA", "MM", "MAG", "XR", "SL", "SH", "SN")
"""Parts of speech that are altered: what carries a meaning; particles and endings stay."""
_CHUNK = 256
_SEQUENCES = 64  # a batch of the language model


@dataclass(frozen=True)
class Place:
    """Characters `start` to `end` of a text that can be replaced, and what decides by what.

    Attributes:
        start: First character.
        end: Behind the last one.
        kind: A part of speech, for rules.
        words: What may stand there instead, for a language model.
    """

    start: int
    end: int
    kind: str = ""
    words: tuple[str, ...] = ()


class Augmenter:
    """Base: a subclass finds the places of texts, and draws an altered copy.

    Copies are a function of the text and the seed: neither order nor number of the texts matter.
    """

    def places(self, texts: Sequence[str]) -> Iterator[list[Place]]:
        """Yield the places of each text, from left to right."""
        raise NotImplementedError  # pragma: no cover - every subclass has its own

    def draw(self, text: str, places: Sequence[Place], rng: np.random.Generator) -> str:
        """Return an altered copy of a text."""
        raise NotImplementedError  # pragma: no cover - every subclass has its own

    def augment(self, texts: Sequence[str], copies: int, seed: int = 42) -> list[list[str]]:
        """Return the altered copies of each text.

        Args:
            texts: (n_texts,) strings.
            copies: How many to draw a text; what comes out empty, twice or as the text was is dropped.
            seed: Of the draws.
        """
        return [
            _distinct((self.draw(text, places, rng) for _ in range(copies)), text)
            for text, places, rng in self._prepared(texts, seed)
        ]

    def augment_pairs(
        self, pairs: Sequence[tuple[str, str]], copies: int, seed: int = 42
    ) -> list[list[tuple[str, str]]]:
        """Return the altered copies of each pair: in turn of the first, of the second, of both (Tang 2019).

        Args:
            pairs: (n_pairs,) of texts.
            copies: As of `augment`.
            seed: Of the draws.
        """
        first = self._prepared([a for a, _ in pairs], seed)
        second = self._prepared([b for _, b in pairs], seed + 1)

        def drawn(number: int, a: Any, b: Any) -> tuple[str, str]:
            turn = number % 3
            return (a[0] if turn == 1 else self.draw(*a)), (b[0] if turn == 0 else self.draw(*b))

        return [
            _distinct((drawn(number, a, b) for number in range(copies)), (a[0], b[0]))
            for a, b in zip(first, second, strict=True)
        ]

    def _prepared(
        self, texts: Sequence[str], seed: int
    ) -> Iterator[tuple[str, list[Place], np.random.Generator]]:
        for start in range(0, len(texts), _CHUNK):
            chunk = texts[start : start + _CHUNK]
            for text, places in zip(chunk, self.places(chunk), strict=True):
                yield text, places, np.random.default_rng([seed, crc32(text.encode("utf-8", "replace"))])


def _distinct(copies: Iterable[Any], source: Any) -> list[Any]:
    """Return copies in their order, each once, without the source and what is empty."""
    found = dict.fromkeys(copies)
    return [copy for copy in found if copy != source and all([copy] if isinstance(copy, str) else copy)]


class RuleAugmenter(Augmenter):
    """The rules of Tang et al. ("Distilling Task-Specific Knowledge from BERT into Simple Networks", 2019).

    Each word is taken out with the probability `p_mask`, or else with `p_pos` replaced by another word of the
    same part of speech, drawn as often as the corpus has it; then, with the probability `p_ng`, only n words
    in a row are kept, n from 1 to 5. A word is here a morpheme that stands in the text as the dictionary has
    it, with one of `OPEN_TAGS`; Kiwi finds them. The words that are kept in a row are those between spaces.

    Args:
        words: The corpus's words by part of speech, and how often each stands there.
        p_mask: From 0 to 1.
        p_pos: From 0 to 1 - `p_mask`.
        p_ng: From 0 to 1.
        mask: What stands for a word taken out: "" nothing, which every teacher can read; "[MASK]" is the
            paper's, for teachers that know it.

    Raises:
        RecipeError: for probabilities that are none.
    """

    def __init__(
        self,
        words: dict[str, Counter[str]],
        p_mask: float = 0.1,
        p_pos: float = 0.1,
        p_ng: float = 0.25,
        mask: str = "",
    ) -> None:
        if min(p_mask, p_pos, p_ng) < 0 or p_mask + p_pos > 1 or p_ng > 1:
            raise RecipeError(
                f"p_mask {p_mask}, p_pos {p_pos} and p_ng {p_ng} are probabilities, from 0 to 1, and the "
                "first two together at most 1."
            )
        self.p_mask, self.p_pos, self.p_ng, self.mask = p_mask, p_pos, p_ng, mask
        self.words = {tag: sorted(found) for tag, found in words.items()}
        self.chances = {
            tag: np.cumsum([words[tag][word] for word in names]) / words[tag].total()
            for tag, names in self.words.items()
        }

    @classmethod
    def of(cls, texts: Sequence[str], **options: Any) -> Self:
        """Make one with the words of a corpus; `options` are p_mask, p_pos, p_ng and mask."""
        words: dict[str, Counter[str]] = {}
        for text, places in zip(texts, _open_words(texts), strict=True):
            for place in places:
                words.setdefault(place.kind, Counter())[text[place.start : place.end]] += 1
        return cls(words, **options)

    def places(self, texts: Sequence[str]) -> Iterator[list[Place]]:
        """Yield the words of each text."""
        return _open_words(texts)

    def draw(self, text: str, places: Sequence[Place], rng: np.random.Generator) -> str:
        """Return an altered copy of a text."""
        changes = []
        for place, chance in zip(places, rng.random(len(places)), strict=True):
            if chance < self.p_mask:
                changes.append((place, self.mask))
            elif chance < self.p_mask + self.p_pos and place.kind in self.words:
                chosen = np.searchsorted(self.chances[place.kind], rng.random(), side="right")
                changes.append((place, self.words[place.kind][chosen]))
        words = _replaced(text, changes).split()
        if words and rng.random() < self.p_ng:
            length = min(int(rng.integers(1, 6)), len(words))
            start = int(rng.integers(len(words) - length + 1))
            words = words[start : start + length]
        return " ".join(words)


def _open_words(texts: Sequence[str]) -> Iterator[list[Place]]:
    kiwi: Any = analyzer("kiwi")
    for text, tokens in zip(texts, kiwi.kiwi.tokenize(iter(texts)), strict=True):
        yield [
            Place(token.start, token.start + token.len, token.tag.partition("-")[0])
            for token in tokens
            if token.tag.partition("-")[0] in OPEN_TAGS
            and text[token.start : token.start + token.len] == token.form
        ]


def _replaced(text: str, changes: Sequence[tuple[Place, str]]) -> str:
    parts, at = [], 0
    for place, word in changes:
        if place.start >= at:
            parts += [text[at : place.start], word]
            at = place.end
    return "".join([*parts, text[at:]])


class MaskedAugmenter(Augmenter):
    """Words that a masked language model would put there (Jiao et al., "TinyBERT", 2020, algorithm 1).

    With the probability `threshold` each word is replaced by one of the `top_k` likeliest, all alike. The
    paper takes whole words, and neighbours of word vectors for words of several pieces; a Korean word is
    mostly a stem with particles, so here the piece that begins a word is replaced, and what follows stays.

    Args:
        checkpoint: A folder in the hub's layout or an id of the hub, with a masked-language-model head.
        threshold: From 0 to 1.
        top_k: How many words to choose from.

    Raises:
        ModelError: if the checkpoint is missing or damaged, or has no such head or no mask token.
        RecipeError: for a value that is not allowed.
        MissingExtra: without the extra `neural`.
    """

    def __init__(self, checkpoint: str | Path, threshold: float = 0.4, top_k: int = 15) -> None:
        if not 0 <= threshold <= 1 or top_k < 1:
            raise RecipeError(f"threshold {threshold}: from 0 to 1; top_k {top_k}: 1 or more.")
        require("transformers", "neural")
        from gallae.pretrained.finding import resolve
        from gallae.pretrained.lengths import most_tokens
        from gallae.pretrained.loading import load_model
        from gallae.pretrained.tokenizing import load_tokenizer
        from gallae.training.devices import find_device

        folder = resolve(str(checkpoint), "")
        self.tokenizer = load_tokenizer(folder)
        if self.tokenizer.mask_token is None:
            raise ModelError(f"the tokenizer in {folder} has no mask token, so it cannot mark a gap.")
        self.threshold, self.top_k = threshold, top_k
        network = load_model(folder, "AutoModelForMaskedLM", complete=True)
        self.most = most_tokens(network.config, self.tokenizer)
        self.device = find_device("auto")
        self.network = network.to(self.device)
        self.surfaces = _surfaces(self.tokenizer)
        if not self.surfaces:
            raise ModelError(f"the tokenizer in {folder} has no pieces that begin a word.")

    def places(self, texts: Sequence[str]) -> Iterator[list[Place]]:
        """Yield the pieces that begin a word, each with what the model would put there."""
        given = self.tokenizer(
            list(texts), return_offsets_mapping=True, truncation=True, max_length=self.most, verbose=False
        )
        begun = [_beginnings(*row) for row in zip(texts, given["offset_mapping"], strict=True)]
        asked = [(ids, at) for ids, row in zip(given["input_ids"], begun, strict=True) for at, _, _ in row]
        answers = iter(self._answers(asked))
        for text, row in zip(texts, begun, strict=True):
            found = []
            for _, start, end in row:
                words = [word for word in next(answers) if word != text[start:end]]
                found.append(Place(start, end, words=tuple(words[: self.top_k])))
            yield found

    def draw(self, text: str, places: Sequence[Place], rng: np.random.Generator) -> str:
        """Return an altered copy of a text."""
        chosen = rng.random(len(places)) < self.threshold
        picks = rng.random(len(places))
        changes = [
            (place, place.words[int(pick * len(place.words))])
            for place, take, pick in zip(places, chosen, picks, strict=True)
            if take and place.words
        ]
        return _replaced(text, changes)

    def _answers(self, asked: Sequence[tuple[list[int], int]]) -> list[list[str]]:
        """Return the likeliest words for the place of each sequence, one more than wanted."""
        import torch

        ids = np.array(list(self.surfaces))
        names = list(self.surfaces.values())
        order = np.argsort([len(sequence) for sequence, _ in asked], kind="stable")
        found: list[list[str]] = [[] for _ in asked]
        for start in range(0, len(order), _SEQUENCES):
            rows = order[start : start + _SEQUENCES]
            batch = self.tokenizer.pad(
                {"input_ids": [self._masked(*asked[row]) for row in rows]}, return_tensors="pt"
            ).to(self.device)
            at = torch.tensor([asked[row][1] for row in rows], device=self.device)
            with torch.inference_mode():
                logits = self.network(**batch).logits[torch.arange(len(rows), device=self.device), at]
            best = logits[:, torch.from_numpy(ids).to(self.device)]
            best = best.topk(min(self.top_k + 1, len(ids))).indices.cpu().tolist()
            for row, places in zip(rows, best, strict=True):
                found[row] = [names[place] for place in places]
        return found

    def _masked(self, ids: list[int], at: int) -> list[int]:
        return [*ids[:at], self.tokenizer.mask_token_id, *ids[at + 1 :]]


def _surfaces(tokenizer: Any) -> dict[int, str]:
    """Return the pieces that begin a word, as text, by id."""
    vocabulary = tokenizer.get_vocab()
    special = set(tokenizer.all_special_ids)
    markers = Counter(piece[0] for piece in vocabulary if piece[:1] in ("▁", "Ġ"))
    marker = max(markers, key=lambda sign: markers[sign]) if markers.total() > len(vocabulary) // 20 else ""
    found = {}
    for piece, number in sorted(vocabulary.items(), key=lambda item: item[1]):
        if number in special or piece.startswith("##") or not piece.startswith(marker):
            continue
        surface = tokenizer.decode([number]).strip()
        if any(sign.isalnum() for sign in surface) and "\ufffd" not in surface:
            found[number] = surface
    return found


def _beginnings(text: str, offsets: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return the pieces that begin a word: their place among the pieces, and their characters."""
    found = []
    for at, (start, end) in enumerate(offsets):
        while start < end and text[start].isspace():
            start += 1
        if start < end and (start == 0 or text[start - 1].isspace()) and text[start].isalnum():
            found.append((at, start, end))
    return found
