"""Encoder-decoders that may copy from their source: an LSTM with additive attention, a small Transformer.

Both end in the same pointer (See, Liu and Manning 2017, "Get To The Point", section 2.2): the next token is
drawn from the vocabulary, or taken from a place of the source that the attention chooses, also where it is a
token that the vocabulary lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput

from gallae.models.architectures.transformer import EncoderLayer, sinusoidal

IGNORED = -100


class CopyingConfig(PreTrainedConfig):
    """Fields of `CopyingNetwork`.

    Attributes:
        vocab_size: Number of known tokens; 0 is the padding.
        cell: "lstm" or "transformer".
        copying: Whether the pointer may copy.
        embedding: Width of the tokens' vectors.
        hidden: Width of the states; of an LSTM's encoder half of it a direction.
        layers: Of the encoder, and of the decoder.
        heads: Of the Transformer's attention.
        feed_forward: Width of the Transformer's dense layers.
        dropout: Share of embeddings and states dropped in training.
    """

    model_type = "gallae-copying"

    vocab_size: int = 0
    cell: str = "lstm"
    copying: bool = True
    embedding: int = 64
    hidden: int = 128
    layers: int = 1
    heads: int = 4
    feed_forward: int = 256
    dropout: float = 0.2
    # What `EncoderLayer` reads.
    norm: str = "pre"
    attention_dropout: float = 0.0
    layer_dropout: float = 0.2


@dataclass
class Memory:
    """A read source.

    Attributes:
        states: (batch, length, hidden).
        mask: (batch, length) bool, true for tokens.
        ids: (batch, length) the tokens; unknown ones have numbers from `vocab_size` on, each text its own.
        start: What the decoder begins with (an LSTM's states), or None.
    """

    states: Tensor
    mask: Tensor
    ids: Tensor
    start: Any = None

    def rows(self, chosen: Tensor) -> Memory:
        """Return the given rows of the batch, (n,) int."""
        start = None if self.start is None else tuple(part[:, chosen] for part in self.start)
        return Memory(self.states[chosen], self.mask[chosen], self.ids[chosen], start)


@dataclass
class CopyingOutput(ModelOutput):
    """What `CopyingNetwork` returns.

    Attributes:
        loss: The mean negative log probability of a target token; None without labels.
        logits: (batch, target length, known and copied tokens) log probabilities.
        attentions: (batch, target length, source length), each row sums to 1.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    attentions: Tensor | None = None


class LstmCells(nn.Module):
    """A bidirectional LSTM that reads, an LSTM that writes."""

    keeps_state = True

    def __init__(self, config: Any) -> None:
        super().__init__()
        dropout = config.dropout if config.layers > 1 else 0.0
        self.layers = config.layers
        self.reader = nn.LSTM(
            config.embedding,
            config.hidden // 2,
            config.layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout,
        )
        self.writer = nn.LSTM(
            config.embedding, config.hidden, config.layers, batch_first=True, dropout=dropout
        )

    def read(self, embedded: Tensor, mask: Tensor) -> tuple[Tensor, Any]:
        """Return (batch, length, hidden) states, and the writer's first ones."""
        lengths = mask.sum(dim=1).clamp(min=1).cpu()
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        states, last = self.reader(packed)
        states, _ = pad_packed_sequence(states, batch_first=True, total_length=mask.shape[1])
        # (layers * 2, batch, half) to (layers, batch, both halves side by side)
        start = tuple(
            part.unflatten(0, (self.layers, 2)).transpose(1, 2).flatten(2).contiguous() for part in last
        )
        return states, start

    def write(self, embedded: Tensor, memory: Memory, state: Any) -> tuple[Tensor, Any]:
        """Return (batch, length, hidden) states of what is written, and the cells' for the next token."""
        found: tuple[Tensor, Any] = self.writer(embedded, memory.start if state is None else state)
        return found


class DecoderLayer(nn.Module):
    """Attention to what is written before, attention to the source, a dense layer (Vaswani et al. 2017)."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.own = EncoderLayer(config)
        self.heads = config.heads
        self.norm = nn.LayerNorm(config.hidden)
        self.query = nn.Linear(config.hidden, config.hidden)
        self.source = nn.Linear(config.hidden, 2 * config.hidden)
        self.join = nn.Linear(config.hidden, config.hidden)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, states: Tensor, causal: Tensor, memory: Memory) -> Tensor:
        """Return new (batch, length, hidden) states; causal (1, 1, length, length) is true for what may be
        seen."""
        states = self.own(states, causal)
        parts = (self.query(self.norm(states)), *self.source(memory.states).chunk(2, dim=-1))
        queries, keys, values = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        mask = memory.mask[:, None, None, :]
        found = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        return cast(Tensor, states + self.dropout(self.join(found.transpose(1, 2).flatten(2))))


class TransformerCells(nn.Module):
    """Layers that read all of the source at once, layers that write with a masked future."""

    keeps_state = False

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.hidden = config.hidden
        self.widen = nn.Linear(config.embedding, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.readers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.writers = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.norms = nn.ModuleList(nn.LayerNorm(config.hidden) for _ in range(2))

    def _placed(self, embedded: Tensor) -> Tensor:
        places = sinusoidal(embedded.shape[1], self.hidden, embedded.device)
        return cast(Tensor, self.dropout(self.widen(embedded) + places))

    def read(self, embedded: Tensor, mask: Tensor) -> tuple[Tensor, Any]:
        """Return (batch, length, hidden) states; the writer begins with nothing."""
        states = self._placed(embedded)
        for layer in self.readers:
            states = layer(states, mask[:, None, None, :])
        return self.norms[0](states), None

    def write(self, embedded: Tensor, memory: Memory, state: Any) -> tuple[Tensor, Any]:
        """Return (batch, length, hidden) states of all that is written."""
        length = embedded.shape[1]
        causal = torch.ones(length, length, dtype=torch.bool, device=embedded.device).tril()[None, None]
        states = self._placed(embedded)
        for layer in self.writers:
            states = layer(states, causal, memory)
        return self.norms[1](states), None


class Pointer(nn.Module):
    """Additive attention (Bahdanau et al. 2015), and the mixture of writing a known token and copying one."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.copying = config.copying
        self.query = nn.Linear(config.hidden, config.hidden)
        self.key = nn.Linear(config.hidden, config.hidden, bias=False)
        self.score = nn.Linear(config.hidden, 1, bias=False)
        self.join = nn.Linear(2 * config.hidden, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.vocabulary = nn.Linear(config.hidden, config.vocab_size)
        self.gate = nn.Linear(config.hidden, 1)

    def forward(self, states: Tensor, memory: Memory, extra: int) -> tuple[Tensor, Tensor]:
        """Return (batch, length, known + extra) log probabilities, and the (batch, length, source)
        attention."""
        sums = self.query(states)[:, :, None] + self.key(memory.states)[:, None]
        scores = self.score(sums.tanh()).squeeze(-1).masked_fill(~memory.mask[:, None], -1e9)
        attention = scores.softmax(dim=-1)
        joined = self.dropout(self.join(torch.cat([states, attention @ memory.states], dim=-1)).tanh())
        written = functional.pad(self.vocabulary(joined).softmax(dim=-1), (0, extra))
        if self.copying:
            copied = self.gate(joined).sigmoid()
            places = memory.ids[:, None].expand_as(attention)
            written = ((1 - copied) * written).scatter_add(2, places, copied * attention)
        return written.clamp(min=1e-12).log(), attention


class CopyingNetwork(PreTrainedModel):
    """Reads a text, writes another, and may copy.

    Args:
        config: See `CopyingConfig`.
    """

    config_class = CopyingConfig
    base_model_prefix = "network"

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.embedding, padding_idx=0)
        self.dropout = nn.Dropout(config.dropout)
        self.cells = LstmCells(config) if config.cell == "lstm" else TransformerCells(config)
        self.pointer = Pointer(config)
        self.unknown = 1
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Keep torch's own initial weights."""

    def _embed(self, ids: Tensor) -> Tensor:
        known = torch.where(ids < self.config.vocab_size, ids, self.unknown)
        return cast(Tensor, self.dropout(self.embedding(known)))

    def read(self, input_ids: Tensor, attention_mask: Tensor) -> Memory:
        """Return what the decoder needs of a (batch, length) source."""
        mask = attention_mask.bool()
        states, start = self.cells.read(self._embed(input_ids), mask)
        return Memory(states, mask, input_ids, start)

    def write(self, written: Tensor, memory: Memory, state: Any, extra: int) -> tuple[Tensor, Tensor, Any]:
        """Return log probabilities of the token behind each of (batch, length) written ones, attention and
        state.

        A network that `keeps_state` is given only what is new since the state; others all that is written.
        """
        states, state = self.cells.write(self._embed(written), memory, state)
        chances, attention = self.pointer(states, memory, extra)
        return chances, attention, state

    @property
    def keeps_state(self) -> bool:
        """Whether `write` goes on from a state."""
        return bool(self.cells.keeps_state)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        decoder_input_ids: Tensor,
        labels: Tensor | None = None,
    ) -> CopyingOutput:
        """Return the loss of labels.

        Args:
            input_ids: (batch, source length) ids; unknown tokens have numbers from `vocab_size` on.
            attention_mask: (batch, source length), 1 for tokens.
            decoder_input_ids: (batch, target length) what is written before each target.
            labels: (batch, target length) targets, -100 where there is none.
        """
        extra = max(0, int(input_ids.max()) + 1 - self.config.vocab_size)
        memory = self.read(input_ids, attention_mask)
        chances, attention, _ = self.write(decoder_input_ids, memory, None, extra)
        loss = None
        if labels is not None:
            loss = functional.nll_loss(chances.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
        return CopyingOutput(loss=loss, logits=chances, attentions=attention)
