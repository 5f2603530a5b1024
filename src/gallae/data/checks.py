"""Whether a corpus can be trained on: checked before anything heavy is loaded."""

from __future__ import annotations

import logging
from collections import Counter

from gallae.data.corpus import Corpus
from gallae.errors import DataError

logger = logging.getLogger(__name__)


def check_trainable(corpus: Corpus, splits_wanted: int = 1) -> None:
    """Refuse a corpus that no classifier can learn from.

    Args:
        corpus: What is to be trained on.
        splits_wanted: Into how many parts each class must go: 1 without a split, 2 for a hold-out, K for
            K folds.

    Raises:
        DataError: on an unlabelled corpus, one row, one class, a class with too few rows, or texts that
            are all empty.
    """
    source = corpus.source
    if corpus.label_set is None:
        raise DataError(
            f"{source} has no labels, so there is nothing to learn. Name them with --label-column."
        )
    if len(corpus) < 2:
        raise DataError(
            f"{source} has {len(corpus)} row. Training needs at least two rows of at least two classes."
        )
    if not any(text.strip() for text in corpus.texts):
        raise DataError(f"{source}: all {len(corpus)} texts are empty. Is --text-column the right one?")
    if corpus.label_set.multilabel:
        _check_labels(corpus)
    else:
        _check_classes(corpus, max(2, splits_wanted))


def _check_classes(corpus: Corpus, least: int) -> None:
    counts = Counter(corpus.labels)
    if len(counts) < 2:
        raise DataError(
            f"{corpus.source}: every row has the label {next(iter(counts))!r}. "
            "Training needs at least two classes."
        )
    small = [f"{name!r} has {count}" for name, count in sorted(counts.items()) if count < least]
    if small:
        most = ", ..." if len(small) > 10 else ""
        many = " Is --label-column the right one?" if len(small) > len(counts) / 2 else ""
        why = "training" if least == 2 else f"{least} folds"
        raise DataError(
            f"{corpus.source}: each class needs at least {least} rows for {why}; "
            f"{', '.join(small[:10])}{most}. Add rows, drop or merge these classes with data.label_map"
            f"{', or use fewer folds' if least > 2 else ''}.{many}"
        )
    assert corpus.label_set is not None
    unseen = [name for name in corpus.label_set.names if name not in counts]
    if unseen:
        logger.warning(
            "%s: no row has the label %s; the model will not know it", corpus.source, ", ".join(unseen)
        )


def _check_labels(corpus: Corpus) -> None:
    assert corpus.label_set is not None
    counts = Counter(label for labels in corpus.labels for label in labels)
    rows = len(corpus)
    small = [f"{name!r} has {counts[name]}" for name in corpus.label_set.names if counts[name] < 2]
    if small:
        raise DataError(
            f"{corpus.source}: each label needs at least 2 rows; {', '.join(small[:10])}. Add rows, or leave "
            "these labels out with --label-column."
        )
    if all(counts[name] == rows for name in corpus.label_set.names):
        raise DataError(f"{corpus.source}: every row has every label, so there is nothing to tell apart.")
