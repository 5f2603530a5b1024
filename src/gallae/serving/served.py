"""Models as the server holds them: by name, loaded and warm, and what each can be asked."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gallae.errors import GallaeError
from gallae.explaining import explain
from gallae.explaining.methods import check_wish
from gallae.models.contract import TextClassifier
from gallae.models.embedders import KIWI, embedder_within, is_own_model, open_embedder
from gallae.models.layers import EmbeddingOptions
from gallae.models.parts import set_threads

log = logging.getLogger("gallae.serving")
_WARM = [
    "한은, 기준금리 동결…코스피 2% 급등",
    "a",
]  # loads Kiwi, its vectors and ONNX Runtime before the first text


class Wish(NamedTuple):
    """A text to explain, and how (see `gallae.explain`)."""

    text: str
    label: str | None = None
    method: str = "auto"
    unit: str = "word"


@dataclass
class ServedModel:
    """A model with its name.

    Attributes:
        name: What requests call it.
        classifier: Tells labels, if it does.
        embedder: Makes vectors, if it does.
        lock: Held by whoever computes with it.
    """

    name: str
    classifier: TextClassifier | None = None
    embedder: Any = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.labels = [] if self.classifier is None else [str(label) for label in self.classifier.classes_]
        self.multilabel = self.classifier is not None and self.classifier.multilabel_

    @property
    def abilities(self) -> tuple[str, ...]:
        """What it can be asked: "classify", "embed", "explain"."""
        found = {"classify": self.classifier, "embed": self.embedder, "explain": self.classifier}
        return tuple(name for name, does in found.items() if does is not None)

    def classify(self, texts: list[str]) -> list[Answer]:
        """Return what the classifier says of texts, an answer each."""
        assert self.classifier is not None
        table = self.classifier.predict_proba(texts)
        order = np.argsort(-table, axis=1, kind="stable")
        given: Sequence[Any] = [None] * len(texts)
        if self.multilabel:
            given = [tuple(map(str, row)) for row in self.classifier.decide(table)]
        ranked = np.take_along_axis(table, order, axis=1).tolist()
        return [Answer(*row) for row in zip(order.tolist(), ranked, given, strict=True)]

    def embed(self, texts: list[str]) -> np.ndarray:
        """Return (n, width) float32 vectors of texts."""
        return np.ascontiguousarray(self.embedder.embed(texts))

    def explain(self, wishes: Sequence[Wish]) -> list[list[dict[str, Any]]]:
        """Return the explanations of each text as JSON values; several where it has several labels."""
        assert self.classifier is not None
        found = []
        for text, label, method, unit in wishes:
            told = explain(self.classifier, [text], label=label, method=method, unit=unit)
            found.append([one.to_dict() for one in told])
        return found

    def check_wish(self, wish: Wish) -> None:
        """Make sure that a text can be explained so.

        Raises:
            GallaeError: for a label, method or unit that the model does not have.
        """
        check_wish(self.classifier, wish.label, wish.method, wish.unit)

    def facts(self) -> dict[str, Any]:
        """Return what /v1/models says of it."""
        found: dict[str, Any] = {"name": self.name, "can": list(self.abilities)}
        if self.classifier is not None:
            found |= {"labels": self.labels, "multilabel": self.multilabel}
        if self.embedder is not None:
            found["dimensions"] = self.embedder.width
        return found


@dataclass(slots=True)
class Answer:
    """What a classifier says of a text.

    Attributes:
        order: Numbers of the labels, the most probable first.
        probabilities: Their probabilities, in that order.
        given: The labels that are given, where there may be several; None otherwise.
    """

    order: list[int]
    probabilities: list[float]
    given: tuple[str, ...] | None

    def result(self, labels: Sequence[str], top_k: int) -> dict[str, Any]:
        """Return it as JSON values.

        Args:
            labels: Of the model, in the order of its classes.
            top_k: How many labels' probabilities; 0 for all.
        """
        names = [labels[number] for number in self.order]
        found: dict[str, Any] = {"label": names[0], "probability": self.probabilities[0]}
        if self.given is not None:
            best = next((rank for rank, name in enumerate(names) if name in self.given), None)
            found["label"] = None if best is None else names[best]
            found["probability"] = self.probabilities[best or 0]
            found["labels"] = [name for name in names if name in self.given]
        most = top_k or len(names)
        found["probabilities"] = dict(zip(names[:most], self.probabilities[:most], strict=True))
        return found


def open_models(
    models: dict[str, str], embedding: EmbeddingOptions, threads: int = 1
) -> dict[str, ServedModel]:
    """Load models and let each answer once, so that the first request waits for nothing.

    Nothing is written to the cache folder from then on: what a server reads is none of the disk's business.

    Args:
        models: Sources by name: a run, a bundled model's name, a checkpoint, or "kiwi".
        embedding: Layers of encoders that vectors are taken from.
        threads: Threads of the networks.

    Raises:
        GallaeError: if one is missing, damaged or of another kind; names it.
    """
    found = {}
    for name, source in models.items():
        try:
            found[name] = _warmed(_open(name, source, embedding, threads))
        except GallaeError as error:
            raise type(error)(f"{name}: {error}" if name != source else str(error)) from error
        log.info("model %s is loaded: %s", name, ", ".join(found[name].abilities))
    os.environ["GALLAE_CACHE"] = "off"
    return found


def _open(name: str, source: str, embedding: EmbeddingOptions, threads: int) -> ServedModel:
    from gallae.models.bundled import bundled_models
    from gallae.workflows.runs import load

    if source == KIWI and not Path(source).exists():
        return ServedModel(name, embedder=open_embedder(KIWI))
    if not is_own_model(source) and source not in bundled_models() and _may_be_checkpoint(source):
        _torch_threads(threads)
        return ServedModel(name, embedder=open_embedder(source, embedding))
    classifier = load(source, threads)
    set_threads(classifier, threads)
    return ServedModel(name, classifier, embedder_within(classifier, embedding))


def _may_be_checkpoint(source: str) -> bool:
    """Whether it is a checkpoint's folder, one of ours, or looks like a hub id; if not, `load` complains."""
    from gallae.pretrained.shipped import SHIPPED

    folder = Path(source).expanduser()
    if folder.is_dir():
        return any(folder.glob("**/config.json"))
    return source in SHIPPED or (
        source.count("/") == 1 and not folder.parent.exists() and source[0] not in "./~"
    )


def _torch_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def _warmed(model: ServedModel) -> ServedModel:
    calls: dict[str, Callable[[list[str]], Any]] = {"classify": model.classify, "embed": model.embed}
    for ability in calls.keys() & set(model.abilities):
        calls[ability](_WARM)
    return model
