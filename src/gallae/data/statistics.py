"""What `audit` computes from a corpus: pure functions that return dicts ready for JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from gallae.data.characters import damaged, script_shares
from gallae.data.corpus import Corpus
from gallae.data.duplicates import near_duplicates, normalised_key, numbered
from gallae.data.terms import telling_terms, vocabulary

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_SHOWN = 200  # characters of an example


def describe(
    corpus: Corpus,
    tokens: Sequence[Sequence[str]] | None = None,
    against: Corpus | None = None,
    threshold: float = 0.8,
    examples: int = 5,
) -> dict[str, Any]:
    """Compute everything that `audit` says about a corpus.

    Args:
        corpus: What to look at; labels are optional.
        tokens: The tokens of each text, such as morphemes; None leaves out what needs them.
        against: Another corpus (a test set, say) to look for common texts in.
        threshold: Jaccard similarity of near duplicates.
        examples: Most examples of each kind.

    Returns:
        "rows", "columns", "empty", "whitespace", "duplicates", "characters" (length), "scripts",
        "damaged"; with labels "labels" and "conflicts"; with tokens "tokens" (length), "vocabulary" and,
        with labels too, "telling_terms"; with `against` "overlap".
    """
    texts = corpus.texts
    found: dict[str, Any] = {
        "source": corpus.source,
        "rows": len(corpus),
        "columns": [str(column) for column in corpus.table.columns],
        "empty": sum(text == "" for text in texts),
        "whitespace": sum(text != "" and not text.strip() for text in texts),
        "duplicates": duplicates(texts, threshold, examples),
        "characters": lengths([len(text) for text in texts]),
        "scripts": script_shares(texts),
        "damaged": damaged(texts, examples),
    }
    if corpus.label_set is not None:
        found["labels"] = label_balance(corpus)
        found["conflicts"] = conflicts(texts, corpus.labels, examples)
    if tokens is not None:
        found["tokens"] = lengths([len(text) for text in tokens])
        found["vocabulary"] = vocabulary(tokens)
        if corpus.label_set is not None:
            found["telling_terms"] = telling_terms(tokens, corpus.labels, corpus.label_set.names)
    if against is not None:
        found["overlap"] = overlap(texts, against.texts, threshold, examples) | {"against": against.source}
    return found


def duplicates(texts: Sequence[str], threshold: float = 0.8, examples: int = 5) -> dict[str, Any]:
    """Count exact, normalised and near duplicates (each kind contains the one before).

    Returns:
        Per kind: "rows" that repeat an earlier one, "share" of all rows, "groups" of two rows or more, and
        "examples": of the largest groups, the first few distinct texts and the count.
    """
    kinds = {
        "exact": numbered(texts),
        "normalised": numbered([normalised_key(text) for text in texts]),
        "near": near_duplicates(texts, threshold),
    }
    return {name: _grouped(texts, groups, examples) for name, groups in kinds.items()}


def _grouped(texts: Sequence[str], groups: np.ndarray, examples: int) -> dict[str, Any]:
    counts = np.bincount(groups) if len(groups) else np.empty(0, dtype=np.int64)
    repeated = len(groups) - len(counts)
    shown = []
    for group in np.argsort(-counts, kind="stable")[:examples]:
        if counts[group] < 2:
            break
        members = list(dict.fromkeys(texts[row] for row in np.flatnonzero(groups == group).tolist()))
        shown.append({"count": int(counts[group]), "texts": [text[:_SHOWN] for text in members[:3]]})
    return {
        "rows": int(repeated),
        "share": repeated / max(1, len(groups)),
        "groups": int((counts > 1).sum()),
        "examples": shown,
    }


def conflicts(texts: Sequence[str], labels: Sequence[Any], examples: int = 5) -> dict[str, Any]:
    """Find texts (compared by `normalised_key`) that stand under different labels.

    Returns:
        "texts" with more than one label, the "rows" they have, and "examples": text, label to count.
    """
    keys = numbered([normalised_key(text) for text in texts])
    found: dict[int, Counter[str]] = {}
    first: dict[int, int] = {}
    for row, (key, label) in enumerate(zip(keys.tolist(), labels, strict=True)):
        spelled = label if isinstance(label, str) else " + ".join(label) or "(none)"
        found.setdefault(key, Counter())[spelled] += 1
        first.setdefault(key, row)
    torn = [key for key, counts in found.items() if len(counts) > 1]
    torn.sort(key=lambda key: -sum(found[key].values()))
    return {
        "texts": len(torn),
        "rows": sum(sum(found[key].values()) for key in torn),
        "examples": [
            {"text": texts[first[key]][:_SHOWN], "labels": dict(found[key].most_common())}
            for key in torn[:examples]
        ],
    }


def label_balance(corpus: Corpus) -> dict[str, Any]:
    """Count rows a label.

    Returns:
        "multilabel", "counts" and "shares" (of rows) by label in the label set's order, "imbalance"
        (largest count over smallest above zero); when multi-label "per_row" (mean labels a row),
        "none" (rows without any) and "combinations" (distinct ones).
    """
    assert corpus.label_set is not None
    multilabel = corpus.label_set.multilabel
    labels = corpus.labels
    seen = Counter(name for row in labels for name in row) if multilabel else Counter(labels)
    counts = {name: seen.get(name, 0) for name in corpus.label_set.names}
    above = [count for count in counts.values() if count]
    balance: dict[str, Any] = {
        "multilabel": multilabel,
        "counts": counts,
        "shares": {name: count / max(1, len(labels)) for name, count in counts.items()},
        "imbalance": max(above) / min(above) if above else 0.0,
    }
    if multilabel:
        balance["per_row"] = sum(counts.values()) / max(1, len(labels))
        balance["none"] = sum(not row for row in labels)
        balance["combinations"] = len(set(labels))
    return balance


def lengths(sizes: Sequence[int]) -> dict[str, Any]:
    """Describe lengths: "mean", "quantiles" ("0.5" is the median), "shortest", "longest", "longest_row"."""
    values = np.asarray(sizes, dtype=np.int64)
    if not len(values):
        return {"mean": 0.0, "quantiles": {}, "shortest": 0, "longest": 0, "longest_row": None}
    return {
        "mean": float(values.mean()),
        "quantiles": {
            str(q): float(v) for q, v in zip(_QUANTILES, np.quantile(values, _QUANTILES), strict=True)
        },
        "shortest": int(values.min()),
        "longest": int(values.max()),
        "longest_row": int(values.argmax()),
    }


def overlap(
    texts: Sequence[str], other: Sequence[str], threshold: float = 0.8, examples: int = 5
) -> dict[str, Any]:
    """Count the texts that another corpus has too.

    Returns:
        "rows" of the other corpus; "exact", "normalised" and "near": number of texts (each kind contains
        the one before), with "..._share"; "examples": pairs that are near but not equal.
    """
    keys, other_keys = [normalised_key(t) for t in texts], [normalised_key(t) for t in other]
    exact_there, key_there = set(other), set(other_keys)
    groups = near_duplicates([*texts, *other], threshold)
    here, there = groups[: len(texts)], groups[len(texts) :]
    near = np.isin(here, there)
    counts = {
        "exact": sum(text in exact_there for text in texts),
        "normalised": sum(key in key_there for key in keys),
        "near": int(near.sum()),
    }
    shown: list[dict[str, str]] = []
    for row in np.flatnonzero(near).tolist():
        if texts[row] not in exact_there and len(shown) < examples:
            match = int(np.argmax(there == here[row]))
            shown.append({"text": texts[row][:_SHOWN], "other": other[match][:_SHOWN]})
    shares = {f"{name}_share": count / max(1, len(texts)) for name, count in counts.items()}
    return {"rows": len(other), **counts, **shares, "examples": shown}
