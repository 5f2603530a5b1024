"""Web pages of named origins may ask; the refusal of others has the shape of all errors."""

from __future__ import annotations

import os
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from gallae.serving.problems import Problem

METHODS = ("GET", "POST")
HEADERS = ("Authorization", "Content-Type", "X-API-Key", "X-Request-ID")


class Cors(CORSMiddleware):
    """An ASGI application that lets scripts of web pages ask the inner one.

    Args:
        app: The inner one.
        origins: Of the pages, scheme://host:port; "*" is all of them.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=HEADERS,
            expose_headers=["Retry-After", "X-Request-ID"],
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a browser's question whether a page may ask."""
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        request_id = os.urandom(8).hex()
        problem = Problem(
            answer.status_code,
            "not_this_page",
            "Pages of this origin may not ask here, or not by this method or with these headers. Allowed are "
            f"{' and '.join(METHODS)}, the headers {', '.join(HEADERS)}, and origins named by --cors-origin "
            "when the server starts.",
        )
        kept = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
        return Response(
            problem.body(request_id),
            problem.status,
            {**kept, "x-request-id": request_id},
            media_type="application/json",
        )
