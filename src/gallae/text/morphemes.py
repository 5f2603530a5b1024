"""Morphemes: Kiwi, or mecab-ko, behind one interface and one tag set.

The tags are the Sejong corpus's, with what Kiwi adds to them. Analyzers speak in strings "form/TAG",
one a morpheme (the tag follows the last slash): far cheaper than an object each, and what a vocabulary
wants. `Morpheme` objects are for code that reads a few.

Mapped: Kiwi's conjugation classes (VV-I, VA-R, ...: to VV, VA); mecab-ko's NNBC (NNB), SC (SP), SY (SW),
UNKNOWN and NA (UN), and its fused morphemes ("갔/VV+EP": "가/VV", "았/EP"). Kept from Kiwi: SSO and SSC
(brackets; SS is then quotes), SB (numbering), XSM, W_URL, W_EMAIL, W_HASHTAG, W_MENTION, W_SERIAL
(1.2.3), W_EMOJI, Z_CODA (a coda glued to an ending: 먹었어욥), Z_SIOT (사이시옷).
"""

from __future__ import annotations

import ctypes
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, count, islice
from typing import Any, NamedTuple, Protocol

from gallae.errors import TextError, require
from gallae.text.tables import nearest

TAGS = (
    *("NNG", "NNP", "NNB", "NR", "NP", "VV", "VA", "VX", "VCP", "VCN", "MM", "MAG", "MAJ", "IC"),
    *("JKS", "JKC", "JKG", "JKO", "JKB", "JKV", "JKQ", "JX", "JC", "EP", "EF", "EC", "ETN", "ETM"),
    *("XPN", "XSN", "XSV", "XSA", "XSM", "XR", "SF", "SP", "SS", "SSO", "SSC", "SE", "SO", "SW", "SB"),
    *("SL", "SH", "SN", "UN", "W_URL", "W_EMAIL", "W_HASHTAG", "W_MENTION", "W_SERIAL", "W_EMOJI"),
    *("Z_CODA", "Z_SIOT"),
)
PIECE = 4096  # characters analysed at once; longer texts are cut at white space, so memory stays bounded


class Morpheme(NamedTuple):
    """One morpheme: its dictionary form and its tag (one of `TAGS`)."""

    form: str
    tag: str

    @classmethod
    def of(cls, tagged: str) -> Morpheme:
        """Split "학교/NNG"."""
        form, _, tag = tagged.rpartition("/")
        return cls(form, tag)


class Located(NamedTuple):
    """A morpheme as "form/TAG", and the stretch [start, end) of the text that it was found in."""

    tagged: str
    start: int
    end: int


class Analyzer(Protocol):
    """What splits texts into morphemes."""

    @property
    def name(self) -> str:
        """What `analyzer` knows it by."""
        ...

    @property
    def version(self) -> str:
        """Everything that its results depend on; part of the cache's key."""
        ...

    def tagged(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """Yield the morphemes of each text as "form/TAG", in constant memory, in the texts' order."""
        ...

    def analyze(self, texts: Sequence[str]) -> list[list[Morpheme]]:
        """Return the morphemes of each text."""
        ...

    def located(self, text: str) -> list[Located]:
        """Return a text's morphemes with their places in it; those fused into one syllable share it."""
        ...


class KiwiAnalyzer:
    """Kiwi (`kiwipiepy`): loaded at the first text, once a process, analysing on every core.

    Left out is Kiwi's dictionary of names that span several words (`load_multi_dict`): it doubles
    memory and load time, and changes the analysis of 0.9 % of news headlines.
    A forked child goes on with its parent's model, on one core, as threads do not survive a fork.
    """

    name = "kiwi"

    def __init__(self) -> None:
        self._kiwi: Any = None
        self._tags = _Tagged(_kiwi_tag)
        self._owner = os.getpid()
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._forked)

    @property
    def version(self) -> str:
        """The versions of Kiwi and its model, and our options: what the results depend on."""
        return f"{_version('kiwipiepy')}-{_version('kiwipiepy_model')}-nomulti"

    @property
    def kiwi(self) -> Any:
        """The `kiwipiepy.Kiwi` behind it, loaded now if it was not (1 s, 290 MB)."""
        with self._lock:
            if self._kiwi is None:
                from kiwipiepy import Kiwi

                # A forked child's own Kiwi works without threads: it may be forked from a pool's worker.
                workers = available_cores() if os.getpid() == self._owner else 0
                self._kiwi = Kiwi(num_workers=workers, load_multi_dict=False)
                self._kiwi.tokenize("")
            return self._kiwi

    def _forked(self) -> None:
        self._lock = threading.Lock()
        if self._kiwi is not None:
            # Its destructor would wait for threads that only the parent has: never run it here.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._kiwi))

    def tagged(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """Yield the morphemes of each text as "form/TAG"."""
        return _whole(texts, self._run)

    def _run(self, texts: Iterator[str]) -> Iterator[list[str]]:
        tag = self._tags
        for tokens, _text in self._analyzed(texts):
            yield [tag[token.tagged_form] for token in tokens]

    def _analyzed(self, texts: Iterable[str]) -> Iterator[tuple[Sequence[Any], str]]:
        if os.getpid() == self._owner:
            yield from self.kiwi.tokenize(texts, echo=True)
        else:
            yield from ((self.kiwi.tokenize(text), text) for text in texts)

    def cut(
        self, texts: Iterable[str], cut: Callable[[str, Sequence[Any]], list[str]]
    ) -> Iterator[list[str]]:
        """Yield what `cut` makes of each text and Kiwi's tokens of it, which know where they stand."""
        return _whole(texts, lambda parts: (cut(text, tokens) for tokens, text in self._analyzed(parts)))

    def analyze(self, texts: Sequence[str]) -> list[list[Morpheme]]:
        """Return the morphemes of each text."""
        return [[Morpheme.of(item) for item in tokens] for tokens in self.tagged(texts)]

    def located(self, text: str) -> list[Located]:
        """Return a text's morphemes with their places in it."""

        def found(part: str) -> Iterator[Located]:
            for tokens, _text in self._analyzed([part]):
                for token in tokens:
                    yield Located(self._tags[token.tagged_form], token.start, token.start + token.len)

        return _located(text, found)

    def __reduce__(self) -> tuple[Callable[[str], Analyzer], tuple[str]]:
        return analyzer, (self.name,)


class MecabAnalyzer:
    """mecab-ko (`python-mecab-ko`, the extra `mecab`) with its tags mapped to Kiwi's.

    Raises:
        MissingExtra: when the package is not installed.
    """

    name = "mecab"

    def __init__(self) -> None:
        self._mecab = require("mecab", "mecab").MeCab()

    @property
    def version(self) -> str:
        """The versions of the analyzer and its dictionary."""
        return f"{_version('python-mecab-ko')}-{_version('python-mecab-ko-dic')}"

    def tagged(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """Yield the morphemes of each text as "form/TAG"."""
        return _whole(texts, self._run)

    def _run(self, texts: Iterator[str]) -> Iterator[list[str]]:
        for text in texts:
            # mecab reads up to the first NUL.
            parsed = self._mecab.parse(text.replace("\0", " "))
            yield list(chain.from_iterable(map(_mecab_morpheme, parsed)))

    def analyze(self, texts: Sequence[str]) -> list[list[Morpheme]]:
        """Return the morphemes of each text."""
        return [[Morpheme.of(item) for item in tokens] for tokens in self.tagged(texts)]

    def located(self, text: str) -> list[Located]:
        """Return a text's morphemes with their places in it."""

        def found(part: str) -> Iterator[Located]:
            for item in self._mecab.parse(part.replace("\0", " ")):
                start, end = item.span
                yield from (Located(tagged, start, end) for tagged in _mecab_morpheme(item))

        return _located(text, found)

    def __reduce__(self) -> tuple[Callable[[str], Analyzer], tuple[str]]:
        return analyzer, (self.name,)


_ANALYZERS: dict[str, Callable[[], Analyzer]] = {"kiwi": KiwiAnalyzer, "mecab": MecabAnalyzer}
_loaded: dict[str, Analyzer] = {}


def analyzer(name: str = "kiwi") -> Analyzer:
    """Return the analyzer "kiwi" or "mecab", the same one each time in a process.

    Raises:
        TextError: for another name.
        MissingExtra: for "mecab", when it is not installed.
    """
    if name not in _ANALYZERS:
        raise TextError(f"there is no analyzer {name!r}. {nearest(str(name), _ANALYZERS)}")
    if name not in _loaded:
        _loaded[name] = _ANALYZERS[name]()
    return _loaded[name]


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


@lru_cache
def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


class _Tagged(dict[str, str]):
    """Raw "form/TAG" to the mapped one, worked out once for each distinct morpheme."""

    def __init__(self, map_tag: Callable[[str], str]) -> None:
        self._map_tag = map_tag

    def __missing__(self, raw: str) -> str:
        if len(self) > 500_000:  # bounded: predictions may go through millions of lines
            self.clear()
        form, _, tag = raw.rpartition("/")
        mapped = self[raw] = f"{form}/{self._map_tag(tag)}"
        return mapped


def _kiwi_tag(tag: str) -> str:
    tag = tag.partition("-")[0]
    return tag if tag in TAGS else "UN"


_MECAB_TAGS = {"NNBC": "NNB", "SC": "SP", "SY": "SW"}


def _mecab_tag(tag: str) -> str:
    tag = _MECAB_TAGS.get(tag, tag)
    return tag if tag in TAGS else "UN"


_EXPRESSION = re.compile(r"(.+?)/([A-Z]+)/[^/+]*(?:\+|$)")


def _mecab_morpheme(item: Any) -> list[str]:
    feature = item.feature
    if "+" not in feature.pos:
        return [f"{item.surface}/{_mecab_tag(feature.pos)}"]
    parts = _EXPRESSION.findall(feature.expression or "")
    expanded = [f"{form}/{_mecab_tag(tag)}" for form, tag in parts]
    return expanded or [f"{item.surface}/{_mecab_tag(feature.pos.partition('+')[0])}"]


def _pieces(text: str) -> list[str]:
    """Cut a long text into pieces of at most PIECE characters, at white space where there is some."""
    pieces, start = [], 0
    while len(text) - start > PIECE:
        end = start + PIECE
        cut = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
        end = cut + 1 if cut > start else end
        pieces.append(text[start:end])
        start = end
    pieces.append(text[start:])
    return pieces


def _encodable(text: str) -> str:
    """Replace half surrogate pairs, which no analyzer accepts, by �."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _located(text: str, found: Callable[[str], Iterable[Located]]) -> list[Located]:
    """Put the morphemes of a text's pieces together."""
    result, shift = [], 0
    for piece in _pieces(_encodable(text)):
        result += [Located(tagged, start + shift, end + shift) for tagged, start, end in found(piece)]
        shift += len(piece)
    return result


def _whole(texts: Iterable[str], run: Callable[[Iterator[str]], Iterable[list[str]]]) -> Iterator[list[str]]:
    """Run an analyzer over the pieces of texts and yield one list of morphemes for each whole text."""
    cut: deque[tuple[int, int]] = deque()  # (number of the text, its pieces) for texts of several pieces

    def feed() -> Iterator[str]:
        for number, text in enumerate(texts):
            text = _encodable(text)
            if len(text) <= PIECE:
                yield text
            else:
                pieces = _pieces(text)
                cut.append((number, len(pieces)))
                yield from pieces

    results = iter(run(feed()))
    for number in count():
        morphemes = next(results, None)
        if morphemes is None:
            return
        if cut and cut[0][0] == number:
            morphemes = list(chain(morphemes, *islice(results, cut.popleft()[1] - 1)))
        yield morphemes
