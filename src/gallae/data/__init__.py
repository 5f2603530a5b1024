"""Reading, checking and splitting labelled text; the embedded sample corpus."""

from gallae.data.checks import check_trainable
from gallae.data.corpus import Corpus, sample
from gallae.data.duplicates import near_duplicates, normalised_key
from gallae.data.labels import LabelMap, LabelSet
from gallae.data.reading import read
from gallae.data.sniffing import FORMATS
from gallae.data.splitting import folds, holdout, straddling
from gallae.data.statistics import describe
from gallae.data.streaming import stream

__all__ = [
    "FORMATS",
    "Corpus",
    "LabelMap",
    "LabelSet",
    "check_trainable",
    "describe",
    "folds",
    "holdout",
    "near_duplicates",
    "normalised_key",
    "read",
    "sample",
    "straddling",
    "stream",
]
