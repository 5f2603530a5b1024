"""Korean text: named clean-up steps, morphemes, and splitting into units.

`TextPipeline` runs the steps of `STEPS` that a recipe names; `tokenize` splits what comes out.
"""

from gallae.text.cache import analyses, analyze_cached, cache_folder
from gallae.text.morphemes import TAGS, Analyzer, KiwiAnalyzer, MecabAnalyzer, Morpheme, analyzer
from gallae.text.pipeline import DEFAULT_STEPS, StepChange, TextPipeline
from gallae.text.steps import STEPS, step
from gallae.text.units import (
    NOUNS_AND_VERBS,
    STUDY_DROP_TAGS,
    UNITS,
    compose_jamo,
    decompose_jamo,
    iter_tokens,
    match_tags,
    tokenize,
)

__all__ = [
    "DEFAULT_STEPS",
    "NOUNS_AND_VERBS",
    "STEPS",
    "STUDY_DROP_TAGS",
    "TAGS",
    "UNITS",
    "Analyzer",
    "KiwiAnalyzer",
    "MecabAnalyzer",
    "Morpheme",
    "StepChange",
    "TextPipeline",
    "analyses",
    "analyze_cached",
    "analyzer",
    "cache_folder",
    "compose_jamo",
    "decompose_jamo",
    "iter_tokens",
    "match_tags",
    "step",
    "tokenize",
]
