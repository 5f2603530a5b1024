"""What `audit` measures in texts, labels and the other corpus; words are in `audit_words`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from gallae.data import Corpus, near_duplicates, normalised_key
from gallae.data.characters import damaged, script_shares
from gallae.data.duplicates import numbered
from gallae.data.statistics import label_balance, lengths

SHOWN = 200  # characters of an example
ROWS = 10  # row numbers of one kind


def measure(corpus: Corpus, other: Corpus | None, examples: int) -> dict[str, Any]:
    """Measure everything that needs no tokens: as `gallae.data.describe`, with row numbers and more.

    It is not called: each of the parts that are slow would run twice.
    """
    texts = corpus.texts
    keys = [normalised_key(text) for text in texts]
    full = np.array([bool(text.strip()) for text in texts], dtype=bool)
    numbers = {"exact": numbered(texts), "normalised": numbered(keys), "near": near_duplicates(texts)}
    kinds: dict[str, Any] = {
        kind: _duplicates(corpus, groups, np.flatnonzero(full), examples) for kind, groups in numbers.items()
    }
    kinds["expected_straddling"] = expected_straddling(numbers["near"][full])
    blank = np.flatnonzero(~full).tolist()
    empty = sum(texts[row] == "" for row in blank)
    signs = [row for row, text in enumerate(texts) if _signs_only(text)]
    found: dict[str, Any] = {
        "source": corpus.source,
        "rows": len(corpus),
        "columns": [str(column) for column in corpus.table.columns],
        "empty": empty,
        "whitespace": len(blank) - empty,
        "blank": _kind_of_rows(corpus, blank, 0),
        "signs_only": _kind_of_rows(corpus, signs, examples),
        "repeated_index": _repeated_index(corpus, examples),
        "duplicates": kinds,
        "characters": lengths([len(text) for text in texts]),
        "scripts": script_shares(texts),
        "damaged": damaged(texts, examples),
    }
    if corpus.label_set is not None:
        found["labels"] = label_balance(corpus)
        if corpus.label_set.multilabel:
            found["together"] = together(corpus)
        found["conflicts"] = contradictions(corpus, numbers["normalised"], None, examples)
        found["near_conflicts"] = contradictions(corpus, numbers["near"], numbers["normalised"], examples)
    if other is not None:
        found["overlap"] = overlap(corpus, other, examples)
    return found


def largest(groups: np.ndarray, most: int) -> list[list[int]]:
    """Return the rows of the largest groups of two or more, the first ones first where sizes are equal."""
    counts = np.bincount(groups) if len(groups) else np.empty(0, dtype=np.int64)
    order = [group for group in np.argsort(-counts, kind="stable")[:most] if counts[group] > 1]
    return [np.flatnonzero(groups == group).tolist() for group in order]


def repeating(groups: np.ndarray) -> list[int]:
    """Return the rows that have an earlier one in their group."""
    mask = np.ones(len(groups), dtype=bool)
    mask[np.unique(groups, return_index=True)[1]] = False
    return np.flatnonzero(mask).tolist()


def expected_straddling(groups: np.ndarray, share: float = 0.2) -> float:
    """Return which share of held-out rows has a member of its group in training, if rows split at random.

    Args:
        groups: Group number of each row, int (n,).
        share: Held-out share: a group of n rows is then held out whole with probability share^(n-1).
    """
    if not len(groups):
        return 0.0
    sizes = np.bincount(groups)[groups]
    return float(np.mean(1 - share ** (sizes - 1.0)))


def contradictions(
    corpus: Corpus, groups: np.ndarray, within: np.ndarray | None, examples: int
) -> dict[str, Any]:
    """Find groups of texts whose labels differ.

    Args:
        corpus: A labelled corpus.
        groups: Group number of each row, int (n,).
        within: Finer groups, int (n,); a group all of whose rows are in one of these is left out.
        examples: Most examples; small groups first, as their texts are closest to each other.

    Returns:
        "texts" (groups), "rows" in them, "outvoted" (rows that differ from their group's most frequent
        label, so that nobody can get them right who treats the group as one), "first_rows", and
        "examples": "count", "labels" (to count), and "rows", "index", "row_labels" and "texts" of the
        first few rows, one of each label first.
    """
    labels = [_spelled(label) for label in corpus.labels]
    members: defaultdict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(groups.tolist()):
        members[group].append(row)
    torn = [
        rows
        for rows in members.values()
        if len(rows) > 1
        and corpus.table["text"].iloc[rows[0]].strip()
        and len({labels[row] for row in rows}) > 1
        and (within is None or len({within[row] for row in rows}) > 1)
    ]
    votes = [Counter(labels[row] for row in rows) for rows in torn]
    shown = sorted(range(len(torn)), key=lambda at: len(torn[at]))[:examples]
    return {
        "texts": len(torn),
        "rows": sum(map(len, torn)),
        "outvoted": sum(sum(vote.values()) - max(vote.values()) for vote in votes),
        "first_rows": sorted(chain.from_iterable(torn))[:ROWS],
        "examples": [
            {"labels": dict(votes[at].most_common()), **_of_each_label(corpus, torn[at], labels)}
            for at in shown
        ],
    }


def together(corpus: Corpus) -> dict[str, dict[str, float]]:
    """Return for each label the share of its rows that also have each other label."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in corpus.labels:
        counts.update((one, other) for one in row for other in row)
    names = corpus.label_set.names if corpus.label_set else ()
    return {one: {other: counts[one, other] / max(1, counts[one, one]) for other in names} for one in names}


def _spelled(label: Any) -> str:
    return label if isinstance(label, str) else " + ".join(label) or "(–)"


def _of_each_label(corpus: Corpus, rows: Sequence[int], labels: Sequence[str]) -> dict[str, Any]:
    """Show a row of each label first, then the others."""
    firsts = list({labels[row]: row for row in reversed(rows)}.values())[::-1]
    ordered = sorted(firsts) + [row for row in rows if row not in set(firsts)]
    ordered = ordered[:ROWS]
    texts = corpus.table["text"].iloc[ordered]
    return {
        "count": len(rows),
        "rows": ordered,
        "index": _index(corpus, ordered),
        "row_labels": [labels[row] for row in ordered],
        "texts": [text[:SHOWN] for text in texts],
    }


def _group(corpus: Corpus, rows: Sequence[int]) -> dict[str, Any]:
    texts = corpus.table["text"]
    distinct = list(dict.fromkeys(texts.iloc[row] for row in rows[:1000]))
    return {
        "count": len(rows),
        "texts": [text[:SHOWN] for text in distinct[:3]],
        "rows": list(rows[:ROWS]),
        "index": _index(corpus, rows[:ROWS]),
    }


def _index(corpus: Corpus, rows: Sequence[int]) -> list[Any]:
    return corpus.table["index"].iloc[list(rows)].tolist()


def _duplicates(corpus: Corpus, groups: np.ndarray, full: np.ndarray, examples: int) -> dict[str, Any]:
    """Count duplicates as `gallae.data.statistics.duplicates` does, among the rows that have a text."""
    inside = groups[full]
    repeats = repeating(inside)
    counts = np.bincount(inside) if len(inside) else np.empty(0, dtype=np.int64)
    return {
        "rows": len(repeats),
        "share": len(repeats) / max(1, len(groups)),
        "groups": int((counts > 1).sum()),
        "first_rows": full[repeats[:ROWS]].tolist(),
        "examples": [_group(corpus, full[rows].tolist()) for rows in largest(inside, examples)],
    }


def _kind_of_rows(corpus: Corpus, rows: Sequence[int], examples: int) -> dict[str, Any]:
    texts = corpus.table["text"].iloc[list(rows[:examples])].tolist()
    return {
        "count": len(rows),
        "rows": list(rows[:ROWS]),
        "index": _index(corpus, rows[:ROWS]),
        "examples": [text[:SHOWN] for text in texts],
    }


def _signs_only(text: str) -> bool:
    return bool(text.strip()) and not any(char.isalnum() for char in text)


def _repeated_index(corpus: Corpus, examples: int) -> dict[str, Any]:
    repeated = corpus.table["index"].duplicated().to_numpy()
    rows = np.flatnonzero(repeated).tolist()
    values = list(dict.fromkeys(_index(corpus, rows)))
    return {"count": len(rows), "rows": rows[:ROWS], "examples": values[:examples]}


def overlap(corpus: Corpus, other: Corpus, examples: int) -> dict[str, Any]:
    """Find the texts that stand in both, blank ones apart.

    Returns:
        "against" (its source), "rows" (its rows); "exact", "normalised" and "near", rows here that stand
        there too, with "..._share"; "there", the same from the other side; "there_rows", its first ten;
        "examples" of pairs, those that are not equal first; "labels_differ" and "labels" if both have any.
    """
    texts, others = corpus.texts, other.texts
    keys, other_keys = [normalised_key(t) for t in texts], [normalised_key(t) for t in others]
    groups = near_duplicates([*texts, *others]).tolist()
    here, there = groups[: len(texts)], groups[len(texts) :]
    first: dict[int, int] = {}
    for row, group in enumerate(here):
        first.setdefault(group, row)
    exact = {text: row for row, text in reversed(list(enumerate(texts)))}
    matched = [
        (row, exact.get(others[row], first[group]))
        for row, group in enumerate(there)
        if group in first and keys[first[group]]
    ]
    matched.sort(key=lambda pair: others[pair[0]] == texts[pair[1]])
    found: dict[str, Any] = {
        "against": other.source,
        "rows": len(others),
        **_common((texts, keys, here), (others, other_keys, there)),
        "there": _common((others, other_keys, there), (texts, keys, here)),
        "there_rows": sorted(row for row, _ in matched)[:ROWS],
        "examples": [
            {"row": match, "text": texts[match][:SHOWN], "other_row": row, "other": others[row][:SHOWN]}
            for row, match in matched[:examples]
        ],
        "labels_differ": _labels_differ(corpus, other, keys, other_keys),
    }
    if corpus.label_set is not None and other.label_set is not None:
        found["labels"] = _label_shift(corpus, other)
    return found


Side = tuple[Sequence[str], Sequence[str], Sequence[int]]


def _common(one: Side, other: Side) -> dict[str, Any]:
    """Count the rows of one side whose text, key or group (the parts of a side) the other has too."""
    full = [bool(key) for key in one[1]]
    counts: dict[str, Any] = {}
    for kind, mine, theirs in zip(("exact", "normalised", "near"), one, other, strict=True):
        known = set(theirs)
        counts[kind] = sum(item in known and some for item, some in zip(mine, full, strict=True))
    return counts | {f"{kind}_share": count / max(1, len(full)) for kind, count in counts.items()}


def _labels_differ(
    corpus: Corpus, other: Corpus, keys: Sequence[str], other_keys: Sequence[str]
) -> dict[str, Any] | None:
    """Count the other's rows whose text stands here too, but only under other labels."""
    if corpus.label_set is None or other.label_set is None:
        return None
    here: defaultdict[str, set[str]] = defaultdict(set)
    for key, label in zip(keys, corpus.labels, strict=True):
        here[key].add(_spelled(label))
    rows = [
        row
        for row, (key, label) in enumerate(zip(other_keys, other.labels, strict=True))
        if key and key in here and _spelled(label) not in here[key]
    ]
    return {"count": len(rows), "rows": rows[:ROWS]}


def _label_shift(corpus: Corpus, other: Corpus) -> dict[str, Any]:
    """Compare how labels are distributed; "distance" is the total variation, 0 to 1."""
    here, there = label_balance(corpus), label_balance(other)
    names = list(dict.fromkeys([*here["counts"], *there["counts"]]))
    sides = [
        {name: side["counts"].get(name, 0) / max(1, sum(side["counts"].values())) for name in names}
        for side in (here, there)
    ]
    return {
        "counts": there["counts"],
        "shares": there["shares"],
        "distance": sum(abs(sides[0][name] - sides[1][name]) for name in names) / 2,
        "unknown": [
            name for name, count in there["counts"].items() if count and not here["counts"].get(name)
        ],
    }
