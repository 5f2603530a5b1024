"""What a teacher says of texts, and how a student learns from it. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.errors import RecipeError
from gallae.training.batches import Examples, Rows

if TYPE_CHECKING:
    from torch import Tensor

LOSSES = ("kl", "mse")
_SMALLEST = 1e-6  # probabilities nearer to 0 or 1 count as this, where logarithms are taken


@dataclass(frozen=True)
class SoftOptions:
    """How a teacher's probabilities and the labels are weighed.

    A labelled row costs `weight` times the teacher's part plus 1 - `weight` times the loss on its label; a
    row without a label costs the teacher's part alone.

    Attributes:
        temperature: T of "kl": both sides' logits are divided by it.
        weight: The teacher's, from 0 to 1.
        loss: The teacher's part: "kl" is T^2 times the Kullback-Leibler divergence of the student from the
            teacher (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015); "mse" the mean
            squared difference of the logits (Tang et al., "Distilling Task-Specific Knowledge from BERT into
            Simple Neural Networks", 2019). Linear students take probabilities as they are.

    Raises:
        RecipeError: for a value that is not allowed.
    """

    temperature: float = 2.0
    weight: float = 0.5
    loss: str = "kl"

    def __post_init__(self) -> None:
        if not 0 < self.temperature < np.inf:
            raise RecipeError(f"--temperature {self.temperature}: a number above 0, such as 2.")
        if not 0 <= self.weight <= 1:
            raise RecipeError(f"--weight {self.weight}: the teacher's share of the loss, from 0 to 1.")
        if self.loss not in LOSSES:
            raise RecipeError(f"--loss {self.loss}: one of {', '.join(LOSSES)}.")


@dataclass(frozen=True)
class SoftTargets:
    """A teacher's probabilities of n texts, and the labels that are known.

    Attributes:
        classes: (n_classes,) the labels, sorted.
        probabilities: (n, n_classes) float32, the teacher's.
        gold: (n,) int64 class numbers, or (n, n_classes) bool where a text may have several labels; what
            stands there for rows that are not known does not matter.
        known: (n,) bool, whether a row has a label.
        options: How the two are weighed.
    """

    classes: np.ndarray
    probabilities: np.ndarray
    gold: np.ndarray
    known: np.ndarray
    options: SoftOptions = SoftOptions()

    def __len__(self) -> int:
        return len(self.known)

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""
        return self.gold.ndim == 2

    def take(self, rows: np.ndarray) -> SoftTargets:
        """Return the targets of some rows."""
        return SoftTargets(
            self.classes, self.probabilities[rows], self.gold[rows], self.known[rows], self.options
        )

    @cached_property
    def decided(self) -> np.ndarray:
        """Labels as `gold` has them; those that the teacher would give where none is known."""
        if self.multilabel:
            return np.where(self.known[:, None], self.gold, self.probabilities >= 0.5)
        return np.where(self.known, self.gold, self.probabilities.argmax(axis=1))

    @cached_property
    def hard(self) -> np.ndarray:
        """(n, n_classes) float32, 1 for the label of a known row, 0 for rows that are not known."""
        table = self.gold if self.multilabel else self.gold[:, None] == np.arange(len(self.classes))
        return (table & self.known[:, None]).astype(np.float32)

    @property
    def shares(self) -> np.ndarray:
        """(n, n_classes) float32, labels and probabilities mixed as `options.weight` says."""
        teacher = np.where(self.known, self.options.weight, 1.0)[:, None]
        mixed = teacher * self.probabilities + (1 - teacher) * self.hard
        return np.asarray(mixed, dtype=np.float32)

    @cached_property
    def soft(self) -> np.ndarray:
        """(n, n_classes) float32: probabilities at the temperature for "kl", logits for "mse".

        Logits are known up to a number a row, so that their mean is made 0.
        """
        chances = np.clip(self.probabilities.astype(np.float64), _SMALLEST, 1 - _SMALLEST)
        logits = np.log(chances)
        if self.multilabel:
            logits -= np.log1p(-chances)
        else:
            logits -= logits.mean(axis=1, keepdims=True)
        if self.options.loss == "mse":
            return logits.astype(np.float32)
        logits /= self.options.temperature
        if self.multilabel:
            return (1 / (1 + np.exp(-logits))).astype(np.float32)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


class SoftExamples(Examples):
    """Rows with a teacher's targets beside their labels.

    Args:
        rows: What the network reads.
        targets: A target for each of them.
    """

    def __init__(self, rows: Rows, targets: SoftTargets) -> None:
        super().__init__(rows, targets.decided, len(targets.classes))
        known = targets.known[:, None].astype(np.float32)
        self.packed = np.hstack([targets.hard, targets.soft, known])

    def labels(self, chosen: np.ndarray) -> Tensor:
        """Return (batch, 2 n_classes + 1) float32: labels, the teacher's part, whether a label is known."""
        from torch import from_numpy

        packed: Tensor = from_numpy(self.packed[chosen])
        return packed


def unpack(packed: Any) -> tuple[Any, Any, Any]:
    """Return labels (batch, n_classes), the teacher's part (batch, n_classes), known (batch,)."""
    n_classes = packed.shape[1] // 2
    return packed[:, :n_classes], packed[:, n_classes:-1], packed[:, -1]
