"""Which of an encoder's layers make an embedding, and how; nothing heavy is imported."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from gallae.errors import RecipeError

COMBINE = ("mean", "sum", "concat", "weighted")
POOL = ("cls", "mean", "max")
_NUMBER = re.compile(r"-?\d+")
_RANGE = re.compile(r"(-?\d+)?:(-?\d+)?")


@dataclass(frozen=True)
class EmbeddingOptions:
    """How a text becomes a vector.

    Attributes:
        layer: Numbers with commas, or a range as in Python: "-2", "0", "-4:", "-4,-1". 0 is the embedding
            layer, 1 the first of the encoder, -1 the last.
        combine: What several layers become: "mean", "sum", "concat" (side by side), or "weighted", the sum
            with `weights`.
        weights: One a layer, for "weighted".
        pool: What a text's tokens become: the first ("cls"), their "mean" or their "max".
        max_length: Most tokens of a text, special ones among them; the rest is cut off.

    Raises:
        RecipeError: for a value that is not allowed.
    """

    layer: str = "-2"
    combine: str = "mean"
    weights: tuple[float, ...] = ()
    pool: str = "mean"
    max_length: int = 128

    def __post_init__(self) -> None:
        for name, value, allowed in (("combine", self.combine, COMBINE), ("pool", self.pool, POOL)):
            if value not in allowed:
                raise RecipeError(f"{name} is {value!r}; allowed: {', '.join(allowed)}.")
        if self.max_length < 3:
            raise RecipeError(f"max_length is {self.max_length}: 3 or more, two of them special tokens.")
        if self.weights and self.combine != "weighted":
            raise RecipeError(f"weights are for combine 'weighted', not for {self.combine!r}.")
        if self.combine == "weighted" and not self.weights:
            raise RecipeError("combine 'weighted' needs weights, a number a layer, such as 0.1,0.2,0.3,0.4.")
        if not all(map(math.isfinite, self.weights)):
            raise RecipeError(f"weights are {list(self.weights)}; each is a finite number, such as 0.25.")
        _parts(self.layer)

    def numbers(self, depth: int) -> list[int]:
        """Return the layers' numbers, from 0, of an encoder with `depth` layers.

        Raises:
            RecipeError: for one that is not there, none at all, or another number of weights.
        """
        found: list[int] = []
        for part in _parts(self.layer):
            if isinstance(part, slice):
                found += range(depth + 1)[part]
            elif -depth - 1 <= part <= depth:
                found.append(part % (depth + 1))
            else:
                raise RecipeError(f"there is no layer {part}: {_allowed(depth)}")
        if not found:
            raise RecipeError(f"layer {self.layer!r} chooses none: {_allowed(depth)}")
        if self.weights and len(self.weights) != len(found):
            raise RecipeError(
                f"layer {self.layer!r} chooses {len(found)} layers, but there are {len(self.weights)} "
                "weights. Give one a layer."
            )
        return found


def _parts(layer: str) -> list[int | slice]:
    """Read "-2", "-4:" or "0,-1"."""
    parts: list[int | slice] = []
    for text in (part.strip() for part in str(layer).split(",")):
        if _NUMBER.fullmatch(text):
            parts.append(int(text))
        elif found := _RANGE.fullmatch(text):
            start, stop = (None if end is None else int(end) for end in found.groups())
            parts.append(slice(start, stop))
        else:
            raise RecipeError(
                f"layer {layer!r} cannot be read. Write a number (-2), several (-4,-1), or a range (-4:)."
            )
    return parts


def _allowed(depth: int) -> str:
    return (
        f"this encoder has 0 (embeddings) to {depth}; from the end -1 (the last) to {-depth - 1} "
        "(embeddings). Ranges are written as -4:."
    )
