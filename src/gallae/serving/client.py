"""A client of `gallae serve`: typed, on the standard library alone, with retries when the server is busy.

>>> from gallae.serving.client import Client
>>> with Client("http://127.0.0.1:8000") as client:  # doctest: +SKIP
...     client.classify(["코스피 2% 급등…외국인 사흘째 순매수"])[0].label
'경제'
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

import numpy as np

from gallae.errors import GallaeError
from gallae.explaining.explanation import Explanation, Part

_AGAIN = (429, 502, 503)  # busy, or no worker yet
_LONGEST_PAUSE = 30.0  # seconds


class ServerError(GallaeError):
    """A request was refused, or no answer came.

    Attributes:
        status: Of HTTP; 0 if there was no answer.
        code: What went wrong, such as "too_many_texts"; "unreachable" if there was no answer.
        field: The field of the request that is wrong, if it is one.
        request_id: By which the server's log knows the request.
    """

    def __init__(
        self, message: str, status: int = 0, code: str = "unreachable", field: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.field, self.request_id = status, code, field, request_id


@dataclass(frozen=True)
class Classification:
    """What a classifier says of a text.

    Attributes:
        label: The label; None if a text may have several and none is given.
        probability: Of the label.
        probabilities: By label, the most probable first.
        labels: The labels given, where a text may have several; else the one.
    """

    label: str | None
    probability: float
    probabilities: dict[str, float]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class ModelInfo:
    """A model that is served.

    Attributes:
        name: What requests call it.
        can: "classify", "embed", "explain".
        labels: That it tells.
        multilabel: Whether a text may have several.
        dimensions: Numbers of a vector; 0 if it makes none.
    """

    name: str
    can: tuple[str, ...]
    labels: tuple[str, ...] = ()
    multilabel: bool = False
    dimensions: int = 0


@dataclass
class Client:
    """Asks a server; not for several threads at once.

    Args:
        url: Of the server, such as "http://127.0.0.1:8000".
        api_key: If it wants one.
        timeout: Seconds for an answer.
        retries: How often a request is sent again after 429, 502 or 503, or a connection that broke.
        texts_a_request: Longer lists are sent in several requests.
    """

    url: str
    api_key: str = field(default="", repr=False)
    timeout: float = 30.0
    retries: int = 5
    texts_a_request: int = 64

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ServerError(
                f"{self.url!r} is no address of a server: give one such as http://127.0.0.1:8000."
            )
        self._path = parts.path.rstrip("/")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=self.timeout)

    def classify(
        self, texts: Sequence[str], model: str | None = None, top_k: int = 0
    ) -> list[Classification]:
        """Return what a classifier says of each text.

        Args:
            texts: Any number of them.
            model: Its name; the server's first classifier, if None.
            top_k: How many labels' probabilities a text; 0 for all.

        Raises:
            ServerError: if the server refuses, or does not answer.
        """
        found: list[Classification] = []
        for answer in self._in_parts("/v1/classify", texts, model, {"top_k": top_k}):
            for result in answer["results"]:
                one = () if result["label"] is None else (result["label"],)
                labels = tuple(result.get("labels", one))
                result = {**result, "labels": labels}
                found.append(Classification(**result))
        return found

    def embed(self, texts: Sequence[str], model: str | None = None) -> np.ndarray:
        """Return (n, width) float32 vectors of texts.

        Raises:
            ServerError: if the server refuses, or does not answer.
        """
        answers = list(self._in_parts("/v1/embed", texts, model, {}))
        return np.array([row for answer in answers for row in answer["vectors"]], dtype=np.float32)

    def explain(
        self,
        texts: Sequence[str],
        model: str | None = None,
        label: str | None = None,
        method: str = "auto",
        unit: str = "word",
    ) -> list[Explanation]:
        """Return what each word or morpheme of each text says for a label (see `gallae.explain`).

        Raises:
            ServerError: if the server refuses, or does not answer.
        """
        options: dict[str, Any] = {"method": method, "unit": unit}
        if label is not None:
            options["label"] = label
        found = []
        for number, answer in enumerate(self._in_parts("/v1/explain", texts, model, options, size=1)):
            for one in answer["results"]:
                parts = [Part(**part) for part in one["parts"]]
                found.append(Explanation(**{**one, "parts": parts, "row": number}))
        return found

    def models(self) -> list[ModelInfo]:
        """Return what is served.

        Raises:
            ServerError: if the server refuses, or does not answer.
        """
        found = self._ask("GET", "/v1/models")["models"]
        return [
            ModelInfo(
                one["name"],
                tuple(one["can"]),
                tuple(one.get("labels", ())),
                one.get("multilabel", False),
                one.get("dimensions", 0),
            )
            for one in found
        ]

    def ready(self) -> bool:
        """Return whether the server answers requests."""
        try:
            return self._once("GET", "/readyz", b"")[0] == 200
        except (OSError, http.client.HTTPException):
            self.close()
            return False

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _in_parts(
        self, path: str, texts: Sequence[str], model: str | None, options: dict[str, Any], size: int = 0
    ) -> Iterator[dict[str, Any]]:
        if isinstance(texts, str):
            raise ServerError("texts must be a list of strings, not one string. Put it in a list: [text].")
        named = options if model is None else {**options, "model": model}
        size = size or self.texts_a_request
        for start in range(0, len(texts), size):
            yield self._ask("POST", path, {"texts": list(texts[start : start + size]), **named})

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the answer's JSON; try again where that may help."""
        content = b"" if body is None else json.dumps(body).encode()
        for attempt in range(self.retries + 1):
            pause = min(_LONGEST_PAUSE, 0.1 * 2**attempt)
            try:
                status, answer, after = self._once(method, path, content)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                problem = ServerError(f"{self.url} does not answer: {error or type(error).__name__}.")
            else:
                if status == 200:
                    return answer
                problem = _problem(status, answer)
                if status not in _AGAIN:
                    raise problem
                pause = max(pause, min(_LONGEST_PAUSE, after))
            if attempt < self.retries:
                time.sleep(pause)
        raise problem

    def _once(self, method: str, path: str, content: bytes) -> tuple[int, Any, float]:
        """Return status, JSON and the seconds of Retry-After of one attempt."""
        headers = {"Content-Type": "application/json"} if content else {}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        self._connection.request(method, self._path + path, content or None, headers)
        response = self._connection.getresponse()
        raw, after = response.read(), response.headers.get("Retry-After", "")
        try:
            answer = json.loads(raw)
        except ValueError:  # a proxy's page
            answer = {}
        return response.status, answer, float(after) if after.isdecimal() else 0.0


def _problem(status: int, answer: Any) -> ServerError:
    error = answer.get("error", {}) if isinstance(answer, dict) else {}
    message = error.get("message", f"the server answered with status {status}.")
    return ServerError(
        message, status, error.get("code", "unknown"), error.get("field", ""), error.get("request_id", "")
    )
