"""The families "lstm" and "transformer" of `translate`: encoder-decoders that begin at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gallae.errors import ModelError, require
from gallae.models.architectures.copying import IGNORED, CopyingConfig, CopyingNetwork
from gallae.pretrained.loading import quiet
from gallae.tasks.base import Feature
from gallae.tasks.translate_engines import Engine, only
from gallae.tasks.translate_reading import Passage
from gallae.tasks.translate_search import write
from gallae.tasks.translate_tokens import BEGIN, END, Tokens, joined, split
from gallae.text.vocabulary import Vocabulary
from gallae.training.inference import batches_by_length, tokens_a_batch
from gallae.training.seeding import isolated

VOCABULARY_FILE = "tokenizer.json"
_ROOM = 20  # tokens that a translation may have beyond twice its source's


@dataclass(frozen=True)
class Attention:
    """Where each token of a translation looked.

    Attributes:
        rows: The translation's tokens.
        columns: The source's, its styles first.
        weights: (n_rows, n_columns), each row sums to 1.
    """

    rows: list[str]
    columns: list[str]
    weights: np.ndarray


class Networks(Engine):
    """Networks over characters, letters or morphemes."""

    tokens: Tokens

    def fit(self, examples: Sequence[Passage], valid: Sequence[Passage] | None) -> None:
        """Make vocabulary and network, and train."""
        require("transformers", "neural")
        from gallae.tasks.training import place, train

        task, recipe = self.task, self.task.recipe
        options = recipe.network
        texts = [text for one in examples for text in (one.source, one.target or "")]
        self.tokens = Tokens.learn(texts, task.directions, options.unit, options.reversed, recipe.max_length)
        sizes = options.model_dump(
            include={"copying", "embedding", "hidden", "layers", "heads", "feed_forward"}
        )
        with isolated(recipe.seed), place() as (folder, keep):
            task.model = CopyingNetwork(
                CopyingConfig(
                    vocab_size=len(self.tokens.vocabulary),
                    cell=recipe.family,
                    dropout=options.dropout,
                    layer_dropout=options.dropout,
                    **sizes,
                )
            )
            task.history = train(task, self.encode(examples, True), valid, folder, keep)

    def encode(self, examples: Sequence[Passage], labelled: bool) -> list[Feature]:
        """Return ids of sources and, with `labelled`, targets; "lacking" are tokens that can only be
        copied."""
        unit = self.tokens.unit
        sources = split([one.source for one in examples], unit)
        targets = split([one.target or "" for one in examples], unit) if labelled else [[]] * len(examples)
        found = []
        for number, (one, source, target) in enumerate(zip(examples, sources, targets, strict=True)):
            ids, lacking = self.tokens.read(source, one.direction)
            feature: Feature = {"input_ids": ids, "example": number, "lacking": lacking}
            if labelled:
                labels = self.tokens.targets(target, lacking)
                feature |= {"labels": labels, "decoder_input_ids": [BEGIN, *labels[:-1]]}
            found.append(feature)
        return found

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        """Return a batch, filled up on the right."""
        fills = {"input_ids": 0, "decoder_input_ids": 0, "labels": IGNORED}
        columns = {name: [one[name] for one in features] for name in fills if name in features[0]}
        batch = {name: _filled(rows, fills[name]) for name, rows in columns.items()}
        batch["attention_mask"] = _filled([[1] * len(one["input_ids"]) for one in features], 0)
        return batch

    def say(self, passages: Sequence[Passage], **deciding: Any) -> list[tuple[str, float]]:
        """Write each translation by beam search; texts of like length together."""
        beams = only(deciding, "beams", self.task.recipe.family) or self.task.recipe.network.beams
        features = self.encode(passages, False)
        found: list[tuple[str, float]] = [("", 0.0)] * len(features)
        lengths = np.array([len(one["input_ids"]) for one in features], dtype=int)
        network = self.task.model.to("cpu").eval()
        with torch.inference_mode():
            for rows in batches_by_length(lengths * beams, tokens_a_batch("cpu")):
                batch = self.collate([features[row] for row in rows])
                memory = network.read(batch["input_ids"], batch["attention_mask"])
                most = torch.tensor(
                    [min(self.task.recipe.max_length, 2 * lengths[row] + _ROOM) for row in rows]
                )
                for row, one in zip(rows, write(network, memory, BEGIN, END, most, beams), strict=True):
                    tokens = self.tokens.written(one.ids, features[row]["lacking"])
                    found[row] = joined(tokens, self.tokens.unit), one.score
        return found

    def attention(self, passage: Passage, translation: str) -> Attention:
        """Return where the tokens of a translation look."""
        feature = self.encode([Passage(passage.source, translation, *passage.direction)], True)[0]
        batch = self.collate([feature])
        with torch.inference_mode():
            weights = self.task.model.eval()(**batch).attentions[0].numpy()
        names = [*self.tokens.names, *feature["lacking"]]
        shown = [names[at] for at in (*feature["labels"][:-1], *feature["input_ids"])]
        rows = len(feature["labels"]) - 1
        return Attention(shown[:rows], shown[rows:], weights[:rows])

    def draw(self, examples: Sequence[Passage], predictions: Sequence[Any], folder: Path) -> None:
        """Write a heat map a text: 0.svg, 1.svg, ..."""
        from gallae.evaluation.attention import attention_plot

        folder.mkdir(parents=True, exist_ok=True)
        for number, (one, prediction) in enumerate(zip(examples, predictions, strict=True)):
            if len(prediction["via"]) == 2 and prediction["translation"]:
                found = self.attention(one, prediction["translation"])
                picture = attention_plot(found.weights, found.rows, found.columns)
                (folder / f"{number}.svg").write_text(picture, encoding="utf-8")

    def write(self, folder: Path) -> None:
        """Write weights and vocabulary."""
        with quiet():
            self.task.model.save_pretrained(folder)
        (folder / VOCABULARY_FILE).write_text(self.tokens.vocabulary.to_json(), encoding="utf-8")

    def read(self, folder: Path) -> None:
        """Load weights and vocabulary."""
        recipe = self.task.recipe
        options = recipe.network
        try:
            vocabulary = Vocabulary.from_json((folder / VOCABULARY_FILE).read_text(encoding="utf-8"))
            with quiet():
                self.task.model = CopyingNetwork.from_pretrained(folder, local_files_only=True).eval()
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            raise ModelError(f"the model in {folder} is missing or damaged: {reason}") from error
        self.tokens = Tokens(vocabulary, options.unit, options.reversed, recipe.max_length)


def _filled(rows: Sequence[Sequence[int]], fill: int) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows])
