"""Recurrent layers as ONNX has them, for the exporter.

Torch's own way would trace the steps of one length.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

# Torch's gates are, for LSTM: input, forget, cell, output; for GRU: reset, update, new.
_OPERATORS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
_GATES = {"rnn": (0,), "lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}


class OnnxRecurrence(nn.Module):
    """Stands in for `gallae.models.architectures.recurrent.Recurrence` while a network is traced.

    Args:
        recurrence: The layers, whose weights are taken.
    """

    def __init__(self, recurrence: Any) -> None:
        super().__init__()
        self.layers, self.hidden = recurrence.layers.num_layers, recurrence.layers.hidden_size
        directions = ["", "_reverse"] if recurrence.layers.bidirectional else [""]
        self.directions = len(directions)
        self.operator = _OPERATORS[recurrence.cell]
        self.options: dict[str, Any] = {
            "hidden_size": self.hidden,
            "direction": "bidirectional" if self.directions == 2 else "forward",
        }
        if recurrence.cell == "gru":
            self.options["linear_before_reset"] = 1

        def weights(kind: str, layer: int) -> Tensor:
            """Return (directions, gates * hidden, ...) in the order of ONNX's gates."""
            found = []
            for direction in directions:
                gates = getattr(recurrence.layers, f"{kind}_l{layer}{direction}").detach().split(self.hidden)
                found.append(torch.cat([gates[number] for number in _GATES[recurrence.cell]]))
            return torch.stack(found)

        for layer in range(self.layers):
            self.register_buffer(f"input{layer}", weights("weight_ih", layer))
            self.register_buffer(f"recurrent{layer}", weights("weight_hh", layer))
            biases = torch.cat([weights("bias_ih", layer), weights("bias_hh", layer)], dim=1)
            self.register_buffer(f"bias{layer}", biases)

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, length, width) states, of anything where the mask is false (see `Recurrence`)."""
        lengths = mask.sum(dim=1).clamp(min=1).to(torch.int32)
        states = embedded.transpose(0, 1)
        for layer in range(self.layers):
            weights = (getattr(self, f"{kind}{layer}") for kind in ("input", "recurrent", "bias"))
            shape = (states.shape[0], self.directions, states.shape[1], self.hidden)
            found = torch.onnx.ops.symbolic(
                self.operator, (states, *weights, lengths), self.options, dtype=states.dtype, shape=shape
            )
            states = found.transpose(1, 2).flatten(2)
        return cast(Tensor, states.transpose(0, 1))
