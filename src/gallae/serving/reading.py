"""Request bodies: read within limits, parsed strictly, checked against their class."""

from __future__ import annotations

import asyncio
import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from gallae.serving.problems import Problem
from gallae.serving.settings import Limits

Asked = TypeVar("Asked", bound=BaseModel)


async def read(request: Request, kind: type[Asked], limits: Limits) -> Asked:
    """Return what a request asks.

    Raises:
        Problem: 400 for what is no JSON, 408, 413 or 415 for a body that is not taken, 422 for wrong content.
        ClientDisconnect: if the client has gone.
    """
    return parse(await _body(request, limits), kind, limits)


async def _body(request: Request, limits: Limits) -> bytes:
    headers = request.headers
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "compressed", "Compressed bodies are not taken. Send the body as it is.")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(
            415,
            "not_json",
            'The body must be JSON. Send it with the header "Content-Type: application/json".',
        )
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limits.body:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.timeout):
            return await _chunks(request, limits)
    except TimeoutError:
        raise Problem(408, "slow_body", f"The body did not come within {limits.timeout:g} s.") from None


async def _chunks(request: Request, limits: Limits) -> bytes:
    body = b""
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limits.body:
            raise _too_large(limits)
        if not message.get("more_body", False):
            return body


def _too_large(limits: Limits) -> Problem:
    return Problem(
        413,
        "too_large",
        f"A body has at most {limits.body:,} bytes here. Send the texts in several requests.",
    )


def parse(body: bytes, kind: type[Asked], limits: Limits) -> Asked:
    """Return the content of a body, once it is sure that it is what it should be.

    Raises:
        Problem: 400 for what is no JSON, 422 for wrong content; it names the field.
    """
    found = _json(body)
    if not isinstance(found, dict):
        raise Problem(422, "no_object", 'The body must be a JSON object, such as {"texts": ["..."]}.')
    _check_texts(found.get("texts"), limits)
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        raise _wrong(error) from None


def _json(body: bytes) -> Any:
    try:
        return _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        raise Problem(400, "not_utf8", f"The body is no UTF-8 from byte {error.start} on.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, "no_json", f"The body is no JSON: {error.msg} ({where}).") from None
    except RecursionError:
        raise Problem(400, "too_deep", "The body is nested too deeply.") from None
    except ValueError:  # a number of thousands of digits
        raise Problem(400, "no_json", "The body holds a number that is too long.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Problem(400, "twice", f"The body gives {_shown(twice)} twice.", field=_shown(twice))
    return found


def _constant(name: str) -> Any:
    raise Problem(400, "no_json", f"The body is no JSON: {name} is none of its numbers.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def _check_texts(texts: Any, limits: Limits) -> None:
    """Check number and length of texts, and that UTF-8 can hold each; their type is checked later."""
    if not isinstance(texts, list):
        return
    if len(texts) > limits.texts:
        raise Problem(
            422,
            "too_many_texts",
            f"A request has at most {limits.texts:,} texts here, not {len(texts):,}. Send several requests.",
            field="texts",
        )
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            return
        if len(text) > limits.characters:
            raise Problem(
                422,
                "text_too_long",
                f"A text has at most {limits.characters:,} characters here, not {len(text):,}. Shorten it.",
                field=f"texts.{number}",
            )
        if not _whole(text):
            raise Problem(
                422, "half_character", "The text holds half of a surrogate pair.", field=f"texts.{number}"
            )


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _wrong(error: ValidationError) -> Problem:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(_shown(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return Problem(422, "unknown_field", f"There is no field {field}.", field=field)
    return Problem(422, "invalid", f"{field}: {first['msg']}.", field=field)


def _shown(part: str | int) -> str:
    """Return a name of the client's as it can be shown: whole characters, and not too many."""
    return str(part)[:100].encode("utf-8", "replace").decode()
