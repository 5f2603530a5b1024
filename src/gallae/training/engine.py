"""One training engine for every network: transformers' Trainer, fed and watched our way."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import PrinterCallback

from gallae.pretrained.loading import quiet
from gallae.text.vocabulary import CLS, PAD, SEP, UNK
from gallae.training import checkpoints, inference, workspace
from gallae.training.batches import Examples
from gallae.training.callbacks import ProgressBar
from gallae.training.devices import find_device, lacks_memory
from gallae.training.distilling import SoftObjective
from gallae.training.measuring import measured
from gallae.training.objective import Objective, balanced_weights
from gallae.training.optimizers import clip_gradients, make_optimizer
from gallae.training.options import TrainingOptions
from gallae.training.regularisation import Ema
from gallae.training.samplers import make_batches
from gallae.training.seeding import isolated
from gallae.training.soft_targets import SoftOptions
from gallae.training.tracking import tracker
from gallae.training.trainer import QuietTrainer, Saving, arguments, short_of_memory
from gallae.training.unfreezing import GradualUnfreezing
from gallae.training.watching import report

log = logging.getLogger(__name__)
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
        soft: How a teacher is weighed, where `train` are `SoftExamples`.
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
    soft: SoftOptions | None = None

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
        with isolated(self.seed), quiet():
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
            others = "a shorter model.max_length; encoders have model.gradient_checkpointing=true too"
            raise short_of_memory(self.options, others) from error
        finally:
            engine.bar.close()
            engine.accelerator.unwrap_model(self.network, keep_fp32_wrapper=False)  # no bf16, as once saved
        engine.restore_best()
        return engine.history


def _resumed(folder: Path) -> str | None:
    checkpoint = checkpoints.last_whole(folder)
    return str(checkpoint) if checkpoint else None


class Engine(QuietTrainer):
    """transformers' Trainer with our batches, losses, optimisers, evaluation and checkpoints."""

    advice = ", or see `gallae lr-find`"

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
        given = (job.options, weights, job.multilabel, job.word_dropout, job.special)
        self.objective = SoftObjective(job.soft, *given) if job.soft else Objective(*given)
        self.ema = Ema(job.network, job.options.ema) if job.options.ema else None
        self.bar = ProgressBar(job.options.early_stopping.metric)
        steps = len(self.batches)
        super().__init__(
            model=job.network,
            args=arguments(job.options, folder, device, job.seed, _epochs(job.options, steps), steps),
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

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the batch's loss.

        Raises:
            ModelError: if it is no number.
        """
        return self.counted(self.objective(model, inputs))

    def _clip_grad_norm(self, model: Any) -> Any:
        return clip_gradients(model.parameters(), self.options.max_grad_norm)

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        return grad_norm

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

    def kept(self) -> tuple[dict[str, Any], dict[str, dict[str, torch.Tensor]]]:
        """Return what a checkpoint holds: also the best epoch so far, and the averaged weights."""
        facts, tensors = super().kept()
        if self.best_weights:
            tensors["best"] = self.best_weights
        if self.ema:
            tensors["ema"] = self.ema.state_dict()
        return {**facts, "best": self.best}, tensors

    def take_up(self, facts: dict[str, Any], tensors: dict[str, dict[str, torch.Tensor]]) -> None:
        """Go on with what `kept` gave."""
        super().take_up(facts, tensors)
        self.best, self.best_weights = facts["best"], tensors.get("best", {})
        if self.ema:
            self.ema.load_state_dict(tensors["ema"])


class _Flow(Saving):
    """When to evaluate, save and log; what an epoch's row of the history says."""

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.engine.ema:
            self.engine.ema.update()

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        super().on_epoch_end(args, state, control)
        self.engine.history.append(self.engine.epoch_row())
        control.should_evaluate = self.engine.job.valid is not None


def _epochs(options: TrainingOptions, steps: int) -> int:
    """Return how many epochs make the least number of steps."""
    return max(options.epochs, ceil(options.min_steps * options.accumulation / steps))
