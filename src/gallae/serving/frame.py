"""Around every request: its id, the API key, what is counted and logged, and the last word on errors."""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import re
import time
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gallae.serving.logs import RequestLog
from gallae.serving.metrics import Metrics
from gallae.serving.problems import Problem, internal

log = logging.getLogger("gallae.serving")
OPEN = frozenset({"/healthz", "/readyz"})
"""Paths that take no key, for whatever watches over processes."""
_ID = re.compile(rb"[\w.-]{1,64}", re.ASCII)
_CLOSED = 499  # in logs and figures: the client did not wait for the answer
_OTHER = "other"


class Frame:
    """An ASGI application around another one.

    Args:
        app: The inner one; it may put facts for the log into scope["facts"].
        paths: The paths that are counted by their name.
        metrics: Where requests are counted.
        key: The API key; "" lets everybody ask.
        requests: Writes a line a request, if given.
    """

    def __init__(
        self, app: ASGIApp, paths: set[str], metrics: Metrics, key: str, requests: RequestLog | None
    ) -> None:
        self.app, self._paths, self._metrics = app, paths, metrics
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
        facts: dict[str, Any] = {}
        scope["facts"], scope["request_id"] = facts, request_id.decode()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id)]
            await send(message)

        try:
            if self._key and scope["path"] not in OPEN:
                self._check_key(headers)
            await self.app(scope, receive, answer)
        except Problem as problem:
            await _say(problem, scope, answer)
        except (ClientDisconnect, asyncio.CancelledError) as error:
            status = status or _CLOSED
            if isinstance(error, asyncio.CancelledError):
                raise
        except Exception:
            log.exception("request %s failed", scope["request_id"])
            if not status:
                await _say(internal(scope["request_id"]), scope, answer)
        finally:
            self._count(scope, status or _CLOSED, time.perf_counter() - started, facts)

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

    def _count(self, scope: Scope, status: int, seconds: float, facts: dict[str, Any]) -> None:
        path = scope["path"]
        self._metrics.request(path if path in self._paths else _OTHER, status, seconds)
        if self._log is not None and path not in OPEN:
            first = {"id": scope["request_id"], "method": scope["method"], "path": path[:200]}
            self._log({**first, "status": status, "ms": round(seconds * 1000, 2), **facts})


async def _say(problem: Problem, scope: Scope, send: Send) -> None:
    body = problem.body(scope["request_id"])
    headers = [*problem.headers(), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
