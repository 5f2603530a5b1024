"""Which kinds of classifier there are, and how a recipe becomes one."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallae.errors import ModelError, RecipeError, require
from gallae.models.architectures.options import FAMILIES as NETWORKS

if TYPE_CHECKING:
    from gallae.models.contract import TextClassifier
    from gallae.recipes import Recipe

_KINDS = {
    "linear": "gallae.models.linear:LinearClassifier",
    "calibrated": "gallae.models.calibration:CalibratedClassifier",
    "fasttext": "gallae.models.fasttext:FastTextClassifier",
    "neural": "gallae.models.neural:NeuralClassifier",
    "encoder": "gallae.models.encoder:EncoderClassifier",
    "onnx": "gallae.models.onnx_network:OnnxClassifier",
    "average": "gallae.models.average:AverageClassifier",
    "ensemble": "gallae.models.ensemble:EnsembleClassifier",
}
_registered: dict[str, type] = {}


def register(kind: str, cls: type[TextClassifier]) -> None:
    """Make a classifier class of one's own loadable under the name `kind`."""
    if kind in _KINDS:
        raise ModelError(f"the kind {kind!r} is built in; choose another name.")
    _registered[kind] = cls


def class_of(kind: str) -> Any:
    """Return the class saved under the name `kind`.

    Raises:
        ModelError: if it is neither built in nor registered.
    """
    if kind in _registered:
        return _registered[kind]
    if kind not in _KINDS:
        raise ModelError(
            f"the model is of the kind {kind!r}, which is neither built in nor registered. Known: "
            f"{', '.join([*_KINDS, *_registered])}. Import the module that registers it, or update gallae."
        )
    module, name = _KINDS[kind].split(":")
    return getattr(import_module(module), name)


def kind_of(model: TextClassifier) -> str:
    """Return the name under which a model's class is saved."""
    for kind, cls in _registered.items():
        if type(model) is cls:
            return kind
    path = f"{type(model).__module__}:{type(model).__name__}"
    for kind, known in _KINDS.items():
        if known == path:
            return kind
    raise ModelError(
        f"{type(model).__name__} cannot be saved: it is neither built in nor registered. "
        "Register it with gallae.register(name, class)."
    )


def build(recipe: Recipe | str | Path) -> TextClassifier:
    """Make the unfitted classifier of a recipe, given as such, by its name or as a TOML file."""
    from gallae.recipes import find_recipe

    recipe = find_recipe(recipe)
    model = _FAMILIES[recipe.model.family](recipe)
    if recipe.calibration.method == "none":
        return model
    from gallae.models.calibration import CalibratedClassifier

    return CalibratedClassifier(model, recipe.calibration.method, recipe.calibration.folds, recipe.seed)


def _linear(recipe: Recipe) -> TextClassifier:
    from gallae.models.heads import classifiers
    from gallae.models.linear import LinearClassifier

    model: Any = recipe.model
    blocks = recipe.feature_blocks()
    if model.classifier not in classifiers():
        raise RecipeError(
            f"model.classifier is {model.classifier!r}; allowed: {', '.join(classifiers())}. "
            "Register one of your own with gallae.register_classifier(name, estimator)."
        )
    dense = [block["kind"] for block in blocks if block["kind"] in ("kiwi", "encoder")]
    if model.classifier in ("nbsvm", "complement_nb") and dense:
        raise RecipeError(
            f"the classifier {model.classifier!r} counts features, and vectors are no counts. "
            f"Leave out the block of kind {dense[0]!r}, or use 'svm' or 'logistic'."
        )
    for block in blocks:
        if block["kind"] == "encoder":
            _check_encoder_block(block)
    return LinearClassifier(
        steps=tuple(recipe.text.steps),
        dictionary=recipe.text.tables(),
        analyzer=recipe.text.analyzer,
        blocks=blocks,
        classifier=model.classifier,
        C=model.C,
        alpha=model.alpha,
        class_weight=None if model.class_weight == "none" else model.class_weight,
        seed=recipe.seed,
    )


def _check_encoder_block(options: dict[str, Any]) -> None:
    """Make sure, before any data is read, that a block's checkpoint is there and has the layers."""
    require("transformers", "neural")
    from gallae.models.features import make_block

    block: Any = make_block(options)
    block.check()


def _fasttext(recipe: Recipe) -> TextClassifier:
    from gallae.models.fasttext import FastTextClassifier

    require("fasttext", "fasttext")  # before any data is read
    options = recipe.model.model_dump(exclude={"family"})
    return FastTextClassifier(
        steps=tuple(recipe.text.steps),
        dictionary=recipe.text.tables(),
        analyzer=recipe.text.analyzer,
        drop_tags=tuple(recipe.text.drop_tags),
        keep_tags=tuple(recipe.text.keep_tags),
        seed=recipe.seed,
        **options,
    )


def _neural(recipe: Recipe) -> TextClassifier:
    _ready_to_train(recipe)
    from gallae.models.neural import NeuralClassifier

    return NeuralClassifier(
        network=recipe.model.model_dump(),
        training=recipe.training.model_dump(),
        steps=tuple(recipe.text.steps),
        dictionary=recipe.text.tables(),
        analyzer=recipe.text.analyzer,
        drop_tags=tuple(recipe.text.drop_tags),
        keep_tags=tuple(recipe.text.keep_tags),
        blocks=recipe.feature_blocks() if recipe.model.family == "mlp" else (),
        seed=recipe.seed,
    )


def _encoder(recipe: Recipe) -> TextClassifier:
    _ready_to_train(recipe)
    options: Any = recipe.model
    if options.lora.rank:
        require("peft", "neural")
    from gallae.models.encoder import EncoderClassifier
    from gallae.models.encoder_checkpoint import open_checkpoint

    open_checkpoint(options)
    return EncoderClassifier(
        network=options.model_dump(),
        training=recipe.training.model_dump(),
        steps=tuple(recipe.text.steps),
        dictionary=recipe.text.tables(),
        seed=recipe.seed,
    )


def _ready_to_train(recipe: Recipe) -> None:
    """Make sure, before any data is read, that a network can be trained."""
    require("transformers", "neural")
    require("accelerate", "neural")
    from gallae.training.devices import find_device

    find_device(recipe.training.device)


def _ensemble(recipe: Recipe) -> TextClassifier:
    from gallae.models.ensemble import EnsembleClassifier

    model: Any = recipe.model
    return EnsembleClassifier(
        [build(member) for member in model.members], model.method, model.folds, recipe.seed
    )


_FAMILIES: dict[str, Callable[[Any], Any]] = {
    "linear": _linear,
    "fasttext": _fasttext,
    "ensemble": _ensemble,
    **dict.fromkeys(NETWORKS, _neural),
    "encoder": _encoder,
}
