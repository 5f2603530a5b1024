"""Recurrent networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gallae.models.architectures.base import Network, NetworkConfig
from gallae.models.architectures.pooling import Pooling

_CELLS: dict[str, Any] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class RecurrentConfig(NetworkConfig):
    """Fields of `RecurrentNetwork`.

    Attributes:
        cell: "rnn", "lstm" or "gru".
        layers: Number of layers.
        hidden: Width of the state, a direction.
        bidirectional: Whether to read backwards too.
        packed: Whether to leave padding out of the computation.
        pooling: "last", "mean", "max", "attention" or "mean_max".
        weight_dropout: Share of the recurrent weights dropped in training.
        recurrent_dropout: Share of the state dropped in training.
    """

    model_type = "gallae-recurrent"

    cell: str = "lstm"
    layers: int = 1
    hidden: int = 128
    bidirectional: bool = True
    packed: bool = True
    pooling: str = "max"
    weight_dropout: float = 0.0
    recurrent_dropout: float = 0.0


class Recurrence(nn.Module):
    """Recurrent layers. A text's states do not depend on the padding of its batch.

    Args:
        inputs: Width of the tokens' vectors.
        config: Its cell, layers, hidden, bidirectional, packed, weight_dropout, recurrent_dropout, and
            dropout, which is between the layers here.

    Attributes:
        width: Of the states, both directions together.
    """

    def __init__(self, inputs: int, config: Any) -> None:
        super().__init__()
        self.cell = config.cell
        self.packed = config.packed
        self.weight_dropout = config.weight_dropout
        self.recurrent_dropout = config.recurrent_dropout
        self.layers = _CELLS[config.cell](
            inputs,
            config.hidden,
            config.layers,
            batch_first=True,
            bidirectional=config.bidirectional,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.width = config.hidden * (2 if config.bidirectional else 1)

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, length, width) states, of anything where the mask is false.

        Args:
            embedded: (batch, length, inputs).
            mask: (batch, length) bool, true for tokens, which stand on the left.
        """
        drops = self.training and (self.weight_dropout or self.recurrent_dropout)
        return self._packed(embedded, mask) if self.packed and not drops else self._padded(embedded, mask)

    def _packed(self, embedded: Tensor, mask: Tensor) -> Tensor:
        lengths = mask.sum(dim=1).clamp(min=1).cpu()
        rows = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        states, _ = self.layers(rows)
        return pad_packed_sequence(states, batch_first=True, total_length=mask.shape[1])[0]

    def _padded(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Run over the padding, which comes after the text in both directions."""
        places = torch.arange(mask.shape[1], device=mask.device)
        backwards = mask.sum(dim=1, keepdim=True) - 1 - places
        order = torch.where(backwards < 0, places, backwards).unsqueeze(-1)
        states = embedded
        for layer in range(self.layers.num_layers):
            states = self._between(states) if layer else states
            found = [self._direction(states, f"l{layer}")]
            if self.layers.bidirectional:
                reverse = self._direction(_take(states, order), f"l{layer}_reverse")
                found.append(_take(reverse, order))
            states = torch.cat(found, dim=-1)
        return states

    def _between(self, states: Tensor) -> Tensor:
        """Drop parts of a layer's states: the same at every step with recurrent dropout."""
        if self.training and self.recurrent_dropout:
            return states * self._kept(states[:, :1], self.layers.dropout)
        return functional.dropout(states, self.layers.dropout, self.training)

    @staticmethod
    def _kept(like: Tensor, share: float) -> Tensor:
        return functional.dropout(torch.ones_like(like), share)

    def _direction(self, rows: Tensor, name: str) -> Tensor:
        """Return the states of one layer in one direction, (batch, length, hidden)."""
        weights = [
            getattr(self.layers, f"{kind}_{name}")
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        weights[1] = functional.dropout(weights[1], self.weight_dropout, self.training)
        if self.training and self.recurrent_dropout:
            return self._steps(rows, *weights)
        if rows.device.type == "cpu":  # oneDNN has no LSTM in bfloat16 on many CPUs
            with torch.autocast("cpu", enabled=False):
                return self._whole(rows.float(), weights)
        return self._whole(rows, weights)

    def _whole(self, rows: Tensor, weights: list[Tensor]) -> Tensor:
        start = rows.new_zeros(1, len(rows), self.layers.hidden_size)
        how = (weights, True, 1, 0.0, self.training, False, True)
        if self.cell == "lstm":
            return torch.lstm(rows, (start, start), *how)[0]
        return (torch.gru if self.cell == "gru" else torch.rnn_tanh)(rows, start, *how)[0]

    def _steps(
        self, rows: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor, recurrent_bias: Tensor
    ) -> Tensor:
        hidden = memory = rows.new_zeros(len(rows), self.layers.hidden_size)
        kept = self._kept(hidden, self.recurrent_dropout)
        step, states = _STEPS[self.cell], []
        for inputs in functional.linear(rows, weight, bias).unbind(dim=1):
            hidden, memory = step(
                inputs, functional.linear(hidden * kept, recurrent, recurrent_bias), hidden, memory
            )
            states.append(hidden)
        return torch.stack(states, dim=1)


@torch.no_grad()
def first_weights(layers: nn.RNNBase) -> None:
    """Make recurrent weights orthogonal (Saxe et al. 2014) and open the forget gates (Gers et al. 2000).

    Weights that were loaded stay.
    """
    for name, weight in layers.named_parameters():
        if getattr(weight, "_is_hf_initialized", False):
            continue
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        elif name.startswith("weight_hh"):
            for gate in weight.split(layers.hidden_size):
                nn.init.orthogonal_(gate)
        else:
            nn.init.zeros_(weight)
            if layers.mode == "LSTM" and name.startswith("bias_ih"):
                weight.chunk(4)[1].fill_(1)


def _take(rows: Tensor, order: Tensor) -> Tensor:
    return rows.gather(1, order.expand(-1, -1, rows.shape[2]))


def _rnn(inputs: Tensor, recurrent: Tensor, hidden: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    return torch.tanh(inputs + recurrent), memory


def _lstm(inputs: Tensor, recurrent: Tensor, hidden: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    take, forget, fresh, give = (inputs + recurrent).chunk(4, dim=1)
    memory = forget.sigmoid() * memory + take.sigmoid() * fresh.tanh()
    return give.sigmoid() * memory.tanh(), memory


def _gru(inputs: Tensor, recurrent: Tensor, hidden: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    width = hidden.shape[1]
    reset, keep = (inputs[:, : 2 * width] + recurrent[:, : 2 * width]).sigmoid().chunk(2, dim=1)
    fresh = torch.tanh(inputs[:, 2 * width :] + reset * recurrent[:, 2 * width :])
    return (1 - keep) * fresh + keep * hidden, memory


_STEPS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "rnn": _rnn,
    "lstm": _lstm,
    "gru": _gru,
}


class RecurrentNetwork(Network):
    """RNN (Elman 1990), LSTM (Hochreiter and Schmidhuber 1997) or GRU (Cho et al. 2014) over the tokens."""

    config_class = RecurrentConfig

    def build(self, config: Any) -> None:
        """Make the layers and what pools their states."""
        self.recurrence = Recurrence(self.embedding.width, config)
        self.pooling = Pooling(config.pooling, self.recurrence.width, config.bidirectional)
        self.width = self.pooling.width

    def pool(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, width) features (see `Network.pool`)."""
        return cast(Tensor, self.pooling(self.recurrence(embedded, mask), mask))

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.RNNBase):
            first_weights(module)
        else:
            super()._init_weights(module)
