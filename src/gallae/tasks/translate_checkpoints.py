"""The family "pretrained" of `translate`: BART, T5 and other encoder-decoders of the hub, fine-tuned.

The styles stand in front of each text as two tokens of their own, so one network learns all directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gallae.errors import ModelError
from gallae.pretrained.loading import load_model, quiet
from gallae.pretrained.tokenizing import load_tokenizer, save_tokenizer
from gallae.tasks.base import Feature
from gallae.tasks.training import IGNORED
from gallae.tasks.translate_engines import Engine, only
from gallae.tasks.translate_reading import Passage
from gallae.tasks.translate_tokens import style_tokens
from gallae.training.inference import batches_by_length, tokens_a_batch
from gallae.training.seeding import isolated

_ROOM = 20


class Checkpoints(Engine):
    """An encoder-decoder of transformers, written by its own `generate`."""

    def fit(self, examples: Sequence[Passage], valid: Sequence[Passage] | None) -> None:
        """Fine-tune the checkpoint."""
        self.task.fit_network(examples, valid)

    def prepare(self) -> None:
        """Give the loaded checkpoint the styles' tokens, and the marks that writing needs."""
        task = self.task
        control = sorted({token for style in task.directions for token in style_tokens(*style)})
        with isolated(task.recipe.seed), quiet():
            if task.tokenizer.add_tokens(control):
                task.model.resize_token_embeddings(len(task.tokenizer), mean_resizing=False)
        config, tokenizer = task.model.config, task.tokenizer
        end = config.eos_token_id if config.eos_token_id is not None else tokenizer.eos_token_id
        config.eos_token_id = tokenizer.sep_token_id if end is None else end
        if config.pad_token_id is None:
            config.pad_token_id = tokenizer.pad_token_id
        if config.eos_token_id is None or config.pad_token_id is None:
            raise ModelError(
                f"{task.recipe.checkpoint}: the tokenizer has no token to end a text, or none to fill up a "
                "batch, so it cannot be taught to write. Choose another, such as gogamza/kobart-base-v2."
            )
        if config.decoder_start_token_id is None:
            config.decoder_start_token_id = config.eos_token_id
        own = task.model.generation_config
        for name in ("eos_token_id", "pad_token_id", "decoder_start_token_id"):
            setattr(own, name, getattr(config, name))
        own.forced_bos_token_id = own.forced_eos_token_id = None

    def encode(self, examples: Sequence[Passage], labelled: bool) -> list[Feature]:
        """Return ids of sources and, with `labelled`, targets, both ended by the end token."""
        sources = self._ids([" ".join((*style_tokens(*one.direction), one.source)) for one in examples])
        features: list[Feature] = [{"input_ids": ids, "example": at} for at, ids in enumerate(sources)]
        if labelled:
            for feature, ids in zip(features, self._ids([one.target or "" for one in examples]), strict=True):
                feature["labels"] = ids
        return features

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        end, most = self.task.model.config.eos_token_id, self.task.recipe.max_length
        encoded = self.task.tokenizer(list(texts), truncation=True, max_length=most)["input_ids"]
        return [ids if ids and ids[-1] == end else [*ids[: most - 1], end] for ids in encoded]

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        """Return a batch, filled up on the right; the network makes the decoder's inputs of the labels."""
        padding = self.task.model.config.pad_token_id
        batch = {"input_ids": _filled([one["input_ids"] for one in features], padding)}
        batch["attention_mask"] = _filled([[1] * len(one["input_ids"]) for one in features], 0)
        if "labels" in features[0]:
            batch["labels"] = _filled([one["labels"] for one in features], IGNORED)
        return batch

    def say(self, passages: Sequence[Passage], **deciding: Any) -> list[tuple[str, float]]:
        """Write each translation by beam search; texts of like length together."""
        beams = only(deciding, "beams", "pretrained") or self.task.recipe.network.beams
        features = self.encode(passages, False)
        lengths = np.array([len(one["input_ids"]) for one in features], dtype=int)
        found: list[tuple[str, float]] = [("", 0.0)] * len(features)
        model = self.task.model.to("cpu").eval()
        with torch.inference_mode(), quiet():
            for rows in batches_by_length(lengths * beams, tokens_a_batch("cpu")):
                batch = self.collate([features[row] for row in rows])
                most = min(self.task.recipe.max_length, 2 * int(lengths[rows].max()) + _ROOM)
                written = model.generate(
                    **batch, num_beams=beams, do_sample=False, length_penalty=0.0, early_stopping=False,
                    max_new_tokens=most, max_length=None, return_dict_in_generate=True, output_scores=True,
                )  # fmt: skip
                scores = self._scores(model, written, beams)
                texts = self.task.tokenizer.batch_decode(written.sequences, skip_special_tokens=True)
                for row, text, score in zip(rows, texts, scores, strict=True):
                    found[row] = " ".join(text.split()), score
        return found

    def _scores(self, model: Any, written: Any, beams: int) -> list[float]:
        if beams > 1:
            return [float(score) for score in written.sequences_scores]
        steps = model.compute_transition_scores(written.sequences, written.scores, normalize_logits=True)
        return [float(score) for score in steps.masked_fill(~steps.isfinite(), 0.0).sum(dim=1)]

    def write(self, folder: Path) -> None:
        """Write weights and tokenizer in the hub's layout."""
        with quiet():
            self.task.model.save_pretrained(folder)
        for name, content in save_tokenizer(self.task.tokenizer).items():
            (folder / name).write_bytes(content)

    def read(self, folder: Path) -> None:
        """Load weights and tokenizer."""
        self.task.tokenizer = load_tokenizer(folder)
        self.task.model = load_model(folder, self.task.auto_class)


def _filled(rows: Sequence[Sequence[int]], fill: int) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows])
