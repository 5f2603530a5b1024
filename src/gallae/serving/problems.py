"""Errors in one shape, without a traceback or a path: {"error": {"code", "message", "field", ...}}."""

from __future__ import annotations

from typing import Any

import orjson

JSON = b"application/json"


class Problem(Exception):
    """A request that is not answered as hoped.

    Args:
        status: Of HTTP.
        code: What went wrong, for programs.
        message: What went wrong, what is allowed and what to do, for people.
        field: The field of the request that is wrong, such as "texts.3".
        retry_after: Seconds after which it may be tried again.
    """

    def __init__(
        self, status: int, code: str, message: str, field: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.field, self.retry_after = field, retry_after

    def body(self, request_id: str = "") -> bytes:
        """Return it as JSON."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field is not None:
            error["field"] = self.field
        if request_id:
            error["request_id"] = request_id
        return orjson.dumps({"error": error})

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return what belongs into the answer's head."""
        found = [(b"content-type", JSON)]
        if self.retry_after is not None:
            found.append((b"retry-after", str(self.retry_after).encode()))
        if self.status == 401:
            found.append((b"www-authenticate", b"Bearer"))
        return found


def internal(request_id: str) -> Problem:
    """Return what is said of a fault of ours."""
    return Problem(
        500,
        "internal",
        f"Something went wrong in the server. Its log has more under {request_id or 'this time'}.",
    )


_STATUS = {
    404: ("not_found", "There is nothing at this path. What there is: GET /openapi.json"),
    405: ("method_not_allowed", "This path does not take this method. What it takes: GET /openapi.json"),
}


def of_status(status: int) -> Problem:
    """Return the problem behind a bare status of the framework's."""
    code, message = _STATUS.get(status, ("refused", "The request was refused."))
    return Problem(status, code, message)
