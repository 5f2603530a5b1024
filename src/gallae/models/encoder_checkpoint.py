"""What a checkpoint is, and whether it can do what a recipe asks, before anything else is done."""

from __future__ import annotations

import inspect
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from gallae.errors import ModelError, RecipeError
from gallae.models.architectures.encoder import EncoderConfig, check_backbone
from gallae.models.architectures.encoder_options import EncoderOptions
from gallae.models.encoded import CheckpointInputs, Layout, Reading
from gallae.pretrained.finding import resolve
from gallae.pretrained.lengths import most_tokens
from gallae.pretrained.loading import DROPOUTS, load_config, load_model, quiet
from gallae.pretrained.tokenizing import load_tokenizer, save_tokenizer

log = logging.getLogger(__name__)
_CHOOSE = "Choose an encoder, such as one of BERT, RoBERTa, ELECTRA or DeBERTa."
_EXTRA_INPUTS = ("token_type_ids", "global_attention_mask")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that can do what a recipe asks.

    Attributes:
        folder: Where it is.
        config: Its encoder's configuration, a `transformers.PreTrainedConfig`.
        fields: Of the configuration, that the recipe replaces.
        tokenizer: Its tokenizer.
        layout: How it wants its rows.
        own: Whether it is an `EncoderNetwork` that was saved, whose encoder learns on.
    """

    folder: Path
    config: Any
    fields: dict[str, Any]
    tokenizer: Any
    layout: Layout
    own: bool = False

    def load(self) -> Any:
        """Return the encoder with its weights."""
        if str((self.config.architectures or [""])[0]).endswith("ForSequenceClassification"):
            log.warning(
                "%s is a classifier already: its own head is left out, a new one is learnt", self.folder
            )
        if self.own:
            table = self.config.to_dict()
            return load_model(self.folder, "AutoModelForSequenceClassification", backbone=table).backbone
        return load_model(self.folder, **self.fields)

    def inputs(self, options: EncoderOptions) -> CheckpointInputs:
        """Return what turns clean texts into rows."""
        # Positions count from the left; whoever reads the saved folder is to pad as we do.
        self.tokenizer.padding_side = "right"
        reading = Reading(
            options.max_length, options.truncation, options.windows, options.stride, options.window_pooling
        )
        files = save_tokenizer(self.tokenizer)
        return CheckpointInputs(self.tokenizer.backend_tokenizer, self.layout, reading, files)


def open_checkpoint(options: EncoderOptions) -> Checkpoint:
    """Find a recipe's checkpoint, and make sure that it can do what the recipe asks.

    Raises:
        RecipeError: if none is named, or it cannot.
        ModelError: if it is not there or damaged.
    """
    if not options.checkpoint:
        raise RecipeError(
            "the recipe names no checkpoint: set one of the hub, such as --set "
            "model.checkpoint=klue/roberta-base, or a folder with config.json, weights and tokenizer."
        )
    folder = resolve(options.checkpoint, options.revision)
    config = load_config(folder)
    own = config.model_type == EncoderConfig.model_type
    if own:
        config = AutoConfig.for_model(**config.backbone)
    _check_kind(config, options)
    fields = _fields(config, options)
    skeleton = _skeleton(config, options)
    check_backbone(skeleton, options.pooling, options.last_layers)
    tokenizer = load_tokenizer(folder)
    _check_vocabulary(skeleton, tokenizer, options)
    limit = most_tokens(config, tokenizer)
    if options.max_length > limit:
        raise RecipeError(
            f"model.max_length is {options.max_length}, and {options.checkpoint} reads {limit} tokens at "
            f"most. Set model.max_length={limit}; longer texts can be read with model.windows=true."
        )
    layout = _layout(skeleton, tokenizer, options, limit)
    return Checkpoint(folder, config, fields, tokenizer, layout, own)


def _check_kind(config: Any, options: EncoderOptions) -> None:
    kind = config.model_type
    if not (hasattr(config, "hidden_size") and hasattr(config, "num_hidden_layers")):
        raise RecipeError(f"{options.checkpoint} ({kind}) is no encoder of texts. {_CHOOSE}")
    if config.is_encoder_decoder:
        raise RecipeError(
            f"{options.checkpoint} is an encoder with a decoder ({kind}), which is no classifier here. "
            f"{_CHOOSE}"
        )
    one_way = kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if one_way and options.pooling in ("cls", "pooler"):
        raise RecipeError(
            f"{options.checkpoint} reads from left to right ({kind}), so its first token knows nothing of "
            f"the text: set model.pooling to 'mean' or 'attention' instead of {options.pooling!r}."
        )
    for name, owner in (("attention_window", "longformer"), ("block_size", "big_bird")):
        if getattr(options, name) and kind != owner:
            raise RecipeError(
                f"model.{name} is for a {owner}, and {options.checkpoint} is a {kind}: leave it 0."
            )


def _fields(config: Any, options: EncoderOptions) -> dict[str, Any]:
    """Return the fields of the configuration that the recipe replaces."""
    fields: dict[str, Any] = {"use_cache": False} if getattr(config, "use_cache", False) else {}
    if options.encoder_dropout != "own":
        fields |= {name: options.encoder_dropout for name in DROPOUTS if hasattr(config, name)}
    if options.attention_window:
        fields["attention_window"] = options.attention_window
    if config.model_type == "big_bird":
        block = options.block_size or config.block_size
        # Below that BigBird's own code changes to full attention for good, at the first short batch.
        sparse = options.max_length > (5 + 2 * config.num_random_blocks) * block
        sparse = sparse and config.attention_type == "block_sparse"
        fields |= {"block_size": block, "attention_type": "block_sparse" if sparse else "original_full"}
    for name, value in fields.items():
        setattr(config, name, value)
    return fields


def _skeleton(config: Any, options: EncoderOptions) -> Any:
    """Return the encoder without weights."""
    try:
        with quiet(), torch.device("meta"):
            return AutoModel.from_config(config)
    except ValueError as error:
        raise RecipeError(
            f"{options.checkpoint} is a {config.model_type}, which transformers does not know as an encoder."
        ) from error


def _check_vocabulary(skeleton: Any, tokenizer: Any, options: EncoderOptions) -> None:
    known, embedded = tokenizer.vocab_size, skeleton.get_input_embeddings().num_embeddings
    if known > embedded:
        raise ModelError(
            f"{options.checkpoint}: its tokenizer has {known} tokens, and its network embeds {embedded}. The "
            "folder mixes two checkpoints: copy tokenizer and weights from the same one."
        )


def _layout(skeleton: Any, tokenizer: Any, options: EncoderOptions, limit: int) -> Layout:
    taken = inspect.signature(skeleton.forward).parameters
    names = {"global_attention_mask", *tokenizer.model_input_names}
    prefix, suffix = _frame(tokenizer)
    pad = tokenizer.pad_token_id
    return Layout(
        prefix=prefix,
        suffix=suffix,
        pad_id=pad if pad is not None else (skeleton.config.pad_token_id or 0),
        unk_id=tokenizer.unk_token_id,
        extra=tuple(name for name in _EXTRA_INPUTS if name in taken and name in names),
        global_attention=tuple(options.global_attention),
        multiple=_multiple(skeleton.config, options, limit),
    )


def _frame(tokenizer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the special ids that a tokenizer puts before and behind a text."""
    bare, whole = [], []
    for text in ("a", "가", "1"):
        bare = tokenizer(text, add_special_tokens=False)["input_ids"]
        whole = tokenizer(text)["input_ids"]
        if bare:
            break
    start = next(at for at in range(len(whole) + 1) if whole[at : at + len(bare)] == bare)
    return tuple(whole[:start]), tuple(whole[start + len(bare) :])


def _multiple(config: Any, options: EncoderOptions, limit: int) -> int:
    """Return what rows' lengths are multiples of, so that a text gets the same answer in every batch."""
    if config.model_type == "longformer":
        window = config.attention_window
        return int(window if isinstance(window, int) else max(window))
    if config.model_type != "big_bird" or config.attention_type == "original_full":
        return 1
    # Sparse attention looks at the batch's last block, so all rows are equally long.
    block = config.block_size
    length = -(-options.max_length // block) * block
    if length > limit:
        raise RecipeError(
            f"model.max_length = {options.max_length} fills up blocks of {block} to {length}, and "
            f"{options.checkpoint} reads {limit} tokens: set model.max_length={limit - limit % block}."
        )
    return length
