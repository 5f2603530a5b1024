"""Tasks around classification: sentence pairs, names, questions, choices.

>>> from gallae.tasks import Nli
>>> examples = Nli.read("pairs.tsv")  # doctest: +SKIP
>>> Nli(checkpoint="klue/roberta-base").fit(examples).predict(examples)  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gallae.tasks.choice import Choice as Choice
    from gallae.tasks.ner import Ner as Ner
    from gallae.tasks.pairs import Nli as Nli
    from gallae.tasks.pairs import Similarity as Similarity
    from gallae.tasks.qa import Qa as Qa
    from gallae.tasks.sentences import SentenceEncoder as SentenceEncoder
    from gallae.tasks.translate import Translate as Translate

_PUBLIC = {
    "Choice": "gallae.tasks.choice",
    "Ner": "gallae.tasks.ner",
    "Nli": "gallae.tasks.pairs",
    "Qa": "gallae.tasks.qa",
    "SentenceEncoder": "gallae.tasks.sentences",
    "Similarity": "gallae.tasks.pairs",
    "Translate": "gallae.tasks.translate",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'gallae.tasks' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
