"""Losses a row over soft targets: label smoothing, mixup and several labels a text are one thing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

NAMES = ("cross_entropy", "focal", "binary", "binary_focal")


@dataclass(frozen=True)
class Loss:
    """A loss that says what each row costs.

    "cross_entropy" and "focal" take the softmax of the logits, "binary" and "binary_focal" a sigmoid each,
    and then the mean over the classes. Focal losses (Lin et al., "Focal Loss for Dense Object Detection",
    2017) weigh each term by how far the prediction is off, to the power `gamma`.

    Attributes:
        name: One of `NAMES`.
        label_smoothing: Share of the target that goes to all classes alike (Szegedy et al. 2016).
        class_weights: (n_classes,) float32, or None; for sigmoids the weight of the positive term.
        gamma: Of focal losses; with 0 they are the plain ones.
    """

    name: str
    label_smoothing: float = 0.0
    class_weights: Tensor | None = None
    gamma: float = 2.0

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return (batch,) losses.

        Args:
            logits: (batch, n_classes) float32.
            targets: (batch, n_classes) float32, shares from 0 to 1.
        """
        weights = None if self.class_weights is None else self.class_weights.to(logits)
        if self.name.startswith("binary"):
            targets = targets + self.label_smoothing * (0.5 - targets)
            return self._sigmoids(logits, targets, weights)
        targets = targets + self.label_smoothing * (1.0 / targets.shape[1] - targets)
        return self._softmax(logits, targets, weights)

    def row_weights(self, targets: Tensor) -> Tensor:
        """Return (batch,) weights: the sum of the losses over the sum of these is the batch's loss.

        For "cross_entropy" with class weights it is each row's class weight, as torch divides too; else 1.
        """
        if self.class_weights is None or self.name != "cross_entropy":
            return torch.ones_like(targets[:, 0])
        return targets @ self.class_weights.to(targets)

    def _softmax(self, logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
        logs = functional.log_softmax(logits, dim=1)
        terms = -targets * logs
        if self.name == "focal":
            terms = terms * _off(logs, self.gamma)
        return (terms if weights is None else terms * weights).sum(dim=1)

    def _sigmoids(self, logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
        yes, no = functional.logsigmoid(logits), functional.logsigmoid(-logits)
        present, absent = -targets * yes, -(1 - targets) * no
        if self.name == "binary_focal":
            present, absent = present * _off(yes, self.gamma), absent * _off(no, self.gamma)
        return (absent + (present if weights is None else present * weights)).mean(dim=1)


def _off(logs: Tensor, gamma: float) -> Tensor:
    """Return (1 - p) ** gamma of log probabilities; its gradient is finite where p is 1."""
    return (-torch.expm1(logs)).clamp(min=torch.finfo(logs.dtype).tiny ** 0.5).pow(gamma)


def make_loss(
    name: str, *, label_smoothing: float = 0.0, class_weights: Tensor | None = None, gamma: float = 2.0
) -> Loss:
    """Return the loss of that name.

    Args:
        name: "cross_entropy" or "focal" for one label a text, "binary" or "binary_focal" for several.
        label_smoothing: Share of the target that goes to all classes alike, from 0 to below 1.
        class_weights: (n_classes,) float32, or None.
        gamma: Of focal losses, 0 or more.

    Raises:
        ValueError: for another name.
    """
    if name not in NAMES:
        raise ValueError(f"loss {name!r}: there are {', '.join(NAMES)}")
    return Loss(name, label_smoothing, class_weights, gamma)


def r_drop(logits_a: Tensor, logits_b: Tensor, multilabel: bool) -> Tensor:
    """Return how far two predictions of the same rows, with other dropout, are apart, (batch,).

    The mean of the two Kullback-Leibler divergences; for several labels a text, of each label's coin and
    averaged over the labels. Liang et al., "R-Drop: Regularized Dropout for Neural Networks" (2021).

    Args:
        logits_a: (batch, n_classes) float32.
        logits_b: The same of the second pass.
        multilabel: Whether the logits are of sigmoids.
    """
    if multilabel:
        return 0.5 * ((logits_a.sigmoid() - logits_b.sigmoid()) * (logits_a - logits_b)).mean(dim=1)
    log_a, log_b = functional.log_softmax(logits_a, dim=1), functional.log_softmax(logits_b, dim=1)
    return 0.5 * ((log_a.exp() - log_b.exp()) * (log_a - log_b)).sum(dim=1)


def supervised_contrastive(features: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Return the mean loss that draws rows of one label together and pushes the others away, a scalar.

    Khosla et al., "Supervised Contrastive Learning" (2020). With several labels a text, a pair counts by its
    share of common labels. A row that shares its label with no other row is left out; without any pair the
    loss is 0.

    Args:
        features: (batch, width) float32; only their direction counts.
        labels: (batch,) class numbers, or (batch, n_classes) 0 and 1.
        temperature: The smaller, the more the nearest rows count.
    """
    n_rows = len(features)
    unit = functional.normalize(features, dim=1)
    own = torch.eye(n_rows, dtype=torch.bool, device=features.device)
    likeness = (unit @ unit.T / temperature).masked_fill(own, -torch.inf)
    logs = functional.log_softmax(likeness, dim=1).masked_fill(own, 0.0)
    pairs = _in_common(labels).to(features.dtype).masked_fill(own, 0.0)
    total = pairs.sum(dim=1)
    has = total > 0
    if not bool(has.any()):
        return features.sum() * 0.0
    losses = -(pairs * logs).sum(dim=1)[has] / total[has]
    return losses.mean()


def _in_common(labels: Tensor) -> Tensor:
    """Return (batch, batch) shares of common labels, from 0 to 1."""
    if labels.ndim == 1:
        return (labels[:, None] == labels[None, :]).float()
    given = labels.float()
    common = given @ given.T
    counts = given.sum(dim=1)
    either = counts[:, None] + counts[None, :] - common
    return common / either.clamp(min=1.0)
