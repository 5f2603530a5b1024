"""Figures of named entities: an entity counts if its characters and its type are both exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from gallae.errors import require
from gallae.evaluation.metrics import Hits
from gallae.tasks.bio import character_tags
from gallae.tasks.figures import Figures, Floats, from_sums

Spans = Sequence[Iterable[tuple[int, int, str]]]
Entity = tuple[int, int, str]


def entity_figures(lengths: Sequence[int], gold: Spans, predicted: Spans) -> Figures:
    """Compare entities as seqeval does (strict, IOB2) over the tags of characters, as KLUE does.

    Args:
        lengths: Characters of each text.
        gold: The right spans of each text, without overlaps.
        predicted: The predicted ones, likewise.

    Returns:
        `precision`, `recall` and `f1` over all entities (micro), `macro_f1` over the types that are there,
        each with its 95 % interval (percentile bootstrap over texts), and `per_type` with the same and
        `support`, the number of right entities. What nothing can be divided by is 0.
    """
    right, said = _entities(lengths, gold), _entities(lengths, predicted)
    types = sorted({kind for entities in (*right, *said) for _, _, kind in entities})
    table = _counts(right, said, types)
    size = len(types)
    result = from_sums(table, _overall)
    result["per_type"] = {}
    for at, kind in enumerate(types):
        columns = table[:, at::size]
        support = int(columns[:, 2].sum())
        result["per_type"][kind] = {**from_sums(columns, _of_one), "support": support}
    return result


def _entities(lengths: Sequence[int], spans: Spans) -> list[set[Entity]]:
    entities = require("seqeval.scheme", "tasks").Entities
    scheme = require("seqeval.scheme", "tasks").IOB2
    tags = [character_tags(own, length) for own, length in zip(spans, lengths, strict=True)]
    return [
        {(one.start, one.end, one.tag) for one in found} for found in entities(tags, scheme, False).entities
    ]


def _counts(right: Sequence[set[Entity]], said: Sequence[set[Entity]], types: Sequence[str]) -> Floats:
    """Return (n_texts, 3 * n_types): right predictions of each type, all predictions, gold entities."""
    number = {kind: at for at, kind in enumerate(types)}
    table = np.zeros((len(right), 3, len(types)))
    for row, (golds, guesses) in enumerate(zip(right, said, strict=True)):
        for part, entities in enumerate((golds & guesses, guesses, golds)):
            for _, _, kind in entities:
                table[row, part, number[kind]] += 1
    return table.reshape(len(right), 3 * len(types))


def _hits(sums: Floats) -> Hits:
    return Hits(*np.split(sums, 3, axis=-1))


def _overall(sums: Floats) -> dict[str, NDArray[np.float64]]:
    hits = _hits(sums)
    parts = (hits.true_positive, hits.predicted, hits.support)
    micro = Hits(*(part.sum(axis=-1, keepdims=True) for part in parts)).scores()
    # A resample's mean is over the types that it drew.
    drawn = (hits.predicted + hits.support) > 0
    macro = (hits.scores()["f1"] * drawn).sum(axis=-1) / np.maximum(drawn.sum(axis=-1), 1)
    return {"f1": micro["f1"][..., 0], "precision": micro["precision"][..., 0],
            "recall": micro["recall"][..., 0], "macro_f1": macro}  # fmt: skip


def _of_one(sums: Floats) -> dict[str, NDArray[np.float64]]:
    return {name: values[..., 0] for name, values in _hits(sums).scores().items()}
