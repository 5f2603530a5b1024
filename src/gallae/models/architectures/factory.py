"""From a recipe's family to a network."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel

from gallae.errors import RecipeError

_PLACES = {
    "mlp": "mlp:MlpConfig:MlpNetwork",
    "bag": "bag:BagConfig:BagNetwork",
    "recurrent": "recurrent:RecurrentConfig:RecurrentNetwork",
    "convolutional": "convolutional:ConvolutionalConfig:ConvolutionalNetwork",
    "branched": "branched:BranchedConfig:BranchedNetwork",
    "transformer": "transformer:TransformerConfig:TransformerNetwork",
    "encoder": "encoder:EncoderConfig:EncoderNetwork",
}


def _classes() -> tuple[dict[str, type[PreTrainedConfig]], dict[str, type[PreTrainedModel]]]:
    configs, networks = {}, {}
    for family, place in _PLACES.items():
        module_name, config_name, network_name = place.split(":")
        module = import_module(f"gallae.models.architectures.{module_name}")
        configs[family], networks[family] = getattr(module, config_name), getattr(module, network_name)
        AutoConfig.register(configs[family].model_type, configs[family])
        AutoModelForSequenceClassification.register(configs[family], networks[family])
    return configs, networks


CONFIGS, NETWORKS = _classes()


def make_network(family: str, fields: dict[str, Any], vocab_size: int, n_labels: int) -> PreTrainedModel:
    """Return a network with random weights, drawn from torch's global generator.

    Args:
        family: A key of `NETWORKS`, or "from_config" for any of transformers' own.
        fields: Of the configuration; those it does not know are left out.
        vocab_size: Number of ids, or of features for "mlp".
        n_labels: Number of outputs.

    Raises:
        RecipeError: for a configuration that transformers does not accept.
    """
    if family == "from_config":
        return _from_config(fields["config"], vocab_size, n_labels, fields)
    cls: Any = CONFIGS[family]
    known = {key: value for key, value in fields.items() if key in cls.__dataclass_fields__}
    return NETWORKS[family](cls(**known, vocab_size=vocab_size, num_labels=n_labels))


def _from_config(
    config: dict[str, Any], vocab_size: int, n_labels: int, fields: dict[str, Any]
) -> PreTrainedModel:
    options = dict(config)
    model_type = options.pop("model_type")
    longest = fields["max_length"] + 4
    options.setdefault("max_position_embeddings", max(longest, 64))
    for name in ("hidden_dropout_prob", "dropout"):  # as most architectures call it, and as DistilBERT does
        options.setdefault(name, fields.get("dropout", 0.1))
    try:
        made = AutoConfig.for_model(
            model_type, **options, vocab_size=vocab_size, num_labels=n_labels, pad_token_id=0
        )
        return AutoModelForSequenceClassification.from_config(made)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = str(error).split("\n")[0][:300]
        raise RecipeError(
            f"model.config: transformers cannot make a classifier of {config!r}: {reason}. "
            "model_type is one of transformers' encoders, such as bert, roberta, electra, distilbert, albert."
        ) from error


def network_of(config: dict[str, Any]) -> PreTrainedModel:
    """Return a network of a saved configuration (config.json as a table), with random weights."""
    options = dict(config)
    made = AutoConfig.for_model(options.pop("model_type"), **options)
    return AutoModelForSequenceClassification.from_config(made)
