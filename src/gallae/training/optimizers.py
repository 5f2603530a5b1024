"""Optimisers over a network's weights: which weights get which one, and which decay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Muon, Optimizer, RAdam, SparseAdam
from torch.optim.optimizer import ParamsT

NAMES = ("adamw", "adam", "radam", "sgd", "lion", "muon")
_HEADS = ("classifier", "score", "lm_head")
_FUSED = ("cpu", "cuda")
Group = dict[str, Any]
Deep = tuple[Tensor, int]


class Lion(Optimizer):
    """Steps of one size in the direction of the sign of a mean of gradients.

    Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023). A learning rate three to ten times
    smaller than Adam's, and a weight decay as much larger, suit it.

    Args:
        params: Weights or groups of them.
        lr: Learning rate: the size of every weight's step.
        betas: Share of the mean in the step's direction, and share of it kept.
        weight_decay: Decoupled from the gradient.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take a step; `closure` computes the loss and its gradients anew."""
        loss = _called(closure)
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group)
        return loss

    def _move(self, weight: Tensor, group: Group) -> None:
        for_step, for_mean = group["betas"]
        mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        weight.add_(torch.lerp(weight.grad, mean, for_step).sign_(), alpha=-group["lr"])
        mean.lerp_(weight.grad, 1 - for_mean)


class Combined(Optimizer):
    """Several optimisers as one, such as a sparse one for embeddings beside AdamW.

    Its `param_groups` are the very groups of its members, so that a schedule reaches all of them.

    Args:
        members: Optimisers over weights of their own.

    Attributes:
        members: The same, in that order.
    """

    def __init__(self, members: Iterable[Optimizer]) -> None:
        self.members = list(members)
        super().__init__([group for member in self.members for group in member.param_groups], {})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take a step; `closure` computes the loss and its gradients anew."""
        loss = _called(closure)
        for member in self.members:
            member.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the members' states."""
        return {"members": [member.state_dict() for member in self.members]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        for member, state in zip(self.members, state_dict["members"], strict=True):
            member.load_state_dict(state)
        self.param_groups = [group for member in self.members for group in member.param_groups]

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"members": self.members}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.param_groups = [group for member in self.members for group in member.param_groups]


def make_optimizer(
    model: nn.Module,
    name: str,
    learning_rate: float,
    weight_decay: float,
    betas: tuple[float, float] | None = None,
    embedding_rate: float = 1.0,
    embedding_decay: bool = False,
    layer_decay: float = 1.0,
    depths: Mapping[str, int] | None = None,
) -> Optimizer:
    """Return an optimiser over the weights that learn.

    Biases and norms do not decay, nor do embeddings unless `embedding_decay`. Embeddings with sparse
    gradients (`sparse=True`) are learnt by SparseAdam, and for "sgd" by plain SGD; they never decay.

    Args:
        model: On the device where it learns.
        name: "adamw" (Loshchilov and Hutter 2019); "adam" (Kingma and Ba 2015), whose decay is part of the
            gradient; "radam" (Liu et al. 2020), "lion" (Chen et al. 2023); "sgd"; "muon" (Jordan et al.
            2024; scaled to AdamW's steps after Liu et al. 2025) for the matrices between embedding and
            classifier, with AdamW for the rest.
        learning_rate: The highest one; a schedule scales it.
        weight_decay: Share of the learning rate by which the weights shrink at a step.
        betas: How long gradients and their squares are remembered, (0.9, 0.999) if None, and (0.9, 0.99) for
            "lion". The first is the momentum of "sgd", 0 if None, and of "muon", 0.95 if None.
        embedding_rate: Multiplies the learning rate of embeddings.
        embedding_decay: Whether dense embeddings decay, as a pretrained encoder's do (Devlin et al. 2019).
        layer_decay: Every layer learns at this share of the rate of the one above it, the deepest at the
            whole rate (discriminative fine-tuning, Howard and Ruder 2018; Sun et al. 2019); 1 for one rate.
        depths: The depth of every weight, by its name in `model.named_parameters()`.

    Raises:
        ValueError: for another name, or `layer_decay` without `depths`.
    """
    if name not in NAMES:
        raise ValueError(f"optimizer {name!r}: there are {', '.join(NAMES)}")
    if layer_decay != 1.0 and not depths:
        raise ValueError(f"layer_decay {layer_decay}: it needs the depths of the weights")
    weights = _Weights(model, depths)
    rates = _Rates(learning_rate, embedding_rate, layer_decay, max((depths or {"": 0}).values()))
    chosen = {"lr": learning_rate} | ({"betas": betas} if betas else {})
    members: list[Optimizer] = []
    if name == "muon" and weights.hidden:
        members.append(_muon(rates.groups(weights.hidden, weight_decay), learning_rate, betas))
    dense = rates.groups([*([] if name == "muon" else weights.hidden), *weights.decaying], weight_decay)
    dense += rates.groups(weights.still, 0.0)
    dense += rates.groups(weights.embeddings, weight_decay if embedding_decay else 0.0, of_embeddings=True)
    if dense:
        members.append(_dense(name, dense, chosen))
    if weights.sparse:
        tables = [weight for weight, _ in weights.sparse]
        members.append(_sparse(name, tables, chosen | {"lr": embedding_rate * learning_rate}))
    if not members:
        raise ValueError("no weight of the model learns: each has requires_grad=False")
    return members[0] if len(members) == 1 else Combined(members)


def _muon(groups: list[Group], learning_rate: float, betas: tuple[float, float] | None) -> Optimizer:
    momentum = betas[0] if betas else 0.95
    return Muon(groups, lr=learning_rate, momentum=momentum, adjust_lr_fn="match_rms_adamw")


def _sparse(name: str, embeddings: list[Tensor], chosen: dict[str, Any]) -> Optimizer:
    return SGD(embeddings, lr=chosen["lr"]) if name == "sgd" else SparseAdam(embeddings, **chosen)


def _dense(name: str, groups: list[Group], chosen: dict[str, Any]) -> Optimizer:
    # One pass over the weights instead of ten: large embeddings make the difference.
    fused = all(weight.device.type in _FUSED for group in groups for weight in group["params"])
    if name == "sgd":
        momentum = chosen["betas"][0] if "betas" in chosen else 0.0
        return SGD(groups, lr=chosen["lr"], momentum=momentum, fused=fused)
    if name == "lion":
        return Lion(groups, **chosen)
    if name == "radam":
        return RAdam(groups, **chosen, decoupled_weight_decay=True)
    return (Adam if name == "adam" else AdamW)(groups, **chosen, fused=fused)


class _Weights:
    """The weights of a model that learn, by what they are for, each with its depth.

    Attributes:
        sparse: Of embeddings with sparse gradients.
        hidden: (rows, columns) matrices between embedding and classifier.
        decaying: Others that decay.
        still: Those that do not.
        embeddings: Dense ones.
    """

    def __init__(self, model: nn.Module, depths: Mapping[str, int] | None = None) -> None:
        self.sparse: list[Deep] = []
        self.hidden: list[Deep] = []
        self.decaying: list[Deep] = []
        self.still: list[Deep] = []
        self.embeddings: list[Deep] = []
        seen: set[int] = set()
        for path, module in model.named_modules():
            for name, weight in module.named_parameters(prefix=path, recurse=False):
                if weight.requires_grad and id(weight) not in seen:
                    seen.add(id(weight))
                    self._place(weight, module, path).append((weight, depths[name] if depths else 0))

    def _place(self, weight: Tensor, module: nn.Module, path: str) -> list[Deep]:
        if isinstance(module, nn.Embedding | nn.EmbeddingBag):
            return self.sparse if module.sparse else self.embeddings
        if weight.ndim < 2 or "norm" in type(module).__name__.lower():
            return self.still
        inner = weight.ndim == 2 and path.partition(".")[0] not in _HEADS
        return self.hidden if inner else self.decaying


@dataclass(frozen=True)
class _Rates:
    """Learning rates: `whole` at the depth `deepest`, less by the factor `layer_decay` a layer below."""

    whole: float
    embedding_rate: float
    layer_decay: float
    deepest: int

    def groups(self, weights: list[Deep], weight_decay: float, of_embeddings: bool = False) -> list[Group]:
        """Return a group of dense weights a learning rate, none of them empty."""
        groups: dict[float, Group] = {}
        for weight, depth in weights:
            rate = self.whole * self.layer_decay ** (self.deepest - depth)
            rate *= self.embedding_rate if of_embeddings else 1.0
            group = groups.setdefault(rate, {"params": [], "weight_decay": weight_decay, "lr": rate})
            group["params"].append(weight)
        return list(groups.values())


def _called(closure: Callable[[], float] | None) -> float | None:
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


@torch.no_grad()
def clip_gradients(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Scale all gradients so that their L2 norm together is `max_norm` at most; sparse ones too.

    Pascanu et al., "On the difficulty of training recurrent neural networks" (2013).

    Args:
        parameters: Weights, some of them with a gradient.
        max_norm: 0 leaves them as they are.

    Returns:
        The norm before.
    """
    values = []
    for weight in parameters:
        if weight.grad is not None:
            if weight.grad.is_sparse:
                weight.grad = weight.grad.coalesce()
                values.append(weight.grad._values())
            else:
                values.append(weight.grad)
    if not values:
        return 0.0
    norms = torch._foreach_norm(values)
    total = float(torch.linalg.vector_norm(torch.stack([norm.to(norms[0].device) for norm in norms])))
    if max_norm and total > max_norm:
        torch._foreach_mul_(values, max_norm / (total + 1e-6))
    return total
