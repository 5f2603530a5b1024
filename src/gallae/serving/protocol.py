"""HTTP over a connection: uvicorn's, with limits on heads, and errors in the server's one shape."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gallae.serving.problems import Problem

MOST_HEAD = 32_768  # bytes of a request's line and header fields
MOST_FIELDS = 100
SECONDS_TO_ASK = 10  # for the head of a request, from its first byte or from the connection on
most_connections = 1000
"""Of this process; set before it serves."""


class _TooLarge(Exception):
    """The head of a request is too large."""


class Protocol(HttpToolsProtocol):
    """A connection that does not wait forever for a request, nor read one of any size."""

    def connection_made(self, transport: Any) -> None:
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        self._head = 0
        self._timer: asyncio.TimerHandle | None = None
        if len(self.connections) > most_connections:
            problem = Problem(503, "too_many_connections", "Too many connections are open.", retry_after=1)
            self._refuse(problem)
        else:
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin with the head of a request."""
        self._head = 0
        self._start_timer()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the path."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field."""
        self._count(len(name) + len(value))
        super().on_header(name, value)
        if len(self.headers) > MOST_FIELDS:
            raise _TooLarge

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._stop_timer()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or too large a head."""
        if self._head > MOST_HEAD or len(self.headers or ()) > MOST_FIELDS:
            most = f"at most {MOST_HEAD:,} bytes and {MOST_FIELDS} fields"
            self._refuse(Problem(431, "large_head", f"The head of a request has {most}."))
        else:
            self._refuse(Problem(400, "no_http", "This is no HTTP request."))

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > MOST_HEAD:
            raise _TooLarge

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(SECONDS_TO_ASK, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._refuse(Problem(408, "slow_head", f"The request did not come within {SECONDS_TO_ASK} s."))

    def _refuse(self, problem: Problem) -> None:
        if self.transport.is_closing():
            return
        body = problem.body()
        fields = [*problem.headers(), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        head = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
        self.transport.write(STATUS_LINE[problem.status] + head + b"\r\n" + body)
        self.transport.close()
