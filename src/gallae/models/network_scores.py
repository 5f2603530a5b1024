"""Scores of a network over texts, whatever computes its logits."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from gallae.models.contract import TextClassifier
from gallae.models.inputs import Inputs
from gallae.text import TextPipeline
from gallae.training.batches import Rows

log = logging.getLogger(__name__)


class NetworkClassifier(TextClassifier):
    """Base of classifiers with a network; a subclass says in `logits_of` who computes its logits.

    Attributes:
        pipeline_: The text steps.
        inputs_: From clean texts to the network's rows.
        prior_: (n_classes,) shares of the classes among the training rows; texts without a token get them.
        threads_: Threads that compute the logits; None leaves it to the library.
    """

    pipeline_: TextPipeline
    inputs_: Inputs
    prior_: np.ndarray
    threads_: int | None = None

    def logits_of(self, rows: Rows) -> np.ndarray:
        """Return (n, n_classes) float32 logits of rows that have a token each."""
        raise NotImplementedError  # pragma: no cover - every subclass has its own

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Return logits, (n_texts, n_classes); for two classes their difference, (n_texts, 1)."""
        texts = self._ready_for(texts)
        rows = self.inputs_.transform(self.pipeline_.apply(texts))
        self._warn_truncated(len(texts))
        full = np.flatnonzero(rows.lengths)
        result = np.tile(self._prior_scores(), (len(texts), 1))
        if len(full) < len(texts):
            log.info("%d texts have no token and get the classes' shares", len(texts) - len(full))
        if len(full):
            result[full] = self._score(rows.take(full))
        return result

    def _warn_truncated(self, count: int) -> None:
        if self.inputs_.truncated and not self.inputs_.told:
            self.inputs_.told = True
            log.warning(
                "%d of %d texts are longer than model.max_length; the rest of each is not read",
                self.inputs_.truncated,
                count,
            )

    def _score(self, rows: Rows) -> np.ndarray:
        found = rows.pooled(self.logits_of(rows), self.multilabel_)
        return found[:, 1:] - found[:, :1] if self._one_margin() else found

    def _one_margin(self) -> bool:
        return len(self.classes_) == 2 and not self.multilabel_

    def _prior_scores(self) -> np.ndarray:
        logs = np.log(self.prior_).astype(np.float32)
        if self.multilabel_:
            return logs - np.log1p(-self.prior_).astype(np.float32)
        return logs[1:] - logs[:1] if self._one_margin() else logs
