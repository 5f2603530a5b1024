"""Training a sentence-transformers model: objectives, batches that a seed decides, checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from datasets.utils.logging import disable_progress_bar
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer import losses
from torch import nn
from transformers import PrinterCallback

from gallae.pretrained.loading import quiet
from gallae.tasks.sentence_recipe import SentenceRecipe
from gallae.tasks.training import place
from gallae.training import checkpoints
from gallae.training.callbacks import ProgressBar
from gallae.training.devices import find_device, lacks_memory, use_bf16
from gallae.training.trainer import TimedSaves, check_loss, short_of_memory

History = list[dict[str, Any]]
_COLUMNS = ("anchor", "positive", "negative")
# Of the recipe to transformers'; its own "constant" has no warm-up.
_SCHEDULES = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}

# datasets would draw a bar for each of its steps.
disable_progress_bar()


class _Batches(DefaultBatchSampler):
    """Batches in an order that seed and epoch decide, so that a resumed training has the same."""

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.sampler)).tolist()
        for start in range(0, len(order), self.batch_size):
            yield order[start : start + self.batch_size]


class _Trainer(SentenceTransformerTrainer):
    """The library's trainer; its checkpoints also hold the weights of the loss, such as SoftmaxLoss's."""

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Leave the card to us."""

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        """Return the batch's loss.

        Raises:
            ModelError: if it is no number.
        """
        found = super().compute_loss(*args, **kwargs)
        check_loss(self, found[0] if isinstance(found, tuple) else found)
        return found

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        self.model.save_pretrained(output_dir or str(self.args.output_dir), create_model_card=False)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        own = {
            name: weight for name, weight in self.loss.state_dict().items() if not name.startswith("model.")
        }
        folder = Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}"
        checkpoints.seal(folder, {}, {"loss": own} if own else {})

    def _load_from_checkpoint(self, checkpoint_path: str) -> None:
        super()._load_from_checkpoint(checkpoint_path)
        _, tensors = checkpoints.sealed(Path(checkpoint_path))
        self.loss.load_state_dict(tensors.get("loss", {}), strict=False)


def make_loss(model: SentenceTransformer, recipe: SentenceRecipe, labels: int = 0) -> nn.Module:
    """Return the loss of a recipe's objective.

    "classification": softmax(W (u, v, |u - v|)); "regression": the squared gap between cosine and score;
    "triplet": the positive nearer than the negative by a Euclidean margin (these three: Reimers and Gurevych
    2019). "ranking": the positive before the batch's others (Henderson et al. 2017, arXiv:1705.00652).
    "distillation": the mean squared gap to the teacher's vectors (Reimers and Gurevych 2020).

    Args:
        model: Whose vectors u and v are.
        recipe: The recipe.
        labels: How many labels a pair may have, for "classification".
    """
    match recipe.objective:
        case "classification":
            return losses.SoftmaxLoss(model, model.get_embedding_dimension() or 0, num_labels=labels)
        case "regression":
            return losses.CosineSimilarityLoss(model)
        case "triplet":
            return losses.TripletLoss(model, triplet_margin=recipe.margin)
        case "ranking":
            return losses.MultipleNegativesRankingLoss(model)
        case _:
            return losses.MSELoss(model)


def fit(
    model: SentenceTransformer,
    loss: nn.Module,
    texts: Sequence[Sequence[str]],
    targets: Sequence[Any] | None,
    recipe: SentenceRecipe,
) -> History:
    """Train `model` in place; within a workspace from its last checkpoint, if there is one.

    Args:
        model: To train.
        loss: Of `make_loss`, of `model`.
        texts: One tuple a row: two texts, or three.
        targets: A class number, a score or a vector a row; None where the loss needs none.
        recipe: How to train.

    Returns:
        A row an epoch: "epoch", "loss", "learning_rate".

    Raises:
        ModelError: if the loss is no number any more, or memory does not suffice.
        RecipeError: if the device is not there.
    """
    columns = {name: list(column) for name, column in zip(_COLUMNS, zip(*texts, strict=True), strict=False)}
    rows = Dataset.from_dict(columns if targets is None else columns | {"label": list(targets)})
    with place() as (folder, keep), quiet():
        if keep and (done := checkpoints.take_final(folder, model)) is not None:
            return done
        bar = ProgressBar("loss")
        callbacks = [bar, *([TimedSaves()] if keep else [])]
        trainer = _Trainer(model, _arguments(recipe, folder, keep), rows, loss=loss, callbacks=callbacks)
        trainer.remove_callback(PrinterCallback)
        newest = checkpoints.last_whole(folder) if keep else None
        try:
            trainer.train(resume_from_checkpoint=str(newest) if newest else None)
        except RuntimeError as error:
            if not lacks_memory(error):
                raise
            others = f"a shorter max_length (now {recipe.max_length})"
            raise short_of_memory(recipe.training, others) from error
        finally:
            bar.close()
            # Without this it would go on computing in the training's precision, other than once saved.
            trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False).eval()
        kept = ("epoch", "loss", "learning_rate")
        history = [{key: row[key] for key in kept} for row in trainer.state.log_history if "loss" in row]
        if keep:
            checkpoints.keep_final(folder, model, history)
    return history


def _arguments(recipe: SentenceRecipe, folder: Path, keep: bool) -> SentenceTransformerTrainingArguments:
    options = recipe.training
    device = find_device(options.device)
    return SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch_size,
        gradient_accumulation_steps=options.accumulation,
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        max_grad_norm=options.max_grad_norm,
        warmup_steps=options.warmup,
        lr_scheduler_type=_SCHEDULES[options.schedule],
        bf16=use_bf16(options.precision, device),
        use_cpu=device.type == "cpu",
        # The others of a batch are a ranking's negatives: no text may stand there twice.
        batch_sampler="no_duplicates" if recipe.objective == "ranking" else _Batches,
        seed=recipe.seed,
        save_strategy="epoch" if keep else "no",
        logging_strategy="epoch",
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        log_level="error",
    )
