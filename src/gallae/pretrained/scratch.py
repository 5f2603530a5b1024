"""Checkpoints with random weights, and a tokenizer trained on the texts, in the hub's layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gallae.errors import RecipeError, TextError
from gallae.pretrained.loading import quiet
from gallae.text.subwords import CONTINUED, train_subwords
from gallae.text.vocabulary import CLS, MASK, PAD, SEP, SPECIAL, UNK

_GATED = ("modernbert",)  # their feed-forward layers have two matrices where others have one
NAME = "scratch"
"""What stands in the place of a checkpoint where random weights are wanted."""


class ScratchOptions(BaseModel):
    """A small Transformer encoder from random weights, and its tokenizer.

    `tokenizer` "char" has one piece a character, marked where it begins a word.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model_type: str = "bert"
    layers: int = Field(default=4, ge=1)
    hidden: int = Field(default=256, ge=1)
    heads: int = Field(default=4, ge=1)
    positions: int = Field(default=512, ge=8)
    vocabulary: int = Field(default=8000, ge=6)
    min_count: int = Field(default=2, ge=1)
    tokenizer: Literal["wordpiece", "bpe", "byte_bpe", "unigram", "morpheme", "char"] = "wordpiece"


def scratch_checkpoint(texts: Iterable[str], options: ScratchOptions, folder: Path, seed: int = 42) -> Path:
    """Write a checkpoint of these options with a tokenizer trained on texts, and return its folder."""
    return write_checkpoint(
        folder,
        texts,
        options.model_type,
        options.tokenizer,
        options.vocabulary,
        seed=seed,
        min_count=options.min_count,
        hidden_size=options.hidden,
        num_hidden_layers=options.layers,
        num_attention_heads=options.heads,
        intermediate_size=(2 if options.model_type in _GATED else 4) * options.hidden,
        max_position_embeddings=options.positions,
    )


def write_checkpoint(
    folder: Path,
    texts: Iterable[str],
    model_type: str = "bert",
    tokenizer: Any = "wordpiece",
    vocabulary: int = 8000,
    auto_class: str = "AutoModel",
    seed: int = 42,
    min_count: int = 2,
    rows: int = 0,
    **config: Any,
) -> Path:
    """Write a checkpoint of random weights: config.json, model.safetensors and the tokenizer's files.

    Args:
        folder: Where to; made if it is missing.
        texts: The tokenizer is trained on them.
        model_type: One of transformers' architectures.
        tokenizer: A kind of `ScratchOptions.tokenizer`, or a tokenizer of transformers, ready.
        vocabulary: Most tokens.
        auto_class: Name of the class in transformers that chooses the head.
        seed: Of the weights.
        min_count: Characters found less often are unknown.
        rows: Of the embedding, where that is to have more than the tokenizer needs.
        config: Fields of the configuration.

    Raises:
        RecipeError: for an architecture or a configuration that transformers does not know.
        TextError: if the texts give no vocabulary.
    """
    import transformers

    from gallae.training.seeding import isolated

    if isinstance(tokenizer, str):
        limit = config.get("max_position_embeddings", 512)
        tokenizer = _trained(texts, tokenizer, vocabulary, min_count, limit)
    try:
        made = transformers.AutoConfig.for_model(
            model_type, vocab_size=max(rows, len(tokenizer)), **{**special_ids(tokenizer), **config}
        )
        with isolated(seed), quiet():
            network = getattr(transformers, auto_class).from_config(made)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = (str(error).strip() or repr(error)).splitlines()[0].split(" Should contain")[0][:300]
        raise RecipeError(
            f"transformers cannot make a {model_type} of {config!r}: {reason.rstrip('.')}. Take another "
            "model_type, such as bert, or other sizes."
        ) from error
    with quiet():
        network.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def special_ids(tokenizer: Any) -> dict[str, int]:
    """Return what a configuration says of a tokenizer's special tokens, such as pad_token_id."""
    # Longformer and BigBird find the question's end by the last one.
    roles = ("pad", "bos", "eos", "cls", "sep")
    ids = {role: getattr(tokenizer, f"{role}_token_id") for role in roles}
    # Without one, the architecture's own number could lie outside of the vocabulary.
    kept = {role: number for role, number in ids.items() if number is not None or role in ("bos", "eos")}
    return {f"{role}_token_id": number for role, number in kept.items()}


def _trained(texts: Iterable[str], kind: str, vocabulary: int, min_count: int, limit: int) -> Any:
    made = (
        _character_pieces(texts, vocabulary, min_count)
        if kind == "char"
        else train_subwords(kind, texts, vocabulary, min_count)
    )
    return wrapped(made, model_max_length=limit)


def wrapped(tokenizer: Any, **options: Any) -> Any:
    """Return a trained tokenizer as one of transformers', which puts [CLS] and [SEP] around texts.

    Args:
        tokenizer: A `tokenizers.Tokenizer` whose first ids are `gallae.text.vocabulary.SPECIAL`.
        options: Of `PreTrainedTokenizerFast`, such as model_max_length.
    """
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(SPECIAL[CLS], CLS), (SPECIAL[SEP], SEP)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=SPECIAL[PAD],
        unk_token=SPECIAL[UNK],
        cls_token=SPECIAL[CLS],
        sep_token=SPECIAL[SEP],
        mask_token=SPECIAL[MASK],
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **options,
    )


def _character_pieces(texts: Iterable[str], vocabulary: int, min_count: int) -> Any:
    """Return a tokenizer whose pieces are single characters; "##" says that a word goes on."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    counts: Counter[str] = Counter()
    for text in texts:
        for word in text.split():
            counts[word[0]] += 1
            counts.update(CONTINUED + character for character in word[1:])
    common = sorted((piece for piece in counts if counts[piece] >= min_count), key=lambda p: (-counts[p], p))
    if not common:
        raise TextError("the texts hold no character often enough for a vocabulary (min_count).")
    # A character seen on one side only is known on the other too.
    letters = dict.fromkeys(piece.removeprefix(CONTINUED) for piece in common)
    pieces = [*SPECIAL, *common, *letters, *(CONTINUED + letter for letter in letters)]
    ids = {piece: number for number, piece in enumerate(dict.fromkeys(pieces)) if number < vocabulary}
    # Not WordPiece: there one unknown character would make its whole word unknown.
    made = Tokenizer(models.BPE(ids, [], unk_token=SPECIAL[UNK], continuing_subword_prefix=CONTINUED))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]
    )
    made.decoder = decoders.WordPiece(prefix=CONTINUED)
    return made
