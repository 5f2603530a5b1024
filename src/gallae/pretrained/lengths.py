"""How many tokens a checkpoint can read."""

from __future__ import annotations

from typing import Any

_AFTER_PADDING = (
    *("roberta", "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "xmod", "camembert"),
    *("longformer", "mpnet", "data2vec-text", "ibert", "luke", "lilt", "markuplm", "layoutlmv3", "esm"),
)
_WITHOUT_END = 100_000  # a tokenizer that knows no limit names an astronomical one


def most_tokens(config: Any, tokenizer: Any = None) -> int:
    """Return the most tokens of a text, the special ones among them.

    Args:
        config: Of the checkpoint, a `transformers.PreTrainedConfig`.
        tokenizer: Of the checkpoint; it may allow fewer.
    """
    most = int(getattr(config, "max_position_embeddings", 0) or _WITHOUT_END)
    if after_padding(config):
        most -= int(config.pad_token_id or 0) + 1
    allowed = int(min(getattr(tokenizer, "model_max_length", _WITHOUT_END), _WITHOUT_END))
    return min(most, allowed)


def after_padding(config: Any) -> bool:
    """Return whether an architecture's positions begin behind the padding's id."""
    return config.model_type in _AFTER_PADDING
