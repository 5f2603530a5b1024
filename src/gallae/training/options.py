"""The recipe's [training] table: everything that runs through the engine. No torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

METRICS = ("macro_f1", "accuracy", "loss")


class StoppingOptions(BaseModel):
    """When to stop early, on the rows held out inside the training rows; patience 0: run all epochs.

    The best epoch's weights are restored either way, unless `share` is 0.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    metric: Literal["macro_f1", "accuracy", "loss"] = "macro_f1"
    patience: int = Field(default=0, ge=0)
    min_delta: float = Field(default=0.0, ge=0)
    share: float = Field(default=0.0, ge=0, lt=1)
    restore_best: bool = True

    @model_validator(mode="after")
    def _needs_rows(self) -> StoppingOptions:
        if self.patience and not self.share:
            raise ValueError("patience needs rows to watch: set share too, such as share = 0.1")
        return self


class TrainingOptions(BaseModel):
    """How a network learns.

    Small corpora get as many more epochs as make `min_steps` steps. `embedding_rate` multiplies the learning
    rate of embeddings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    epochs: int = Field(default=5, ge=1)
    min_steps: int = Field(default=0, ge=0)
    batch_size: int = Field(default=128, ge=1)
    accumulation: int = Field(default=1, ge=1)
    optimizer: Literal["adamw", "adam", "radam", "sgd", "lion", "muon"] = "adamw"
    learning_rate: float = Field(default=1e-3, gt=0)
    embedding_rate: float = Field(default=1.0, ge=0)
    weight_decay: float = Field(default=0.01, ge=0)
    schedule: Literal["constant", "linear", "cosine", "one_cycle"] = "linear"
    warmup: float = Field(default=0.1, ge=0, lt=1)
    max_grad_norm: float = Field(default=1.0, ge=0)
    loss: Literal["cross_entropy", "focal", "binary"] = "cross_entropy"
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    focal_gamma: float = Field(default=2.0, ge=0)
    class_weight: Literal["none", "balanced"] = "none"
    r_drop: float = Field(default=0.0, ge=0)
    contrastive: float = Field(default=0.0, ge=0)
    mixup: float = Field(default=0.0, ge=0)
    adversarial: float = Field(default=0.0, ge=0)
    ema: float = Field(default=0.0, ge=0, lt=1)
    sampler: Literal["length", "shuffled", "sequential", "balanced"] = "length"
    precision: Literal["float32", "bf16", "auto"] = "float32"
    device: str = "auto"
    early_stopping: StoppingOptions = StoppingOptions()
    track: Literal["tensorboard", "mlflow", "none"] = "tensorboard"

    @model_validator(mode="after")
    def _fit_together(self) -> TrainingOptions:
        if self.loss != "cross_entropy" and self.label_smoothing:
            raise ValueError("label_smoothing goes with the loss 'cross_entropy'; leave it 0")
        if self.mixup and self.adversarial:
            raise ValueError("mixup and adversarial both change the embeddings; leave one of them 0")
        return self
