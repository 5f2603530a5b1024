"""Logs as JSON lines on standard error, one object a line."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, BinaryIO

import orjson


def set_up(level: str) -> None:
    """Send what gallae, uvicorn and warnings log to standard error, as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("gallae", "uvicorn.error"):
        log = logging.getLogger(name)
        log.handlers.clear()
        log.propagate = True
        log.setLevel(level.upper())
    logging.captureWarnings(True)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line: dict[str, Any] = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return dumps(line).decode()


class RequestLog:
    """Writes a line a request.

    Args:
        stream: Where to; standard error by default.
    """

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream = stream or sys.stderr.buffer

    def __call__(self, facts: dict[str, Any]) -> None:
        """Write a request's facts."""
        line = {"time": _time(time.time()), "level": "info", "event": "request", **facts}
        try:
            self._stream.write(dumps(line) + b"\n")
            self._stream.flush()
        except (OSError, ValueError):  # whoever read the log has gone; requests go on
            pass


def dumps(line: dict[str, Any]) -> bytes:
    """Return an object as a line of JSON; characters that no UTF-8 can hold are replaced."""
    try:
        return orjson.dumps(line, default=str)
    except TypeError:
        return orjson.dumps({key: _clean(value) for key, value in line.items()}, default=str)


def _clean(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _time(seconds: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds * 1000) % 1000:03d}Z"
