"""Writing a translation token by token: greedily, or keeping several that compete (beam search)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gallae.models.architectures.copying import CopyingNetwork, Memory


@dataclass
class Written:
    """A translation.

    Attributes:
        ids: Its tokens, without begin and end.
        score: Its log probability, the end included.
    """

    ids: list[int]
    score: float


def write(
    network: CopyingNetwork, memory: Memory, begin: int, end: int, most: Tensor, beams: int = 1
) -> list[Written]:
    """Return the best translation found of each source of a batch.

    A beam may drop what greedy writing would have found; then that is returned. So more beams are never
    worse.

    Args:
        network: In evaluation mode.
        memory: What it has read.
        begin: Token that opens every translation.
        end: Token that closes it.
        most: (batch,) int, most tokens of each translation.
        beams: How many unfinished translations are kept.
    """
    greedy = _search(network, memory, begin, end, most, 1)
    if beams == 1:
        return greedy
    wide = _search(network, memory, begin, end, most, beams)
    return [max(pair, key=lambda one: one.score) for pair in zip(greedy, wide, strict=True)]


def _search(network: Any, memory: Memory, begin: int, end: int, most: Tensor, beams: int) -> list[Written]:
    rows = memory.states.shape[0]
    extra = max(0, int(memory.ids.max()) + 1 - network.config.vocab_size)
    width = network.config.vocab_size + extra
    memory = memory.rows(torch.arange(rows).repeat_interleave(beams))
    prefix = torch.full((rows * beams, 1), begin)
    scores = torch.full((rows, beams), float("-inf"))
    scores[:, 0] = 0.0  # at first all beams are equal: only one of them counts
    done = torch.zeros(rows, beams, dtype=torch.bool)
    state: Any = None
    for step in range(int(most.max())):
        given = prefix[:, -1:] if network.keeps_state else prefix
        chances, _, state = network.write(given, memory, state, extra)
        last = chances[:, -1].reshape(rows, beams, width).clone()
        last[..., begin] = last[..., 0] = float("-inf")
        closing = torch.where(done, 0.0, last[..., end])
        last = last.masked_fill((done | (step >= most - 1)[:, None])[..., None], float("-inf"))
        last[..., end] = closing
        total = (scores[..., None] + last).flatten(1)
        scores, best = total.topk(beams, dim=1)
        parent, token = best // width, best % width
        chosen = (torch.arange(rows)[:, None] * beams + parent).flatten()
        prefix = torch.cat([prefix[chosen], token.view(-1, 1)], dim=1)
        done = done.gather(1, parent) | (token == end)
        if state is not None:
            state = tuple(part[:, chosen] for part in state)
        if bool(done.all()):
            break
    texts = prefix.view(rows, beams, -1)[:, 0, 1:].tolist()
    return [Written(_until(ids, end), float(score)) for ids, score in zip(texts, scores[:, 0], strict=True)]


def _until(ids: list[int], end: int) -> list[int]:
    return ids[: ids.index(end)] if end in ids else ids
