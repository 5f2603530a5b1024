"""What a step minimises where a teacher has a say."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gallae.training.objective import Objective
from gallae.training.soft_targets import SoftOptions, unpack


class SoftObjective(Objective):
    """The loss of a batch of `SoftExamples`, with the recipe's regularisation.

    Args:
        soft: How labels and teacher are weighed.
        others: See `Objective`.
    """

    def __init__(self, soft: SoftOptions, *others: Any) -> None:
        super().__init__(*others)
        self.soft = soft

    def plain(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of logits (batch, n_classes) and packed targets, a scalar."""
        labels, teacher, known = unpack(targets)
        logits, keep = logits.float(), 1.0 - self.soft.weight
        taught = ((1.0 - keep * known) * self.teachers(logits, teacher)).mean()
        told = (known * self.loss(logits, labels)).sum()
        weights = (known * self.loss.row_weights(labels)).sum().clamp(min=1e-12)
        return taught + keep * known.mean() * told / weights

    def teachers(self, logits: Tensor, teacher: Tensor) -> Tensor:
        """Return the teacher's part of each row's loss, (batch,).

        Args:
            logits: (batch, n_classes) float32, the student's.
            teacher: (batch, n_classes) float32, as `SoftTargets.soft` has it.
        """
        if self.soft.loss == "mse":
            return ((logits - teacher) ** 2).mean(dim=1)
        square, logits = self.soft.temperature**2, logits / self.soft.temperature
        if self.multilabel:
            apart = functional.binary_cross_entropy_with_logits(logits, teacher, reduction="none")
            entropy = -torch.xlogy(teacher, teacher) - torch.xlogy(1 - teacher, 1 - teacher)
            return square * (apart - entropy).mean(dim=1)
        logs = functional.log_softmax(logits, dim=1)
        return square * functional.kl_div(logs, teacher, reduction="none").sum(dim=1)

    def labels(self, targets: Tensor) -> Tensor:
        """Return the labels of packed targets; where none is known, those the teacher leans to."""
        labels, teacher, known = unpack(targets)
        limit = 0.5 if self.soft.loss == "kl" else 0.0
        if self.multilabel:
            return labels + (1 - known[:, None]) * (teacher >= limit)
        return (known[:, None] * labels + (1 - known[:, None]) * teacher).argmax(dim=1)
