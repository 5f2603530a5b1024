"""The HTTP application: routes over served models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from gallae import __version__
from gallae.errors import GallaeError
from gallae.serving import schemas
from gallae.serving.batching import Batcher
from gallae.serving.cors import Cors
from gallae.serving.frame import Endpoint, Frame
from gallae.serving.logs import RequestLog
from gallae.serving.metrics import CONTENT_TYPE, Metrics
from gallae.serving.problems import Problem, of_status
from gallae.serving.reading import read
from gallae.serving.served import Answer, ServedModel, Wish
from gallae.serving.settings import Limits, Settings

_STUCK = 5  # a batch that takes as many times the timeout is no longer waited for
_EXAMPLE = "한은 기준금리 동결…코스피 2% 급등"
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": schemas.ErrorResponse, "description": "The body is no JSON."},
    401: {"model": schemas.ErrorResponse, "description": "The API key is missing or wrong."},
    404: {"model": schemas.ErrorResponse, "description": "There is no such model."},
    408: {"model": schemas.ErrorResponse, "description": "The body did not come in time."},
    413: {"model": schemas.ErrorResponse, "description": "The body is too large."},
    415: {"model": schemas.ErrorResponse, "description": "The body is compressed, or not said to be JSON."},
    422: {"model": schemas.ErrorResponse, "description": "The body's content is wrong; `field` says where."},
    429: {"model": schemas.ErrorResponse, "description": "Too much waits; try again after Retry-After."},
    500: {"model": schemas.ErrorResponse, "description": "A fault of the server's."},
    504: {"model": schemas.ErrorResponse, "description": "It took too long."},
}


class Service:
    """Served models behind their batches.

    Args:
        models: By name, in the order in which they were given.
        limits: How much is taken on.
        metrics: Where batches are counted.
    """

    def __init__(self, models: dict[str, ServedModel], limits: Limits, metrics: Metrics) -> None:
        self.models, self.limits, self._metrics = models, limits, metrics
        self.batchers: dict[tuple[str, str], Batcher] = {}

    def start(self) -> None:
        """Start a thread for all that each model can be asked; within the event loop."""
        for model in self.models.values():
            calls: dict[str, Callable[[list[Any]], Any]] = {
                "classify": model.classify,
                "embed": model.embed,
                "explain": model.explain,
            }
            for ability in model.abilities:
                self.batchers[model.name, ability] = self._batcher(model, ability, calls[ability])

    def _batcher(self, model: ServedModel, ability: str, compute: Callable[[list[Any]], Any]) -> Batcher:
        count = self._metrics.batches(model.name, ability, lambda: self.batchers[model.name, ability].texts)
        return Batcher(
            compute,
            batch=1 if ability == "explain" else self.limits.batch,
            wait=self.limits.wait_ms / 1000,
            queue=self.limits.queue,
            timeout=self.limits.timeout,
            lock=model.lock,
            observe=count,
            polite=ability == "explain",
        )

    def stop(self) -> None:
        """End the threads."""
        for batcher in self.batchers.values():
            batcher.close()

    def model(self, name: str | None, ability: str) -> ServedModel:
        """Return the model that is asked for, or the first that can do it.

        Raises:
            Problem: 404 if there is none.
        """
        able = {known: model for known, model in self.models.items() if ability in model.abilities}
        if name is None and able:
            return next(iter(able.values()))
        if name in able:
            return able[name]
        which = f"named {name[:100]!r}" if name is not None else "here"
        there = f"Those that can: {', '.join(able)}." if able else "None that is served can."
        raise Problem(
            404, "no_model", f"There is no model {which} that can {ability}. {there}", field="model"
        )

    def stuck(self) -> bool:
        """Whether a batch has been computed for so long that there is little hope."""
        most = _STUCK * self.limits.timeout
        return any(batcher.busy_for() > most for batcher in self.batchers.values())


def create_app(
    settings: Settings, models: dict[str, ServedModel], requests: RequestLog | None = None
) -> ASGIApp:
    """Return the ASGI application.

    Args:
        settings: What the server is told.
        models: Loaded models by name (see `gallae.serving.served.open_models`).
        requests: Writes a line a request, if given.
    """
    metrics = Metrics()
    service = Service(models, settings.limits, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        service.stop()

    app = FastAPI(
        title="gallae",
        version=__version__,
        summary="Text classifiers and vectors over HTTP.",
        lifespan=lifespan,
        docs_url=None,  # its page would fetch scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_exception_handler(HTTPException, _status)
    _add_health(app, service, metrics)
    _add_models(app, service, settings.log_texts)
    framed = Frame(app, _endpoints(app), metrics, settings.api_key, requests)
    return Cors(framed, settings.origins) if settings.origins else framed


def _endpoints(app: FastAPI) -> dict[tuple[str, str], Endpoint]:
    """Return the application's own endpoints by method and path."""
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    return {(method, route.path): route.endpoint for route in routes for method in route.methods or ()}


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


async def _status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = of_status(error.status_code)
    request.scope["facts"]["error"] = problem.code
    body = problem.body(request.scope["request_id"])
    return Response(body, problem.status, error.headers, media_type="application/json")


def _add_health(app: FastAPI, service: Service, metrics: Metrics) -> None:
    """Add the routes by which a server is watched."""

    @app.get("/healthz", response_model=schemas.State)
    async def healthz(_: Request) -> Response:
        """Say that the process answers."""
        return _json({"status": "ok"})

    @app.get("/readyz", response_model=schemas.State, responses={503: _ERRORS[500]})
    async def readyz(_: Request) -> Response:
        """Say whether requests are answered: 503 when a computation is stuck."""
        if service.stuck():
            raise Problem(503, "stuck", "A computation has not ended for long. Restart this server.")
        return _json({"status": "ready"})

    @app.get("/metrics", responses={200: {"content": {"text/plain": {}}}, 401: _ERRORS[401]})
    async def figures(_: Request) -> Response:
        """Return figures for Prometheus."""
        return Response(metrics.page(), headers={"content-type": CONTENT_TYPE.decode()})

    @app.get("/v1/models", response_model=schemas.ModelsResponse, responses={401: _ERRORS[401]})
    async def models(_: Request) -> Response:
        """List the models, what each can be asked, and how much a request may hold."""
        limits = service.limits
        most = {"body": limits.body, "texts": limits.texts, "characters": limits.characters}
        most["explained"] = limits.explained
        return _json({"models": [model.facts() for model in service.models.values()], "limits": most})


def _add_models(app: FastAPI, service: Service, log_texts: bool) -> None:
    """Add the routes that ask models."""
    limits = service.limits

    def noted(request: Request, model: ServedModel, texts: list[str]) -> None:
        facts = request.scope.setdefault("facts", {})
        facts["model"], facts["texts"] = model.name, len(texts)
        if log_texts:
            facts["content"] = texts

    @app.post(
        "/v1/classify",
        response_model=schemas.ClassifyResponse,
        response_model_exclude_none=True,
        responses=_ERRORS,
        openapi_extra=schemas.body_of(
            schemas.ClassifyRequest, {"texts": [_EXAMPLE], "top_k": 3}, limits.texts
        ),
    )
    async def classify(request: Request) -> Response:
        """Tell the label of each text, with probabilities."""
        asked = await read(request, schemas.ClassifyRequest, limits)
        model = service.model(asked.model, "classify")
        noted(request, model, asked.texts)
        answers: list[Answer] = await service.batchers[model.name, "classify"](asked.texts)  # type: ignore
        results = [answer.result(model.labels, asked.top_k) for answer in answers]
        return _json({"model": model.name, "results": results})

    @app.post(
        "/v1/embed",
        response_model=schemas.EmbedResponse,
        responses=_ERRORS,
        openapi_extra=schemas.body_of(schemas.EmbedRequest, {"texts": [_EXAMPLE]}, limits.texts),
    )
    async def embed(request: Request) -> Response:
        """Return a vector of each text."""
        asked = await read(request, schemas.EmbedRequest, limits)
        model = service.model(asked.model, "embed")
        noted(request, model, asked.texts)
        vectors: Any = await service.batchers[model.name, "embed"](asked.texts)
        return _json({"model": model.name, "dimensions": model.embedder.width, "vectors": vectors})

    @app.post(
        "/v1/explain",
        response_model=schemas.ExplainResponse,
        responses=_ERRORS,
        openapi_extra=schemas.body_of(schemas.ExplainRequest, {"texts": [_EXAMPLE]}, limits.explained),
    )
    async def explain(request: Request) -> Response:
        """Tell what each word or morpheme of the texts says for a label or against it."""
        asked = await read(request, schemas.ExplainRequest, replace(limits, texts=limits.explained))
        model = service.model(asked.model, "explain")
        noted(request, model, asked.texts)
        wishes = [Wish(text, asked.label, asked.method, asked.unit) for text in asked.texts]
        batcher = service.batchers[model.name, "explain"]
        try:
            model.check_wish(wishes[0])
            found: Any = await asyncio.gather(*(batcher([wish]) for wish in wishes))  # others come in between
        except GallaeError as error:
            field = "method" if asked.label is None or asked.label in model.labels else "label"
            raise Problem(422, "invalid", str(error), field) from None
        results = [{**one, "row": row} for row, (each,) in enumerate(found) for one in each]
        return _json({"model": model.name, "results": results})
