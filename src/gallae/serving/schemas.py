"""What requests and answers hold, for validation and for OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field


def _whole(value: Any) -> Any:
    """Take 2.0 for 2, as JSON Schema does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Texts = Annotated[list[str], FailFast(), Field(min_length=1, description="Texts; an empty one is allowed.")]
ModelName = Annotated[str, Field(description="Which model answers; the first that can, if not given.")]


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    texts: Texts
    model: ModelName | None = None


class ClassifyRequest(_Request):
    """Texts to classify."""

    top_k: Annotated[
        int,
        Field(ge=0, le=10_000, description="How many labels' probabilities a text; 0 for all."),
        BeforeValidator(_whole),
    ] = 0


class EmbedRequest(_Request):
    """Texts to make vectors of."""


class ExplainRequest(_Request):
    """Texts whose labels are to be explained."""

    label: str | None = Field(None, description="The label to explain; the model's own, if not given.")
    method: Literal["auto", "exact", "gradients", "occlusion", "lime"] = "auto"
    unit: Literal["word", "morpheme"] = "word"


class Result(BaseModel):
    """What is said of a text.

    Where a text may have several labels, `labels` are those given, and `label` is the most probable of
    them, or null if none is given.
    """

    label: str | None
    probability: float
    labels: list[str] | None = Field(None, description="Labels given, where a text may have several.")
    probabilities: dict[str, float] = Field(description="By label, the most probable first.")


class ClassifyResponse(BaseModel):
    """A result a text, in order."""

    model: str
    results: list[Result]


class EmbedResponse(BaseModel):
    """A vector a text, in order."""

    model: str
    dimensions: int
    vectors: list[list[float]]


class Part(BaseModel):
    """A word or morpheme: text[start:end], and what it adds to the score; above 0 it speaks for the label."""

    start: int
    end: int
    text: str
    weight: float


class Explanation(BaseModel):
    """Why a text gets a label; `row` is the text's number, as one with several labels has several."""

    row: int
    text: str
    label: str
    probability: float
    method: str
    unit: str
    score: float
    base: float | None
    parts: list[Part]


class ExplainResponse(BaseModel):
    """Explanations, in the texts' order."""

    model: str
    results: list[Explanation]


class ModelFacts(BaseModel):
    """A model that is served."""

    name: str
    can: list[str] = Field(description='"classify", "embed", "explain"')
    labels: list[str] | None = None
    multilabel: bool | None = None
    dimensions: int | None = Field(None, description="Numbers of a vector.")


class ModelsResponse(BaseModel):
    """All that is served, and how much a request may hold."""

    models: list[ModelFacts]
    limits: dict[str, float]


class Error(BaseModel):
    """What went wrong."""

    code: str = Field(description="For programs, such as too_many_texts.")
    message: str = Field(description="For people.")
    field: str | None = Field(None, description="What in the request is wrong, such as texts.3.")
    request_id: str | None = Field(None, description="By which the server's log knows the request.")


class ErrorResponse(BaseModel):
    """Every error has this shape."""

    error: Error


class State(BaseModel):
    """How the server is."""

    status: str


def body_of(request: type[_Request], example: dict[str, Any], most: int) -> dict[str, Any]:
    """Return OpenAPI's description of a request's body.

    Args:
        request: The class.
        example: One.
        most: Texts it may hold.
    """
    schema = request.model_json_schema()
    schema["properties"]["texts"]["maxItems"] = most
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}
