"""What an encoder learns from plain text; one module a kind, imported when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gallae.pretraining.objectives.base import Objective

OBJECTIVES = {
    "mlm": "gallae.pretraining.objectives.mlm.MaskedLanguageModel",
    "clm": "gallae.pretraining.objectives.clm.CausalLanguageModel",
    "tlm": "gallae.pretraining.objectives.tlm.TranslationLanguageModel",
    "rtd": "gallae.pretraining.objectives.rtd.ReplacedTokenDetection",
    "denoising": "gallae.pretraining.objectives.denoising.DenoisingAutoencoder",
    "distilbert": "gallae.pretraining.objectives.distilbert.DistilBert",
    "tinybert": "gallae.pretraining.objectives.tinybert.TinyBert",
}
"""Class of each kind in `gallae.pretraining.options`."""


def find_objective(kind: str) -> type[Objective]:
    """Return the class of an objective; a recipe has checked its kind."""
    module, _, name = OBJECTIVES[kind].rpartition(".")
    found: type[Objective] = getattr(import_module(module), name)
    return found
