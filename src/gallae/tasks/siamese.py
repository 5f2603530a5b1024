"""Two texts read alone by one encoder, compared by the cosine of their mean vectors (Sentence-BERT)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from gallae.tasks.base import Feature


def collate_sides(tokenizer: Any, features: Sequence[Feature]) -> dict[str, Tensor]:
    """Return a batch of twice as many rows: all first texts, then all second ones; labels (batch,)."""
    import torch

    from gallae.tasks.training import INPUTS, collate

    names = [name for name in INPUTS if name in features[0]]
    rows = [{name: feature[name][side] for name in names} for side in (0, 1) for feature in features]
    batch = collate(tokenizer, rows)
    if "labels" in features[0]:
        batch["labels"] = torch.tensor([feature["labels"] for feature in features])
    return batch


def cosines(model: Any, batch: dict[str, Tensor]) -> Tensor:
    """Return the cosine of each pair of rows, (batch,) float32."""
    from torch.nn.functional import cosine_similarity

    mask = batch["attention_mask"][..., None]
    hidden = model(
        **{name: value for name, value in batch.items() if name != "labels"}
    ).last_hidden_state.float()
    first, second = ((hidden * mask).sum(1) / mask.sum(1)).chunk(2)
    return cosine_similarity(first, second)


def cosine_loss(model: Any, batch: dict[str, Tensor]) -> Tensor:
    """Return the mean squared error of the cosines."""
    return (cosines(model, batch) - batch["labels"]).square().mean()
