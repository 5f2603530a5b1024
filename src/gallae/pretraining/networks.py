"""The networks of a pretraining: random weights by the recipe, or a checkpoint's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gallae.errors import ModelError, RecipeError
from gallae.pretrained.finding import resolve
from gallae.pretrained.lengths import after_padding, most_tokens
from gallae.pretrained.loading import DROPOUTS, load_model, quiet
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.pretraining.layers import every_layer
from gallae.pretraining.options import NetworkOptions, PretrainingRecipe
from gallae.pretraining.vocabularies import same_vocabulary, with_vocabulary
from gallae.recipes.loading import nearest
from gallae.training.devices import find_device

_STATES = 128
_FEED_FORWARD = ("intermediate_size", "hidden_dim", "n_inner")


def make_network(
    recipe: PretrainingRecipe, tokenizer: Any, auto_class: str = "AutoModel", **fields: Any
) -> Any:
    """Return the network of a recipe, a `transformers.PreTrainedModel` as float32 on the CPU.

    Random weights come from torch's global generator.

    Args:
        recipe: The whole recipe.
        tokenizer: That it is to read.
        auto_class: Name of the class in transformers that chooses the head.
        fields: Of the configuration; they replace the recipe's.

    Raises:
        RecipeError: for an architecture, sizes or a head that transformers does not know, or rows longer than
            it can read.
        ModelError: if the checkpoint is missing or damaged, or the tokenizer does not fit it.
    """
    options = recipe.network
    if options.begins_with:
        network = _of_checkpoint(recipe, tokenizer, auto_class, fields)
    else:
        network = from_config(make_config(options, tokenizer, **fields), auto_class)
    _check_length(recipe, network.config)
    _check_vocabulary(network, tokenizer)
    if find_device(recipe.training.device).type == "cpu":
        network.set_attn_implementation("eager")  # for short rows a fifth faster there than torch's own
    if options.vectors and not options.begins_with:
        from gallae.pretraining.warm_start import use_kiwi_vectors

        use_kiwi_vectors(network, tokenizer)
    return network


def _of_checkpoint(recipe: PretrainingRecipe, tokenizer: Any, auto_class: str, fields: dict[str, Any]) -> Any:
    """Return a checkpoint's network, or every k-th layer of it, with embeddings of the tokenizer's pieces."""
    options = recipe.network
    folder = resolve(options.begins_with)
    network = load_model(folder, auto_class, **fields)
    own = load_tokenizer(folder) if recipe.tokenizer else tokenizer
    if not same_vocabulary(own, tokenizer):
        if not options.new_vocabulary:
            raise ModelError(
                f"the tokenizer {recipe.tokenizer} ({len(tokenizer):,} tokens) is not that of the checkpoint "
                f"{options.begins_with} ({len(own):,}), whose ids mean other tokens. Leave --tokenizer away "
                "to take the checkpoint's own, or --set network.new_vocabulary=true: then tokens that both "
                "know keep their vectors."
            )
        network = with_vocabulary(network, own, tokenizer, recipe.seed)
    return network if options.checkpoint else every_layer(network, options.layers, options.every)


def find_tokenizer(recipe: PretrainingRecipe) -> Any:
    """Return the recipe's tokenizer, or its checkpoint's.

    Raises:
        RecipeError: if it names neither.
        ModelError: if it is missing or damaged.
    """
    if recipe.tokenizer:
        folder = Path(recipe.tokenizer).expanduser()
        if not folder.is_dir():
            raise ModelError(
                f"there is no tokenizer folder {recipe.tokenizer!r}. Make one by: gallae tokenizer train"
            )
        inner = folder / "model"
        return load_tokenizer(inner if inner.is_dir() else folder)
    source = recipe.network.checkpoint or recipe.network.teacher
    if not source:
        raise RecipeError(
            "no tokenizer is given. Give one by --tokenizer FOLDER (make it by: gallae tokenizer train), or "
            "a --checkpoint that has one."
        )
    return load_tokenizer(resolve(source))


def make_config(options: NetworkOptions, tokenizer: Any, **fields: Any) -> Any:
    """Return the configuration of a network of random weights.

    Args:
        options: The recipe's [network] table.
        tokenizer: It gives the vocabulary's size and the special ids.
        fields: They replace the recipe's.

    Raises:
        RecipeError: for an architecture or a configuration that transformers does not know.
    """
    from transformers import AutoConfig

    try:
        default = AutoConfig.for_model(options.model_type)
        _check_fields(options, default)
        known = {name: value for name, value in _sizes(options, default).items() if hasattr(default, name)}
        ids = {
            f"{role}_token_id": getattr(tokenizer, f"{role}_token_id")
            for role in ("pad", "bos", "eos", "cls", "sep")
        }
        ids = {name: value for name, value in ids.items() if value is not None or name[:3] in ("bos", "eos")}
        values = {"vocab_size": len(tokenizer), **ids, **known, **options.config, **fields}
        made = AutoConfig.for_model(options.model_type, **values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _cannot_make(options.model_type, error) from error
    if after_padding(made) and not {"max_position_embeddings"} & {*options.config, *fields}:
        made.max_position_embeddings += int(made.pad_token_id or 0) + 1
    return made


def _check_fields(options: NetworkOptions, default: Any) -> None:
    """Refuse fields that the architecture does not have: transformers would keep them, and look at none."""
    for name in options.config:
        if not hasattr(default, name):
            near = nearest(name, list(default.to_dict()))
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise RecipeError(
                f"network.config: the configuration of a {options.model_type} has no field {name!r}.{hint}"
            )


def _sizes(options: NetworkOptions, default: Any) -> dict[str, Any]:
    """Return the recipe's sizes by the names that the architecture has for them."""
    sizes: dict[str, Any] = {
        "hidden_size": options.hidden,
        "num_hidden_layers": options.layers,
        "num_attention_heads": options.heads,
        "max_position_embeddings": options.positions,
        "embedding_size": options.embedding or options.hidden,
    }
    renamed = {default.attribute_map.get(name, name): value for name, value in sizes.items()}
    feed_forward = options.feed_forward or 4 * options.hidden
    return {
        **renamed,
        **dict.fromkeys(_FEED_FORWARD, feed_forward),
        **dict.fromkeys(DROPOUTS, options.dropout),
    }


def from_config(config: Any, auto_class: str = "AutoModel") -> Any:
    """Return a network of random weights, from torch's global generator.

    Raises:
        RecipeError: if transformers cannot make it.
    """
    import transformers

    try:
        with quiet():
            return getattr(transformers, auto_class).from_config(config)
    except (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError) as error:
        raise _cannot_make(config.model_type, error) from error


def _cannot_make(model_type: str, error: Exception) -> RecipeError:
    reason = (str(error).strip() or repr(error)).splitlines()[0].split(" Should contain")[0][:300]
    return RecipeError(
        f"transformers cannot make a {model_type} of network: {reason.rstrip('.')}. Take another "
        "network.model_type, such as bert, or other sizes (network.hidden is a multiple of network.heads)."
    )


def _check_length(recipe: PretrainingRecipe, config: Any) -> None:
    most = most_tokens(config)
    if recipe.corpus.max_length > most:
        raise RecipeError(
            f"corpus.max_length = {recipe.corpus.max_length}, but this network reads {most} tokens at most. "
            "Set corpus.max_length lower, or (without a checkpoint) network.positions higher."
        )


def _check_vocabulary(network: Any, tokenizer: Any) -> None:
    embedded = network.get_input_embeddings().num_embeddings
    if embedded < len(tokenizer):
        raise ModelError(
            f"the tokenizer has {len(tokenizer):,} tokens, and the network embeds {embedded:,} (vocab_size). "
            "Leave vocab_size out of network.config, or take the tokenizer and the weights of the same "
            "checkpoint."
        )


def position_head(network: Any) -> Callable[[Tensor], Tensor]:
    """Return what turns hidden states of a language model into logits, position by position.

    Computed at the masked positions alone, it costs a seventh. States are filled up to a multiple of 128, as
    a processor's library compiles a kernel for every shape that it meets.

    Args:
        network: Of a class AutoModelFor...LM.

    Raises:
        RecipeError: if its head is made another way.
    """
    base = network.base_model
    parts = [
        part
        for part in network.children()
        if part is not base
        and not isinstance(part, nn.modules.loss._Loss)
        and any(True for _ in part.parameters())
    ]
    head = nn.Sequential(*parts)
    if network.config.model_type == "distilbert":
        head = nn.Sequential(
            *(network.vocab_transform, network.activation, network.vocab_layer_norm, network.vocab_projector)
        )
    ids = torch.zeros((1, 2), dtype=torch.long) + (network.config.pad_token_id or 0) + 1
    mode = network.training
    with torch.no_grad():
        network.eval()
        same = torch.allclose(network(ids).logits, head(base(ids)[0]), atol=1e-5)
        network.train(mode)
    if not same:
        raise RecipeError(
            f"the head of a {network.config.model_type} is not known to this objective. Take another "
            "network.model_type, such as bert or electra."
        )

    def steady(states: Tensor) -> Tensor:
        count = len(states)
        return cast(Tensor, head(functional.pad(states, (0, 0, 0, -count % _STATES)))[:count])

    return steady
