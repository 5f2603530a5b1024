"""Named entities: which characters of a text are a name, and of what type.

Every sub-word of an entity has a tag, the first B and the others I. (BERT's authors tag the first sub-word of
a word only; a Korean word is name and particle in one, so that words would be too coarse.) The best valid
sequence of tags over the whole text is taken, and given back in characters of the raw text.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from gallae.errors import DataError
from gallae.tasks.base import Feature, Prediction, Task
from gallae.tasks.bio import Span, spans_of_tags
from gallae.tasks.ner_decoding import best_path, log_shares, transitions
from gallae.tasks.ner_dictionary import find_all, learn_names
from gallae.tasks.ner_metrics import entity_figures
from gallae.tasks.ner_reading import Sentence, read_sentences, read_texts, write_marked
from gallae.tasks.ner_replacing import with_replaced
from gallae.tasks.ner_windows import Units, add_labels, reachable, units_of, windows

log = logging.getLogger(__name__)
_IGNORED = -100
_FEW = 0.98


class Ner(Task):
    """Names in texts.

    `predict` returns {"spans": [{"start": 0, "end": 3, "type": "PS", "text": "한석규", "score": 0.98}]} with
    characters of the raw text; `score` is the mean probability of its sub-words' tags.
    """

    name = "ner"
    auto_class = "AutoModelForTokenClassification"
    figures = MappingProxyType(
        {
            "f1": "F1 of entities",
            "precision": "precision",
            "recall": "recall",
            "macro_f1": "macro-F1 of types",
        }
    )
    by_token = True

    @staticmethod
    def read(path: str | Path, labelled: bool = True, **reading: Any) -> list[Sentence]:
        """Read sentences; see `gallae.tasks.ner_reading`, `read_sentences` and `read_texts`."""
        return (read_sentences if labelled else read_texts)(path, **reading)

    @staticmethod
    def texts(example: Sentence) -> Iterable[str]:
        """Return the raw text."""
        return (example.text,)

    def learn_labels(self, examples: Sequence[Sentence]) -> dict[str, Any]:
        """Return the head's fields: O, and B and I of each type.

        Raises:
            DataError: if there is no entity at all.
        """
        types = sorted({span.type for example in examples for span in example.spans})
        if not types:
            raise DataError(f"there is no entity in any of the {len(examples)} sentences to learn from.")
        self.facts["names"], self.facts["doubtful"] = learn_names(examples)
        return self.label_fields(["O", *(f"{place}-{kind}" for kind in types for place in "BI")])

    def check(self, examples: Sequence[Sentence]) -> None:
        """Refuse types that the model does not know."""
        known = sorted({label[2:] for label in self.labels} - {""})
        unknown = sorted({span.type for example in examples for span in example.spans} - set(known))
        if unknown:
            raise DataError(
                f"the data has types of entities that the model does not know: {', '.join(unknown[:10])}. It "
                f"knows: {', '.join(known)}. Measure it on data with its types, or train it on these."
            )

    def encode(self, examples: Sequence[Sentence], labelled: bool) -> list[Feature]:
        """Return a feature a window; with `labelled` also of the copies that the recipe adds."""
        recipe: Any = self.recipe
        if labelled:
            examples = with_replaced(examples, recipe.replaced, recipe.seed)
        texts = [example.text for example in examples]
        features = windows(self.tokenizer, texts, recipe.max_length, recipe.stride)
        if labelled:
            spans = [example.spans for example in examples]
            add_labels(features, spans, self.model.config.label2id, _IGNORED)
            share = _share_kept(units_of(features, len(examples)), spans)
            if share < _FEW:
                log.warning(
                    "%.1f %% of the entities begin or end inside a sub-word, so they cannot be found exactly "
                    "with this tokenizer (smaller pieces can: scratch.tokenizer=char)",
                    100 * (1 - share),
                )
        return features

    def decode(
        self,
        outputs: Sequence[Any],
        features: Sequence[Feature],
        examples: Sequence[Sentence],
        **deciding: Any,
    ) -> list[Prediction]:
        """Return the spans of each text, whatever windows it was read in."""
        begin, step = transitions(self.labels)
        shares = [log_shares(output) for output in outputs]
        found = []
        for example, units in zip(examples, units_of(features, len(examples)), strict=True):
            scores = np.array([shares[f][t] for f, t in zip(units.feature, units.token, strict=True)])
            path = best_path(scores, begin, step)
            found.append({"spans": self._spans(example.text, units, path, scores)})
        return found

    def _spans(self, text: str, units: Units, path: Any, scores: Any) -> list[dict[str, Any]]:
        certain = np.exp(scores[np.arange(len(path)), path]) if len(path) else np.zeros(0)
        labels = self.labels
        found = []
        for span in spans_of_tags([labels[number] for number in path], units.characters):
            inside = (units.start >= span.start) & (units.end <= span.end)
            score = float(certain[inside].mean())
            found.append({**span._asdict(), "text": text[span.start : span.end], "score": score})
        return found

    def measure(self, examples: Sequence[Sentence], predictions: Sequence[Prediction]) -> dict[str, Any]:
        """Return precision, recall and F1 of entities (see `entity_figures`) beside a dictionary's.

        `reachable_f1` is what a network without fault would get with this tokenizer: 1 unless entities begin
        or end inside a sub-word, of which there are `split_entities`.
        """
        gold = [example.spans for example in examples]
        lengths = [len(example.text) for example in examples]
        names: dict[str, str] = self.facts.get("names", {})
        doubtful = set(self.facts.get("doubtful", ()))
        surer = {name: kind for name, kind in names.items() if name not in doubtful}
        texts = [example.text for example in examples]
        best = list(reachable(units_of(self.encode(examples, False), len(examples)), gold))
        return {
            "n": len(examples),
            "entities": sum(map(len, gold)),
            **entity_figures(lengths, gold, [_spans_of(prediction) for prediction in predictions]),
            "reachable_f1": entity_figures(lengths, gold, best)["f1"],
            "split_entities": sum(len(set(one) - set(said)) for one, said in zip(gold, best, strict=True)),
            "baseline": {
                "name": "dictionary of the names in training",
                **entity_figures(lengths, gold, find_all(texts, names)),
            },
            "surer_baseline": {
                "name": "the same without doubtful names",
                **entity_figures(lengths, gold, find_all(texts, surer)),
            },
        }

    @classmethod
    def remarks(cls, metrics: Mapping[str, Any]) -> list[str]:
        """Return how many entities no network can find with these tokens, and what F1 that leaves."""
        return [
            f"begin or end inside a sub-word: {metrics['split_entities']:,} of {metrics['entities']:,} "
            f"entities (F1 that the tokens allow: {metrics['reachable_f1']:.4f})"
        ]

    def rows(
        self,
        examples: Sequence[Sentence],
        predictions: Sequence[Prediction],
        *,
        inline: bool = False,
        **writing: Any,
    ) -> list[dict[str, Any]]:
        """Return text, spans, and gold where some are known; with `inline` only text, "<한석규:PS>가 ..."."""
        if inline:
            return [
                {"text": write_marked(example.text, _spans_of(prediction))}
                for example, prediction in zip(examples, predictions, strict=True)
            ]
        known = any(example.spans for example in examples)
        return [
            {
                "text": example.text,
                "spans": prediction["spans"],
                **({"gold": [span._asdict() for span in example.spans]} if known else {}),
            }
            for example, prediction in zip(examples, predictions, strict=True)
        ]


def _spans_of(prediction: Prediction) -> list[Span]:
    return [Span(one["start"], one["end"], one["type"]) for one in prediction["spans"]]


def _share_kept(units: Sequence[Units], spans: Sequence[Sequence[Span]]) -> float:
    """Return the share of entities that the sub-words can give back."""
    kept = [set(gold) & set(said) for gold, said in zip(spans, reachable(units, spans), strict=True)]
    return sum(map(len, kept)) / max(1, sum(map(len, spans)))
