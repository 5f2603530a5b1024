"""From a recipe's family to a network."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel
from transformers.initialization import no_init_weights

from gallae.errors import RecipeError

_PLACES = {
    "mlp": "mlp:MlpConfig:MlpNetwork",
    "bag": "bag:BagConfig:BagNetwork",
    "recurrent": "recurrent:RecurrentConfig:RecurrentNetwork",
    "convolutional": "convolutional:ConvolutionalConfig:ConvolutionalNetwork",
    "branched": "branched:BranchedConfig:BranchedNetwork",
    "transformer": "transformer:TransformerConfig:TransformerNetwork",
}


_OVER_A_CHECKPOINT = "encoder:EncoderConfig:EncoderNetwork"


def _registered(place: str) -> tuple[type[PreTrainedConfig], type[PreTrainedModel]]:
    """Return configuration and network of "module:config:network", known to the Auto classes from now on."""
    module_name, config_name, network_name = place.split(":")
    module = import_module(f"gallae.models.architectures.{module_name}")
    config, network = getattr(module, config_name), getattr(module, network_name)
    AutoConfig.register(config.model_type, config)
    AutoModelForSequenceClassification.register(config, network)
    return config, network


_CLASSES = {family: _registered(place) for family, place in _PLACES.items()}
CONFIGS = {family: config for family, (config, _network) in _CLASSES.items()}
NETWORKS = {family: network for family, (_config, network) in _CLASSES.items()}
_registered(_OVER_A_CHECKPOINT)


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
    """Return a network of a saved configuration (config.json as a table), its weights not loaded yet."""
    options = dict(config)
    made = AutoConfig.for_model(options.pop("model_type"), **options)
    with no_init_weights():  # drawing those of a large encoder takes longer than all else
        return AutoModelForSequenceClassification.from_config(made)
