"""TinyBERT for a task (Jiao et al., "TinyBERT: Distilling BERT for Natural Language Understanding", 2020).

A small encoder that has learned a large one's layers on plain text (`gallae pretrain -r tinybert`) learns in
two more stages: the layers of the large one fine-tuned for the task, on the task's own texts, here; then its
answers, which is what `gallae distill TEACHER DATA -r encoder` does with the checkpoint that this one writes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from gallae.errors import DataError
from gallae.files import folder_beside
from gallae.pretraining.options import (
    CorpusOptions,
    NetworkOptions,
    PretrainingOptions,
    PretrainingRecipe,
    TinyBertOptions,
)
from gallae.recipes.schema import Table


class LayerOptions(Table):
    """How a student learns the layers of its teacher on a task's texts.

    `max_length` counts a text's tokens, the special ones too; the rest is cut off.
    """

    epochs: float = Field(default=10.0, gt=0)
    learning_rate: float = Field(default=5e-5, gt=0)
    max_length: int = Field(default=128, ge=8)
    batch_tokens: int = Field(default=2048, ge=128)
    device: str = "auto"


def learn_layers(
    texts: Sequence[str],
    teacher: str | Path,
    student: str | Path,
    output: Path,
    options: LayerOptions | None = None,
    *,
    seed: int = 42,
    work: Path | None = None,
) -> Path:
    """Let a small encoder learn the embeddings, states and attention of a fine-tuned one.

    Args:
        texts: Clean texts of the task, augmented and unlabelled ones too.
        teacher: A run or saved model of the family encoder, or a checkpoint.
        student: A checkpoint with the teacher's tokenizer and as many heads.
        output: Where the student is written, in the hub's layout. What is there already is returned.
        options: How it learns.
        seed: Of the batches.
        work: Where an interrupted call goes on; without it, it begins anew.

    Returns:
        `output`.

    Raises:
        DataError: if no text has a token.
        RecipeError: if student and teacher do not fit together.
        ModelError: if one of them is missing or damaged, or the loss is no number any more.
    """
    if output.exists():
        return output
    from gallae.pretraining.batches import Batches
    from gallae.pretraining.engine import Pretraining
    from gallae.pretraining.networks import find_tokenizer
    from gallae.pretraining.objectives.tinybert import TinyBert
    from gallae.training.seeding import isolated

    recipe = _recipe(str(teacher), str(student), options or LayerOptions(), seed)
    tokenizer = find_tokenizer(recipe)
    with ExitStack() as stack:
        stack.enter_context(isolated(seed))
        folder = work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallae-")))
        objective = TinyBert(recipe, tokenizer, seed)
        corpus = _encoded(texts, tokenizer, recipe.corpus.max_length)
        batches = Batches(corpus, recipe.corpus, recipe.training.batch_tokens, seed)
        Pretraining(objective, batches, None, recipe.training, seed, folder).run()
    _save(objective, output)
    return output


def _recipe(teacher: str, student: str, options: LayerOptions, seed: int) -> PretrainingRecipe:
    return PretrainingRecipe(
        seed=seed,
        corpus=CorpusOptions(max_length=options.max_length, min_tokens=1, held_out=0),
        network=NetworkOptions(checkpoint=student, teacher=teacher, every=0),
        objective=TinyBertOptions(kind="tinybert"),
        training=PretrainingOptions(
            epochs=options.epochs,
            learning_rate=options.learning_rate,
            batch_tokens=options.batch_tokens,
            device=options.device,
            warmup=0.1,
        ),
    )


def _encoded(texts: Sequence[str], tokenizer: Any, most: int) -> Any:
    """Return texts as a corpus in memory, `gallae.pretraining.encoding.Encoded`; each is a document."""
    from gallae.pretraining.encoding import Encoded

    tokenizer.split_special_tokens = True  # "[SEP]" in a text is text
    rows = tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"] if texts else []
    kept = [np.array(ids[: most - 2], dtype=np.int32) for ids in rows if ids]
    if not kept:
        raise DataError("no text has a token that the student knows: give texts of the task.")
    ends = np.cumsum([len(ids) for ids in kept])
    numbers = np.arange(len(kept))
    return Encoded(
        ids=np.concatenate(kept),
        sentences=np.concatenate([[0], ends]),
        documents=np.stack([numbers, numbers + 1], axis=1),
        sources=np.zeros(len(kept), dtype=np.int64),
        weights=np.ones(1),
    )


def _save(objective: Any, output: Path) -> None:
    from gallae.pretrained.loading import quiet
    from gallae.pretrained.tokenizing import save_tokenizer

    with folder_beside(output) as target:
        with quiet():
            objective.encoder.save_pretrained(target)
        for name, content in save_tokenizer(objective.tokenizer).items():
            (target / name).write_bytes(content)
