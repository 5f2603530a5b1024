"""What a recipe may say. Every key is optional; the defaults stand here."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from gallae.models.architectures.encoder_options import TRAINING as ENCODER_TRAINING
from gallae.models.architectures.encoder_options import EncoderOptions
from gallae.models.architectures.options import (
    FAMILIES,
    BagOptions,
    BranchedOptions,
    ConvolutionalOptions,
    FromConfigOptions,
    MlpOptions,
    RecurrentOptions,
    TransformerOptions,
    check_together,
)
from gallae.models.layers import EmbeddingOptions
from gallae.text.pipeline import DEFAULT_STEPS
from gallae.training.options import TrainingOptions

Unit = Literal["char", "char_wb", "jamo", "jamo_wb", "word", "morpheme", "morpheme_tag"]
LabelValues = str | int | float | list[str | int | float]


class Table(BaseModel):
    """Base of every table: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataOptions(Table):
    """How rows become texts and labels; "" means: find it."""

    text_column: str = ""
    label_column: str = ""
    group_column: str = ""
    format: str = ""
    encoding: str = ""
    label_separator: str = ""
    label_map: dict[str, LabelValues] = {}
    keep_duplicates_together: bool = False

    def reading(self) -> dict[str, Any]:
        """Return the keyword arguments of `gallae.read` that are set."""
        options = self.model_dump(exclude={"keep_duplicates_together"})
        return {key: value for key, value in options.items() if value}

    def kept(self) -> dict[str, Any]:
        """Return those that a saved model keeps, to read other files of the same layout."""
        keys = ("text_column", "label_column", "label_map", "label_separator")
        return {key: value for key, value in self.reading().items() if key in keys}


class TextOptions(Table):
    """The steps that clean a text, in order, and what splits it into morphemes."""

    steps: list[str] = list(DEFAULT_STEPS)
    dictionary: str | dict[str, dict[str, str]] = ""
    analyzer: Literal["kiwi", "mecab"] = "kiwi"
    drop_tags: list[str] = []
    keep_tags: list[str] = []

    def tables(self) -> dict[str, dict[str, str]] | None:
        """Return the user's dictionary as tables, read from its file if it is one."""
        from gallae.text.tables import read_dictionary

        return read_dictionary(self.dictionary) if self.dictionary else None


class NgramOptions(Table):
    """A block of n-grams; see `gallae.models.features.NgramBlock`."""

    kind: Literal["tfidf", "count", "binary"] = "tfidf"
    unit: Unit = "char_wb"
    ngrams: tuple[Annotated[int, Field(ge=1, le=12)], Annotated[int, Field(ge=1, le=12)]] = (1, 4)
    min_df: int = Field(default=2, ge=1)
    max_features: int = Field(default=0, ge=0)
    sublinear: bool = True
    hashing: int = Field(default=0, ge=0, le=2**30)
    weight: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> NgramOptions:
        if self.ngrams[0] > self.ngrams[1]:
            raise ValueError(f"ngrams = {list(self.ngrams)}: the shortest comes first")
        if self.hashing and self.max_features:
            raise ValueError("hashing and max_features contradict each other; leave one of them 0")
        return self


class KiwiOptions(Table):
    """A block of mean Kiwi vectors; see `gallae.models.kiwi_block.KiwiBlock`."""

    kind: Literal["kiwi"]
    weight: float = Field(default=1.0, gt=0)


class EncoderBlockOptions(Table):
    """A block of a pretrained encoder's vectors; see `gallae.models.encoder_block.EncoderBlock`."""

    kind: Literal["encoder"]
    checkpoint: str = Field(min_length=1)
    revision: str = ""
    layer: Annotated[str, Field(coerce_numbers_to_str=True)] = "-2"
    combine: Literal["mean", "sum", "concat", "weighted"] = "mean"
    weights: list[float] = []
    pool: Literal["cls", "mean", "max"] = "mean"
    max_length: int = Field(default=128, ge=3)
    max_unknown: float = Field(default=0.2, ge=0, le=1)
    weight: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _layers(self) -> EncoderBlockOptions:
        EmbeddingOptions(self.layer, self.combine, tuple(self.weights), self.pool, self.max_length)
        return self


_OTHER_BLOCKS = ("kiwi", "encoder")


def _block_kind(value: Any) -> str:
    kind = value.get("kind", "tfidf") if isinstance(value, dict) else getattr(value, "kind", "tfidf")
    return kind if kind in _OTHER_BLOCKS else "ngrams"


Block = Annotated[
    Annotated[NgramOptions, Tag("ngrams")]
    | Annotated[KiwiOptions, Tag("kiwi")]
    | Annotated[EncoderBlockOptions, Tag("encoder")],
    Discriminator(_block_kind),
]


class FeatureOptions(Table):
    """The linear family's blocks of features, side by side."""

    blocks: list[Block] = Field(default=[NgramOptions()], min_length=1)

    @field_validator("blocks", mode="before")
    @classmethod
    def _known_kinds(cls, value: Any) -> Any:
        kinds = [*get_args(NgramOptions.model_fields["kind"].annotation), *_OTHER_BLOCKS]
        for block in value if isinstance(value, list) else []:
            if isinstance(block, dict) and block.get("kind", "tfidf") not in kinds:
                raise ValueError(f"a block's kind is one of {', '.join(kinds)}")
        return value


class LinearOptions(Table):
    """A linear classifier over the blocks; `classifier` may also be a registered name."""

    family: Literal["linear"] = "linear"
    classifier: str = "svm"
    C: float = Field(default=0.15, gt=0)
    alpha: float = Field(default=1.0, gt=0)
    class_weight: Literal["none", "balanced"] = "none"


class FastTextOptions(Table):
    """fastText; see `gallae.models.fasttext.FastTextClassifier`."""

    family: Literal["fasttext"]
    unit: Literal["word", "jamo", "morpheme", "morpheme_tag"] = "morpheme"
    dim: int = Field(default=32, ge=1)
    epochs: int = Field(default=0, ge=0)
    learning_rate: float = Field(default=0.5, gt=0)
    word_ngrams: int = Field(default=2, ge=1)
    min_n: int = Field(default=1, ge=0)
    max_n: int = Field(default=4, ge=0)
    bucket: int = Field(default=100_000, ge=1)
    min_count: int = Field(default=1, ge=1)
    loss: Literal["softmax", "ova", "hs"] = "softmax"


class EnsembleOptions(Table):
    """Several recipes as one model; see `gallae.models.ensemble.EnsembleClassifier`.

    Members are shipped recipes' names, TOML files, or whole recipes.
    """

    family: Literal["ensemble"]
    members: list[Recipe]
    method: Literal["mean", "weighted", "stacking"] = "mean"
    folds: int = Field(default=5, ge=2, le=20)

    @field_validator("members")
    @classmethod
    def _several(cls, value: list[Recipe]) -> list[Recipe]:
        if len(value) < 2:
            raise ValueError("an ensemble needs at least two members")
        return value


ModelOptions = Annotated[
    LinearOptions
    | FastTextOptions
    | MlpOptions
    | BagOptions
    | RecurrentOptions
    | ConvolutionalOptions
    | BranchedOptions
    | TransformerOptions
    | FromConfigOptions
    | EncoderOptions
    | EnsembleOptions,
    Field(discriminator="family"),
]


class CalibrationOptions(Table):
    """How scores become probabilities (and thresholds, for several labels a text).

    `folds` 1 means the rows that a network holds out to stop early; for others a stratified tenth.
    """

    method: Literal["multinomial", "temperature", "thresholds", "flat", "none"] = "multinomial"
    folds: int = Field(default=3, ge=1, le=20)


def _whole_ensemble(value: dict[str, Any]) -> dict[str, Any]:
    """Put whole recipes in the place of the members, and leave calibrating to them unless it is asked for."""
    from gallae.recipes.members import resolve_members, with_seeds

    model = value["model"]
    if isinstance(model.get("members"), list):
        model["members"] = list(model["members"])
        resolve_members(value, str(value.get("name", "unnamed")))
        model["members"] = with_seeds(model["members"], value.get("seed", 42))
    if isinstance(value.get("calibration", {}), dict):
        value["calibration"] = {"method": "none", **value.get("calibration", {})}
    return value


class Recipe(Table):
    """An experiment: data, text steps, features, model, calibration, seed."""

    name: str = "unnamed"
    summary: str = ""
    seed: int = Field(default=42, ge=0, lt=2**32)
    data: DataOptions = DataOptions()
    text: TextOptions = TextOptions()
    features: FeatureOptions = FeatureOptions()
    model: ModelOptions = LinearOptions()
    training: TrainingOptions = TrainingOptions()
    calibration: CalibrationOptions = CalibrationOptions()

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, value: str) -> str:
        if not value or value.startswith(".") or set(value) & set("/\\:\0\n"):
            raise ValueError(
                "a recipe's name becomes a folder: it may hold no / \\ : and not begin with a dot"
            )
        return value

    @model_validator(mode="before")
    @classmethod
    def _default_family(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("model"), dict):
            value = {**value, "model": {"family": "linear", **value["model"]}}
            if value["model"]["family"] in FAMILIES and isinstance(value.get("calibration", {}), dict):
                value["calibration"] = {"method": "none", **value.get("calibration", {})}
            if value["model"]["family"] == "encoder" and isinstance(value.get("training", {}), dict):
                value["training"] = {**ENCODER_TRAINING, **value.get("training", {})}
            return _whole_ensemble(value) if value["model"]["family"] == "ensemble" else value
        return value

    @model_validator(mode="after")
    def _members_have_their_own(self) -> Recipe:
        """Refuse what an ensemble would not look at."""
        if not isinstance(self.model, EnsembleOptions):
            return self
        used = ("name", "summary", "seed", "data", "model", "calibration")
        for key, field in type(self).model_fields.items():
            if key not in used and getattr(self, key) != field.default:
                raise ValueError(f"an ensemble has no [{key}] but its members'; set it in their recipes")
        for number, member in enumerate(self.model.members):
            if member.data not in (DataOptions(), self.data):
                raise ValueError(
                    f"model.members.{number} ({member.name}) has another [data] than the ensemble, whose own "
                    "counts. Give the same there"
                )
        return self

    @model_validator(mode="after")
    def _tables_of_the_family(self) -> Recipe:
        """Refuse tables that the model's family does not read."""
        family = self.model.family
        if family not in FAMILIES and self.training != TrainingOptions():
            raise ValueError(
                f"[training] is for networks ({', '.join(FAMILIES)}), not for the family {family!r}"
            )
        if family in FAMILIES and family != "mlp" and self.features != FeatureOptions():
            raise ValueError(f"[features] are for the families linear and mlp, not for {family!r}")
        if family in FAMILIES:
            check_together(self.model, self.training)
        unwatched = family in FAMILIES and self.training.early_stopping.share == 0
        if self.calibration.method != "none" and self.calibration.folds == 1 and unwatched:
            raise ValueError(
                "calibration.folds = 1 calibrates on the rows that a network holds out to stop early: set "
                "training.early_stopping.share, such as 0.1, or calibration.folds to 2 or more"
            )
        return self

    def feature_blocks(self) -> tuple[dict[str, Any], ...]:
        """Return the blocks as tables, with the text's part-of-speech filter on those of morphemes."""
        tags = {"drop_tags": tuple(self.text.drop_tags), "keep_tags": tuple(self.text.keep_tags)}
        blocks = []
        for block in self.features.blocks:
            options = block.model_dump()
            if str(options.get("unit", "")).startswith("morpheme"):
                options |= tags
            blocks.append(options)
        return tuple(blocks)

    def extras(self) -> tuple[str, ...]:
        """Return the extras that the recipe needs."""
        if isinstance(self.model, EnsembleOptions):
            return tuple(dict.fromkeys(extra for member in self.model.members for extra in member.extras()))
        found = ["fasttext"] if self.model.family == "fasttext" else []
        network = any(block.kind == "encoder" for block in self.features.blocks)
        found += ["neural"] if self.model.family in FAMILIES or network else []
        return (*found, "mecab") if self.text.analyzer == "mecab" else tuple(found)

    def to_toml(self) -> str:
        """Return the whole recipe as TOML, every default written out."""
        import tomli_w

        unread = set() if self.model.family in FAMILIES else {"training"}
        if self.model.family not in ("linear", "mlp"):
            unread.add("features")
        return tomli_w.dumps(self.model_dump(mode="json", exclude=unread))
