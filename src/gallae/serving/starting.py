"""`gallae serve`: from what a person asks for to a server that runs."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gallae.errors import ServingError, require
from gallae.models.layers import EmbeddingOptions
from gallae.serving.settings import Limits, Settings, named_models, read_api_key

log = logging.getLogger("gallae.serving")
API_KEY = "GALLAE_API_KEY"
_NEEDED = ("fastapi", "uvicorn", "httptools", "orjson", "prometheus_client")
_LOCAL = ("127.0.0.1", "localhost", "::1")


def serve(
    models: Sequence[str],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    threads: int = 1,
    limits: Limits | None = None,
    embedding: EmbeddingOptions | None = None,
    api_key_file: Path | None = None,
    origins: Sequence[str] = (),
    log_requests: bool = True,
    log_texts: bool = False,
    log_level: str = "info",
    ready: Callable[[str], Any] = print,
) -> int:
    """Answer requests over HTTP until SIGTERM or Ctrl-C.

    Args:
        models: Runs, checkpoints, bundled names or "kiwi", each as MODEL or NAME=MODEL.
        host: Address to listen on.
        port: Of TCP; 0 takes a free one.
        workers: Processes; each loads all models.
        threads: Threads of a worker's networks.
        limits: How much is taken on.
        embedding: Layers of encoders that vectors are taken from.
        api_key_file: Holds the key that requests must bring; without it the environment's GALLAE_API_KEY.
        origins: Web pages whose scripts may ask, such as "https://example.org".
        log_requests: Whether to log a line a request.
        log_texts: Whether to log the texts.
        log_level: "debug", "info", "warning" or "error".
        ready: Called with a line that tells the address, once requests are answered.

    Returns:
        The exit code: 0 after SIGTERM, 130 after Ctrl-C.

    Raises:
        ServingError: for a port in use, a name given twice, limits that contradict each other.
        ModelError: if a model is missing or damaged.
        MissingExtra: without the extra `serve`.
    """
    for module in _NEEDED:
        require(module, "serve")
    from gallae.serving.server import address_of, bind, run_here
    from gallae.serving.supervisor import Supervisor

    settings = Settings(
        named_models(models),
        limits or Limits(),
        embedding or EmbeddingOptions(),
        threads,
        read_api_key(api_key_file, os.environ.get(API_KEY, "")),
        _checked_origins(origins),
        log_requests,
        log_texts,
        log_level,
    )
    listening = bind(host, port)
    address = address_of(listening)
    if host not in _LOCAL and not settings.api_key:
        log.warning("everybody who reaches %s may ask: set %s, or --api-key-file", address, API_KEY)

    def tell() -> None:
        ready(f"{', '.join(settings.models)} at {address}")

    if workers == 1:
        return run_here(settings, listening, tell)
    return Supervisor(settings, listening, workers, tell).run()


def _checked_origins(origins: Sequence[str]) -> tuple[str, ...]:
    for origin in origins:
        scheme, _, rest = origin.partition("://")
        if origin != "*" and (scheme not in ("http", "https") or not rest or "/" in rest):
            raise ServingError(
                f"--cors-origin {origin!r} is none: give scheme and host, such as https://example.org, or *."
            )
    return tuple(origins)
