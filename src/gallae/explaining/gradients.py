"""Integrated gradients: what each token of a network's input, or each feature, adds to the score.

Sundararajan et al., "Axiomatic Attribution for Deep Networks" (2017): the gradient of the score is summed
along the straight line from an input that says nothing to the text's own. The shares add up to the difference
of the two scores. An input that says nothing has unknown tokens in the place of the text's, or no features.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.errors import require
from gallae.explaining.scoring import Target
from gallae.models.encoded import CheckpointInputs, cut
from gallae.models.inputs import FeatureInputs, TokenInputs
from gallae.models.tracing import TracedText, trace, traceable
from gallae.text.alignment import Alignment
from gallae.text.places import Place, token_places
from gallae.text.vocabulary import CLS, SEP, UNK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

log = logging.getLogger(__name__)
_STEPS = (64, 256, 1024)  # along the line, until the shares add up
_TOLERANCE = 0.01  # of the difference between the two scores, or of 1 where that is small
_TOKENS = 4096  # computed at once


def has_gradients(model: Any) -> bool:
    """Whether a network's score is a smooth function of what it reads of a text, all at once."""
    inputs = model.inputs_
    if isinstance(inputs, FeatureInputs):  # divided by their sum, features have no way from nothing to a text
        return traceable(inputs.blocks) and not model.network_.config.mean
    return not (isinstance(inputs, CheckpointInputs) and inputs.reading.windows)


def gradient_shares(target: Target, alignment: Alignment, score: float) -> tuple[np.ndarray, float]:
    """Return what each character of a clean text adds to the score, (n,), and the score without any.

    Args:
        target: Of a network for which `has_gradients`.
        alignment: Of the text.
        score: The text's.

    Raises:
        MissingExtra: if captum is not installed.
    """
    model, shares = target.model, np.zeros(len(alignment.clean))
    if isinstance(model.inputs_, FeatureInputs):
        found = _feature_shares(target, alignment.clean)
    else:
        found = _token_shares(target, alignment.clean)
    if found is None:  # no token: the network is not asked
        return shares, score
    return found[0], float(found[1] + target.bias)


def _token_shares(target: Target, clean: str) -> tuple[np.ndarray, float] | None:
    model = target.model
    read = token_batch(model, clean)
    if read is None:
        return None
    batch, places, known = read
    network = model.network_
    ids = batch.pop("input_ids")
    unknown = ids.clone()
    unknown[:, [place is not None for place in places]] = known
    embed = getattr(network, "embed", network.get_input_embeddings())

    def score(embedded: Tensor, **rest: Tensor) -> Tensor:
        return network(inputs_embeds=embedded, **rest).logits

    with _ready(model):
        values, base = _integrated(
            lambda embedded, *rest: _scored(
                score(embedded, **dict(zip(batch, rest, strict=True))), model, target.slopes
            ),
            embed(ids).detach(),
            embed(unknown).detach(),
            tuple(batch.values()),
            ids.shape[1],
        )
    return _on_characters(values.sum(axis=-1), places, len(clean)), base


def token_batch(model: Any, clean: str) -> tuple[dict[str, Any], list[Place | None], int] | None:
    """Return what a network reads of a clean text.

    Returns:
        Its arguments, tensors of one row, with "input_ids" among them; the place of each token in the text,
        None for special ones; and the id of an unknown token. None if the text has no token.
    """
    import torch

    inputs = model.inputs_
    if not int(inputs.transform([clean]).lengths[0]):
        return None
    read = _checkpoint_batch if isinstance(inputs, CheckpointInputs) else _own_batch
    arrays, places, unknown = read(inputs, clean)
    device = model.network_.device
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}, places, unknown


def _own_batch(inputs: TokenInputs, clean: str) -> tuple[dict[str, np.ndarray], list[Place | None], int]:
    tokenizer = inputs.tokenizer
    ids = tokenizer.transform([clean]).flat.astype(np.int64)
    places: list[Place | None] = list(token_places(tokenizer, clean)[: tokenizer.max_length])
    if tokenizer.enclose:
        assert ids[0] == CLS and ids[-1] == SEP
        places = [None, *places, None]
    arrays = {"input_ids": ids[None], "attention_mask": np.ones((1, len(ids)), np.int64)}
    return arrays, places, UNK


def _checkpoint_batch(
    inputs: CheckpointInputs, clean: str
) -> tuple[dict[str, np.ndarray], list[Place | None], int]:
    layout, reading = inputs.layout, inputs.reading
    rows = inputs.transform([clean]).take(np.array([0]))
    arrays = rows.arrays(np.array([0]))
    encoded = inputs.tokenizer.encode(clean.encode("utf-8", "replace").decode(), add_special_tokens=False)
    room = reading.max_length - layout.special
    offsets = list(encoded.offsets)
    kept = offsets if len(offsets) <= room else list(cut(offsets, room, reading.truncation))
    length = arrays["input_ids"].shape[1]
    places: list[Place | None] = [*[None] * len(layout.prefix), *kept]
    places += [None] * (length - len(places))
    return arrays, places, layout.pad_id if layout.unk_id is None else layout.unk_id


def _feature_shares(target: Target, clean: str) -> tuple[np.ndarray, float] | None:
    """Do as `_token_shares` over features: a feature's share is its value times its mean gradient."""
    import torch

    model = target.model
    text = TracedText(clean, model.inputs_.analyzer)
    rows = model.inputs_.transform([clean])
    arrays = rows.batch(np.array([0]))
    columns = arrays["input_ids"]
    count = len(columns)
    if not count:
        return None

    def score(weights: Tensor) -> Tensor:
        batch = len(weights)
        offsets = torch.arange(0, batch * count, count, device=weights.device)
        logits = model.network_(
            input_ids=columns.repeat(batch), weights=weights.reshape(-1), offsets=offsets
        ).logits
        return _scored(logits, model, target.slopes)

    weights = arrays["weights"][None]
    with _ready(model):
        values, base = _integrated(score, weights, torch.zeros_like(weights), (), count)
    slopes = np.zeros(model.inputs_.size)
    slopes[columns.numpy()] = values[0] / weights[0].numpy()
    shares, start = np.zeros(len(clean)), 0
    for block in model.inputs_.blocks:
        size = block.transform(text).shape[1]
        shares += trace(block, text, slopes[start : start + size].__getitem__)
        start += size
    return shares, base


def _scored(logits: Tensor, model: Any, slopes: np.ndarray) -> Tensor:
    """Return the score of each row of logits, without its bias."""
    import torch

    if len(model.classes_) == 2 and not model.multilabel_:
        logits = logits[:, 1:] - logits[:, :1]
    return logits.double() @ torch.as_tensor(slopes, dtype=torch.float64, device=logits.device)


def _integrated(
    score: Callable[..., Tensor], inputs: Tensor, base: Tensor, rest: tuple[Tensor, ...], length: int
) -> tuple[np.ndarray, float]:
    """Return integrated gradients, in the shape of `inputs` without the batch, and the score of `base`."""
    import torch

    gradients = require("captum.attr", "neural").IntegratedGradients(score, multiply_by_inputs=True)
    with torch.no_grad():
        ends = [float(score(end, *rest)[0]) for end in (base, inputs)]
    for steps in _STEPS:
        found = gradients.attribute(
            inputs,
            base,
            additional_forward_args=rest or None,
            n_steps=steps,
            internal_batch_size=max(1, _TOKENS // max(1, length)),
        ).detach()
        missing = abs(float(found.double().sum()) - (ends[1] - ends[0]))
        if missing <= _TOLERANCE * max(1.0, abs(ends[1] - ends[0])):
            break
    else:
        log.warning("integrated gradients are off by %.3g: the network is far from smooth here", missing)
    return found.cpu().double().numpy(), ends[0]


@contextmanager
def _ready(model: Any) -> Iterator[None]:
    """Let a network compute gradients within the block, in evaluation mode, with the model's threads."""
    import torch

    network = model.network_
    network.eval()
    before = torch.get_num_threads()
    torch.set_num_threads(model.threads_ or before)
    try:
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        torch.set_num_threads(before)


def _on_characters(shares: np.ndarray, places: list[Place | None], length: int) -> np.ndarray:
    """Divide each token's share, (1, n_tokens), among its characters, or its neighbour's if it has none."""
    result = np.zeros(length)
    before = next((place for place in places if place and place[1] > place[0]), (0, length))
    for share, place in zip(shares.ravel().tolist(), places, strict=True):
        before = place if place and place[1] > place[0] else before
        result[before[0] : before[1]] += share / max(1, before[1] - before[0])
    return result
