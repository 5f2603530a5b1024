"""From torch to ONNX: a network traced, checked against torch, and maybe brought to 8 bits."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gallae.errors import ModelError, require
from gallae.models.architectures.recurrent import Recurrence
from gallae.models.encoded import CheckpointInputs, EncodedTexts
from gallae.models.inputs import TokenInputs
from gallae.models.neural import NeuralClassifier
from gallae.models.onnx_int8 import to_int8
from gallae.models.onnx_network import OnnxClassifier, open_session
from gallae.models.onnx_recurrence import OnnxRecurrence
from gallae.text.morphemes import available_cores
from gallae.text.token_ids import TokenIds
from gallae.text.vocabulary import SPECIAL
from gallae.training.batches import PaddedRows, Rows

TOLERANCE = 1e-4
"""Largest difference between torch's logits and ONNX Runtime's."""
_LARGEST = 2**31 - 2**24  # bytes of weights: a protobuf file ends at 2 GB
_BATCHES = ((3, 1), (17, 9, 2), (1,), (2, 2), (40, 33, 20, 7, 1), (64,) * 2)
_SEED = 42


def exported(model: NeuralClassifier, int8: bool = False) -> tuple[OnnxClassifier, float]:
    """Return a fitted classifier with its network in ONNX, and how far its logits are from torch's at most.

    Args:
        model: The classifier; it stays as it is.
        int8: Whether weights are brought to 8 bits, after the check.

    Raises:
        ModelError: if the network cannot be exported, or the logits differ by more than `TOLERANCE`.
        MissingExtra: if onnx or onnxscript is not installed.
    """
    for module in ("onnx", "onnxscript"):
        require(module, "onnx")
    inputs, network = _padded_inputs(model), model.network_
    proto = _traced(_ready(network), _some_rows(inputs, (17, 9, 2)))
    onnx = proto.SerializeToString()
    difference = _difference(network, onnx, inputs)
    if not difference <= TOLERANCE:
        raise ModelError(
            f"a network of the kind {_kind(network)} was exported, but its logits are up to {difference:.2g} "
            f"from torch's (allowed: {TOLERANCE:g}), so nothing was written. Predict with the model as it is."
        )
    if int8:
        with _quiet():
            onnx = to_int8(proto)
    return OnnxClassifier.of(model, inputs, onnx, int8), difference


def _padded_inputs(model: NeuralClassifier) -> Any:
    """Return inputs that give padded rows."""
    inputs: Any = model.inputs_
    if isinstance(inputs, TokenInputs):
        return TokenInputs(inputs.tokenizer, "padded")
    if isinstance(inputs, CheckpointInputs):
        return inputs
    raise ModelError(
        "the family 'mlp' reads sparse features, and ONNX Runtime computes with none. Predict with the model "
        "as it is."
    )


def _ready(network: Any) -> nn.Module:
    """Return a copy of a network that can be traced for batches of any size."""
    network = copy.deepcopy(network).cpu().float().eval()
    if sum(weight.numel() * weight.element_size() for weight in network.parameters()) > _LARGEST:
        raise ModelError(
            "the network's weights take more than 2 GB, and an ONNX file holds no more. Choose a smaller one."
        )
    if isinstance(getattr(network, "recurrence", None), Recurrence):
        network.recurrence = OnnxRecurrence(network.recurrence)
    backbone = getattr(network, "backbone", network)
    if hasattr(backbone.config, "num_attention_heads"):
        backbone.set_attn_implementation("eager")  # without the fused kernel's care for rows of nothing
    return network


def _kind(network: Any) -> str:
    backbone = getattr(network, "backbone", network)
    return str(backbone.config.model_type)


class _Logits(nn.Module):
    """A network from arguments in order to logits alone."""

    def __init__(self, network: nn.Module, names: list[str]) -> None:
        super().__init__()
        self.network, self.names = network, names

    def forward(self, *arguments: Tensor) -> Tensor:
        """Return (batch, n_labels) logits."""
        return self.network(**dict(zip(self.names, arguments, strict=True))).logits


def _traced(network: nn.Module, rows: Rows) -> Any:
    """Return an `onnx.ModelProto` for any number of rows of any length."""
    batch = rows.batch(np.arange(len(rows)))
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    try:
        with _quiet():
            program = torch.onnx.export(
                _Logits(network, list(batch)).eval(),
                tuple(batch.values()),
                dynamo=True,
                input_names=list(batch),
                output_names=["logits"],
                dynamic_shapes=((free,) * len(batch),),
                verbose=False,
            )
    except Exception as error:
        raise ModelError(
            f"torch's exporter cannot make ONNX of a network of the kind {_kind(network)}: "
            f"{_reason(error)} Predict with the model as it is."
        ) from error
    return program.model_proto


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {(str(cause).strip() or 'no reason given').splitlines()[0][:200]}."


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's own reports away: what matters is said in our words."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _some_rows(inputs: Any, lengths: tuple[int, ...]) -> Rows:
    """Return rows of random tokens.

    Args:
        inputs: Of the model.
        lengths: Of the rows, special tokens not counted; cut to what the model reads.
    """
    sizes = np.minimum(np.array(lengths), _longest(inputs))
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    ids = np.random.default_rng(_SEED).integers(len(SPECIAL), inputs.size, offsets[-1])
    tokens = TokenIds(ids.astype(np.int32), offsets)
    if isinstance(inputs, CheckpointInputs):
        return EncodedTexts(tokens, inputs.layout, inputs.reading).take(np.arange(len(sizes)))
    return PaddedRows(tokens)


def _longest(inputs: Any) -> int:
    if isinstance(inputs, CheckpointInputs):
        return inputs.reading.max_length - inputs.layout.special
    return int(inputs.tokenizer.max_length)


def _difference(network: nn.Module, onnx: bytes, inputs: Any) -> float:
    """Return the largest difference of logits over batches of several sizes, lengths and paddings."""
    session = open_session(onnx, available_cores())
    worst = 0.0
    network.cpu().eval()
    for lengths in (*_BATCHES, (_longest(inputs), 3)):
        rows = _some_rows(inputs, lengths)
        chosen = np.arange(len(rows))
        with torch.inference_mode():
            expected = network(**rows.batch(chosen)).logits.numpy()
        found = session.run(None, rows.arrays(chosen))[0]
        worst = max(worst, float(np.abs(found - expected).max()))
    return worst
