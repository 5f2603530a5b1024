"""One training engine for every network: transformers' Trainer, fed and watched our way."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.utils import logging as transformers_logging

from gallae.errors import ModelError
from gallae.text.vocabulary import CLS, PAD, SEP, UNK
from gallae.training import checkpoints, inference, workspace
from gallae.training.batches import Examples
from gallae.training.callbacks import ProgressBar
from gallae.training.devices import find_device, lacks_memory, use_bf16
from gallae.training.measuring import measured
from gallae.training.objective import Objective, balanced_weights
from gallae.training.optimizers import clip_gradients, make_optimizer
from gallae.training.options import TrainingOptions
from gallae.training.regularisation import Ema
from gallae.training.samplers import make_batches
from gallae.training.schedules import make_schedule
from gallae.training.seeding import isolated
from gallae.training.tracking import tracker
from gallae.training.unfreezing import GradualUnfreezing
from gallae.training.watching import report

log = logging.getLogger(__name__)
_SAVE_EVERY = 120.0  # seconds between checkpoints within an epoch
History = list[dict[str, Any]]


@dataclass(frozen=True)
class Training:
    """What is to be trained, on what, and how.

    Attributes:
        network: With its first weights.
        train: Rows to learn from.
        valid: Rows to watch, held out inside the training rows; None without.
        options: The recipe's.
        seed: Of batches and dropout.
        multilabel: Whether a text may have several labels.
        word_dropout: Share of the tokens hidden in training.
        special: Ids of [UNK], and of the other tokens that are never hidden.
        embedding_decay, layer_decay: See `make_optimizer`; the latter needs `depths`.
        depths: The depth of every weight, by name (see `gallae.models.architectures.adapting.depths`).
        unfreezing: Whether the layers begin to learn one by one (see `GradualUnfreezing`); needs `depths`.
    """

    network: Any
    train: Examples
    valid: Examples | None
    options: TrainingOptions
    seed: int
    multilabel: bool
    word_dropout: float = 0.0
    special: tuple[int, ...] = (UNK, PAD, CLS, SEP)
    embedding_decay: bool = False
    depths: Mapping[str, int] | None = None
    layer_decay: float = 1.0
    unfreezing: bool = False

    def run(self) -> History:
        """Train the network in place, and return a row an epoch: step, loss, valid_loss, macro_f1, ...

        Raises:
            ModelError: if the loss is no number any more, or memory does not suffice.
            RecipeError: if the device is not there.
        """
        device = find_device(self.options.device)
        folder = workspace.next_fit()
        if folder is not None:
            history = checkpoints.take_final(folder, self.network)
            if history is not None:
                return history
        with isolated(self.seed), _quiet_library():
            if folder is not None:
                history = self._fit(folder, device, keep=True)
                checkpoints.keep_final(folder, self.network, history)
                return history
            with tempfile.TemporaryDirectory(prefix="gallae-") as temporary:
                return self._fit(Path(temporary), device, keep=False)

    def _fit(self, folder: Path, device: torch.device, keep: bool) -> History:
        engine = Engine(self, folder, device, keep)
        try:
            engine.train(resume_from_checkpoint=_resumed(folder) if keep else None)
        except RuntimeError as error:
            if not lacks_memory(error):
                raise
            raise ModelError(_smaller(self.options)) from error
        finally:
            engine.bar.close()
            engine.accelerator.unwrap_model(self.network, keep_fp32_wrapper=False)  # no bf16, as once saved
        engine.restore_best()
        return engine.history


def _smaller(options: TrainingOptions) -> str:
    """Return what to try where memory does not suffice."""
    size = options.batch_size
    halved = (
        f"Set training.batch_size={size // 2} and training.accumulation={options.accumulation * 2}, or try "
    )
    return (
        f"memory does not suffice for batches of {size}. {halved if size > 1 else 'Try '}a shorter "
        "model.max_length; encoders have model.gradient_checkpointing=true too."
    )


def _resumed(folder: Path) -> str | None:
    checkpoint = checkpoints.last_whole(folder)
    return str(checkpoint) if checkpoint else None


class Engine(Trainer):
    """transformers' Trainer with our batches, losses, optimisers, evaluation and checkpoints."""

    optimizer: Any
    lr_scheduler: Any

    def __init__(self, job: Training, folder: Path, device: torch.device, keep: bool) -> None:
        self.job, self.options, self.folder, self.keep = job, job.options, folder, keep
        self.history: History = []
        self.losses: list[float] = [0.0, 0.0]  # their sum and number in this epoch
        self.best: dict[str, Any] = {}
        self.best_weights: dict[str, torch.Tensor] = {}
        self.batches = make_batches(
            job.options.sampler, job.train.rows.lengths, job.train.targets, job.options.batch_size, job.seed
        )
        weights = None
        if job.options.class_weight == "balanced":
            weights = balanced_weights(job.train.targets, job.train.n_classes).to(device)
        self.objective = Objective(job.options, weights, job.multilabel, job.word_dropout, job.special)
        self.ema = Ema(job.network, job.options.ema) if job.options.ema else None
        self.bar = ProgressBar(job.options.early_stopping.metric)
        super().__init__(
            model=job.network,
            args=_arguments(job, folder, device, len(self.batches)),
            callbacks=[_Flow(self), self.bar, *tracker(job.options.track, folder if keep else None)],
        )
        if job.unfreezing:
            self.add_callback(GradualUnfreezing(job.network, job.depths or {}))
        self.loss_is_scaled_for_ga = False
        self.remove_callback(PrinterCallback)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return the batches, one an item."""
        return DataLoader(
            self.job.train,
            batch_sampler=self.batches,
            collate_fn=lambda batch: batch,
            generator=torch.Generator().manual_seed(self.job.seed),
        )

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Make the recipe's optimiser."""
        if self.optimizer is None:
            options = self.options
            self.optimizer = make_optimizer(
                self.model,
                options.optimizer,
                options.learning_rate,
                options.weight_decay,
                embedding_rate=options.embedding_rate,
                embedding_decay=self.job.embedding_decay,
                layer_decay=self.job.layer_decay,
                depths=self.job.depths,
            )
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
        loss = self.objective(model, inputs)
        if not torch.isfinite(loss):
            rate = self.optimizer.param_groups[0]["lr"] if self.optimizer else self.options.learning_rate
            raise ModelError(
                f"the loss became {loss.item()} at step {self.state.global_step + 1} (learning rate "
                f"{rate:.2g}). The likely cause is a learning rate that is too high: divide "
                "training.learning_rate by ten, keep training.max_grad_norm above 0, or see `gallae lr-find`."
            )
        self.losses = [self.losses[0] + loss.item(), self.losses[1] + 1]
        return loss

    def _clip_grad_norm(self, model: Any) -> Any:
        return clip_gradients(model.parameters(), self.options.max_grad_norm)

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        return grad_norm

    def floating_point_ops(self, inputs: Any) -> int:
        """Return 0: counting them would cost more than small networks' steps."""
        return 0

    def averaged(self) -> AbstractContextManager[Any]:
        """Put the averaged weights in place within the block, where the recipe averages them."""
        return self.ema.applied() if self.ema else nullcontext()

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Measure the rows held out for it, keep the best weights, and stop when they get no better."""
        valid, network = self.job.valid, self.job.network
        assert valid is not None
        with self.averaged():
            found = inference.logits(network, valid.rows, valid.n_classes)
            found = valid.rows.pooled(found, self.job.multilabel)
            metrics = measured(found, valid.targets, self.job.multilabel)
            self._keep_best(metrics)
        network.train()
        self.history[-1] |= {"valid_loss" if name == "loss" else name: metrics[name] for name in metrics}
        named = {f"eval_{name}": value for name, value in metrics.items()}
        self.log(named)
        report(len(self.history), self._worth(metrics))
        return named

    def _worth(self, metrics: dict[str, float]) -> float:
        """Return the metric that is watched, the greater the better."""
        metric = self.options.early_stopping.metric
        return -metrics[metric] if metric == "loss" else metrics[metric]

    def _keep_best(self, metrics: dict[str, float]) -> None:
        stopping, value = self.options.early_stopping, self._worth(metrics)
        if not self.best or value > self.best["value"] + stopping.min_delta:
            self.best = {"value": value, "step": self.state.global_step, "waited": 0}
            if stopping.restore_best:
                self.best_weights = checkpoints.copied(self.job.network.state_dict())
            return
        self.best["waited"] += 1
        if stopping.patience and self.best["waited"] >= stopping.patience:
            self.control.should_training_stop = True

    def restore_best(self) -> None:
        """Put the weights to keep into the network: the best ones, the averaged ones, or the last."""
        network = self.job.network
        if self.best_weights:
            network.load_state_dict(self.best_weights)
        elif self.ema:
            with self.ema.applied():
                last = checkpoints.copied(network.state_dict())
            network.load_state_dict(last)
        network.to("cpu").eval()

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        tensors = {"best": self.best_weights} if self.best_weights else {}
        if self.ema:
            tensors["ema"] = self.ema.state_dict()
        facts = {"best": self.best, "history": self.history, "losses": self.losses}
        checkpoints.seal(self.folder / f"checkpoint-{self.state.global_step}", facts, tensors)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        facts, tensors = checkpoints.sealed(Path(resume_from_checkpoint))
        self.best, self.history, self.losses = facts["best"], facts["history"], facts["losses"]
        self.best_weights = tensors.get("best", {})
        if self.ema:
            self.ema.load_state_dict(tensors["ema"])


class _Flow(TrainerCallback):
    """When to evaluate, save and log; what an epoch's row of the history says."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.saved = time.monotonic()

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.engine.batches.set_epoch(int((state.epoch or 0) + 1e-6))

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.engine.ema:
            self.engine.ema.update()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.engine.keep and time.monotonic() - self.saved > _SAVE_EVERY:
            control.should_save = True

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        total, count = self.engine.losses
        row = {"epoch": round(state.epoch), "step": state.global_step, "loss": total / max(count, 1)}
        self.engine.history.append(row)
        self.engine.losses = [0.0, 0.0]
        control.should_log = True
        control.should_evaluate = self.engine.job.valid is not None
        control.should_save = self.engine.keep

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.saved = time.monotonic()


def _arguments(job: Training, folder: Path, device: torch.device, steps: int) -> TrainingArguments:
    options = job.options
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=max(options.epochs, ceil(options.min_steps * options.accumulation / steps)),
        per_device_train_batch_size=options.batch_size,
        gradient_accumulation_steps=options.accumulation,
        max_grad_norm=options.max_grad_norm,
        learning_rate=options.learning_rate,
        bf16=use_bf16(options.precision, device),
        use_cpu=device.type == "cpu",
        seed=job.seed,
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


@contextmanager
def _quiet_library() -> Iterator[None]:
    """Keep transformers' own progress bars away."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()
