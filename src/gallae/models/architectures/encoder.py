"""A pretrained encoder with a head that classifies."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from gallae.errors import RecipeError
from gallae.models.architectures.base import NetworkOutput
from gallae.models.architectures.pooling import Pooling


class EncoderConfig(PreTrainedConfig):
    """Fields of `EncoderNetwork`.

    Attributes:
        backbone: Configuration of the encoder, as a table with its `model_type`.
        pooling: "cls", "pooler", "mean", "max" or "attention".
        last_layers: How many of the last layers' states are read.
        combine: "concat", "weighted" or "mean", of several layers.
        dropout: Share of the pooled features dropped in training.
    """

    model_type = "gallae-encoder"

    backbone: dict[str, Any] | None = None
    pooling: str = "cls"
    last_layers: int = 1
    combine: str = "concat"
    dropout: float = 0.1


class EncoderNetwork(PreTrainedModel):
    """Any encoder of transformers, pooled and classified by a linear layer.

    The encoder's weights are called "backbone." and their name in it.

    Args:
        config: Its `backbone` says what is built, with random weights, where no backbone is given.
        backbone: A network of `AutoModel`, with its weights.

    Raises:
        RecipeError: if the encoder has no pooler, or fewer layers than asked for.
    """

    config_class = EncoderConfig
    base_model_prefix = "backbone"
    supports_gradient_checkpointing = True

    def __init__(self, config: Any, backbone: PreTrainedModel | None = None) -> None:
        super().__init__(config)
        if backbone is None:
            backbone = AutoModel.from_config(AutoConfig.for_model(**config.backbone))
        self.backbone: Any = backbone
        check_backbone(self.backbone, config.pooling, config.last_layers)
        if config.pooling != "pooler" and getattr(self.backbone, "pooler", None) is not None:
            self.backbone.pooler = None  # it would be saved, and learn nothing
        width = self.backbone.config.hidden_size
        width *= config.last_layers if config.combine == "concat" else 1
        several = config.combine == "weighted" and config.last_layers > 1
        self.layer_weights = nn.Parameter(torch.zeros(config.last_layers)) if several else None
        by_token = config.pooling in ("mean", "max", "attention")
        self.pooling = Pooling(config.pooling, width) if by_token else None
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(width, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        global_attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **_: Any,
    ) -> NetworkOutput:
        """Classify a batch.

        Args:
            input_ids: (batch, length) int64.
            attention_mask: (batch, length), 1 for tokens; all of them if it is left away.
            token_type_ids: (batch, length) int64, for encoders that take them.
            global_attention_mask: (batch, length), 1 for tokens that see all others; Longformer's.
            inputs_embeds: (batch, length, embedding) instead of ids.
        """
        if attention_mask is None:
            read = cast(Tensor, input_ids if inputs_embeds is None else inputs_embeds[..., 0])
            attention_mask = torch.ones_like(read, dtype=torch.long)
        given = {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "token_type_ids": token_type_ids,
            "global_attention_mask": global_attention_mask,
            "inputs_embeds": inputs_embeds,
        }
        several = self.config.last_layers > 1
        known = {name: value for name, value in given.items() if value is not None}
        output = self.backbone(**known, output_hidden_states=several, return_dict=True)
        if self.config.pooling == "pooler":
            return self._classified(output.pooler_output)
        return self._classified(self._pooled(self._states(output), attention_mask.bool()))

    def _states(self, output: Any) -> Tensor:
        """Return the tokens' states, (batch, length, width)."""
        if self.config.last_layers == 1:
            return cast(Tensor, output.last_hidden_state)
        layers = output.hidden_states[-self.config.last_layers :]
        if self.config.combine == "concat":
            return torch.cat(layers, dim=-1)
        if self.layer_weights is None:
            return torch.stack(layers).mean(dim=0)
        return torch.einsum("n,nbld->bld", self.layer_weights.softmax(dim=0), torch.stack(layers))

    def _pooled(self, states: Tensor, mask: Tensor) -> Tensor:
        if self.pooling is not None:
            return cast(Tensor, self.pooling(states, mask))
        first = mask.long().argmax(dim=1)  # not 0 where the padding stands on the left
        return states[torch.arange(len(states), device=states.device), first]

    def _classified(self, pooled: Tensor) -> NetworkOutput:
        return NetworkOutput(logits=self.classifier(self.dropout(pooled)), pooled=pooled)

    def get_input_embeddings(self) -> nn.Module:
        """Return the encoder's embedding of ids."""
        return cast(nn.Module, self.backbone.get_input_embeddings())

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)  # as BERT's own classifiers
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def check_backbone(backbone: Any, pooling: str, last_layers: int) -> None:
    """Make sure that a head can be put on an encoder.

    Args:
        backbone: A network of `AutoModel`, even without weights.
        pooling: As in `EncoderConfig`.
        last_layers: As in `EncoderConfig`.

    Raises:
        RecipeError: if the encoder has no pooler, or fewer layers than asked for.
    """
    kind, layers = backbone.config.model_type, backbone.config.num_hidden_layers
    if pooling == "pooler" and getattr(backbone, "pooler", None) is None:
        raise RecipeError(
            f"a checkpoint of the type {kind!r} has no pooler: set model.pooling to 'cls' or 'mean'."
        )
    if last_layers > layers + 1:
        raise RecipeError(
            f"model.last_layers is {last_layers}, and the checkpoint has {layers} layers and its embeddings: "
            "give as many at most."
        )
