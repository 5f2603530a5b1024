"""Reading text with named entities: the KMOU, KLUE and Naver layouts, and CoNLL's columns."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path

import gallae.data
from gallae.data.opening import detect_encoding, existing, open_text, read_head, refuse_binary, text_lines
from gallae.errors import DataError
from gallae.tasks.bio import Span, Tagged, parse_tag, spans_of

log = logging.getLogger(__name__)

LAYOUTS = {
    "kmou": '"; sentence", "$sentence with <name:TYPE>", then number, morpheme, part of speech, tag by tabs',
    "klue": '"## id<tab>sentence with <name:TYPE>", then character<tab>tag',
    "naver": "number<tab>word<tab>tag, such as PER_B",
    "conll": "token and tag, by tab or space, maybe with columns between them",
}
_MARKED = re.compile(r"<([^<>]+):([^\W\d_][\w.-]*)>")
_SPACE = re.compile(r"[^\S\t]\t")
_NAVER = re.compile(r"\d+\t[^\t]+\t[^\t]+")
# Final consonants that stand as morphemes of their own belong to the syllable before them.
_FINALS = str.maketrans("ㄴㄹㅁㅂㅆ", "ᆫᆯᆷᆸᆻ")
_TABLES = (".csv", ".jsonl", ".ndjson", ".json", ".parquet", ".xlsx")
_SOME = 5

Line = tuple[int, str]
Block = list[Line]


@dataclass(frozen=True)
class Sentence:
    """A raw text and the entities in it.

    Attributes:
        text: The text.
        spans: Characters (start, end) of the text and the type; sorted, without overlaps.
    """

    text: str
    spans: tuple[Span, ...] = ()


class _Unusable(Exception):
    """A sentence that cannot be read; the message says why."""


@dataclass
class _Notes:
    """What is broken in a file: refused, or, to be repaired, counted."""

    source: str
    repair: bool
    counts: Counter[str] = field(default_factory=Counter)

    def broken(self, line: int, why: str) -> None:
        if not self.repair:
            raise DataError(
                f"{self.source}, line {line}: {why}. Repair the line, or add --repair (in Python: "
                "repair=True): a tag without its beginning then begins an entity, a sentence that cannot be "
                "read is left out, and both are counted."
            )
        self.counts["repaired"] += 1

    def left_out(self, line: int, why: str) -> None:
        self.broken(line, why)
        self.counts["repaired"] -= 1
        self.counts["left out"] += 1

    def compare(self, marked: Sequence[tuple[str, str]], tagged: Sequence[tuple[str, str]]) -> None:
        """Count a sentence whose marked line and tags name other entities (type, text)."""
        self.counts["differ"] += list(marked) != list(tagged)

    def report(self, sentences: int) -> None:
        for what, meaning in (
            ("repaired", "tags go on with an entity that does not stand before them; each now begins one"),
            ("left out", "sentences cannot be read and are left out"),
            ("differ", f"of {sentences} sentences name other entities in the marked line than in their tags"),
        ):
            if self.counts[what]:
                log.warning("%s: %d %s", self.source, self.counts[what], meaning)


def read_sentences(
    path: str | Path, format: str | None = None, encoding: str | None = None, repair: bool = False
) -> list[Sentence]:
    """Read sentences with their entities.

    KMOU's entities are those of the "$" line, whose characters are exact; its tokens are morphemes, which are
    only compared with it. KLUE's are those of the tags. Words of the Naver layout and tokens of CoNLL's are
    joined by a space, unless a token of the file is a space itself: then every token is a character.

    Args:
        path: The file.
        format: One of `LAYOUTS`; None finds it by the first lines.
        encoding: None detects it.
        repair: Take broken tags and leave out what cannot be read, both counted in a warning, instead of
            refusing the file.

    Raises:
        DataError: names file, line and reason.
    """
    if format is not None and format not in LAYOUTS:
        raise DataError(f"--format {format}: not known. Known: {_known()}.")
    blocks = list(_blocks(_lines(path, encoding)))
    layout = format or layout_of(blocks)
    if layout is None:
        raise DataError(f"{path} has none of the known layouts, which are: {_known()}.")
    if layout == "conll" and any(_SPACE.match(line) for block in blocks for _, line in block):
        layout = "klue"
    notes = _Notes(str(path), repair)
    sentences = []
    for block in _READERS[layout][0](blocks):
        try:
            sentences.append(_READERS[layout][1](block, notes))
        except _Unusable as error:
            line, why = error.args
            notes.left_out(line, why)
    notes.report(len(sentences))
    if not sentences:
        raise DataError(f"{path} holds no sentence of the layout {layout}: {LAYOUTS[layout]}.")
    return sentences


def read_texts(
    path: str | Path, format: str | None = None, encoding: str | None = None, repair: bool = False
) -> list[Sentence]:
    """Read sentences to predict: one of the layouts, or any file that `gallae.read` takes.

    Raises:
        DataError: names file, line and reason.
    """
    if format is None and (Path(path).suffix.lower() in _TABLES or not Path(path).is_file()):
        layout = None
    else:
        layout = format or layout_of(islice(_blocks(_lines(path, encoding)), _SOME))
    if layout is not None:
        return read_sentences(path, layout, encoding, repair)
    return [Sentence(text) for text in gallae.data.read(path, encoding=encoding, labels="none").texts]


def layout_of(blocks: Iterable[Block]) -> str | None:
    """Return the layout of a file that begins with these blocks of lines; None for none."""
    lines = [line for _, line in islice(chain.from_iterable(islice(blocks, _SOME)), _SOME)]
    if not lines:
        return None
    if lines[0].startswith(";") and len(lines) > 1 and lines[1].startswith("$"):
        return "kmou"
    if lines[0].startswith("##") and "\t" in lines[0]:
        return "klue"
    lines = [line for line in lines if not _is_comment(line)]
    # A few broken lines do not make another layout of it; they are named when they are read.
    if not _most(lambda line: len(cells := _cells(line)) > 1 and parse_tag(cells[-1]) is not None, lines):
        return None
    return "naver" if lines[0].startswith("1\t") and _most(_NAVER.fullmatch, lines) else "conll"


def _most(holds: Callable[[str], object], lines: Sequence[str]) -> bool:
    return 2 * sum(bool(holds(line)) for line in lines) > len(lines)


def parse_marked(line: str) -> tuple[str, tuple[Span, ...]]:
    """Return the raw text and the spans of "<한석규:PS>가 왔다."."""
    pieces: list[str] = []
    spans: list[Span] = []
    at = length = 0
    for match in _MARKED.finditer(line):
        before = line[at : match.start()]
        pieces += (before, match[1])
        start = length + len(before)
        length = start + len(match[1])
        spans.append(Span(start, length, match[2]))
        at = match.end()
    return "".join([*pieces, line[at:]]), tuple(spans)


def write_marked(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    """Return a text with its spans as "<한석규:PS>가 왔다.": what `parse_marked` reads."""
    pieces: list[str] = []
    at = 0
    for start, end, kind in sorted(spans):
        pieces += (text[at:start], f"<{text[start:end]}:{kind}>")
        at = end
    return "".join([*pieces, text[at:]])


def _known() -> str:
    return "; ".join(f"{name} ({what})" for name, what in LAYOUTS.items())


def _plain(text: str) -> str:
    return unicodedata.normalize("NFD", "".join(text.split())).translate(_FINALS)


def _lines(path: str | Path, encoding: str | None) -> Iterator[Line]:
    path = existing(path)
    if path.is_dir():
        raise DataError(f"{path} is a folder. Give one of its files: {_known()}.")
    refuse_binary(read_head(path), str(path), f"Allowed are: {_known()}.")
    handle = open_text(path, detect_encoding(path, encoding), "\n")
    for number, line in enumerate(text_lines(handle, str(path)), 1):
        yield number, line.rstrip("\r\n")


def _blocks(lines: Iterator[Line]) -> Iterator[Block]:
    """Yield the runs of lines between empty ones."""
    block: Block = []
    for number, line in lines:
        if line.strip():
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _cells(line: str) -> list[str]:
    return line.split("\t") if "\t" in line else line.split()


def _is_comment(line: str) -> bool:
    if line.startswith("-DOCSTART-"):
        return True
    return line.startswith("#") and parse_tag(_cells(line)[-1]) is None


def _split_before(begins: Callable[[str, str], bool], blocks: Sequence[Block]) -> Iterator[Block]:
    """Yield the blocks, split where `begins(line, line before)`: empty lines are missing in some files."""
    for block in blocks:
        part: Block = []
        for number, line in block:
            if part and begins(line, part[-1][1]):
                yield part
                part = []
            part.append((number, line))
        yield part


def _without_comments(blocks: Sequence[Block]) -> Iterator[Block]:
    for block in blocks:
        if rest := [(number, line) for number, line in block if not _is_comment(line)]:
            yield rest


def _new_kmou(line: str, before: str) -> bool:
    return line.startswith(";")


def _new_klue(line: str, before: str) -> bool:
    return line.startswith("##") and not before.startswith("##")


def _new_naver(line: str, before: str) -> bool:
    return line.startswith("1\t")


def _kmou(block: Block, notes: _Notes) -> Sentence:
    first, raw = block[0]
    if not raw.startswith(";"):
        raise _Unusable(first, 'a sentence begins with "; " and the raw text')
    if len(block) < 2 or not block[1][1].startswith("$"):
        raise _Unusable(first + 1, 'the line after the raw text is "$" and the text with <name:TYPE>')
    text, spans = parse_marked(block[1][1][1:].strip())
    if text != raw[1:].strip() or not text:
        raise _Unusable(block[1][0], f"without its marks it is not the raw text of line {first}")
    units: list[Tagged] = []
    pieces: list[str] = []
    for number, line in block[2:]:
        cells = line.split("\t")
        if len(cells) != 4:
            raise _Unusable(number, f"has {len(cells)} columns by tabs, not 4")
        units.append(Tagged(len(pieces), len(pieces) + 1, cells[3].strip(), number))
        pieces.append(cells[1])
    notes.compare(_named(text, spans), _named(pieces, _spans(units, notes)))
    return Sentence(text, spans)


def _named(text: Sequence[str], spans: Sequence[Span]) -> list[tuple[str, str]]:
    """Return (type, text without spaces) of spans in a text or a list of morphemes."""
    return [(kind, _plain("".join(text[start:end]))) for start, end, kind in spans]


def _klue(block: Block, notes: _Notes) -> Sentence:
    headers = [line for _, line in block if line.startswith("##")]
    sentence = _tagged(block[len(headers) :], notes, block[0][0], "")
    if headers and "\t" in headers[-1]:
        marked = parse_marked(headers[-1].split("\t", 1)[1])
        notes.compare(_named(*marked), _named(sentence.text, sentence.spans))
    return sentence


def _naver(block: Block, notes: _Notes) -> Sentence:
    for number, line in block:
        if not _NAVER.fullmatch(line):
            raise _Unusable(number, f"is not number, word and tag by tabs: {line[:40]!r}")
    return _tagged([(number, line.split("\t", 1)[1]) for number, line in block], notes, block[0][0], " ")


def _conll(block: Block, notes: _Notes) -> Sentence:
    return _tagged(block, notes, block[0][0], " ")


def _tagged(lines: Block, notes: _Notes, first: int, joint: str) -> Sentence:
    """Return the sentence of lines (token, ..., tag), its tokens joined by `joint`."""
    units: list[Tagged] = []
    tokens: list[str] = []
    at = 0
    for number, line in lines:
        cells = _cells(line)
        if len(cells) < 2 or not cells[0]:
            raise _Unusable(number, f"is not a token and its tag: {line[:40]!r}")
        tokens.append(cells[0])
        units.append(Tagged(at, at + len(cells[0]), cells[-1].strip(), number))
        at += len(cells[0]) + len(joint)
    if not tokens:
        raise _Unusable(first, "the sentence has no tokens")
    return Sentence(joint.join(tokens), _spans(units, notes))


def _spans(units: Sequence[Tagged], notes: _Notes) -> tuple[Span, ...]:
    for unit in units:
        if parse_tag(unit.tag) is None:
            raise _Unusable(unit.line, f"{unit.tag!r} is no tag (B-PS, I-PS, PS_B, PS_I, I, O, -)")
    return spans_of(units, notes.broken)


Splitter = Callable[[Sequence[Block]], Iterator[Block]]
_READERS: dict[str, tuple[Splitter, Callable[[Block, _Notes], Sentence]]] = {
    "kmou": (partial(_split_before, _new_kmou), _kmou),
    "klue": (partial(_split_before, _new_klue), _klue),
    "naver": (partial(_split_before, _new_naver), _naver),
    "conll": (_without_comments, _conll),
}
