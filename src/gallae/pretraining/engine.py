"""Training an objective by transformers' Trainer: steps, checkpoints, the history, one or several devices."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import PrinterCallback

from gallae.errors import ModelError
from gallae.pretrained.loading import quiet
from gallae.pretraining.batches import Batches, Examples, Numbers
from gallae.pretraining.objectives.base import Objective
from gallae.pretraining.options import PretrainingOptions
from gallae.training import checkpoints
from gallae.training.callbacks import ProgressBar
from gallae.training.devices import find_device, lacks_memory
from gallae.training.optimizers import clip_gradients, make_optimizer
from gallae.training.seeding import isolated
from gallae.training.trainer import QuietTrainer, TimedSaves, arguments, check_loss

History = list[dict[str, Any]]
ROWS = 20
"""How often, in a whole training, the history gets a row and the held-out part is measured."""
_WORKERS = 2  # processes that make batches for a GPU


@dataclass(frozen=True)
class Pretraining:
    """What is to be learnt, from what, and how.

    Attributes:
        objective: With its first weights.
        train: Batches to learn from.
        held: Batches to measure; None without.
        options: The recipe's [training] table.
        seed: Of dropout.
        folder: Of the checkpoints; a training that was killed goes on from the newest.
    """

    objective: Objective
    train: Batches
    held: Batches | None
    options: PretrainingOptions
    seed: int
    folder: Path

    def run(self) -> Trained:
        """Train the network in place; several processes (torchrun, accelerate launch) learn together.

        Raises:
            ModelError: if the loss is no number any more, or memory does not suffice.
            RecipeError: if the device is not there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        history = checkpoints.take_final(self.folder, self.objective.network)
        if history is not None:
            return Trained(history.pop()["work"], history)
        with quiet():
            engine = Engine(self)
            newest = checkpoints.last_whole(self.folder)
            try:
                engine.train(resume_from_checkpoint=str(newest) if newest else None)
            except RuntimeError as error:
                if not lacks_memory(error):
                    raise
                raise _short_of_memory(self.options) from error
            finally:
                engine.bar.close()
                # Without this it would go on computing in the training's precision, other than once saved.
                network = engine.accelerator.unwrap_model(self.objective.network, keep_fp32_wrapper=False)
                network.to("cpu").eval()
        if engine.is_world_process_zero():
            checkpoints.keep_final(self.folder, network, [*engine.history, {"work": engine.work}])
        return Trained(engine.work, engine.history)


@dataclass(frozen=True)
class Trained:
    """What a training tells.

    Attributes:
        work: "seconds" of all its processes' lives, "steps", and "tokens" read, padding not counted.
        history: A row each twentieth: step, epoch, tokens, loss and the objective's figures, averaged since
            the row before; with "held_out_" before their names those of the held-out part.
    """

    work: dict[str, float]
    history: History


class Engine(QuietTrainer):
    """transformers' Trainer with our batches and figures.

    Attributes:
        work: See `Trained`.
    """

    def __init__(self, job: Pretraining) -> None:
        self.job, self.options, self.folder, self.keep = job, job.options, job.folder, True
        self.history: History = []
        self.losses: list[float] = [0.0, 0.0]
        self.sums: dict[str, torch.Tensor] = {}
        self.work: dict[str, float] = {"seconds": 0.0, "steps": 0, "tokens": 0}
        self.bar = Speed(self)
        device = find_device(job.options.device)
        made = arguments(job.options, job.folder, device, job.seed, epochs=1, steps=1)
        made.logging_strategy = "no"
        made.ddp_find_unused_parameters = False
        self.steps = _steps(job.options, job.train.per_epoch, made.world_size)
        self.per_row = max(1, self.steps // ROWS)
        # Its own batches' order is a function of their numbers, so they are asked for by process here.
        self.numbers = Numbers(self.steps * job.options.accumulation, made.process_index, made.world_size)
        super().__init__(model=job.objective.network, args=made, callbacks=[_Flow(self), self.bar])
        self.model_accepts_loss_kwargs = False
        self.remove_callback(PrinterCallback)
        torch.manual_seed(job.seed + made.process_index)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return the batches, one an item."""
        examples: Any = Examples(self.job.train, self.job.objective)
        return DataLoader(
            examples,
            batch_sampler=self.numbers,
            collate_fn=_same,
            num_workers=_WORKERS if self.args.device.type == "cuda" else 0,
            generator=torch.Generator().manual_seed(self.job.seed),
        )

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Make the recipe's optimiser; embeddings decay, as in the pretraining of BERT."""
        if self.optimizer is None:
            options = self.options
            self.optimizer = make_optimizer(
                self.model,
                options.optimizer,
                options.learning_rate,
                options.weight_decay,
                None if options.optimizer == "sgd" else options.betas,
                embedding_decay=True,
            )
        return self.optimizer

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the batch's loss, and take its figures into the row's; no waiting for a GPU here."""
        found = model(**inputs)
        for name, value in found.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.detach().float()
        self.losses[1] += 1
        return found["loss"]

    def _clip_grad_norm(self, model: Any) -> Any:
        return clip_gradients(model.parameters(), self.options.max_grad_norm)

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        return grad_norm

    def count_step(self) -> None:
        """Count what a step has read, and close the history's row when it is time."""
        step, processes = self.state.global_step, self.args.world_size
        each = self.options.accumulation * processes
        tokens = sum(self.job.train.n_tokens(n) for n in range((step - 1) * each, step * each))
        self.work |= {"tokens": self.work["tokens"] + tokens, "steps": step}
        if step % self.per_row == 0 or step == self.steps:
            self.check()
            self.history.append(self._row())

    def check(self) -> None:
        """Make sure that the losses are numbers.

        Raises:
            ModelError: if they are none.
        """
        if self.sums:
            check_loss(self, self.sums["loss"])

    def mean_loss(self) -> float | None:
        """Return the mean of the losses since the history's last row."""
        return self.sums["loss"].item() / self.losses[1] if self.sums else None

    def _row(self) -> dict[str, Any]:
        step = self.state.global_step
        epoch = step * self.options.accumulation * self.args.world_size / self.job.train.per_epoch
        row = {"step": step, "epoch": round(epoch, 4), "tokens": self.work["tokens"]}
        row |= {name: value.item() / self.losses[1] for name, value in self.sums.items()}
        self.sums, self.losses = {}, [0.0, 0.0]
        if self.job.held is not None and self.is_world_process_zero():
            row |= {f"held_out_{name}": value for name, value in self.measure(self.job.held).items()}
            self.model.train()
        return row

    def measure(self, held: Batches) -> dict[str, float]:
        """Return the means of the figures over batches, each time with the same masks and noise."""
        self.model.eval()
        sums: dict[str, float] = {}
        with torch.inference_mode(), isolated(self.job.seed):
            for number in range(held.per_epoch):
                batch = self.job.objective.collate(held.rows(number), held.rng(number))
                inputs = {name: value.to(self.args.device) for name, value in batch.items()}
                share = held.n_tokens(number) / held.all_tokens
                for name, value in self.model(**inputs).items():
                    sums[name] = sums.get(name, 0.0) + share * float(value)
        return sums

    def kept(self) -> tuple[dict[str, Any], dict[str, dict[str, torch.Tensor]]]:
        """Return what a checkpoint holds: also the work done, and the figures since the last row."""
        self.check()
        facts, tensors = super().kept()
        sums = {name: float(value) for name, value in self.sums.items()}
        return {**facts, "work": self.work, "sums": sums}, tensors

    def take_up(self, facts: dict[str, Any], tensors: dict[str, dict[str, torch.Tensor]]) -> None:
        """Go on with what `kept` gave."""
        super().take_up(facts, tensors)
        self.work = facts["work"]
        self.sums = {
            name: torch.tensor(value, device=self.args.device) for name, value in facts["sums"].items()
        }

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        if self.args.should_save and output_dir:  # not theirs: networks may share weights
            Path(output_dir).mkdir(parents=True, exist_ok=True)
            checkpoints.write(self.model.state_dict(), Path(output_dir) / "model.safetensors")

    def _issue_warnings_after_load(self, load_result: Any) -> None:
        """Say nothing: weights that two networks share are saved once."""


class _Flow(TimedSaves):
    """When to save; what a step adds to the work."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self.before = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Begin to count the time."""
        self.before = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Count the step, and ask for a checkpoint when it is time, in all processes at once."""
        self.engine.count_step()
        now = time.monotonic()
        self.engine.work["seconds"] += now - self.before
        self.before = now
        super().on_step_end(args, state, control)
        if args.world_size > 1:
            flag = torch.tensor([float(control.should_save)], device=args.device)
            torch.distributed.broadcast(flag, 0)
            control.should_save = bool(flag.item())


class Speed(ProgressBar):
    """The bar of a pretraining: loss, and tokens a second."""

    def __init__(self, engine: Engine) -> None:
        super().__init__("held_out_loss")
        self.engine = engine
        self.mark = (0.0, 0.0)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Say nothing: to Trainer, the whole training is one epoch."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Move the bar; once a second, also take up the loss and the speed since the last time."""
        super().on_step_end(args, state, control)
        work = self.engine.work
        seconds, tokens = work["seconds"] - self.mark[0], work["tokens"] - self.mark[1]
        if seconds < 1:
            return
        self.mark = (work["seconds"], work["tokens"])
        self.figures["tokens/s"] = f"{tokens / seconds:,.0f}"
        logs = {"loss": self.engine.mean_loss()}
        if self.engine.history:
            logs[f"eval_{self.metric}"] = self.engine.history[-1].get(self.metric)
        super().on_log(args, state, control, logs)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Do nothing: what is shown comes more often."""


def _same(batch: Any) -> Any:
    return batch


def _steps(options: PretrainingOptions, per_epoch: int, processes: int) -> int:
    return options.steps or max(1, math.ceil(options.epochs * per_epoch / options.accumulation / processes))


def _short_of_memory(options: PretrainingOptions) -> ModelError:
    return ModelError(
        f"memory does not suffice for batches of {options.batch_tokens:,} tokens. Set training.batch_tokens="
        f"{options.batch_tokens // 2} and training.accumulation={2 * options.accumulation}, or take a "
        "smaller network."
    )
