"""Translating between styles of one language: dialects and the standard both ways, polite and plain, ...

Four families share the task: "edits" (word by word, `translate_edits`), "lstm" and "transformer" (networks
trained here, `translate_networks`), and "pretrained" (BART, T5 and other encoder-decoders of the hub,
`translate_checkpoints`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self

from gallae.errors import DataError, ModelError
from gallae.files import read_json, write_json
from gallae.tasks.base import Feature, Prediction, Task
from gallae.tasks.recipe import TaskRecipe, TranslateRecipe
from gallae.tasks.translate_alignment import changes
from gallae.tasks.translate_baselines import baselines_of, translations_of
from gallae.tasks.translate_engines import Engine, engine_of
from gallae.tasks.translate_metrics import FIGURES, score_texts
from gallae.tasks.translate_reading import Passage, read_passages

BASELINES_FILE = "dictionary.json"


class Translate(Task):
    """Translate between styles; one model translates all of its directions.

    `predict` returns {"translation": ..., "score": ..., "via": [...], "changes": [...]}: the log probability
    of the translation, the styles that it went through, and where it differs from the source.
    """

    name = "translate"
    auto_class = "AutoModelForSeq2SeqLM"
    figures: ClassVar[Mapping[str, str]] = FIGURES
    recipe: TranslateRecipe

    def __init__(self, recipe: TaskRecipe | None = None, **fields: Any) -> None:
        super().__init__(recipe, **fields)
        self.baselines: dict[str, Any] = {}
        self.engine: Engine = engine_of(self)

    @staticmethod
    def read(path: str | Path, labelled: bool = True, **reading: Any) -> list[Passage]:
        """See `gallae.tasks.translate_reading.read_passages`."""
        return read_passages(path, labelled, **reading)

    @staticmethod
    def texts(example: Passage) -> Iterable[str]:
        """Return the text and its translation."""
        return (example.source, example.target or "")

    @staticmethod
    def stratum(example: Passage) -> str:
        """Return the direction, and whether anything changes."""
        changed = "=" if example.source == example.target else "!"
        return f"{changed}{'>'.join(sorted(example.direction))}"

    @staticmethod
    def group(example: Passage) -> str:
        """Return the pair: both directions are held out, or none."""
        return str(example.pair)

    # ---- learning

    def fit(
        self,
        examples: Sequence[Passage],
        valid: Sequence[Passage] | None = None,
        held: Sequence[Passage] = (),
    ) -> Self:
        """Learn from passages with their translations (see `Task.fit`)."""
        if not examples:
            raise DataError("translate: there is no pair to learn from.")
        directions = sorted({one.direction for one in examples})
        self.facts |= {"directions": [list(one) for one in directions], "pivot": pivot_of(directions)}
        self.check([*(valid or ()), *held])
        self.baselines = baselines_of(examples, self.recipe.dictionary)
        self.engine.fit(examples, valid)
        return self

    def fit_network(self, examples: Sequence[Passage], valid: Sequence[Passage] | None) -> None:
        """Fine-tune the checkpoint: what the other tasks' `fit` does."""
        super().fit(examples, valid)

    def prepare(self) -> None:
        """Teach the loaded checkpoint's tokenizer the styles."""
        self.engine.prepare()

    def check(self, examples: Sequence[Passage]) -> None:
        """Refuse directions that the model cannot take, not even in two steps."""
        for direction in sorted({one.direction for one in examples}):
            self.route(*direction)

    def learn_labels(self, examples: Sequence[Passage]) -> dict[str, Any]:
        """Return nothing: an encoder-decoder's outputs are its vocabulary."""
        return {}

    def encode(self, examples: Sequence[Passage], labelled: bool) -> list[Feature]:
        """Return a feature a passage: ids of its text and, with `labelled`, of its translation."""
        return self.engine.encode(examples, labelled)

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        """Return a batch, filled up on the right."""
        return self.engine.collate(features)

    # ---- translating

    @property
    def directions(self) -> list[tuple[str, str]]:
        """The directions that were learned, as (source style, target style)."""
        return [(source, target) for source, target in self.facts.get("directions", [])]

    @property
    def styles(self) -> list[str]:
        """Every style that was learned, sorted."""
        return sorted({style for direction in self.directions for style in direction})

    def route(self, source: str, target: str) -> list[str]:
        """Return the styles from source to target: these two, or with the pivot between them.

        Raises:
            DataError: if the model has not learned it; names what it has.
        """
        known = set(self.directions)
        pivot = self.facts.get("pivot", "")
        if (source, target) in known:
            return [source, target]
        if source != target and {(source, pivot), (pivot, target)} <= known:
            return [source, pivot, target]
        listed = ", ".join(f"{one} to {other}" for one, other in self.directions)
        raise DataError(
            f"this model does not translate from {source!r} to {target!r}. It has learned: "
            f"{listed or 'nothing yet'}."
        )

    def translate(
        self, texts: Sequence[str] | str, source: str, target: str, **deciding: Any
    ) -> list[Prediction]:
        """Translate texts, as `predict` does.

        Args:
            texts: Texts, or one.
            source: Their style, such as "jeju".
            target: The style that is wanted, such as "standard".
            deciding: `beams` or `boldness`.
        """
        listed = [texts] if isinstance(texts, str) else list(texts)
        return self.predict([Passage(text, None, source, target) for text in listed], **deciding)

    def predict(self, examples: Sequence[Passage], **deciding: Any) -> list[Prediction]:
        """Return a prediction a passage (see the class).

        Args:
            examples: Passages; translations in them are not looked at.
            deciding: `beams` (networks: how many translations are kept while one is written) or `boldness`
                ("edits": see `EditOptions`), in the place of the recipe's.

        Raises:
            DataError: for a direction that was not learned.
            ModelError: if the task is neither fitted nor loaded.
            RecipeError: for an option that the family does not have.
        """
        if self.model is None:
            raise ModelError("this Translate is not fitted. Call fit() first, or load a run.")
        routes = [self.route(*one.direction) for one in examples]
        texts, scores = [one.source for one in examples], [0.0] * len(examples)
        for step in range(2):
            rows = [at for at, route in enumerate(routes) if len(route) > step + 1]
            wanted = [Passage(texts[at], None, routes[at][step], routes[at][step + 1]) for at in rows]
            found = self.engine.say(wanted, **deciding) if wanted else []
            for at, (said, score) in zip(rows, found, strict=True):
                texts[at], scores[at] = said, scores[at] + score
        return [
            {
                "translation": said,
                "score": score,
                "via": route,
                "changes": [asdict(one) for one in changes(example.source, said)],
            }
            for example, said, score, route in zip(examples, texts, scores, routes, strict=True)
        ]

    def decode(
        self,
        outputs: Sequence[Any],
        features: Sequence[Feature],
        examples: Sequence[Passage],
        **deciding: Any,
    ) -> list[Prediction]:
        """Refuse: translations are written token by token, which `predict` does."""
        raise ModelError("translate has no single output to decode; call predict().")

    # ---- measuring and showing

    def measure(self, examples: Sequence[Passage], predictions: Sequence[Prediction]) -> dict[str, Any]:
        """Return the figures of all passages and of each direction, beside copying and the dictionaries."""
        unknown = sum(one.target is None for one in examples)
        if unknown:
            raise DataError(f"{unknown} of {len(examples)} texts have no translation to compare with.")
        sources, golds = [one.source for one in examples], [one.target or "" for one in examples]
        said = [str(one["translation"]) for one in predictions]
        found: dict[str, Any] = {"n": len(examples), **score_texts(sources, golds, said)}
        for key, texts in translations_of(self.baselines, examples).items():
            place, _, words = key.partition("\t")
            found[place] = {"name": words, **score_texts(sources, golds, texts)}
        directions = sorted({one.direction for one in examples})
        if len(directions) > 1:
            found["per_direction"] = {
                " to ".join(direction): _part(direction, examples, said) for direction in directions
            }
        return found

    @classmethod
    def remarks(cls, metrics: Mapping[str, Any]) -> list[str]:
        """Return the figures of each direction, and how many words had to change."""
        lines = [f"words that had to change: {metrics['changed_words']:,}"]
        for direction, found in metrics.get("per_direction", {}).items():
            shown = [f"{words} {found[key]:.4f}" for key, words in FIGURES.items() if key in found]
            lines.append(f"{direction}: {found['n']:,} texts, {', '.join(shown)}")
        return lines

    def rows(
        self, examples: Sequence[Passage], predictions: Sequence[Prediction], **writing: Any
    ) -> list[dict[str, Any]]:
        """Return source, styles, translation and, where it is known, the right one.

        Args:
            examples: The passages.
            predictions: Of `predict`.
            writing: `heat_maps`: a folder for pictures of the attention, one a text (networks only).
        """
        if writing.get("heat_maps"):
            self.engine.draw(examples, predictions, Path(writing["heat_maps"]))
        known = any(one.target is not None for one in examples)
        return [
            {
                "source": one.source,
                "from": one.source_style,
                "to": one.target_style,
                **prediction,
                **({"gold": one.target} if known else {}),
            }
            for one, prediction in zip(examples, predictions, strict=True)
        ]

    # ---- saving

    def write(self, folder: Path) -> None:
        """Write what `save` writes into a folder that is there."""
        self.engine.write(folder)
        write_json(folder / BASELINES_FILE, self.baselines)
        self._write_facts(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Load what `save` wrote, or a run's model.

        Raises:
            ModelError: if it is missing, damaged, or of another task.
        """
        task, place = cls._opened(folder)
        try:
            task.baselines = read_json(place / BASELINES_FILE)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{place / BASELINES_FILE} is missing or damaged. Train the model again."
            ) from error
        task.engine.read(place)
        return task


def pivot_of(directions: Sequence[tuple[str, str]]) -> str:
    """Return the style that every direction has on one side, "standard" first; "" without."""
    shared = set.intersection(*map(set, directions))
    return min(shared, key=lambda style: (style != "standard", style), default="")


def _part(direction: tuple[str, str], examples: Sequence[Passage], said: Sequence[str]) -> dict[str, Any]:
    rows = [at for at, one in enumerate(examples) if one.direction == direction]
    chosen = [examples[at] for at in rows]
    scores = score_texts(
        [o.source for o in chosen], [o.target or "" for o in chosen], [said[at] for at in rows]
    )
    return {"n": len(rows), **scores}
