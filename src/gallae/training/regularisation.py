"""What keeps a network from learning its training rows by heart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def word_dropout(input_ids: Tensor, share: float, unk_id: int, keep: Sequence[int] = (0,)) -> Tensor:
    """Return ids in which some tokens are hidden (Iyyer et al., "Deep Unordered Composition", 2015).

    Args:
        input_ids: int64 of any shape.
        share: Of the tokens that are hidden, each by chance.
        unk_id: What stands in their place.
        keep: Ids that are never hidden.
    """
    hidden = torch.rand(input_ids.shape, device=input_ids.device) < share
    for kept in keep:
        hidden &= input_ids != kept
    return input_ids.masked_fill(hidden, unk_id)


def mixup(embeds: Tensor, mask: Tensor, targets: Tensor, alpha: float) -> tuple[Tensor, Tensor, Tensor]:
    """Mix each row with another one, embeddings and targets alike (Guo et al. 2019, after Zhang et al. 2018).

    Args:
        embeds: (batch, length, width) float32.
        mask: (batch, length), 1 for tokens.
        targets: (batch, n_classes) float32, shares.
        alpha: Of the beta distribution of the first row's share: small leaves most rows nearly as they are.

    Returns:
        The same of the mixed rows; there is a token where either row has one.
    """
    n_rows = len(embeds)
    other = torch.randperm(n_rows, device=embeds.device)
    beta = torch.distributions.Beta(alpha, alpha).sample((n_rows,))
    share = beta.to(device=embeds.device, dtype=embeds.dtype)
    filled = embeds * mask.unsqueeze(-1).to(embeds.dtype)
    mixed = torch.lerp(filled[other], filled, share[:, None, None])
    return (
        mixed,
        torch.maximum(mask, mask[other]),
        torch.lerp(targets[other], targets, share[:, None].float()),
    )


def adversarial(slope: Tensor, epsilon: float) -> Tensor:
    """Return what to add to embeddings to raise the loss most: a step of length `epsilon` a row.

    Miyato et al., "Adversarial Training Methods for Semi-Supervised Text Classification" (2017).

    Args:
        slope: (batch, length, width) gradient of the loss.
        epsilon: L2 norm of each row's step; rows without a slope stay where they are.
    """
    norms = torch.linalg.vector_norm(slope.flatten(1), dim=1).clamp(min=torch.finfo(slope.dtype).tiny)
    return slope.detach() * (epsilon / norms)[:, None, None]


class Ema:
    """Running averages of a network's weights, which are often better than the weights themselves.

    Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992). The decay grows to
    its value over the first steps, so that the first weights are soon forgotten. Buffers of floats, such as
    the running means of batch normalisation, are averaged too; frozen weights are left alone.

    Args:
        model: Whose weights are averaged, in place where it is.
        decay: Share of the old average kept at a step, below 1.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = model
        self.decay = decay
        self.updates = 0
        self.averages = {name: tensor.clone() for name, tensor in self._tensors().items()}

    def _tensors(self) -> dict[str, Tensor]:
        weights = {name: p.detach() for name, p in self.model.named_parameters() if p.requires_grad}
        return weights | {name: b for name, b in self.model.named_buffers() if b.is_floating_point()}

    def _current(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the averages and the weights, one beside the other on the same device."""
        tensors = self._tensors()
        for name, tensor in tensors.items():
            self.averages[name] = self.averages[name].to(tensor.device)
        return [self.averages[name] for name in tensors], list(tensors.values())

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights after a step into the averages."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        averages, weights = self._current()
        torch._foreach_lerp_(averages, weights, 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Have the averages in place of the weights within the block."""
        averages, weights = self._current()
        own = [tensor.clone() for tensor in weights]
        _copy(weights, averages)
        try:
            yield
        finally:
            _copy(weights, own)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the averages and the number of steps, for a checkpoint."""
        averages = {f"average.{name}": tensor for name, tensor in self.averages.items()}
        return {"updates": torch.tensor(self.updates), **averages}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take up what `state_dict` gave."""
        self.updates = int(state["updates"])
        for name, average in self.averages.items():
            average.copy_(state[f"average.{name}"])


@torch.no_grad()
def _copy(targets: list[Tensor], sources: list[Tensor]) -> None:
    for target, source in zip(targets, sources, strict=True):
        target.copy_(source)
