"""Fitting a task's network by transformers' Trainer, and computing its outputs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import PrinterCallback

from gallae.pretrained.loading import quiet
from gallae.training import checkpoints, workspace
from gallae.training.callbacks import ProgressBar
from gallae.training.devices import find_device, lacks_memory
from gallae.training.inference import batches_by_length, tokens_a_batch
from gallae.training.optimizers import make_optimizer
from gallae.training.samplers import ByLength
from gallae.training.seeding import isolated
from gallae.training.trainer import QuietTrainer, Saving, arguments, short_of_memory

if TYPE_CHECKING:
    from gallae.tasks.base import Feature, Task

History = list[dict[str, Any]]
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
TARGETS = ("labels", "start_positions", "end_positions")
IGNORED = -100  # a target that counts for no loss
_POOL = 10  # batches sorted by length together


@contextmanager
def place() -> Iterator[tuple[Path, bool]]:
    """Yield the folder of a training and whether it outlives a kill: the workspace's, or a temporary one."""
    folder = workspace.next_fit()
    if folder is not None:
        yield folder, True
        return
    with tempfile.TemporaryDirectory(prefix="gallae-") as temporary:
        yield Path(temporary), False


def train(
    task: Task, features: Sequence[Feature], valid: Sequence[Any] | None, folder: Path, keep: bool
) -> History:
    """Train the task's network in place, and return a row an epoch: epoch, step, loss, valid's figures.

    Args:
        task: With its tokenizer and a network.
        features: Of the training examples, with targets.
        valid: Examples to measure after each epoch.
        folder: Of the checkpoints; a training that was killed goes on from the newest.
        keep: Whether to write them.

    Raises:
        ModelError: if the loss is no number any more, or memory does not suffice.
        RecipeError: if the device is not there.
    """
    if keep:
        history = checkpoints.take_final(folder, task.model)
        if history is not None:
            return history
    options = task.recipe.training
    with isolated(task.recipe.seed), quiet():
        engine = _Engine(task, features, valid, folder, keep)
        newest = checkpoints.last_whole(folder) if keep else None
        try:
            engine.train(resume_from_checkpoint=str(newest) if newest else None)
        except RuntimeError as error:
            if not lacks_memory(error):
                raise
            raise short_of_memory(options, f"a shorter max_length (now {task.recipe.max_length})") from error
        finally:
            engine.bar.close()
            # Without this it would go on computing in the training's precision, other than once saved.
            engine.accelerator.unwrap_model(task.model, keep_fp32_wrapper=False).to("cpu").eval()
    if keep:
        checkpoints.keep_final(folder, task.model, engine.history)
    return engine.history


class _Engine(QuietTrainer):
    """transformers' Trainer with our optimiser, schedule, batches and checkpoints; the head's own loss."""

    def __init__(
        self, task: Task, features: Sequence[Feature], valid: Sequence[Any] | None, folder: Path, keep: bool
    ) -> None:
        self.task, self.features, self.valid, self.folder, self.keep = task, features, valid, folder, keep
        self.options = task.recipe.training
        self.history: History = []
        self.losses: list[float] = [0.0, 0.0]  # their sum and number in this epoch
        lengths = np.array([_length(feature) for feature in features])
        self.batches = ByLength(lengths, self.options.batch_size, task.recipe.seed, _POOL)
        self.bar = ProgressBar(next(iter(task.figures)))
        device = find_device(self.options.device)
        super().__init__(
            model=task.model,
            args=arguments(
                self.options, folder, device, task.recipe.seed, self.options.epochs, len(self.batches)
            ),
            callbacks=[_Flow(self), self.bar],
        )
        self.model_accepts_loss_kwargs = False
        self.remove_callback(PrinterCallback)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return the batches of an epoch."""
        return DataLoader(
            self.features,
            batch_sampler=self.batches,
            collate_fn=self.task.collate,
            generator=torch.Generator().manual_seed(self.task.recipe.seed),
        )

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Make AdamW, without decay on biases and norms."""
        if self.optimizer is None:
            options = self.options
            self.optimizer = make_optimizer(self.model, "adamw", options.learning_rate, options.weight_decay)
        return self.optimizer

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the batch's loss.

        Raises:
            ModelError: if it is no number.
        """
        return self.counted(self.task.loss(model, inputs))

    def finish_epoch(self) -> None:
        """Add the epoch to the history, with the validation's figures."""
        row = self.epoch_row()
        if self.valid:
            found = self.task.evaluate(self.valid)
            self.task.model.train()
            row |= {name: found[name] for name in self.task.figures}
            self.log({f"eval_{name}": found[name] for name in self.task.figures})
        self.history.append(row)


class _Flow(Saving):
    """When to measure and save."""

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        super().on_epoch_end(args, state, control)
        self.engine.finish_epoch()


def _length(feature: Feature) -> int:
    """Return the tokens of a feature; where one holds several texts, of the longest."""
    ids = feature["input_ids"]
    return max(map(len, ids)) if ids and isinstance(ids[0], list) else len(ids)


def collate(tokenizer: Any, features: Sequence[Feature]) -> dict[str, Tensor]:
    """Return a batch; see `Task.collate`.

    It is filled up on the right whatever the tokenizer's side: encoders count positions from the left, and
    heads read the first token.
    """
    fill = {
        "input_ids": tokenizer.pad_token_id or 0,
        "attention_mask": 0,
        "token_type_ids": tokenizer.pad_token_type_id or 0,
    }
    columns: dict[str, list[Any]] = {
        name: [feature[name] for feature in features] for name in (*INPUTS, *TARGETS) if name in features[0]
    }
    columns["attention_mask"] = [[1] * len(ids) for ids in columns["input_ids"]]
    return {name: torch.tensor(_filled(values, fill.get(name, IGNORED))) for name, values in columns.items()}


def _filled(values: list[Any], fill: int) -> list[Any]:
    """Return lists made equally long; numbers stay as they are."""
    if not isinstance(values[0], list | tuple):
        return values
    width = max(map(len, values))
    return [[*value, *[fill] * (width - len(value))] for value in values]


def outputs_of(task: Task, features: Sequence[Feature]) -> list[Any]:
    """Return the network's outputs for each feature: float32 arrays, see `Task.decode`."""
    model = task.model
    model.to(find_device("cpu" if task.recipe.training.device == "cpu" else "auto")).eval()
    found: list[Any] = [None] * len(features)
    lengths = np.array([_length(feature) for feature in features])
    with torch.inference_mode():
        for rows in batches_by_length(lengths, tokens_a_batch(model.device.type)):
            chosen = [features[row] for row in rows]
            inputs = {k: v.to(model.device) for k, v in task.collate(chosen).items() if k not in TARGETS}
            tensors = [value.float().cpu().numpy() for value in task.forward(model, inputs)]
            for number, row in enumerate(rows):
                own = [_own(task, tensor[number], features[row]) for tensor in tensors]
                found[row] = own[0] if len(own) == 1 else tuple(own)
    return found


def _own(task: Task, output: np.ndarray, feature: Feature) -> np.ndarray:
    """Return the part of an output that is the feature's own, without what is there for the padding."""
    if not task.by_token:
        return output
    return output[: len(feature["input_ids"])]
