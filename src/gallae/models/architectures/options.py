"""What a recipe may say of a network, a table a family; no torch here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gallae.models.architectures.encoder_options import EncoderOptions
from gallae.text.subwords import UNITS as SUBWORDS

Share = Annotated[float, Field(ge=0, lt=1)]
Morphemes = Literal["morpheme", "morpheme_tag", "morpheme_piece"]
Unit = Morphemes | Literal["word", "char", "jamo", "bpe", "byte_bpe", "wordpiece", "unigram"]


class NetworkOptions(BaseModel):
    """What every network takes: the units it reads, its vocabulary and its dropout."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    unit: Unit = "morpheme_tag"
    subwords_of: Literal["word", "morpheme"] = "word"
    vocabulary: int = Field(default=50_000, ge=6)
    min_count: int = Field(default=2, ge=1)
    max_length: int = Field(default=128, ge=1)
    dropout: Share = 0.3

    @model_validator(mode="after")
    def _morphemes(self) -> NetworkOptions:
        parts = [unit for unit in SUBWORDS if unit != "morpheme_piece"]
        if self.subwords_of != "word" and self.unit not in parts:
            raise ValueError(f"subwords_of is for the units {', '.join(parts)}; the unit is {self.unit!r}")
        return self


class EmbeddingOptions(NetworkOptions):
    """What networks over embedded tokens take.

    `vectors` is "" (random), "kiwi", "word2vec", "fasttext" or "glove" (trained on the corpus), or a file;
    `vector_options` go to the training of vectors. Kiwi's are of the unit "morpheme_tag"; trained pieces take
    the mean of the morphemes in them. `embedding` 0 is the vectors' own width, or 128.
    `unseen_vectors` takes in tokens that have a vector though the corpus lacks them. `extra_channel` is the
    width of a second embedding beside, which learns. `sparse_gradients` lets a step change only the rows of
    its batch where the embedding is large, which is faster (a lazy Adam); false is Adam as it is written.
    """

    embedding: int = Field(default=0, ge=0)
    vectors: str = ""
    train_vectors: bool = True
    unseen_vectors: bool = False
    extra_channel: int = Field(default=0, ge=0)
    vector_options: dict[str, Any] = {}
    sparse_gradients: bool = True
    embedding_dropout: Share = 0.0
    word_dropout: Share = 0.0

    @model_validator(mode="after")
    def _vectors(self) -> EmbeddingOptions:
        if self.vectors == "kiwi" and self.unit != "morpheme_tag" and self.unit not in SUBWORDS:
            raise ValueError(
                "vectors = 'kiwi' are of morphemes with their tags: set unit = 'morpheme_tag', or pieces "
                f"such as 'morpheme_piece', not {self.unit!r}"
            )
        if not self.vectors and not self.train_vectors:
            raise ValueError("train_vectors = false freezes vectors, and vectors is '': name some")
        return self


class MlpOptions(BaseModel):
    """A dense network over the recipe's [features], which stay sparse.

    `mean` divides by the sum of a text's features (as fastText does it). `sparse_gradients`: see
    `EmbeddingOptions`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    family: Literal["mlp"]
    hidden: list[Annotated[int, Field(ge=1)]] = Field(default=[128], min_length=1)
    mean: bool = False
    activation: Literal["relu", "gelu", "tanh", "none"] = "relu"
    sparse_gradients: bool = True
    dropout: Share = 0.5


class BagOptions(EmbeddingOptions):
    """The mean, sum or maximum of the tokens' embeddings.

    `one_hot` counts the tokens instead of embedding them (a linear bag of words; neither `embedding` nor
    `pooling` matter). `offsets` lays the batch out flat instead of padding it (`EmbeddingBag`). `hidden` is
    the width of a dense layer before the classifier; 0 for none.
    """

    family: Literal["bag"]
    pooling: Literal["mean", "sum", "max"] = "mean"
    offsets: bool = True
    one_hot: bool = False
    hidden: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _counts(self) -> BagOptions:
        if self.one_hot and (self.vectors or self.extra_channel or self.pooling == "max"):
            raise ValueError(
                "one_hot counts tokens instead of embedding them: leave vectors, extra_channel and "
                "pooling = 'max' away, or set one_hot = false"
            )
        return self


class RecurrentOptions(EmbeddingOptions):
    """RNN, LSTM or GRU.

    `packed` leaves padding out of the computation; without it the same answers come from padded batches.
    `dropout` is between the layers too. `weight_dropout` drops recurrent weights (Merity et al. 2018),
    `recurrent_dropout` parts of the state, the same at every step (Gal and Ghahramani 2016), which is slow.
    """

    family: Literal["recurrent"]
    cell: Literal["rnn", "lstm", "gru"] = "lstm"
    layers: int = Field(default=1, ge=1)
    hidden: int = Field(default=128, ge=1)
    bidirectional: bool = True
    packed: bool = True
    pooling: Literal["last", "mean", "max", "attention", "mean_max"] = "max"
    weight_dropout: Share = 0.0
    recurrent_dropout: Share = 0.0


class ConvolutionalOptions(EmbeddingOptions):
    """Windows of several sizes over the tokens, the maximum of each filter (Kim 2014)."""

    family: Literal["convolutional"]
    windows: list[Annotated[int, Field(ge=1, le=32)]] = Field(default=[1, 2, 3], min_length=1)
    filters: int = Field(default=100, ge=1)
    batch_norm: bool = False


class BranchedOptions(EmbeddingOptions):
    """One network of two branches, recurrent and convolutional, over one embedding."""

    family: Literal["branched"]
    cell: Literal["rnn", "lstm", "gru"] = "lstm"
    layers: int = Field(default=1, ge=1)
    hidden: int = Field(default=128, ge=1)
    bidirectional: bool = True
    pooling: Literal["last", "mean", "max", "attention", "mean_max"] = "max"
    windows: list[Annotated[int, Field(ge=1, le=32)]] = Field(default=[1, 2, 3], min_length=1)
    filters: int = Field(default=100, ge=1)
    batch_norm: bool = False


class TransformerOptions(EmbeddingOptions):
    """A small Transformer encoder from random weights (Vaswani et al. 2017)."""

    family: Literal["transformer"]
    layers: int = Field(default=2, ge=1)
    heads: int = Field(default=4, ge=1)
    hidden: int = Field(default=256, ge=1)
    feed_forward: int = Field(default=512, ge=1)
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"
    norm: Literal["pre", "post"] = "pre"
    attention_dropout: Share = 0.1
    layer_dropout: Share = 0.1
    pooling: Literal["mean", "max", "attention", "mean_max"] = "mean"

    @model_validator(mode="after")
    def _heads(self) -> TransformerOptions:
        if self.hidden % self.heads:
            raise ValueError(f"hidden = {self.hidden} must be a multiple of heads = {self.heads}")
        return self


class FromConfigOptions(NetworkOptions):
    """Any architecture of transformers that classifies texts, from random weights.

    `config` holds `model_type` ("bert", "electra", ...) and fields of its configuration.
    """

    family: Literal["from_config"]
    unit: Unit = "wordpiece"
    vocabulary: int = Field(default=16_000, ge=6)
    config: dict[str, Any]
    word_dropout: Share = 0.0

    @model_validator(mode="after")
    def _model_type(self) -> FromConfigOptions:
        if not isinstance(self.config.get("model_type"), str):
            raise ValueError(
                "config needs a model_type, such as config = {model_type = 'bert', hidden_size = 256}"
            )
        return self


FAMILIES: dict[str, type[BaseModel]] = {
    "mlp": MlpOptions,
    "bag": BagOptions,
    "recurrent": RecurrentOptions,
    "convolutional": ConvolutionalOptions,
    "branched": BranchedOptions,
    "transformer": TransformerOptions,
    "from_config": FromConfigOptions,
    "encoder": EncoderOptions,
}
"""The tables of [model] by family."""


def check_together(model: Any, training: Any) -> None:
    """Refuse training options that a network cannot take.

    Args:
        model: One of the tables here.
        training: `gallae.training.options.TrainingOptions`.

    Raises:
        ValueError: naming both.
    """
    flat = model.family == "mlp" or getattr(model, "offsets", False)
    for name in ("mixup", "adversarial"):
        if flat and getattr(training, name):
            more = "" if model.family == "mlp" else " with offsets = true"
            raise ValueError(
                f"training.{name} changes a padded batch of embeddings, and the family "
                f"{model.family!r}{more} has none; leave it 0"
            )
