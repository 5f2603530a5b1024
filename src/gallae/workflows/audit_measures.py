"""What `audit` measures beyond `gallae.data.describe`: rows, contradictions, words, the other corpus."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from gallae.data import Corpus, describe, near_duplicates, normalised_key
from gallae.data.duplicates import numbered
from gallae.data.statistics import label_balance, lengths
from gallae.data.terms import telling_terms, vocabulary
from gallae.text import STUDY_DROP_TAGS, TAGS, match_tags

SHOWN = 200  # characters of an example
ROWS = 10  # row numbers of one kind
FREQUENT = 150  # words of a cloud
COVERED = (0.5, 0.8, 0.9, 0.95, 0.99)
LONG = 512  # tokens that most encoders read

_SIGNS = ("SW", "SO", "SB", "SP", "W_*")
_CONTENT = frozenset(TAGS) - match_tags((*STUDY_DROP_TAGS, *_SIGNS))
_TELLING = _CONTENT | {"SL"}
_VERBS = frozenset(("VV", "VA", "VX"))


@dataclass
class Words:
    """The tokens of a corpus.

    Attributes:
        raw: Words between white space, before cleaning.
        morphemes: Forms of all morphemes after cleaning.
        content: Those the YNAT study kept, verbs as in a dictionary (좋다), without signs.
        telling: The content and words in Latin letters.
    """

    raw: list[list[str]] = field(default_factory=list)
    morphemes: list[list[str]] = field(default_factory=list)
    content: list[list[str]] = field(default_factory=list)
    telling: list[list[str]] = field(default_factory=list)


def split_words(texts: Sequence[str], analyses: Iterable[Sequence[str]]) -> Words:
    """Sort the morphemes ("form/TAG") of each text by what they are used for."""
    known: dict[str, tuple[str, str, bool, bool]] = {}
    words = Words(raw=[text.split() for text in texts])
    for tagged in analyses:
        items = []
        for item in tagged:
            if item not in known:
                known[item] = _kind(item)
            items.append(known[item])
        words.morphemes.append([form for form, _, _, _ in items])
        words.content.append([term for _, term, content, _ in items if content])
        words.telling.append([term for _, term, _, telling in items if telling])
    return words


def _kind(tagged: str) -> tuple[str, str, bool, bool]:
    form, _, tag = tagged.rpartition("/")
    readable = any(char.isalnum() for char in form)
    term = f"{form}다" if tag in _VERBS else form
    return form, term, readable and tag in _CONTENT, readable and tag in _TELLING


def measure(corpus: Corpus, other: Corpus | None, examples: int) -> dict[str, Any]:
    """Measure everything that needs no tokens; `describe`'s dict, with row numbers and more beside."""
    texts = corpus.texts
    found = describe(corpus, None, other, examples=examples)
    keys, near = [normalised_key(text) for text in texts], near_duplicates(texts)
    numbers = {"exact": numbered(texts), "normalised": numbered(keys), "near": near}
    full = np.array([bool(text.strip()) for text in texts], dtype=bool)
    for kind, groups in numbers.items():
        found["duplicates"][kind] = _duplicates(corpus, groups, np.flatnonzero(full), examples)
    found["duplicates"]["expected_straddling"] = expected_straddling(near[full])
    blank = np.flatnonzero(~full).tolist()
    found["blank"] = _kind_of_rows(corpus, blank, 0)
    found["signs_only"] = _kind_of_rows(corpus, [r for r, t in enumerate(texts) if _signs_only(t)], examples)
    found["repeated_index"] = _repeated_index(corpus, examples)
    if corpus.label_set is not None:
        if corpus.label_set.multilabel:
            found["together"] = together(corpus)
        found["conflicts"] = contradictions(corpus, numbers["normalised"], None, examples)
        found["near_conflicts"] = contradictions(corpus, near, numbers["normalised"], examples)
    if other is not None:
        found["overlap"] |= _other_side(corpus, other, examples)
        if corpus.label_set is not None and other.label_set is not None:
            found["overlap"]["labels"] = _label_shift(corpus, other)
    return found


def measure_words(corpus: Corpus, words: Words) -> dict[str, Any]:
    """Measure lengths in words and morphemes, vocabularies, telling terms, and words for the clouds."""
    sizes = [len(text) for text in words.morphemes]
    counts = np.sort(np.fromiter(Counter(chain.from_iterable(words.morphemes)).values(), dtype=np.int64))
    found: dict[str, Any] = {
        "words": lengths([len(text) for text in words.raw]),
        "morphemes": lengths(sizes) | {"longer_than_512": sum(size > LONG for size in sizes)},
        "vocabulary": vocabulary(words.morphemes) | {"coverage": coverage(counts)},
        "word_vocabulary": vocabulary(words.raw),
        "content_vocabulary": vocabulary(words.content),
        "frequent": {"before": _frequent(words.raw), "after": _frequent(words.content)},
    }
    if corpus.label_set is not None:
        found["telling_terms"] = telling_terms(words.telling, corpus.labels, corpus.label_set.names)
    return found


def coverage(counts: np.ndarray) -> dict[str, int]:
    """Return how many of the most frequent words make up each share in `COVERED` of all occurrences.

    Args:
        counts: Occurrences of each distinct word, int (n_words,), ascending.
    """
    if not len(counts):
        return {str(share): 0 for share in COVERED}
    covered = np.cumsum(counts[::-1]) / counts.sum()
    return {str(share): int(np.searchsorted(covered, share - 1e-12)) + 1 for share in COVERED}


def _frequent(tokens: Sequence[Sequence[str]]) -> list[list[Any]]:
    counts = Counter(chain.from_iterable(tokens))
    return [[word, count] for word, count in sorted(counts.items(), key=lambda i: (-i[1], i[0]))[:FREQUENT]]


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


def _other_side(corpus: Corpus, other: Corpus, examples: int) -> dict[str, Any]:
    """See the overlap from the other corpus: which of its rows stand in the first one too."""
    texts, others = corpus.texts, other.texts
    keys, other_keys = [normalised_key(t) for t in texts], [normalised_key(t) for t in others]
    groups = near_duplicates([*texts, *others])
    first: dict[int, int] = {}
    for row, group in enumerate(groups[: len(texts)].tolist()):
        first.setdefault(group, row)
    here, known = set(texts), set(keys)
    exact = {text: row for row, text in reversed(list(enumerate(texts)))}
    matched = [
        (row, exact.get(others[row], first[group]))
        for row, group in enumerate(groups[len(texts) :].tolist())
        if group in first and others[row].strip()
    ]
    shown = [pair for pair in matched if others[pair[0]] not in here]
    shown += [pair for pair in matched if others[pair[0]] in here]
    count = len(others)
    counts = {
        "exact": sum(text in here and bool(text.strip()) for text in others),
        "normalised": sum(key in known and bool(key) for key in other_keys),
        "near": len(matched),
    }
    return {
        "there": counts | {f"{kind}_share": n / max(1, count) for kind, n in counts.items()},
        "there_rows": [row for row, _ in matched[:ROWS]],
        "examples": [
            {"row": match, "text": texts[match][:SHOWN], "other_row": row, "other": others[row][:SHOWN]}
            for row, match in shown[:examples]
        ],
        "labels_differ": _labels_differ(corpus, other, keys, other_keys),
    }


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
