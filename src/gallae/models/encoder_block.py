"""The block of an encoder's vectors: features of a pretrained network that is not trained further."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from gallae.models.contract import State
from gallae.models.documents import Documents
from gallae.models.embedders import checkpoint_folder, open_encoder
from gallae.models.layers import EmbeddingOptions

log = logging.getLogger(__name__)
_LEAST = 1e-3  # of the columns' median spread
_NETWORK = ("config.json", "model.safetensors")


class EncoderBlock:
    """Vectors of an encoder's layers, each column standardised over the training texts.

    Rows have about the length `weight`. The network and its tokenizer are saved with the block.

    Args:
        checkpoint: A hub id, or a folder.
        revision: Of a hub id.
        layer, combine, weights, pool, max_length: See `gallae.models.layers.EmbeddingOptions`.
        max_unknown: Largest share of unknown tokens among those of the training texts.
        weight: What the block's rows are multiplied by.

    Raises:
        RecipeError: for a value that is not allowed.
    """

    def __init__(
        self,
        checkpoint: str = "",
        revision: str = "",
        layer: str = "-2",
        combine: str = "mean",
        weights: Sequence[float] = (),
        pool: str = "mean",
        max_length: int = 128,
        max_unknown: float = 0.2,
        weight: float = 1.0,
    ) -> None:
        self.checkpoint, self.revision = checkpoint, revision
        self.options = EmbeddingOptions(str(layer), combine, tuple(weights), pool, max_length)
        self.max_unknown = max_unknown
        self.weight = weight
        self.mean = np.zeros(0, np.float32)
        self.scale = np.zeros(0, np.float32)
        self._embedder: Any = None

    def check(self) -> None:
        """Make sure, before any data is read, that the checkpoint is there and has the layers.

        Raises:
            ModelError: if it is not there, or no encoder.
            RecipeError: for a layer that is not there.
        """
        from gallae.pretrained.loading import load_config

        config = load_config(checkpoint_folder(self.checkpoint, self.revision))
        self.options.numbers(int(config.num_hidden_layers))

    def fit(self, documents: Documents) -> np.ndarray:
        """Load the checkpoint, learn mean and scale of each column; return the raw vectors."""
        from gallae.pretrained.tokenizing import check_unknown

        self._open(*open_encoder(self.checkpoint, self.revision))
        check_unknown(self._embedder.tokenizer, documents.texts, self.max_unknown, self.checkpoint)
        vectors = self._embedder.embed(documents.texts)
        if self._embedder.truncated:
            log.warning(
                "%d of %d texts are longer than the encoder block's max_length, %d tokens; the rest of each "
                "is not read",
                self._embedder.truncated,
                len(documents.texts),
                self._embedder.max_length,
            )
        self.mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        spread = vectors.std(axis=0, dtype=np.float64)
        # A column that hardly varies (MiniLM's last layer has three) is rounding noise, not to be blown up.
        self.scale = np.where(spread > _LEAST * np.median(spread), spread, np.inf).astype(np.float32)
        return vectors

    def transform(self, documents: Documents, counts: Any = None) -> np.ndarray:
        """Return (n_texts, width) float32; `counts` are the raw vectors, where `fit` gave them."""
        vectors = self._embedder.embed(documents.texts) if counts is None else counts
        factor = np.float32(self.weight / np.sqrt(vectors.shape[1]))
        return (vectors - self.mean) / self.scale * factor

    def _open(self, network: Any, tokenizer: Any) -> None:
        from gallae.models.embedding import Embedder

        self._embedder = Embedder(network, tokenizer, self.options)

    def names(self) -> list[str]:
        """Return the columns' names."""
        return [f"encoder:{number}" for number in range(len(self.mean))]

    def state(self) -> State:
        """Return what was learned, and the whole checkpoint."""
        tensors = {"mean": self.mean, "scale": self.scale}
        return State({}, tensors, packed(self._embedder.network, self._embedder.tokenizer))

    def restore(self, state: State) -> Self:
        """Take over what was learned."""
        self.mean, self.scale = state.tensors["mean"], state.tensors["scale"]
        self._open(*unpacked(state.files))
        return self


def packed(network: Any, tokenizer: Any) -> dict[str, bytes]:
    """Return a network without its head and its tokenizer as files by name, in the hub's layout."""
    from gallae.pretrained.loading import quiet
    from gallae.pretrained.tokenizing import save_tokenizer

    with tempfile.TemporaryDirectory(prefix="gallae-") as folder, quiet():
        network.save_pretrained(folder, max_shard_size="1TB")
        files = {name: (Path(folder) / name).read_bytes() for name in _NETWORK}
    return files | save_tokenizer(tokenizer)


def unpacked(files: dict[str, bytes]) -> tuple[Any, Any]:
    """Return network and tokenizer of the files of `packed`."""
    from gallae.pretrained.loading import load_model
    from gallae.pretrained.tokenizing import restore_tokenizer

    with tempfile.TemporaryDirectory(prefix="gallae-") as folder:
        for name in _NETWORK:
            (Path(folder) / name).write_bytes(files[name])
        return load_model(Path(folder)), restore_tokenizer(files)
