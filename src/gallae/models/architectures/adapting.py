"""How a pretrained encoder learns: depths of its weights, freezing, fresh top layers, LoRA, checkpointing.

Every function takes any model of transformers with a stack of layers: a bare one (`AutoModel`), one with a
head, or a network of ours that holds the encoder as `backbone`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from gallae.errors import RecipeError, require


def backbone_of(network: Any) -> Any:
    """Return the encoder within a network, without its head."""
    return getattr(network, "backbone", None) or network.base_model


def depths(network: Any) -> dict[str, int]:
    """Return how deep every weight lies, by its name in `network.named_parameters()`.

    Args:
        network: With an encoder of n layers; layers that share their weights (ALBERT) count once.

    Returns:
        0 for embeddings (and what projects them, and relative positions), 1 to n for the layers from the
        bottom, n + 1 for the rest: final norm, pooler, head.

    Raises:
        RecipeError: if no stack of layers is found.
    """
    backbone = backbone_of(network)
    start = _path(network, backbone)
    place, stack = _stack(backbone)
    beside = place.rpartition(".")[0]
    found = {}
    for name, _ in network.named_parameters():
        inside = name.removeprefix(start) if name.startswith(start) else None
        found[name] = len(stack) + 1 if inside is None else _depth(inside, place, beside, len(stack))
    return found


def _depth(name: str, place: str, beside: str, n_layers: int) -> int:
    """Return the depth of a weight of the encoder, whose layers are at `place`, a module of `beside`."""
    if name.startswith(f"{place}."):
        return int(name.removeprefix(f"{place}.").partition(".")[0]) + 1
    if "emb" in name or (beside and name.startswith(f"{beside}.LayerNorm.")):
        return 0  # DeBERTa has a norm of relative positions beside its layers,
    if beside and name.startswith(f"{beside}.conv."):
        return 1  # and a convolution that is part of the first
    return n_layers + 1


def _path(network: nn.Module, part: nn.Module) -> str:
    """Return what the names of a part's weights begin with."""
    name = next(name for name, module in network.named_modules() if module is part)
    return f"{name}." if name else ""


def _stack(backbone: Any) -> tuple[str, nn.ModuleList]:
    """Return name and list of the encoder's layers.

    Raises:
        RecipeError: if there is none.
    """
    config = backbone.config
    sizes = {getattr(config, "num_hidden_layers", None), getattr(config, "num_hidden_groups", None)}
    for name, module in backbone.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) in sizes:
            return name, module
    raise RecipeError(
        f"a checkpoint of the type {config.model_type!r} has no stack of {config.num_hidden_layers} layers "
        "that can be told apart, so layers cannot be frozen, decayed, unfrozen or drawn anew. Leave those "
        "options at their defaults, or take an encoder such as BERT, RoBERTa, ELECTRA or DeBERTa."
    )


def freeze(network: Any, what: str = "none", layers: int = 0) -> None:
    """Keep weights from learning.

    Args:
        network: Changed in place.
        what: "none"; "embeddings"; "encoder": all but head and pooler.
        layers: The embeddings and so many layers from the bottom, whatever `what` says.

    Raises:
        ValueError: for another `what`.
        RecipeError: if there are not so many layers of their own weights.
    """
    if what not in ("none", "embeddings", "encoder"):
        raise ValueError(f"freeze {what!r}: there are none, embeddings, encoder")
    if what == "none" and not layers:
        return
    backbone = backbone_of(network)
    if what == "encoder":
        for name, weight in backbone.named_parameters():
            weight.requires_grad_(name.startswith("pooler."))
        return
    _check_count(backbone, layers, "frozen")
    for name, depth in depths(network).items():
        if depth <= layers:
            network.get_parameter(name).requires_grad_(False)


def _check_count(backbone: Any, layers: int, done: str) -> None:
    """Refuse more layers than there are.

    Raises:
        RecipeError: naming how many there are.
    """
    count = len(_stack(backbone)[1])
    if layers > count:
        shared = " of their own weights" if count < backbone.config.num_hidden_layers else ""
        raise RecipeError(f"{layers} layers are to be {done}, and the checkpoint has {count}{shared}.")


def reinitialise(network: Any, layers: int) -> None:
    """Draw the top layers' weights anew, and the pooler's, as for a model without pretraining.

    Zhang et al., "Revisiting Few-sample BERT Fine-tuning" (2021): the top layers know most of the task of
    the pretraining. The numbers come from torch's global generator.

    Args:
        network: Changed in place.
        layers: How many; 0 leaves all as they are.

    Raises:
        RecipeError: if there are not so many layers of their own weights.
    """
    if not layers:
        return
    backbone = backbone_of(network)
    _check_count(backbone, layers, "drawn anew")
    pooler = getattr(backbone, "pooler", None)
    stack = list(_stack(backbone)[1])
    for part in [*stack[len(stack) - layers :], *([pooler] if isinstance(pooler, nn.Module) else [])]:
        for thing in (*part.modules(), *part.parameters(), *part.buffers()):
            thing._is_hf_initialized = False  # or transformers leaves alone what it has loaded
        part.apply(backbone._init_weights)


def add_lora(
    network: Any, rank: int = 8, alpha: float = 16.0, dropout: float = 0.0, targets: Sequence[str] = ()
) -> Any:
    """Put low-rank adapters beside linear layers; the encoder's own weights learn no more.

    Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models" (2021), through peft (extra `neural`).
    The adapters' first weights come from torch's global generator, and change no output.

    Args:
        network: Changed in place; head and pooler go on learning.
        rank: Width of the adapters.
        alpha: Adapters are scaled by alpha / rank.
        dropout: Share of an adapter's inputs dropped in training.
        targets: Last parts of the names of the linear layers that get one, such as "query"; none: all in
            the encoder's layers, of attention and feed-forward.

    Returns:
        The network.

    Raises:
        RecipeError: if there is no such linear layer.
        MissingExtra: without peft.
    """
    peft: Any = require("peft", "neural")
    wanted = _linear_layers(network, targets)
    learning = [weight for weight in _head(network) if weight.requires_grad]
    options = peft.LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=wanted)
    peft.inject_adapter_in_model(options, network)
    for weight in learning:
        weight.requires_grad_(True)
    return network


def _head(network: Any) -> list[nn.Parameter]:
    """Return the weights of head and pooler."""
    backbone = backbone_of(network)
    encoder = {id(weight) for name, weight in backbone.named_parameters() if not name.startswith("pooler.")}
    return [weight for weight in network.parameters() if id(weight) not in encoder]


def _linear_layers(network: Any, targets: Sequence[str]) -> list[str]:
    """Return the full names of the linear layers to adapt."""
    backbone = backbone_of(network)
    place, stack = _stack(backbone)
    start = f"{_path(network, backbone)}{place}."
    every = [start + name for name, module in stack.named_modules() if isinstance(module, nn.Linear)]
    known = {name.rpartition(".")[2] for name in every}
    for target in targets:
        if target not in known:
            raise RecipeError(
                f"LoRA target {target!r}: the encoder's layers have no linear layer of this name. There are "
                f"{', '.join(sorted(known))}; without targets all of them get an adapter."
            )
    return [name for name in every if not targets or name.rpartition(".")[2] in targets]


def merge_lora(network: Any) -> Any:
    """Add the adapters to the weights beside them, and take them away.

    Args:
        network: Of `add_lora`, changed in place; one without adapters stays as it is.

    Returns:
        The network, with the names of weights it had before; all of its weights can learn.
    """
    layers = {name: module for name, module in network.named_modules() if hasattr(module, "lora_A")}
    for name, layer in layers.items():
        layer.merge()
        parent, _, last = name.rpartition(".")
        setattr(network.get_submodule(parent), last, layer.get_base_layer())
    if layers:
        del network.peft_config  # or a pickled network would need peft
        network.requires_grad_(True)
    return network


def gradient_checkpointing(network: Any, on: bool) -> None:
    """Compute the layers' states again in the backward pass, or keep them: a third more time, less memory.

    Chen et al., "Training Deep Nets with Sublinear Memory Cost" (2016). Outside training it changes nothing.

    Args:
        network: Changed in place.
        on: Whether to compute them again.

    Raises:
        RecipeError: if the architecture has no way of doing so.
    """
    backbone = backbone_of(network)
    if not on:
        backbone.activation_checkpointing_disable()
        return
    if not backbone.supports_gradient_checkpointing:
        raise RecipeError(
            f"gradient checkpointing: checkpoints of the type {backbone.config.model_type!r} do not have it. "
            "Save memory by a smaller training.batch_size and a larger training.accumulation."
        )
    backbone.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    backbone.disable_input_require_grads()  # frozen embeddings need none: this way is not the reentrant one
