"""What a recipe of the task `translate` may say."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from gallae.pretrained.scratch import NAME as SCRATCH
from gallae.recipes.schema import Table


class EditOptions(Table):
    """The family "edits"; see `gallae.tasks.translate_edits.EditModel`."""

    boldness: float = Field(default=1.0, ge=0)
    folds: int = Field(default=4, ge=2)
    least: int = Field(default=1, ge=1)


class NetworkOptions(Table):
    """The families "lstm" and "transformer": encoder-decoders of random weights.

    `unit`: what is read and written; `reversed`: whether the source is read backwards (Sutskever et al.
    2014); `copying`: whether tokens may be taken from the source as they are (See et al. 2017); `beams`:
    translations that are kept while one is written.
    """

    unit: Literal["char", "jamo", "morpheme"] = "char"
    reversed: bool = False
    copying: bool = True
    beams: int = Field(default=4, ge=1, le=64)
    embedding: int = Field(default=64, ge=1)
    hidden: int = Field(default=128, ge=2)
    layers: int = Field(default=1, ge=1)
    heads: int = Field(default=4, ge=1)
    feed_forward: int = Field(default=256, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)

    @model_validator(mode="after")
    def _even(self) -> NetworkOptions:
        if self.hidden % (2 * self.heads):
            raise ValueError(f"hidden = {self.hidden} must be a multiple of twice heads = {self.heads}")
        return self


def family_of(values: Any) -> Any:
    """Return recipe values with the family that a checkpoint asks for."""
    if not isinstance(values, dict) or "family" in values:
        return values
    named = values.get("checkpoint", SCRATCH)
    return values if named == SCRATCH else {**values, "family": "pretrained"}
