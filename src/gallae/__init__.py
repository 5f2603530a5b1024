"""gallae (갈래): a Korean-first workbench for text classification.

>>> import gallae
>>> run = gallae.train("train.csv", recipe="default", holdout=0.2)  # doctest: +SKIP
>>> run.model.predict(["코스피 2% 급등…외국인 사흘째 순매수"])  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gallae.data import Corpus as Corpus
    from gallae.data import read as read
    from gallae.data import sample as sample
    from gallae.data.correcting import correct as correct
    from gallae.errors import GallaeError as GallaeError
    from gallae.explaining import explain as explain
    from gallae.models.contract import TextClassifier as TextClassifier
    from gallae.models.heads import register_classifier as register_classifier
    from gallae.models.registry import build as build
    from gallae.models.registry import register as register
    from gallae.recipes import Recipe as Recipe
    from gallae.workflows.audit import audit as audit
    from gallae.workflows.clean import clean as clean
    from gallae.workflows.comparing import compare as compare
    from gallae.workflows.distilling import distill as distill
    from gallae.workflows.embedding import embed as embed
    from gallae.workflows.ensembling import ensemble as ensemble
    from gallae.workflows.evaluating import evaluate as evaluate
    from gallae.workflows.exporting import export as export
    from gallae.workflows.languages import languages as languages
    from gallae.workflows.predicting import predict as predict
    from gallae.workflows.pretraining import pretrain as pretrain
    from gallae.workflows.reviewing import review as review
    from gallae.workflows.runs import Run as Run
    from gallae.workflows.runs import load as load
    from gallae.workflows.searching import search as search
    from gallae.workflows.submitting import submit as submit
    from gallae.workflows.training import train as train

# Imported at first use, so that `import gallae` takes no time.
_PUBLIC = {
    "Corpus": "gallae.data",
    "GallaeError": "gallae.errors",
    "Recipe": "gallae.recipes",
    "Run": "gallae.workflows.runs",
    "TextClassifier": "gallae.models.contract",
    "audit": "gallae.workflows.audit",
    "build": "gallae.models.registry",
    "clean": "gallae.workflows.clean",
    "compare": "gallae.workflows.comparing",
    "correct": "gallae.data.correcting",
    "distill": "gallae.workflows.distilling",
    "embed": "gallae.workflows.embedding",
    "ensemble": "gallae.workflows.ensembling",
    "evaluate": "gallae.workflows.evaluating",
    "explain": "gallae.explaining",
    "export": "gallae.workflows.exporting",
    "languages": "gallae.workflows.languages",
    "load": "gallae.workflows.runs",
    "predict": "gallae.workflows.predicting",
    "pretrain": "gallae.workflows.pretraining",
    "read": "gallae.data",
    "register": "gallae.models.registry",
    "register_classifier": "gallae.models.heads",
    "review": "gallae.workflows.reviewing",
    "sample": "gallae.data",
    "search": "gallae.workflows.searching",
    "submit": "gallae.workflows.submitting",
    "train": "gallae.workflows.training",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'gallae' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
