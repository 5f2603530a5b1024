"""What a training step minimises: the loss, and what is added to it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gallae.text.vocabulary import CLS, PAD, SEP, UNK
from gallae.training import losses, regularisation
from gallae.training.options import TrainingOptions

_SEVERAL = {"cross_entropy": "binary", "focal": "binary_focal"}  # the same for several labels a text


class Objective:
    """The loss of a batch with the recipe's regularisation.

    Args:
        options: The recipe's.
        class_weights: (n_classes,) float32, or None.
        multilabel: Whether a text may have several labels.
        word_dropout: Share of the tokens hidden as [UNK].
        special: Ids of [UNK], and of the other tokens that are never hidden.
    """

    def __init__(
        self,
        options: TrainingOptions,
        class_weights: Tensor | None,
        multilabel: bool,
        word_dropout: float = 0.0,
        special: tuple[int, ...] = (UNK, PAD, CLS, SEP),
    ) -> None:
        self.options = options
        self.multilabel = multilabel
        self.word_dropout, self.special = word_dropout, special
        name = _SEVERAL.get(options.loss, options.loss) if multilabel else options.loss
        self.loss = losses.make_loss(
            name,
            label_smoothing=options.label_smoothing,
            class_weights=class_weights,
            gamma=options.focal_gamma,
        )
        self.class_weights = class_weights if name == "cross_entropy" else None

    def __call__(self, network: Any, batch: dict[str, Tensor]) -> Tensor:
        """Return the mean loss of a batch with `labels` (batch, n_classes) float32, a scalar."""
        inputs = dict(batch)
        targets = inputs.pop("labels")
        if self.word_dropout:
            inputs["input_ids"] = regularisation.word_dropout(
                inputs["input_ids"], self.word_dropout, self.special[0], self.special
            )
        if self.options.mixup or self.options.adversarial:
            return self._on_embeddings(network, inputs, targets)
        return self._of(network, inputs, targets)

    def plain(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of logits and targets, (batch, n_classes) each, a scalar."""
        rows = self.loss(logits.float(), targets)
        if self.class_weights is None:
            return rows.mean()
        return rows.sum() / (targets @ self.class_weights.to(targets.device)).sum().clamp(min=1e-12)

    def labels(self, targets: Tensor) -> Tensor:
        """Return class numbers (batch,), or for several labels a text 0 and 1 (batch, n_classes)."""
        return targets if self.multilabel else targets.argmax(dim=1)

    def _on_embeddings(self, network: Any, inputs: dict[str, Tensor], targets: Tensor) -> Tensor:
        embeds = _embed(network, inputs.pop("input_ids"))
        if self.options.mixup:
            mask = inputs["attention_mask"]
            embeds, inputs["attention_mask"], targets = regularisation.mixup(
                embeds, mask, targets, self.options.mixup
            )
            return self._of(network, {**inputs, "inputs_embeds": embeds}, targets)
        if not embeds.requires_grad:
            embeds = embeds.detach().requires_grad_()
        loss = self._of(network, {**inputs, "inputs_embeds": embeds}, targets)
        (slope,) = torch.autograd.grad(loss, embeds, retain_graph=True)
        moved = embeds + regularisation.adversarial(slope, self.options.adversarial)
        return loss + self._of(network, {**inputs, "inputs_embeds": moved}, targets)

    def _of(self, network: Any, inputs: dict[str, Tensor], targets: Tensor) -> Tensor:
        logits, features = self._forward(network, inputs)
        loss = self.plain(logits, targets)
        if self.options.r_drop:
            again, _ = self._forward(network, inputs)
            distance = losses.r_drop(logits.float(), again.float(), self.multilabel).mean()
            loss = (loss + self.plain(again, targets)) / 2 + self.options.r_drop * distance
        if self.options.contrastive:
            loss = loss + self.options.contrastive * losses.supervised_contrastive(
                features, self.labels(targets)
            )
        return loss

    def _forward(self, network: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return logits, and the features before the classifier where they are needed."""
        if not self.options.contrastive:
            output = network(**inputs)
            return output.logits, output.logits
        output = network(**inputs, output_hidden_states=True)
        pooled = getattr(output, "pooled", None)
        return output.logits, output.hidden_states[-1][:, 0] if pooled is None else pooled


def _embed(network: Any, input_ids: Tensor) -> Tensor:
    """Return the embeddings of ids, (batch, length, width)."""
    embed: Any = getattr(network, "embed", None) or network.get_input_embeddings()
    result: Tensor = embed(input_ids)
    return result


def balanced_weights(targets: Any, n_classes: int) -> Tensor:
    """Return (n_classes,) weights that give every class the same say.

    Args:
        targets: (n,) class numbers, or (n, n_classes) bool: then negatives a positive, at most 100.
        n_classes: Number of classes.
    """
    rows = torch.as_tensor(targets)
    if rows.ndim == 2:
        positive = rows.float().sum(dim=0)
        return ((len(rows) - positive) / positive.clamp(min=1)).clamp(1, 100)
    counts = torch.bincount(rows.long(), minlength=n_classes).float()
    return len(rows) / (n_classes * counts.clamp(min=1))
