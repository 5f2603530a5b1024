"""What a recipe may say of a pretrained encoder; no torch here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, lt=1)]
TRAINING: dict[str, Any] = {"epochs": 3, "batch_size": 32, "learning_rate": 5e-5}
"""How pretrained encoders learn where the recipe does not say it (Devlin et al. 2019, appendix A.3)."""


class LoraOptions(BaseModel):
    """Low-rank adaptation (Hu et al. 2021): small matrices learn beside the encoder's frozen ones.

    `rank` 0 is none. `targets` are the last parts of the names of the linear layers to adapt, such as
    "query", or "all-linear"; without any, those of the attention.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    rank: int = Field(default=0, ge=0)
    alpha: float = Field(default=16, gt=0)
    dropout: Share = 0.0
    targets: list[str] = []


class EncoderOptions(BaseModel):
    """A pretrained encoder of the Hugging Face hub, or of a folder, fine-tuned as a classifier.

    Reading: texts longer than `max_length` tokens keep their beginning, their end, or a quarter from the
    beginning and the rest from the end ("head_tail", Sun et al. 2019); or they are read in `windows` that
    overlap by `stride` tokens, and the windows' probabilities are pooled: "clinical" is
    (max + mean n/2) / (1 + n/2) for n windows (Huang et al. 2019, ClinicalBERT). More unknown tokens than
    `max_unknown` are refused.

    Head: a linear classifier over the states, pooled: "cls" is the first token's, "pooler" the
    checkpoint's own dense layer over it. Several `last_layers` are put side by side ("concat"), averaged
    ("mean"), or averaged with weights that learn ("weighted"). `dropout` is before it, `encoder_dropout`
    within it ("own": as the checkpoint says).

    Learning: `freeze` embeddings or the whole encoder, the first `freeze_layers`, all but the head first and
    a layer more an epoch (`gradual_unfreezing`, Howard and Ruder 2018); each layer's learning rate is
    `layer_decay` times that of the layer above it; the last `reinit_layers` begin at random (Zhang et al.
    2021); `lora`. `gradient_checkpointing` computes states twice instead of keeping them.

    Long documents: `attention_window` and the token positions of `global_attention` are Longformer's,
    `block_size` is BigBird's; 0 leaves the checkpoint's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    family: Literal["encoder"]
    checkpoint: str = ""
    revision: str = ""
    max_length: int = Field(default=128, ge=3)
    truncation: Literal["head", "tail", "head_tail"] = "head"
    windows: bool = False
    stride: int = Field(default=0, ge=0)
    window_pooling: Literal["clinical", "mean", "max"] = "clinical"
    max_unknown: float = Field(default=0.2, ge=0, le=1)
    pooling: Literal["cls", "pooler", "mean", "max", "attention"] = "cls"
    last_layers: int = Field(default=1, ge=1)
    combine: Literal["concat", "weighted", "mean"] = "concat"
    dropout: Share = 0.1
    encoder_dropout: Share | Literal["own"] = "own"
    word_dropout: Share = 0.0
    freeze: Literal["none", "embeddings", "encoder"] = "none"
    freeze_layers: int = Field(default=0, ge=0)
    gradual_unfreezing: bool = False
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    reinit_layers: int = Field(default=0, ge=0)
    lora: LoraOptions = LoraOptions()
    gradient_checkpointing: bool = False
    attention_window: int = Field(default=0, ge=0)
    block_size: int = Field(default=0, ge=0)
    global_attention: list[Annotated[int, Field(ge=0)]] = [0]

    @model_validator(mode="after")
    def _reading(self) -> EncoderOptions:
        if self.windows and self.truncation != "head":
            raise ValueError(
                f"windows read the whole text: truncation = {self.truncation!r} has no use there"
            )
        if self.stride and not self.windows:
            raise ValueError("stride is the overlap of windows: set windows = true too")
        if 2 * self.stride > self.max_length:
            raise ValueError(f"stride = {self.stride} may be half of max_length = {self.max_length} at most")
        if self.attention_window % 2:
            raise ValueError(f"attention_window = {self.attention_window} must be even: as far left as right")
        return self

    @model_validator(mode="after")
    def _head(self) -> EncoderOptions:
        if self.pooling == "pooler" and self.last_layers > 1:
            raise ValueError("pooling = 'pooler' reads the last layer only: leave last_layers 1")
        return self

    @model_validator(mode="after")
    def _learning(self) -> EncoderOptions:
        parts = {
            "freeze_layers": self.freeze_layers > 0,
            "reinit_layers": self.reinit_layers > 0,
            "layer_decay": self.layer_decay < 1,
            "gradual_unfreezing": self.gradual_unfreezing,
            "gradient_checkpointing": self.gradient_checkpointing,
        }
        chosen = [name for name, given in parts.items() if given]
        if self.freeze == "encoder" and (chosen or self.lora.rank):
            raise ValueError(
                f"freeze = 'encoder' lets only the head learn: leave {(chosen or ['lora'])[0]} away"
            )
        if self.lora.rank and (chosen := [name for name in chosen if name != "gradient_checkpointing"]):
            raise ValueError(f"lora freezes the encoder's own weights: leave {chosen[0]} away")
        if self.lora.rank and self.freeze != "none":
            raise ValueError("lora freezes the encoder's own weights: leave freeze 'none'")
        if self.gradual_unfreezing and (self.freeze != "none" or self.freeze_layers):
            raise ValueError(
                "gradual_unfreezing begins with a frozen encoder: leave freeze and freeze_layers"
            )
        return self
