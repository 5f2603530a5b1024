"""What a server is told when it starts: models by name, limits, who may ask."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from gallae.errors import ServingError
from gallae.models.layers import EmbeddingOptions

_NAME = re.compile(r"\w[\w.+-]{0,99}")
_MODEL = "model"  # the folder of a run that holds its model


@dataclass(frozen=True)
class Limits:
    """How much the server takes on.

    Attributes:
        body: Most bytes of a request's body.
        texts: Most texts of a request.
        characters: Most characters of a text.
        explained: Most texts of a request to explain, which costs hundreds of predictions a text.
        queue: Most texts of a model, waiting and being computed, in a worker; more are refused.
        batch: Most texts computed at once; a request with more is computed alone.
        wait_ms: Longest wait of a text for others to be computed with it.
        timeout: Seconds until a request is given up.
        connections: Most open connections of a worker.

    Raises:
        ServingError: for a number out of range, or limits that contradict each other.
    """

    body: int = 1 << 20
    texts: int = 256
    characters: int = 10_000
    explained: int = 8
    queue: int = 512
    batch: int = 64
    wait_ms: float = 2.0
    timeout: float = 10.0
    connections: int = 1000

    def __post_init__(self) -> None:
        for one in fields(self):
            least = 0 if one.name == "wait_ms" else 0.1 if one.name == "timeout" else 1
            value = getattr(self, one.name)
            if not isinstance(value, bool) and not least <= value < math.inf:
                raise ServingError(f"{_option(one.name)} is {value}: give a number of {least} or more.")
        if self.queue < self.texts:
            raise ServingError(
                f"--queue {self.queue} is less than --max-texts {self.texts}: such a request could never be "
                "taken. Raise the one, or lower the other."
            )
        if self.wait_ms >= self.timeout * 1000:
            raise ServingError(
                f"--wait-ms {self.wait_ms:g} is not less than --timeout {self.timeout:g} s: all requests "
                "would be given up. Lower the one, or raise the other."
            )


def _option(name: str) -> str:
    names = {"body": "--max-body", "texts": "--max-texts", "characters": "--max-characters"}
    names |= {"explained": "--max-explained", "connections": "--max-connections"}
    return names.get(name, "--" + name.replace("_", "-"))


@dataclass(frozen=True)
class Settings:
    """A server, whole; can be pickled, as its workers are processes of their own.

    Attributes:
        models: What to serve, by name: a run, a bundled model's name, a checkpoint, or "kiwi".
        limits: How much it takes on.
        embedding: Layers of encoders that vectors are taken from.
        threads: Threads of a worker's networks.
        api_key: What requests must bring; "" lets everybody ask.
        origins: Web pages (scheme://host:port) whose scripts may ask; "*" is all of them.
        log_requests: Whether to write a line a request.
        log_texts: Whether to write the texts, too.
        log_level: Of everything else: "debug", "info", "warning" or "error".
    """

    models: dict[str, str]
    limits: Limits = field(default_factory=Limits)
    embedding: EmbeddingOptions = field(default_factory=EmbeddingOptions)
    threads: int = 1
    api_key: str = ""
    origins: tuple[str, ...] = ()
    log_requests: bool = True
    log_texts: bool = False
    log_level: str = "info"


def named_models(given: Sequence[str]) -> dict[str, str]:
    """Return what to serve by name, from arguments MODEL or NAME=MODEL.

    A run is named after its folder, a checkpoint after the last part of its id.

    Raises:
        ServingError: for a name that is given twice, or is none.
    """
    models: dict[str, str] = {}
    for argument in given:
        name, source = _split(argument)
        if not _NAME.fullmatch(name):
            raise ServingError(
                f"{argument!r} gives the name {name!r}. A model's name has letters, digits, '.', '_', '+' "
                "and '-', at most 100, and begins with a letter or digit. Give one by NAME=MODEL."
            )
        if name in models:
            raise ServingError(
                f"two models are named {name!r}: {models[name]} and {source}. Name one of them otherwise: "
                f"{name}-2={source}"
            )
        models[name] = source
    return models


def _split(argument: str) -> tuple[str, str]:
    name, equals, source = argument.partition("=")
    if equals and not Path(argument).exists():
        return name, source
    whole = Path(argument).resolve() if Path(argument).exists() else Path(argument)
    return (whole.parent.name if whole.name == _MODEL else whole.name), argument


def read_api_key(path: Path | None, given: str) -> str:
    """Return the API key: the content of a file, else the one given, "" for none.

    Args:
        path: A file that holds it.
        given: The environment's.

    Raises:
        ServingError: if the file cannot be read, or holds none.
    """
    if path is None:
        return _checked_key(given.strip(), "$GALLAE_API_KEY") if given else ""
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ServingError(f"--api-key-file {path} cannot be read: {reason}.") from error
    return _checked_key(key, str(path))


def _checked_key(key: str, place: str) -> str:
    if len(key) < 16 or not key.isascii() or not key.isprintable() or " " in key:
        raise ServingError(
            f"the API key in {place} must have at least 16 printable ASCII characters and no space. "
            'Make one: python -c "import secrets; print(secrets.token_urlsafe())"'
        )
    return key
