"""Sentence-transformers models: made of a checkpoint and a pooling, or opened as they are."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling

from gallae.errors import ModelError, RecipeError
from gallae.pretrained.lengths import most_tokens
from gallae.pretrained.loading import load_model, quiet
from gallae.pretrained.scratch import NAME, ScratchOptions, scratch_checkpoint
from gallae.pretrained.tokenizing import check_unknown, load_tokenizer
from gallae.tasks.sentence_folders import MODULES, find_folder
from gallae.training.devices import find_device

log = logging.getLogger(__name__)


def open_model(name: str | Path, revision: str = "", device: str = "auto") -> SentenceTransformer:
    """Open a model; a plain checkpoint gets mean pooling.

    Raises:
        ModelError: if it is missing, damaged, or brings code of its own.
    """
    folder = find_folder(name, revision)
    if not (folder / MODULES).is_file():
        log.warning(
            "%s is a plain checkpoint, not trained for sentences: the mean of its tokens is used", name
        )
        return from_checkpoint(folder, "mean", 0, device)
    try:
        with quiet():
            model = SentenceTransformer(
                str(folder), device=str(find_device(device)), trust_remote_code=False, local_files_only=True
            )
    except Exception as error:  # whatever stands in the folder: the answer is the same
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise ModelError(
            f"the sentence-transformers model in {folder} cannot be opened: {reason}. Copy it again; models "
            "with code of their own are not run."
        ) from error
    return model.eval()


def from_checkpoint(folder: Path, pooling: str, max_length: int, device: str = "auto") -> SentenceTransformer:
    """Return the checkpoint's encoder with a pooling on top.

    Args:
        folder: A plain checkpoint.
        pooling: "mean", "cls" or "max".
        max_length: Most tokens of a text; 0 for as many as the checkpoint reads.
        device: Where it computes, as in a recipe.
    """
    network, tokenizer = load_model(folder), load_tokenizer(folder)
    with tempfile.TemporaryDirectory(prefix="gallae-") as temporary, quiet():
        # Through our own readers: KoBERT's tokenizer comes right, and nothing in the folder is run.
        network.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        transformer = Transformer(temporary)
    limit = most_tokens(network.config, tokenizer)
    transformer.max_seq_length = min(max_length, limit) if max_length else limit
    head = Pooling(network.config.hidden_size, pooling)
    return SentenceTransformer(modules=[transformer, head], device=str(find_device(device))).eval()


def build_model(
    checkpoint: str,
    texts: Sequence[str],
    *,
    revision: str = "",
    pooling: str = "auto",
    max_length: int = 128,
    scratch: ScratchOptions | None = None,
    seed: int = 42,
    device: str = "auto",
) -> SentenceTransformer:
    """Return the model that a training begins with.

    Args:
        checkpoint: A folder, an id of the hub, a run, or "scratch" for random weights.
        texts: The training texts: for the tokenizer of "scratch", and to see whether another's fits.
        revision: Of the hub's.
        pooling: "mean", "cls" or "max"; "auto" keeps a sentence-transformers model's own, else "mean".
        max_length: Most tokens of a text.
        scratch: Sizes of "scratch".
        seed: Of the random weights.
        device: Where it computes.

    Raises:
        RecipeError: for another pooling than a sentence-transformers model has.
        DataError: if the tokenizer does not know the texts.
    """
    if checkpoint == NAME:
        with tempfile.TemporaryDirectory(prefix="gallae-") as temporary:
            folder = scratch_checkpoint(texts, scratch or ScratchOptions(), Path(temporary), seed)
            return from_checkpoint(folder, "mean" if pooling == "auto" else pooling, max_length, device)
    folder = find_folder(checkpoint, revision)
    if not (folder / MODULES).is_file():
        model = from_checkpoint(folder, "mean" if pooling == "auto" else pooling, max_length, device)
    else:
        model = open_model(folder, device=device)
        model.max_seq_length = min(max_length, model.max_seq_length or max_length)
        _check_pooling(model, pooling, folder)
    check_unknown(model.tokenizer, texts, where=checkpoint)
    return model


def _check_pooling(model: SentenceTransformer, wanted: str, folder: Path) -> None:
    own = next((part.pooling_mode for part in model.children() if isinstance(part, Pooling)), None)
    if wanted not in ("auto", own):
        raise RecipeError(
            f"{folder} is a sentence-transformers model with the pooling {own!r}; --pooling {wanted} does "
            "not go with it. Leave --pooling away."
        )


def widened(model: SentenceTransformer, dimensions: int) -> SentenceTransformer:
    """Return the model with vectors of so many dimensions: a linear layer is added where it has others.

    Args:
        model: A student.
        dimensions: Of its teacher.
    """
    own = model.get_embedding_dimension()
    if own == dimensions:
        return model
    layer = Dense(own, dimensions, activation_function=None)
    return SentenceTransformer(modules=[*model.children(), layer], device=str(model.device)).eval()
