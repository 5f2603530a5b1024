"""How much longer does `fast` or `default` train than a bare scikit-learn script of the same thing?

The script has the same features, classifier, C, out-of-fold scores and calibrator, written as a person
would write them. For `default`, morphemes and Kiwi vectors are found beforehand, for both; `--kiwi` lets
each side analyse the texts itself.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from common import YNAT, alternate, cores, figures, most_likely, note, random_fifth, ratio, read, start, table
from kiwipiepy import Kiwi
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from gallae import build
from gallae.data import Corpus
from gallae.models.kiwi_block import CONTENT_TAGS
from gallae.recipes import find_recipe
from gallae.text import analyses, match_tags
from gallae.text import cache as morpheme_cache
from gallae.text.kiwi_vectors import kiwi_vectors

Tagged = list[list[str]]
DEFAULT = find_recipe("default")
DROPPED = match_tags(DEFAULT.text.drop_tags)
NGRAMS = next(block["ngrams"] for block in DEFAULT.feature_blocks() if block.get("unit") == "morpheme")
CONTENT = match_tags(CONTENT_TAGS)


class KiwiMeans:
    """Mean Kiwi vectors, weighted by IDF, in a few lines of numpy."""

    def fit(self, tagged: Tagged) -> KiwiMeans:
        """Learn the frequencies and fetch the vectors."""
        self.count = TfidfVectorizer(analyzer=content, norm=None, dtype=np.float32).fit(tagged)
        self.vectors = kiwi_vectors()(list(self.count.get_feature_names_out()))
        return self

    def transform(self, tagged: Tagged) -> np.ndarray:
        """Return a row of unit length a text."""
        return normalize(self.count.transform(tagged) @ self.vectors)


def content(morphemes: Sequence[str]) -> list[str]:
    return [m for m in morphemes if m.rpartition("/")[2] in CONTENT]


def forms(morphemes: Sequence[str]) -> list[str]:
    return [form for form, _, tag in (m.rpartition("/") for m in morphemes) if tag not in DROPPED]


class Bare:
    """The scikit-learn script: vectorisers, LinearSVC, 3 folds, logistic regression on their scores."""

    def __init__(self, recipe: str, analyse: Callable[[Sequence[str]], Tagged]) -> None:
        self.analyse, self.morphemes = analyse, recipe == "default"
        self.svm = LinearSVC(C=find_recipe(recipe).model.C, random_state=42)
        self.characters = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, min_df=2, lowercase=False
        )
        self.words = TfidfVectorizer(
            tokenizer=forms,
            token_pattern=None,
            preprocessor=list,
            lowercase=False,
            ngram_range=NGRAMS,
            sublinear_tf=True,
            min_df=2,
        )
        self.means = KiwiMeans()

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> Bare:
        """Learn features, classifier and calibrator."""
        rows = self.characters.fit_transform(texts)
        if self.morphemes:
            tagged = self.analyse(texts)
            words = self.words.fit_transform(tagged)
            rows = sp.hstack([rows, words, self.means.fit(tagged).transform(tagged)], format="csr")
        scores = cross_val_predict(self.svm, rows, labels, cv=3, method="decision_function")
        self.svm.fit(rows, labels)
        self.calibrator = LogisticRegression(max_iter=1000).fit(scores, labels)
        self.classes_ = self.calibrator.classes_
        return self

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return the calibrated probabilities."""
        rows = self.characters.transform(texts)
        if self.morphemes:
            tagged = self.analyse(texts)
            rows = sp.hstack([rows, self.words.transform(tagged), self.means.transform(tagged)], format="csr")
        return self.calibrator.predict_proba(self.svm.decision_function(rows))


_kiwi = Kiwi(num_workers=cores(), load_multi_dict=False)


def by_kiwi(texts: Sequence[str]) -> Tagged:
    return [[f"{t.form}/{t.tag.partition('-')[0]}" for t in tokens] for tokens in _kiwi.tokenize(texts)]


def compare(recipe: str, train: Corpus, valid: Corpus, rounds: int, kiwi: bool) -> list[list[Any]]:
    texts, labels = train.texts, train.labels

    def ours() -> Any:
        if kiwi:
            morpheme_cache.forget()
        return build(find_recipe(recipe)).fit(texts, labels)

    def bare() -> Any:
        return Bare(recipe, by_kiwi if kiwi else analyses).fit(texts, labels)

    seconds, models = alternate([ours, bare], rounds)
    # Ours analyses afresh at prediction, as it must for a stream: so here the script does, too.
    models[1].analyse = by_kiwi
    spent, tables = alternate([lambda m=m: m.predict_proba(valid.texts) for m in models], 3)
    rows = []
    for number, name in enumerate(("gallae", "scikit-learn")):
        accuracy, macro_f1 = figures(valid.labels, most_likely(models[number].classes_, tables[number]))
        rows.append(
            [
                f"{recipe}{', Kiwi counted' if kiwi else ''}: {name}",
                f"{statistics.median(seconds[number]):.2f}",
                ratio(seconds[0], seconds[1]) if not number else "",
                f"{accuracy:.4f}",
                f"{macro_f1:.4f}",
                f"{len(valid) / statistics.median(spent[number]):,.0f}",
            ]
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recipes", nargs="+", default=["fast", "default"], choices=["fast", "default"])
    parser.add_argument("--kiwi", action="store_true", help="each side analyses the texts itself")
    options = parser.parse_args()
    if options.kiwi:
        import os

        os.environ["GALLAE_CACHE"] = "off"
    train, valid = random_fifth(read(YNAT))
    start(
        "Training beside a bare scikit-learn script",
        f"YNAT, {len(train):,} headlines to train on, {len(valid):,} held out, {options.rounds} rounds",
    )
    analyses(train.texts)
    kiwi_vectors()(sorted({m for morphemes in analyses(train.texts) for m in content(morphemes)}))
    rows: list[list[Any]] = []
    for recipe in options.recipes:
        note(recipe)
        rows += compare(recipe, train, valid, options.rounds, options.kiwi and recipe == "default")
    table(rows, ["", "fit s", "ratio (wanted: at most 1.25)", "accuracy", "macro-F1", "headlines/s"])


if __name__ == "__main__":
    main()
