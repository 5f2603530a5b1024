"""The encoder family: a checkpoint of the Hugging Face hub, fine-tuned."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Self

from transformers import PreTrainedModel

from gallae.models.architectures import adapting
from gallae.models.architectures.encoder import EncoderConfig, EncoderNetwork
from gallae.models.architectures.encoder_options import TRAINING
from gallae.models.encoded import CheckpointInputs
from gallae.models.encoder_checkpoint import Checkpoint, open_checkpoint
from gallae.models.neural import NeuralClassifier
from gallae.pretrained.tokenizing import check_unknown
from gallae.training.engine import Training
from gallae.training.options import TrainingOptions

log = logging.getLogger(__name__)


class EncoderClassifier(NeuralClassifier):
    """A pretrained encoder under a classifier, both of which learn (Devlin et al., "BERT", 2019).

    It needs the extra `neural`. Once fitted and saved, it needs the checkpoint no more. Parameters and
    attributes are those of `NeuralClassifier`.

    Args:
        network: The recipe's [model] table (`gallae.models.architectures.encoder_options.EncoderOptions`);
            `checkpoint` names a folder or an id of the hub.
        training: The recipe's [training] table, with defaults for encoders.

    Raises:
        RecipeError: by `fit`, for options that do not fit together or the checkpoint.
        ModelError: by `fit`, if the checkpoint is not there or damaged, or the training diverges.
        DataError: by `fit`, if the checkpoint's tokenizer does not know the texts' tokens.
    """

    def _run(self, training: Training) -> Self:
        super()._run(training)
        adapting.merge_lora(self.network_)
        adapting.gradient_checkpointing(self.network_, on=False)
        return self

    def _tables(self) -> tuple[Any, TrainingOptions]:
        table = {"family": "encoder", **(self.network or {})}
        return self._checked(table, {**TRAINING, **(self.training or {})})

    def _make_inputs(self, options: Any, clean: list[str]) -> Checkpoint:
        checkpoint = open_checkpoint(options)
        check_unknown(checkpoint.tokenizer, clean, options.max_unknown, options.checkpoint)
        self.inputs_ = checkpoint.inputs(options)
        return checkpoint

    def _make_network(self, options: Any, checkpoint: Any) -> PreTrainedModel:
        backbone = checkpoint.load()
        table = backbone.config.to_dict()
        table.pop("_name_or_path", None)  # a folder of this machine
        config = EncoderConfig(
            backbone=table,
            num_labels=len(self.classes_),
            **options.model_dump(include={"pooling", "last_layers", "combine", "dropout"}),
        )
        network = EncoderNetwork(config, backbone)
        self.coverage_ = 1.0
        adapting.reinitialise(network, options.reinit_layers)
        adapting.freeze(network, options.freeze, options.freeze_layers)
        lora = options.lora
        if lora.rank:
            adapting.add_lora(network, lora.rank, lora.alpha, lora.dropout, lora.targets)
        if options.gradient_checkpointing:
            adapting.gradient_checkpointing(network, True)
        return network

    def _learning(self, options: Any) -> dict[str, Any]:
        layered = options.layer_decay < 1 or options.gradual_unfreezing
        assert isinstance(self.inputs_, CheckpointInputs)
        layout = self.inputs_.layout
        unknown = layout.pad_id if layout.unk_id is None else layout.unk_id
        return {
            "embedding_decay": True,
            "depths": adapting.depths(self.network_) if layered else None,
            "layer_decay": options.layer_decay,
            "unfreezing": options.gradual_unfreezing,
            "special": (unknown, layout.pad_id, *layout.prefix, *layout.suffix),
        }

    @classmethod
    def kind_of_inputs(cls, values: Mapping[str, Any]) -> Any:
        """Return the class of the inputs of a saved model."""
        return CheckpointInputs
