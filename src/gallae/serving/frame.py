"""Around every request: its id, the API key, what is counted and logged, and the last word on errors.

Requests go straight to their endpoints. FastAPI describes these (OpenAPI) and answers the rest; its layers
would cost more time than all that is done for a request here, a linear model's part included.
"""

from __future__ import annotations

import hmac
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gallae.serving.logs import RequestLog
from gallae.serving.metrics import Metrics
from gallae.serving.problems import Problem, internal

log = logging.getLogger("gallae.serving")
Endpoint = Callable[[Request], Awaitable[Response]]
OPEN = frozenset({"/healthz", "/readyz"})
"""Paths that take no key, for whatever watches over processes."""
_ID = re.compile(rb"[\w.-]{1,64}", re.ASCII)
_CLOSED = 499  # in logs and figures: the client did not wait for the answer
_OTHER = "other"


class Frame:
    """An ASGI application around another one.

    Args:
        app: The inner one, for what has no endpoint.
        endpoints: By method and path; they may put facts for the log into scope["facts"].
        metrics: Where requests are counted.
        key: The API key; "" lets everybody ask.
        requests: Writes a line a request, if given.
    """

    def __init__(
        self,
        app: ASGIApp,
        endpoints: Mapping[tuple[str, str], Endpoint],
        metrics: Metrics,
        key: str,
        requests: RequestLog | None,
    ) -> None:
        self.app, self._endpoints, self._metrics = app, endpoints, metrics
        self._paths = {path for _, path in endpoints}
        self._key, self._log = key.encode(), requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given if _ID.fullmatch(given) else os.urandom(8).hex().encode()
        scope["facts"], scope["request_id"] = {}, request_id.decode()
        answer = _Answer(send, request_id)
        try:
            await self._answer(scope, receive, answer, headers)
        finally:
            self._count(scope, answer.status or _CLOSED, time.perf_counter() - started)

    async def _answer(
        self, scope: Scope, receive: Receive, answer: _Answer, headers: dict[bytes, bytes]
    ) -> None:
        try:
            if self._key and scope["path"] not in OPEN:
                self._check_key(headers)
            method = "GET" if scope["method"] == "HEAD" else scope["method"]  # whose body is not sent
            endpoint = self._endpoints.get((method, scope["path"]))
            if endpoint is None:
                await self.app(scope, receive, answer)
            else:
                response = await endpoint(Request(scope, receive))
                await response(scope, receive, answer)
        except Problem as problem:
            await _say(problem, scope, answer)
        except ClientDisconnect:
            pass
        except Exception:
            log.exception("request %s failed", scope["request_id"])
            if not answer.status:
                await _say(internal(scope["request_id"]), scope, answer)

    def _check_key(self, headers: dict[bytes, bytes]) -> None:
        given = headers.get(b"x-api-key", b"")
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer":
            given = token.strip()
        if not hmac.compare_digest(given, self._key):
            raise Problem(
                401,
                "no_key" if not given else "wrong_key",
                'This server wants an API key: send the header "Authorization: Bearer KEY".',
            )

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        path = scope["path"]
        self._metrics.request(path if path in self._paths else _OTHER, status, seconds)
        if self._log is not None and path not in OPEN:
            first = {"id": scope["request_id"], "method": scope["method"], "path": path[:200]}
            self._log({**first, "status": status, "ms": round(seconds * 1000, 2), **scope["facts"]})


class _Answer:
    """Sends an answer, with the request's id in its head.

    Attributes:
        status: Of the answer; 0 before there is one.
    """

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send, self._id = send, request_id
        self.status = 0

    async def __call__(self, message: Message) -> None:
        """Send a part of it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._id)]
        await self._send(message)


async def _say(problem: Problem, scope: Scope, send: Send) -> None:
    scope["facts"]["error"] = problem.code
    body = problem.body(scope["request_id"])
    headers = [*problem.headers(), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
