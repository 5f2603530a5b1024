"""What a recipe may say. Every key is optional; the defaults stand here."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from gallae.text.pipeline import DEFAULT_STEPS

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


def _block_kind(value: Any) -> str:
    kind = value.get("kind", "tfidf") if isinstance(value, dict) else getattr(value, "kind", "tfidf")
    return "kiwi" if kind == "kiwi" else "ngrams"


Block = Annotated[
    Annotated[NgramOptions, Tag("ngrams")] | Annotated[KiwiOptions, Tag("kiwi")], Discriminator(_block_kind)
]


class FeatureOptions(Table):
    """The linear family's blocks of features, side by side."""

    blocks: list[Block] = Field(default=[NgramOptions()], min_length=1)

    @field_validator("blocks", mode="before")
    @classmethod
    def _known_kinds(cls, value: Any) -> Any:
        kinds = [*get_args(NgramOptions.model_fields["kind"].annotation), "kiwi"]
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


ModelOptions = Annotated[LinearOptions | FastTextOptions, Field(discriminator="family")]


class CalibrationOptions(Table):
    """How scores become probabilities (and thresholds, for several labels a text)."""

    method: Literal["multinomial", "temperature", "thresholds", "none"] = "multinomial"
    folds: int = Field(default=3, ge=2, le=20)


class Recipe(Table):
    """An experiment: data, text steps, features, model, calibration, seed."""

    name: str = "unnamed"
    summary: str = ""
    seed: int = Field(default=42, ge=0, lt=2**32)
    data: DataOptions = DataOptions()
    text: TextOptions = TextOptions()
    features: FeatureOptions = FeatureOptions()
    model: ModelOptions = LinearOptions()
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
            return {**value, "model": {"family": "linear", **value["model"]}}
        return value

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
        found = ["fasttext"] if self.model.family == "fasttext" else []
        return (*found, "mecab") if self.text.analyzer == "mecab" else tuple(found)

    def to_toml(self) -> str:
        """Return the whole recipe as TOML, every default written out."""
        import tomli_w

        return tomli_w.dumps(self.model_dump(mode="json"))
