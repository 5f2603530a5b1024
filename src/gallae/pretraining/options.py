"""What a pretraining recipe may say, table by table. No torch here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gallae.recipes.schema import Table

_Share = Annotated[float, Field(ge=0, lt=1)]
Format = Literal["lines", "segment_pair", "sentence_pair", "full_sentences", "doc_sentences", "parallel"]


class CorpusOptions(Table):
    """How sentences become rows.

    `max_length` counts a row's tokens, the special ones too. Sentences of fewer than `min_tokens` tokens are
    left out of format "lines". `held_out` is the share of the sentences that is only measured. Half of the
    pairs of a pair format follow each other; the others have a second part from another document (`pairs`
    "next"), or both parts in the other order ("order"). Format "parallel" reads lines of a sentence, a tab
    and its translation.
    """

    format: Format = "lines"
    pairs: Literal["next", "order"] = "next"
    max_length: int = Field(default=128, ge=8)
    min_tokens: int = Field(default=3, ge=1)
    held_out: float = Field(default=0.005, ge=0, le=0.5)


class NetworkOptions(Table):
    """The encoder.

    `model_type` is one of transformers' architectures. `feed_forward` 0 means four times `hidden`,
    `embedding` 0 as wide as `hidden`. `config` holds further fields of the architecture's configuration.
    `vectors` "kiwi" lets the embeddings begin with Kiwi's vectors. With a `checkpoint` (hub id or folder) its
    weights learn on, and its configuration stands for all of these.

    `new_vocabulary` makes the checkpoint's embeddings anew for another tokenizer: pieces that both know keep
    their vectors. A `teacher` (hub id or folder) gives its configuration and `layers` of its layers, every
    k-th from the first on (`every`); with `every` 0 or a `checkpoint` the teacher is only learnt from, by the
    objectives "distilbert" and "tinybert".
    """

    model_type: str = "bert"
    layers: int = Field(default=4, ge=1)
    hidden: int = Field(default=256, ge=1)
    heads: int = Field(default=4, ge=1)
    feed_forward: int = Field(default=0, ge=0)
    embedding: int = Field(default=0, ge=0)
    positions: int = Field(default=512, ge=8)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    config: dict[str, Any] = Field(default={})
    checkpoint: str = ""
    new_vocabulary: bool = False
    vectors: Literal["", "kiwi"] = ""
    teacher: str = ""
    every: int = Field(default=2, ge=0)

    @property
    def begins_with(self) -> str:
        """The checkpoint whose weights it begins with, whole or every k-th layer; "" for random ones."""
        return self.checkpoint or (self.teacher if self.every else "")


class MaskingOptions(Table):
    """Which tokens are guessed.

    `masked` is their share, and `masking` what is chosen together: "token", "whole_word" or "span". `copies`
    0 draws a new mask at each reading; 10 masks each row in ten ways that stay (RoBERTa's static masks).
    """

    masked: float = Field(default=0.15, gt=0, lt=1)
    masking: Literal["token", "whole_word", "span"] = "token"
    copies: int = Field(default=0, ge=0)


class MlmOptions(MaskingOptions):
    """Masked language model (Devlin et al. 2019).

    `boundary` is the weight of the span boundary objective (SpanBERT; for spans only), `pair_weight` that of
    telling what follows what, where the corpus's format has pairs (BERT, ALBERT); 0 leaves them out.
    """

    kind: Literal["mlm"] = "mlm"
    boundary: float = Field(default=0.0, ge=0)
    pair_weight: float = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _has_spans(self) -> MlmOptions:
        if self.boundary and self.masking != "span":
            raise ValueError(f"boundary = {self.boundary} needs masking = 'span', not {self.masking!r}")
        return self


class ClmOptions(Table):
    """Causal language model: the next token is guessed."""

    kind: Literal["clm"]


class TlmOptions(MaskingOptions):
    """Translation language model (XLM, Lample and Conneau 2019), over the format "parallel"."""

    kind: Literal["tlm"]


class RtdOptions(Table):
    """Replaced token detection (ELECTRA, Clark et al. 2020).

    A small generator fills masked tokens in, and the encoder tells for every token whether it was replaced.
    `generator_width` and `generator_depth` are the generator's shares of the encoder's sizes, `weight` is
    that of the encoder's loss beside the generator's.
    """

    kind: Literal["rtd"]
    masked: float = Field(default=0.15, gt=0, lt=1)
    generator_width: float = Field(default=0.5, gt=0, le=1)
    generator_depth: float = Field(default=0.5, gt=0, le=1)
    weight: float = Field(default=50.0, gt=0)


NoiseName = Literal[
    "token_masking", "token_deletion", "text_infilling", "sentence_permutation", "document_rotation"
]


class DenoisingOptions(Table):
    """Denoising autoencoder (BART, Lewis et al. 2020): an encoder-decoder mends damaged texts.

    The functions of `noise` damage a text one after the other; `masked` is the share of the tokens that are
    masked, deleted, or in the spans that are filled in. `network.layers` are those of each half.
    """

    kind: Literal["denoising"]
    masked: float = Field(default=0.3, gt=0, lt=1)
    noise: tuple[NoiseName, ...] = Field(default=("sentence_permutation", "text_infilling"), min_length=1)


class DistilBertOptions(MaskingOptions):
    """DistilBERT (Sanh et al. 2019): what `network.teacher` says of masked tokens, at a temperature.

    The weights are those of the divergence from the teacher, of the masked language model, and of the cosine
    between the last states of student and teacher.
    """

    kind: Literal["distilbert"]
    temperature: float = Field(default=2.0, gt=0)
    soft_weight: float = Field(default=5.0, ge=0)
    mlm_weight: float = Field(default=2.0, ge=0)
    cosine_weight: float = Field(default=1.0, ge=0)


class TinyBertOptions(Table):
    """TinyBERT, in general (Jiao et al. 2020): embeddings, states and attention of `network.teacher`."""

    kind: Literal["tinybert"]


ObjectiveOptions = Annotated[
    MlmOptions
    | ClmOptions
    | TlmOptions
    | RtdOptions
    | DenoisingOptions
    | DistilBertOptions
    | TinyBertOptions,
    Field(discriminator="kind"),
]


class PretrainingOptions(Table):
    """How it learns.

    `steps` 0 means: as many as `epochs` give. A batch holds about `batch_tokens` tokens, padding counted.
    `warmup` is a share of all steps.
    """

    epochs: float = Field(default=1.0, gt=0)
    steps: int = Field(default=0, ge=0)
    batch_tokens: int = Field(default=8192, ge=8)
    accumulation: int = Field(default=1, ge=1)
    optimizer: Literal["adamw", "adam", "radam", "lion", "sgd", "muon"] = "adamw"
    learning_rate: float = Field(default=1e-3, gt=0)
    betas: tuple[_Share, _Share] = (0.9, 0.98)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup: float = Field(default=0.02, ge=0, lt=1)
    schedule: Literal["constant", "linear", "cosine", "one_cycle"] = "linear"
    max_grad_norm: float = Field(default=1.0, ge=0)
    precision: Literal["float32", "bf16", "auto"] = "auto"
    device: str = "auto"

    @property
    def batch_size(self) -> int:
        """What Trainer calls so: our loader's items are whole batches."""
        return 1


class PretrainingRecipe(Table):
    """One pretraining.

    `tokenizer` is a folder in the hub's layout; "" takes the checkpoint's.
    """

    name: str = ""
    summary: str = ""
    seed: int = Field(default=42, ge=0, lt=2**32)
    tokenizer: str = ""
    corpus: CorpusOptions = CorpusOptions()
    network: NetworkOptions = NetworkOptions()
    objective: ObjectiveOptions = MlmOptions()
    training: PretrainingOptions = PretrainingOptions()

    @model_validator(mode="before")
    @classmethod
    def _has_objective(cls, values: Any) -> Any:
        objective = values.get("objective") if isinstance(values, dict) else None
        if isinstance(objective, dict) and "kind" not in objective:
            return {**values, "objective": {"kind": "mlm", **objective}}
        return values

    @model_validator(mode="after")
    def _has_teacher(self) -> PretrainingRecipe:
        teacher, learns = self.network.teacher, self.objective.kind in ("distilbert", "tinybert")
        if teacher and not learns and self.network.begins_with != teacher:
            raise ValueError(
                f"network.teacher = {teacher!r} has no use here: the objective {self.objective.kind} asks no "
                "teacher, and no layer of it is copied (every = 0, or a checkpoint)"
            )
        if learns and not teacher:
            raise ValueError(
                f"the objective {self.objective.kind} learns from a teacher: set network.teacher to a hub id "
                "or a folder"
            )
        return self

    @model_validator(mode="after")
    def _fits(self) -> PretrainingRecipe:
        if not self.network.begins_with and self.corpus.max_length > self.network.positions:
            raise ValueError(
                f"corpus.max_length = {self.corpus.max_length} is more than network.positions = "
                f"{self.network.positions}"
            )
        if self.objective.kind == "tlm" and self.corpus.format != "parallel":
            raise ValueError(
                f"objective.kind = 'tlm' needs corpus.format = 'parallel', not {self.corpus.format!r}"
            )
        if self.objective.kind == "denoising" and self.corpus.format.endswith(("pair", "parallel")):
            raise ValueError(
                f"objective.kind = 'denoising' mends single texts, and corpus.format = "
                f"{self.corpus.format!r} makes pairs: take 'lines', 'full_sentences' or 'doc_sentences'"
            )
        if self.training.batch_tokens < self.corpus.max_length:
            raise ValueError(
                f"training.batch_tokens = {self.training.batch_tokens} is less than one row: "
                f"corpus.max_length = {self.corpus.max_length}"
            )
        return self

    def to_toml(self) -> str:
        """Return the whole recipe as TOML, every default written out."""
        import tomli_w

        return tomli_w.dumps(self.model_dump(mode="json"))
