"""Semantic search: the texts of a corpus whose vectors lie nearest to a question's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallae.errors import DataError, OutputError
from gallae.files import read_json, write_beside

_CELLS_AT_ONCE = 1 << 25


@dataclass(frozen=True)
class SearchIndex:
    """The vectors of a corpus.

    Attributes:
        texts: The texts.
        vectors: (n_texts, n_dimensions) float32, of unit length.
    """

    texts: Sequence[str]
    vectors: NDArray[np.float32]

    def search(self, questions: NDArray[np.float32], top_k: int = 5) -> list[list[dict[str, Any]]]:
        """Return the nearest texts of each question, nearest first; equal ones in the corpus's order.

        Args:
            questions: (n_questions, n_dimensions), of unit length.
            top_k: How many texts each.

        Returns:
            For each question a list of {"rank" (from 1), "row" (from 0), "score" (the cosine), "text"}.

        Raises:
            DataError: for a `top_k` below 1 or an empty corpus.
        """
        if top_k < 1:
            raise DataError(f"top_k is {top_k}; it is how many texts to find, 1 or more.")
        if not len(self.texts):
            raise DataError("the corpus has no texts to search in.")
        found: list[list[dict[str, Any]]] = []
        step = max(1, _CELLS_AT_ONCE // len(self.texts))
        for start in range(0, len(questions), step):
            scores = questions[start : start + step] @ self.vectors.T
            found += [self._best(row, min(top_k, len(row))) for row in scores]
        return found

    def _best(self, scores: NDArray[np.float32], count: int) -> list[dict[str, Any]]:
        least = np.partition(scores, len(scores) - count)[len(scores) - count]
        rows = np.flatnonzero(scores >= least)
        rows = rows[np.argsort(-scores[rows], kind="stable")][:count]
        return [
            {"rank": rank, "row": row, "score": float(scores[row]), "text": self.texts[row]}
            for rank, row in enumerate(rows.tolist(), 1)
        ]

    def save(self, path: str | Path, model: str) -> None:
        """Write the vectors as NumPy's .npy, and beside it a .npy.json that says of which texts and model.

        Args:
            path: The file, replaced if it is there.
            model: What identifies the model.
        """
        with write_beside(path, force=True) as temporary, temporary.open("wb") as file:
            np.save(file, self.vectors, allow_pickle=False)
        with write_beside(_beside(path), force=True) as temporary:
            temporary.write_text(json.dumps(_facts(self.texts, model)) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path, texts: Sequence[str], model: str) -> SearchIndex | None:
        """Return the index that `save` wrote; None if it is of other texts or another model.

        Args:
            path: The .npy file.
            texts: The corpus's.
            model: What identifies the model.

        Raises:
            OutputError: if it is damaged.
        """
        try:
            if read_json(_beside(path)) != _facts(texts, model):
                return None
            vectors = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise OutputError(
                f"the index {path} is damaged, or is none of gallae's ({error}). Remove it, or name another "
                "file with --index."
            ) from error
        return cls(texts, vectors)


def _beside(path: str | Path) -> Path:
    return Path(f"{path}.json")  # never a name that the corpus itself may have


def _facts(texts: Sequence[str], model: str) -> dict[str, Any]:
    digest = sha256()
    for text in texts:
        digest.update(f"{text}\0".encode("utf-8", "surrogatepass"))
    return {"texts": len(texts), "sha256": digest.hexdigest(), "model": model}
