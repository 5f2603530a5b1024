"""What every training shares: transformers' Trainer made quiet, with our schedules and sealed checkpoints."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from gallae.errors import ModelError
from gallae.training import checkpoints
from gallae.training.devices import use_bf16
from gallae.training.schedules import make_schedule

SAVE_EVERY = 120.0  # seconds between checkpoints within an epoch


class QuietTrainer(Trainer):
    """transformers' Trainer with our schedule, a mean of the epoch's losses, and checkpoints that are whole.

    A subclass sets `options` (the recipe's [training] table), `batches`, `folder`, `keep` and `history`
    before it calls this class's constructor.

    Attributes:
        losses: Sum and number of the losses in this epoch.
    """

    optimizer: Any
    lr_scheduler: Any
    advice: ClassVar[str] = ""
    """What else to do about a loss that is no number."""

    options: Any
    batches: Any
    folder: Path
    keep: bool
    history: list[dict[str, Any]]
    losses: list[float]

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Make the recipe's schedule."""
        if self.lr_scheduler is None:
            self.lr_scheduler = make_schedule(
                optimizer or self.optimizer, self.options.schedule, self.options.warmup, num_training_steps
            )
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def counted(self, loss: torch.Tensor) -> torch.Tensor:
        """Return a batch's loss, taken into the epoch's.

        Raises:
            ModelError: if it is no number.
        """
        check_loss(self, loss, self.advice)
        self.losses = [self.losses[0] + loss.item(), self.losses[1] + 1]
        return loss

    def epoch_row(self) -> dict[str, Any]:
        """Return the history's row of an epoch that ends, and begin a new mean."""
        total, count = self.losses
        self.losses = [0.0, 0.0]
        step = self.state.global_step
        return {"epoch": round(self.state.epoch or 0), "step": step, "loss": total / max(count, 1)}

    def floating_point_ops(self, inputs: Any) -> int:
        """Return 0: counting them would cost more than small networks' steps."""
        return 0

    def kept(self) -> tuple[dict[str, Any], dict[str, dict[str, torch.Tensor]]]:
        """Return what a checkpoint holds beside transformers' own state: JSON values, and weights by name."""
        return {"history": self.history, "losses": self.losses}, {}

    def take_up(self, facts: dict[str, Any], tensors: dict[str, dict[str, torch.Tensor]]) -> None:
        """Go on with what `kept` gave."""
        self.history, self.losses = facts["history"], facts["losses"]

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()  # each process writes its random state
        if self.is_world_process_zero():
            checkpoints.seal(self.folder / f"checkpoint-{self.state.global_step}", *self.kept())

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        self.take_up(*checkpoints.sealed(Path(resume_from_checkpoint)))


def check_loss(trainer: Any, loss: torch.Tensor, advice: str = "") -> None:
    """Make sure that a batch's loss is a number.

    Args:
        trainer: A `transformers.Trainer`.
        loss: A scalar.
        advice: What else to do about it.

    Raises:
        ModelError: if it is none.
    """
    if torch.isfinite(loss):
        return
    optimizer = trainer.optimizer
    rate = optimizer.param_groups[0]["lr"] if optimizer else trainer.args.learning_rate
    raise ModelError(
        f"the loss became {loss.item()} at step {trainer.state.global_step + 1} (learning rate {rate:.2g}). "
        "The likely cause is a learning rate that is too high: divide training.learning_rate by ten, or keep "
        f"training.max_grad_norm above 0{advice}."
    )


class TimedSaves(TrainerCallback):
    """Asks for a checkpoint every two minutes."""

    def __init__(self) -> None:
        self.saved = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask for a checkpoint when it is time."""
        if time.monotonic() - self.saved > SAVE_EVERY:
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Begin to wait anew."""
        self.saved = time.monotonic()


class Saving(TimedSaves):
    """Asks for a checkpoint at the end of an epoch too, where a `QuietTrainer` keeps any."""

    def __init__(self, engine: QuietTrainer) -> None:
        super().__init__()
        self.engine: Any = engine

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Tell the batches which epoch it is."""
        self.engine.batches.set_epoch(int((state.epoch or 0) + 1e-6))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask for a checkpoint when it is time."""
        if self.engine.keep:
            super().on_step_end(args, state, control)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask for a checkpoint."""
        control.should_log = True
        control.should_save = self.engine.keep


def arguments(
    options: Any, folder: Path, device: torch.device, seed: int, epochs: int, steps: int
) -> TrainingArguments:
    """Return what Trainer is told.

    Args:
        options: The recipe's [training] table.
        folder: Of the checkpoints.
        device: That computes.
        seed: Of dropout and batches.
        epochs: Of the training.
        steps: Batches an epoch.
    """
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        per_device_train_batch_size=options.batch_size,
        gradient_accumulation_steps=options.accumulation,
        max_grad_norm=options.max_grad_norm,
        learning_rate=options.learning_rate,
        bf16=use_bf16(options.precision, device),
        use_cpu=device.type == "cpu",
        seed=seed,
        logging_steps=max(1, steps // options.accumulation // 10),
        logging_nan_inf_filter=False,
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        log_level="error",
    )


def short_of_memory(options: Any, others: str) -> ModelError:
    """Return what to say where memory does not suffice.

    Args:
        options: The recipe's [training] table.
        others: What else to try, such as a shorter text.
    """
    size = options.batch_size
    halved = (
        f"Set training.batch_size={size // 2} and training.accumulation={options.accumulation * 2}, or try "
    )
    return ModelError(
        f"memory does not suffice for batches of {size}. {halved if size > 1 else 'Try '}{others}."
    )
