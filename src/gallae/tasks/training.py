"""Fitting a task's network by transformers' Trainer, and computing its outputs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from gallae.errors import ModelError
from gallae.pretrained.loading import quiet
from gallae.training import checkpoints, workspace
from gallae.training.callbacks import ProgressBar
from gallae.training.devices import find_device, use_bf16
from gallae.training.inference import batches_by_length, tokens_a_batch
from gallae.training.optimizers import make_optimizer
from gallae.training.samplers import ByLength
from gallae.training.schedules import make_schedule
from gallae.training.seeding import isolated

if TYPE_CHECKING:
    from gallae.tasks.base import Feature, Task

History = list[dict[str, Any]]
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
TARGETS = ("labels", "start_positions", "end_positions")
IGNORED = -100  # a target that counts for no loss
_SAVE_EVERY = 120.0  # seconds between checkpoints within an epoch
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
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not isinstance(error, torch.OutOfMemoryError) and "alloc" not in str(error):
                raise
            raise ModelError(
                f"memory does not suffice for batches of {options.batch_size}. Set training.batch_size="
                f"{max(1, options.batch_size // 2)} and training.accumulation={options.accumulation * 2}, or "
                f"a shorter max_length (now {task.recipe.max_length})."
            ) from error
        finally:
            engine.bar.close()
            # Without this it would go on computing in the training's precision, other than once saved.
            engine.accelerator.unwrap_model(task.model, keep_fp32_wrapper=False).to("cpu").eval()
    if keep:
        checkpoints.keep_final(folder, task.model, engine.history)
    return engine.history


class _Engine(Trainer):
    """transformers' Trainer with our optimiser, schedule, batches and checkpoints; the head's own loss."""

    optimizer: Any
    lr_scheduler: Any

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
        super().__init__(
            model=task.model,
            args=_arguments(task, folder, len(self.batches)),
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

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Make the recipe's schedule."""
        if self.lr_scheduler is None:
            self.lr_scheduler = make_schedule(
                optimizer or self.optimizer, self.options.schedule, self.options.warmup, num_training_steps
            )
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the batch's loss.

        Raises:
            ModelError: if it is no number.
        """
        loss = self.task.loss(model, inputs)
        if not torch.isfinite(loss):
            raise ModelError(
                f"the loss became {loss.item()} at step {self.state.global_step + 1}. The likely cause is a "
                "learning rate that is too high: divide training.learning_rate by ten."
            )
        self.losses = [self.losses[0] + loss.item(), self.losses[1] + 1]
        return loss

    def floating_point_ops(self, inputs: Any) -> int:
        """Return 0: nobody reads them."""
        return 0

    def finish_epoch(self) -> None:
        """Add the epoch to the history, with the validation's figures."""
        total, count = self.losses
        row = {"epoch": round(self.state.epoch or 0), "step": self.state.global_step}
        row["loss"] = total / max(count, 1)
        self.losses = [0.0, 0.0]
        if self.valid:
            found = self.task.evaluate(self.valid)
            self.task.model.train()
            row |= {name: found[name] for name in self.task.figures}
            self.log({f"eval_{name}": found[name] for name in self.task.figures})
        self.history.append(row)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        facts = {"history": self.history, "losses": self.losses}
        checkpoints.seal(self.folder / f"checkpoint-{self.state.global_step}", facts, {})

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        facts, _ = checkpoints.sealed(Path(resume_from_checkpoint))
        self.history, self.losses = facts["history"], facts["losses"]


class _Flow(TrainerCallback):
    """When to measure and save."""

    def __init__(self, engine: _Engine) -> None:
        self.engine = engine
        self.saved = time.monotonic()

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.engine.batches.set_epoch(int((state.epoch or 0) + 1e-6))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.engine.keep and time.monotonic() - self.saved > _SAVE_EVERY:
            control.should_save = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.engine.finish_epoch()
        control.should_log = True
        control.should_save = self.engine.keep

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.saved = time.monotonic()


def _arguments(task: Task, folder: Path, steps: int) -> TrainingArguments:
    options = task.recipe.training
    device = find_device(options.device)
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch_size,
        gradient_accumulation_steps=options.accumulation,
        max_grad_norm=options.max_grad_norm,
        learning_rate=options.learning_rate,
        bf16=use_bf16(options.precision, device),
        use_cpu=device.type == "cpu",
        seed=task.recipe.seed,
        logging_steps=max(1, ceil(steps / options.accumulation / 10)),
        logging_nan_inf_filter=False,
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        log_level="error",
    )


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
