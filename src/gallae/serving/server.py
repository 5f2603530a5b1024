"""A server in this process, or several as worker processes behind one socket."""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import uvicorn

from gallae.errors import ServingError
from gallae.progress import set_quiet
from gallae.serving import logs, protocol
from gallae.serving.app import create_app
from gallae.serving.served import open_models
from gallae.serving.settings import Settings

DRAIN = 6.5  # seconds for requests in flight; with what stands around it, a server ends within 8
_BACKLOG = 2048
_IDLE = 30  # seconds that a connection may wait for its next request


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that nobody can connect to yet.

    Raises:
        ServingError: if the port is in use, not allowed, or the host is not this machine's.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, number)
    except (OSError, UnicodeError) as error:
        raise ServingError(f"--host {host} is no address of this machine: {error}.") from error
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(address)
    except OSError as error:
        made.close()
        raise ServingError(_why_not(host, port, error)) from error
    made.set_inheritable(True)
    return made


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use. Give another one by --port, or stop what listens there."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} is not allowed to this user: give one of 1024 or more by --port."
    return f"{host}:{port} cannot be listened to: {error.strerror or error}. Check --host and --port."


def address_of(listening: socket.socket) -> str:
    """Return the URL of a socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run_here(settings: Settings, listening: socket.socket, ready: Callable[[], Any]) -> int:
    """Load the models and answer requests until SIGTERM or Ctrl-C.

    Args:
        settings: What the server is told.
        listening: A socket from `bind`.
        ready: Called once requests are answered.

    Returns:
        0 after SIGTERM, 130 after Ctrl-C.

    Raises:
        GallaeError: if a model cannot be served.
    """
    logs.set_up(settings.log_level)
    set_quiet(True)  # no progress bars between the lines of the log
    models = open_models(settings.models, settings.embedding, settings.threads)
    protocol.most_connections = settings.limits.connections
    app = create_app(settings, models, logs.RequestLog() if settings.log_requests else None)
    config = uvicorn.Config(
        app,
        loop="uvloop" if _has_uvloop() else "asyncio",
        http=protocol.Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=DRAIN,  # type: ignore[arg-type]
    )
    gc.collect()
    gc.freeze()  # what is loaded stays: looking through it again and again stops all requests for a while
    server = Server(config, ready)
    server.run([listening])
    return server.code


def leave(code: int) -> NoReturn:
    """End this process now: all is answered, and taking down the interpreter can take seconds."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _has_uvloop() -> bool:
    with contextlib.suppress(ImportError):  # not on Windows
        import uvloop  # noqa: F401

        return True
    return False


class Server(uvicorn.Server):
    """Uvicorn's, which tells when it is ready, and ends of its own after a signal.

    Attributes:
        code: The exit code: 130 after Ctrl-C, else 0.
    """

    def __init__(self, config: uvicorn.Config, ready: Callable[[], Any]) -> None:
        super().__init__(config)
        self._ready = ready
        self.code = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Drain at SIGTERM and Ctrl-C; a second Ctrl-C does not wait for requests in flight."""
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: Any) -> None:
        self.code = 130 if number == signal.SIGINT else self.code
        self.handle_exit(number, frame)
