"""The neural family: one estimator over every network."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from safetensors.torch import load as load_weights
from safetensors.torch import save as dump_weights
from transformers import PreTrainedModel

from gallae.errors import DataError, RecipeError
from gallae.models.architectures.factory import NETWORKS, make_network, network_of
from gallae.models.architectures.options import FAMILIES, check_together
from gallae.models.contract import Labels, State, check_fit_input, check_soft_input, encode_labels
from gallae.models.holding_out import hold_out
from gallae.models.inputs import FeatureInputs, Inputs, TokenInputs
from gallae.models.network_scores import NetworkClassifier
from gallae.models.pretrained_vectors import PretrainedVectors, find_vectors, scaled
from gallae.text import DEFAULT_STEPS, TextPipeline
from gallae.text.token_ids import TextTokenizer
from gallae.text.vocabulary import SPECIAL
from gallae.training import inference
from gallae.training.batches import Examples, Rows
from gallae.training.checkpoints import plain
from gallae.training.devices import find_device
from gallae.training.engine import History, Training
from gallae.training.options import TrainingOptions
from gallae.training.seeding import isolated
from gallae.training.soft_targets import SoftExamples, SoftTargets

log = logging.getLogger(__name__)
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
_WIDTH = 128  # of an embedding without vectors


class NeuralClassifier(NetworkClassifier):
    """A network over tokens or sparse features, trained by `gallae.training`.

    It needs the extra `neural`. Texts without a token are left out of the training, and predicted by the
    shares of the classes. Probabilities of a text agree to about 1e-6 whatever batch it is in.

    Args:
        network: The recipe's [model] table: `family` and its options (`gallae.models.architectures.options`).
        training: The recipe's [training] table (`gallae.training.options.TrainingOptions`).
        steps: Names of the text steps, in order (see `gallae.text.STEPS`).
        dictionary: A user's dictionary for the steps: tables `abbreviations`, `hanja`, `symbols`.
        analyzer: What splits into morphemes, "kiwi" or "mecab".
        drop_tags, keep_tags: Part-of-speech filter of morphemes.
        blocks: Feature blocks, for the family "mlp".
        seed: Seed of first weights, batches and dropout.

    Attributes:
        classes_: (n_classes,) the labels, sorted.
        network_: The trained network, a `transformers.PreTrainedModel`.
        inputs_: From clean texts to its rows.
        history_: A row an epoch: epoch, step, loss, valid_loss, accuracy, macro_f1.
        coverage_: Share of the vocabulary that has a pretrained vector; 0 without vectors.
        prior_: (n_classes,) shares of the classes among the training rows.
    """

    def __init__(
        self,
        network: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        steps: Sequence[str] = DEFAULT_STEPS,
        dictionary: Mapping[str, Mapping[str, str]] | None = None,
        analyzer: str = "kiwi",
        drop_tags: Sequence[str] = (),
        keep_tags: Sequence[str] = (),
        blocks: Sequence[Mapping[str, Any]] = (),
        seed: int = 42,
    ) -> None:
        self.network = network
        self.training = training
        self.steps = steps
        self.dictionary = dictionary
        self.analyzer = analyzer
        self.drop_tags = drop_tags
        self.keep_tags = keep_tags
        self.blocks = blocks
        self.seed = seed

    def fit(self, texts: Sequence[str], labels: Labels) -> Self:
        """Learn from texts and labels (see `TextClassifier.fit`).

        Raises:
            TextError: if no token is left for the vocabulary, or vectors cannot be read.
            RecipeError: for options that do not fit together, or a device that is not there.
            ModelError: if the training diverges.
        """
        return self._run(self.prepare(texts, labels))

    def fit_soft(self, texts: Sequence[str], targets: SoftTargets) -> Self:
        """Learn from a teacher's probabilities (see `TextClassifier.fit_soft`); raises what `fit` does."""
        texts = check_soft_input(texts, targets)
        self.classes_, self.multilabel_ = targets.classes, targets.multilabel
        return self._run(self._prepare(texts, targets.decided, targets))

    def _run(self, training: Training) -> Self:
        self.history_: History = training.run()
        return self

    def prepare(self, texts: Sequence[str], labels: Labels) -> Training:
        """Make inputs and network, and return the training that is left to run (see `fit`)."""
        texts, array = check_fit_input(texts, labels)
        self.classes_, target, self.multilabel_ = encode_labels(array)
        return self._prepare(texts, target)

    def _prepare(self, texts: list[str], target: np.ndarray, soft: SoftTargets | None = None) -> Training:
        self.prior_ = _shares(target, len(self.classes_))
        self.pipeline_ = TextPipeline(self.steps, self.dictionary)
        clean = self.pipeline_.apply(texts)
        options, settings = self._tables()
        start = self._make_inputs(options, clean)
        rows = self.inputs_.fit(clean)
        self._warn_truncated(len(texts))
        full = _full_rows(rows, len(texts))
        told = full if soft is None else full[soft.known[full]]
        _, held = hold_out(told, target, settings.early_stopping.share, self.seed)
        keep = np.setdiff1d(full, held)
        with isolated(self.seed):
            self.network_ = self._make_network(options, start)
        names = [str(name) for name in self.classes_]
        self.network_.config.id2label = dict(enumerate(names))
        self.network_.config.label2id = {name: number for number, name in enumerate(names)}
        self.held_out_ = held, rows.take(held)
        return Training(
            network=self.network_,
            train=_examples(rows, keep, target, soft, len(names)),
            valid=Examples(rows.take(held), target[held], len(self.classes_)) if len(held) else None,
            options=settings,
            seed=self.seed,
            multilabel=self.multilabel_,
            word_dropout=getattr(options, "word_dropout", 0.0),
            soft=None if soft is None else soft.options,
            **self._learning(options),
        )

    def _learning(self, options: Any) -> dict[str, Any]:
        """Return what else `Training` is to know."""
        return {}

    def held_out_scores(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that `fit` held out to stop early, (n,), and their scores, (n, n_scores).

        Raises:
            DataError: if it held none out, as the recipe's training.early_stopping.share is 0.
        """
        held, rows = self.held_out_
        if not len(held):
            raise DataError(
                "no rows were held out: calibration.folds = 1 calibrates on those, so set "
                "training.early_stopping.share, such as 0.1, or calibration.folds to 2 or more."
            )
        return held, self._score(rows)

    def _tables(self) -> tuple[Any, TrainingOptions]:
        """Return the checked tables.

        Raises:
            RecipeError: for a value that is not allowed.
        """
        return self._checked(dict(self.network or {"family": "convolutional"}), self.training or {})

    def _checked(self, table: Mapping[str, Any], training: Mapping[str, Any]) -> tuple[Any, TrainingOptions]:
        if table.get("family") not in FAMILIES:
            raise RecipeError(f"network needs a family, one of {', '.join(FAMILIES)}.")
        try:
            options, settings = FAMILIES[table["family"]](**table), TrainingOptions(**training)
            check_together(options, settings)
        except ValueError as error:
            raise RecipeError(f"the network cannot be made so: {error}") from error
        return options, settings

    def _make_inputs(self, options: Any, clean: list[str]) -> Any:
        """Set `inputs_`, not fitted yet, and return what the network begins with: vectors or None."""
        if options.family == "mlp":
            self.inputs_: Inputs = FeatureInputs(self.blocks, self.analyzer)
            return None
        tokenizer = TextTokenizer(
            options.unit,
            self.drop_tags,
            self.keep_tags,
            self.analyzer,
            options.subwords_of,
            options.vocabulary,
            options.min_count,
            options.max_length,
            enclose=options.family == "from_config",
        )
        vectors = find_vectors(options, tokenizer, clean, self.seed)
        known = vectors.known if vectors and options.unseen_vectors else ()
        cls = NETWORKS.get(options.family)
        layout = cls.layout_of(options) if cls else "padded"
        self.inputs_ = TokenInputs(tokenizer, layout, known)
        return vectors

    def _make_network(self, options: Any, vectors: PretrainedVectors | None) -> PreTrainedModel:
        """Return the network with its first weights, drawn from torch's global generator."""
        fields = options.model_dump()
        fields["embedding"] = fields.get("embedding") or (vectors.width if vectors else _WIDTH)
        network = make_network(options.family, fields, self.inputs_.size, len(self.classes_))
        self.coverage_ = self._fill(network, vectors)
        return network

    def _fill(self, network: Any, vectors: PretrainedVectors | None) -> float:
        """Put the pretrained vectors into the embedding, and return the share of tokens that have one."""
        if vectors is None:
            return 0.0
        assert isinstance(self.inputs_, TokenInputs)
        tokens = self.inputs_.tokenizer.vocabulary.tokens()
        found, matrix = vectors.lookup(tokens)
        found[: len(SPECIAL)] = False
        network.embedding.fill(torch.from_numpy(found), torch.from_numpy(scaled(matrix, found)))
        share = float(found.mean())
        log.info("%.1f %% of the %d tokens have a pretrained vector", 100 * share, len(tokens))
        if share < 0.1:
            log.warning(
                "only %.1f %% of the vocabulary has a pretrained vector: model.unit and the vectors may "
                "not fit each other",
                100 * share,
            )
        return share

    def logits_of(self, rows: Rows) -> np.ndarray:
        """Return (n, n_classes) float32 logits of rows that have a token each."""
        return inference.logits(self.network_.to(self._device()), rows, len(self.classes_), self.threads_)

    def _device(self) -> torch.device:
        """Return the recipe's device, or what there is where it is not there."""
        try:
            return find_device(dict(self.training or {}).get("device", "auto"))
        except RecipeError:
            return find_device("auto")

    def state(self) -> State:
        """Return parameters, vocabulary, configuration and weights, in files that transformers reads too."""
        parameters = self.get_params(deep=False)
        for name in ("steps", "drop_tags", "keep_tags"):
            parameters[name] = list(parameters[name])
        parameters["blocks"] = [dict(block) for block in self.blocks]
        parameters["network"] = self._tables()[0].model_dump(mode="json")
        parameters["training"] = dict(self.training or {})
        parameters["dictionary"] = self.pipeline_.dictionary or None
        values = {
            "parameters": parameters,
            "multilabel": self.multilabel_,
            "prior": self.prior_.tolist(),
            "history": self.history_,
            "coverage": self.coverage_,
            "features": isinstance(self.inputs_, FeatureInputs),
        }
        config = self.network_.config.to_dict() | {"architectures": [type(self.network_).__name__]}
        weights = dump_weights(plain(self.network_.state_dict()))
        state = State(values, files={CONFIG: json.dumps(config).encode(), WEIGHTS: weights})
        inputs = self.inputs_.state()
        values["inputs"] = inputs.values
        state.tensors |= inputs.tensors
        state.files |= inputs.files
        return state

    @classmethod
    def kind_of_inputs(cls, values: Mapping[str, Any]) -> Any:
        """Return the class of the inputs of a saved model."""
        return FeatureInputs if values["features"] else TokenInputs

    @classmethod
    def restore(cls, state: State) -> Self:
        """Make the fitted classifier again; the caller sets `classes_`."""
        values = state.values
        model = cls(**values["parameters"])
        model.multilabel_, model.history_ = values["multilabel"], values["history"]
        model.prior_, model.coverage_ = np.array(values["prior"]), values["coverage"]
        model.pipeline_ = TextPipeline(model.steps, model.dictionary)
        kind = cls.kind_of_inputs(values)
        model.inputs_ = kind.restore(State(values["inputs"], state.tensors, state.files))
        with isolated(0):
            model.network_ = network_of(json.loads(state.files[CONFIG]))
        model.network_.load_state_dict(load_weights(state.files[WEIGHTS]), strict=False)
        model.network_.tie_weights()
        model.network_.eval()
        return model

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        state.pop("held_out_", None)
        return state


def _examples(
    rows: Rows, keep: np.ndarray, target: np.ndarray, soft: SoftTargets | None, n_classes: int
) -> Examples:
    """Return the texts to keep, with their targets."""
    learnt = rows.take(keep)
    if soft is None:
        return Examples(learnt, learnt.repeated(target[keep]), n_classes)
    return SoftExamples(learnt, soft.take(learnt.repeated(keep)))


def _full_rows(rows: Rows, count: int) -> np.ndarray:
    """Return the numbers of the texts that have a token."""
    full = np.flatnonzero(rows.lengths)
    if not len(full):
        raise DataError("no text has a token after cleaning, so there is nothing to learn from.")
    if len(full) < count:
        log.warning(
            "%d of %d texts have no token after cleaning; they are left out", count - len(full), count
        )
    return full


def _shares(target: np.ndarray, n_classes: int) -> np.ndarray:
    """Return (n_classes,) shares of the classes, none of them 0 or 1."""
    if target.ndim == 2:
        return np.asarray((target.sum(axis=0) + 0.5) / (len(target) + 1.0))
    counts = np.bincount(target, minlength=n_classes)
    return np.asarray((counts + 0.5) / (len(target) + 0.5 * n_classes))
