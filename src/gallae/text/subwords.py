"""Training sub-word vocabularies on a corpus: the project's one place for it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from gallae.errors import TextError
from gallae.text.morpheme_pieces import WeightedCounts, morpheme_scores
from gallae.text.tables import nearest
from gallae.text.vocabulary import SPACE, SPECIAL, UNK

if TYPE_CHECKING:
    from tokenizers import Tokenizer

KINDS = ("bpe", "byte_bpe", "wordpiece", "unigram", "morpheme")
UNITS = {"morpheme_piece" if kind == "morpheme" else kind: kind for kind in KINDS}
"""The units of networks that are trained, and their kinds: the unit "morpheme" is what Kiwi says itself."""
CONTINUED = "##"
"""What stands before the further pieces of a word (wordpiece)."""
_BATCH = 1000  # characters of repeated words that are handed over at once, at least


def train_subwords(
    kind: str, texts: Iterable[str] | Iterable[tuple[str, float]], size: int, min_count: float = 2
) -> Tokenizer:
    """Learn which pieces words are made of.

    Words are split at white space, and punctuation stands alone. Pieces of "bpe" (Sennrich et al., 2016)
    and "unigram" (Kudo, 2018) know the beginning of a word by "▁", those of "wordpiece" (Schuster and
    Nakajima, 2012) its rest by "##", and those of "byte_bpe" (Radford et al., 2019) are of UTF-8 bytes, so
    that no character is unknown. To the others a character found less than `min_count` times is [UNK].
    "morpheme" is a unigram model whose pieces are what Kiwi cuts the texts into, punctuation as well; it
    needs Kiwi to be trained, not to be used (see `gallae.text.morpheme_pieces`).
    The same texts, in whatever order, give the same tokenizer.

    Args:
        kind: One of `KINDS`.
        texts: Texts, or pairs of a text and how often it counts. Read once; only the distinct words are kept.
        size: Most tokens, the special ones among them; small corpora may give fewer.
        min_count: Leave out characters, pairs to be joined, and morphemes that are found less often.

    Returns:
        A `tokenizers.Tokenizer` whose first ids are `gallae.text.vocabulary.SPECIAL`. They are never found
        in a text, even where it spells them; nothing is added around a text.

    Raises:
        TextError: for another kind, texts without a word, and a `size` that has no room for the characters.
    """
    if kind not in KINDS:
        raise TextError(f"there is no kind of sub-words {kind!r}. {nearest(str(kind), KINDS)}")
    if min_count < 1:
        raise TextError(f"min_count is {min_count:g}; it must be 1 or more.")
    import tokenizers

    weighted = ((text, 1.0) if isinstance(text, str) else text for text in texts)
    if kind == "morpheme":
        return _of_morphemes(tokenizers, morpheme_scores(weighted, size - len(SPECIAL), min_count))
    words = _words(weighted, 1 if kind == "byte_bpe" else min_count)
    tokenizer = _untrained(tokenizers, kind)
    alphabet = _alphabet(kind, words, tokenizer)
    least = len(SPECIAL) + len(alphabet) + 1  # with no piece beside the characters, unigram oversteps it
    if size < least:
        raise TextError(
            f"a vocabulary of {size:,} tokens has no room for the texts' {len(alphabet):,} characters: set "
            f"its size to {least:,} at least, or leave rare characters out by a larger min_count."
        )
    trainer = _trainer(tokenizers, kind, size, min_count, alphabet)
    tokenizer.train_from_iterator(_repeated(words), trainer)
    return _settled(tokenizers, tokenizer)


def _of_morphemes(tokenizers: Any, scores: list[tuple[str, float]]) -> Tokenizer:
    tokenizer = _untrained(tokenizers, "morpheme")
    special = [(token, 0.0) for token in SPECIAL]
    tokenizer.model = tokenizers.models.Unigram([*special, *scores], unk_id=UNK)
    return tokenizer


def _words(texts: Iterable[tuple[str, float]], min_count: float) -> list[tuple[str, int]]:
    """Return the distinct words, sorted, with their counts, cut where a rare character stands."""
    weighted = WeightedCounts()
    for text, weight in texts:
        weighted.update(text.split(), weight)
    counts = {word: max(1, round(count)) for word, count in weighted.total().items()}
    characters: Counter[str] = Counter()
    for word, count in counts.items():
        for character in word:
            characters[character] += count
    cut = {ord(character): " " for character, count in characters.items() if count < min_count}
    cut |= dict.fromkeys(range(0xD800, 0xE000), " ")  # half surrogate pairs, which are no characters
    pieces: Counter[str] = Counter()
    for word, count in counts.items():
        for piece in word.translate(cut).split():
            pieces[piece] += count
    if not pieces:
        raise TextError(
            "the texts hold no word that a vocabulary could be made of. Look whether the text steps or the "
            f"tags leave anything, and whether characters come {min_count:g} times (min_count)."
        )
    return sorted(pieces.items())


def _repeated(words: list[tuple[str, int]]) -> Iterator[str]:
    """Yield every word as often as it was found."""
    for word, count in words:
        most = 1 + _BATCH // (len(word) + 1)
        for start in range(0, count, most):
            yield " ".join([word] * min(most, count - start))


def _untrained(tokenizers: Any, kind: str) -> Tokenizer:
    split, models = tokenizers.pre_tokenizers, tokenizers.models
    unknown = SPECIAL[UNK]
    model: Any
    if kind == "byte_bpe":
        model = models.BPE()
        parts, decoder = [split.ByteLevel(add_prefix_space=True)], tokenizers.decoders.ByteLevel()
    elif kind == "wordpiece":
        model = models.WordPiece(unk_token=unknown, continuing_subword_prefix=CONTINUED)
        parts, decoder = [split.Punctuation()], tokenizers.decoders.WordPiece(prefix=CONTINUED)
    else:
        model = models.BPE(unk_token=unknown, fuse_unk=True) if kind == "bpe" else models.Unigram()
        parts = [split.Metaspace(SPACE, prepend_scheme="always")]
        parts += [] if kind == "morpheme" else [split.Punctuation()]
        decoder = tokenizers.decoders.Metaspace(SPACE, prepend_scheme="always")
    tokenizer = tokenizers.Tokenizer(model)
    # A text that spells a special token would be read as one: "[PAD]" becomes "[ PAD]".
    spelt = "|".join(token.strip("[]") for token in SPECIAL)
    tokenizer.normalizer = tokenizers.normalizers.Replace(tokenizers.Regex(rf"\[(?=(?:{spelt})\])"), "[ ")
    tokenizer.pre_tokenizer = split.Sequence([split.WhitespaceSplit(), *parts])
    tokenizer.decoder = decoder
    return tokenizer


def _alphabet(kind: str, words: list[tuple[str, int]], tokenizer: Tokenizer) -> list[str]:
    """Return the shortest pieces, sorted: with them every word can be spelt."""
    if kind == "byte_bpe":
        return [f"byte {number}" for number in range(256)]
    found: set[str] = set()
    for word, _count in words:
        for piece, _span in tokenizer.pre_tokenizer.pre_tokenize_str(word):
            found.update(piece)
    if kind == "wordpiece":  # else a word with a character in a new place would be [UNK] as a whole
        found |= {CONTINUED + character for character in found}
    return sorted(found)


def _trainer(tokenizers: Any, kind: str, size: int, min_count: float, alphabet: list[str]) -> Any:
    trainers = tokenizers.trainers
    common = {"vocab_size": size, "special_tokens": list(SPECIAL), "show_progress": False}
    if kind == "unigram":
        return trainers.UnigramTrainer(unk_token=SPECIAL[UNK], **common)
    if kind == "wordpiece":
        # Named here, as their numbers would otherwise change from run to run.
        common["special_tokens"] = [*SPECIAL, *alphabet]
        return trainers.WordPieceTrainer(
            min_frequency=math.ceil(min_count), continuing_subword_prefix=CONTINUED, **common
        )
    letters = tokenizers.pre_tokenizers.ByteLevel.alphabet() if kind == "byte_bpe" else []
    return trainers.BpeTrainer(min_frequency=math.ceil(min_count), initial_alphabet=letters, **common)


def _settled(tokenizers: Any, tokenizer: Tokenizer) -> Tokenizer:
    """Return the tokenizer the same from run to run, and finding no special token in a text."""
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = []
    if content["model"]["type"] == "Unigram":
        special, pieces = content["model"]["vocab"][: len(SPECIAL)], content["model"]["vocab"][len(SPECIAL) :]
        content["model"]["vocab"] = [*special, *_settled_scores(pieces)]
    return tokenizers.Tokenizer.from_str(json.dumps(content))


def _settled_scores(pieces: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return pieces with log-probabilities that are a function of the corpus, the best first.

    The trainer sums in any order, which shows in the tenth digit. The characters that it dropped and takes
    back get, in any order too, the lowest score plus 0, 1, 2, ... times 0.0001: here each has the lowest.
    """
    lowest = min(score for _piece, score in pieces)
    singles = {round(score - lowest, 6): piece for piece, score in pieces if len(piece) == 1}
    dropped: set[str] = set()
    while (piece := singles.get(round(len(dropped) * 0.0001, 6))) is not None:
        dropped.add(piece)
    scores = {piece: round(lowest if piece in dropped else score, 4) for piece, score in pieces}
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
