"""Why a model gives a label: what each word or morpheme of a text says for it or against it."""

from gallae.explaining.explanation import Explanation, Part
from gallae.explaining.methods import METHODS, allowed_methods, explain

__all__ = ["METHODS", "Explanation", "Part", "allowed_methods", "explain"]
