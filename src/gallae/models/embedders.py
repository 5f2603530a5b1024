"""From a name to what makes vectors: a checkpoint, a trained encoder's backbone, or Kiwi."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from gallae.errors import ModelError, RecipeError, require
from gallae.models.documents import Documents, TagFilter
from gallae.models.kiwi_block import CONTENT_TAGS
from gallae.models.layers import EmbeddingOptions
from gallae.models.persistence import MANIFEST
from gallae.text import TextPipeline
from gallae.text.kiwi_vectors import DIMENSIONS, kiwi_vectors

KIWI = "kiwi"
"""The name of Kiwi's own vectors, in the place of a checkpoint."""
_MODULES = "modules.json"


class KiwiEmbedder:
    """The mean of the Kiwi vectors of a text's content morphemes, (256,); no network is needed."""

    width = DIMENSIONS
    truncated = 0

    def __init__(self) -> None:
        self._filter = TagFilter("morpheme_tag", (), CONTENT_TAGS)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n, 256) float32 vectors of texts; zeros for a text without a known morpheme."""
        tokens = self._filter(Documents(TextPipeline().apply(list(texts))).tagged)
        names: dict[str, int] = {}
        columns = [names.setdefault(token, len(names)) for row in tokens for token in row]
        vectors = kiwi_vectors()(list(names))
        known = vectors.any(axis=1).astype(np.float32)
        ends = np.cumsum([0, *map(len, tokens)])
        table = sp.csr_matrix(
            (np.ones(len(columns), np.float32), columns, ends), shape=(len(tokens), len(names))
        )
        counts = np.maximum(table @ known, 1)[:, None]
        return np.asarray(table @ vectors / counts, dtype=np.float32).reshape(len(tokens), DIMENSIONS)


def open_embedder(model: str | Path, options: EmbeddingOptions | None = None, revision: str = "") -> Any:
    """Return what makes vectors (`gallae.models.embedding.Embeds`).

    Args:
        model: A hub id, a checkpoint's folder (one of sentence-transformers too), a run or model folder of
            the family "encoder", or "kiwi".
        options: Which layers, and how they are joined.
        revision: Of a hub id.

    Raises:
        ModelError: if it is missing, damaged, or no encoder.
        RecipeError: for a layer that is not there, or options that Kiwi's vectors do not take.
        MissingExtra: without the extra `neural`, unless it is "kiwi".
    """
    options = options or EmbeddingOptions()
    if str(model) == KIWI:
        if options != EmbeddingOptions():
            raise RecipeError("Kiwi's vectors have no layers: leave out layer, combine, pool and max_length.")
        return KiwiEmbedder()
    require("transformers", "neural")
    from gallae.models.embedding import Embedder

    if is_own_model(model):
        return Embedder(*_own_encoder(model, options))
    return Embedder(*open_encoder(model, revision), options)


def open_encoder(checkpoint: str | Path, revision: str = "") -> tuple[Any, Any]:
    """Return the network of a checkpoint without its head, and its tokenizer."""
    from gallae.pretrained.loading import load_model
    from gallae.pretrained.tokenizing import load_tokenizer

    folder = checkpoint_folder(checkpoint, revision)
    tokenizer = load_tokenizer(folder)
    return load_model(folder), tokenizer


def checkpoint_folder(checkpoint: str | Path, revision: str = "") -> Path:
    """Return the folder of a checkpoint (see `gallae.pretrained.finding.resolve`).

    sentence-transformers may keep the encoder in a folder within, such as 0_Transformer.
    """
    require("transformers", "neural")
    from gallae.pretrained.finding import CONFIG, resolve

    folder = Path(checkpoint).expanduser()
    if not (folder / CONFIG).is_file() and (folder / _MODULES).is_file():
        return folder / _first_module(folder)
    if not (folder / CONFIG).is_file() and (folder / "model" / CONFIG).is_file():
        return folder / "model"  # a run of `gallae sentences` or `gallae tasks`
    return resolve(str(checkpoint), revision)


def _first_module(folder: Path) -> str:
    try:
        modules = json.loads((folder / _MODULES).read_text(encoding="utf-8"))
        return str(modules[0]["path"])
    except (ValueError, LookupError, TypeError) as error:
        raise ModelError(f"{folder / _MODULES} is damaged: {error!r}. Fetch the checkpoint again.") from error


def is_own_model(model: str | Path) -> bool:
    """Whether it is a folder that `gallae train` wrote."""
    folder = Path(model).expanduser()
    return any((place / MANIFEST).is_file() for place in (folder, folder / "model"))


def _own_encoder(model: str | Path, options: EmbeddingOptions) -> tuple[Any, Any, EmbeddingOptions, Any]:
    """Return backbone, tokenizer, options and text pipeline of a trained encoder."""
    from gallae.models.onnx_network import OnnxClassifier
    from gallae.models.persistence import load

    found = inner_model(load(model))
    if isinstance(found, OnnxClassifier):
        raise ModelError(
            f"{model} was exported to ONNX, which gives scores only and no layers. Give the run that it was "
            "made of."
        )
    if not _has_encoder(found):
        raise ModelError(
            f"{model} holds no encoder ({type(found).__name__}), so it has no layers to take vectors from. "
            "Give a run of a recipe such as encoder (without --folds, which keep several), or a checkpoint."
        )
    return _encoder_of(found, options)


def embedder_within(model: Any, options: EmbeddingOptions | None = None) -> Any | None:
    """Return what makes vectors by the encoder within a fitted classifier, whose weights it shares.

    None if there is none, as in linear models and what `gallae export` wrote.

    Raises:
        RecipeError: for a layer that is not there.
    """
    found = inner_model(model)
    if not _has_encoder(found):
        return None
    from gallae.models.embedding import Embedder

    return Embedder(*_encoder_of(found, options or EmbeddingOptions()))


def _has_encoder(model: Any) -> bool:
    from gallae.models.encoded import CheckpointInputs
    from gallae.models.onnx_network import OnnxClassifier

    return isinstance(getattr(model, "inputs_", None), CheckpointInputs) and not isinstance(
        model, OnnxClassifier
    )


def _encoder_of(model: Any, options: EmbeddingOptions) -> tuple[Any, Any, EmbeddingOptions, Any]:
    from gallae.pretrained.tokenizing import restore_tokenizer

    return model.network_.backbone, restore_tokenizer(model.inputs_.files), options, model.pipeline_


def inner_model(model: Any) -> Any:
    """Return the classifier within a calibrated one; others are returned as they are."""
    return getattr(model, "estimator_", model)
