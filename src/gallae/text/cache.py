"""Morphemes kept by content, so that comparing ten recipes analyses a corpus once.

On disk, under `cache_folder()/morphemes/<analyzer>-<version>/`, lie files of many analyses each. Every
analysis is found by a 128-bit BLAKE2 hash of its exact text, so a fold or any other part of an analysed
corpus is found too. A file is an .npz (no pickle; the zip's checksums tell damage): sorted hashes,
offsets, morpheme numbers and their vocabulary as JSON. Files are written beside and renamed, so that
processes may share the folder; the files longest unused go when there is too much.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallae.errors import OutputError
from gallae.files import write_beside
from gallae.progress import track
from gallae.text.morphemes import Analyzer, Morpheme
from gallae.text.morphemes import analyzer as get_analyzer

log = logging.getLogger(__name__)

FORMAT = 1  # raise it when the layout or the mapping of tags changes
LARGEST = 512 * 2**20  # bytes on disk
MOST_FILES = 200
WORTH_A_FILE = 64  # fewer new analyses are only remembered, not written
REMEMBERED = 4_000_000  # morphemes kept in this process, about 100 MB


def cache_folder() -> Path | None:
    """Return the folder for caches: `$GALLAE_CACHE`, else ~/.cache/gallae; None when it is "off"."""
    chosen = os.environ.get("GALLAE_CACHE", "").strip()
    if chosen.lower() == "off":
        return None
    try:
        return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "gallae"
    except RuntimeError:  # no home folder
        return None


def analyses(texts: Sequence[str], analyzer: str = "kiwi") -> list[list[str]]:
    """Return each text's morphemes as "form/TAG", analysing only texts not met before.

    The lists are shared with the cache: read them, do not change them.

    Raises:
        TextError: for an unknown analyzer.
        MissingExtra: when its package is not installed.
    """
    chosen = get_analyzer(analyzer)
    memory = _memory.setdefault(chosen.name, _Memory())
    known = memory.pick(texts)
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    if missing:
        found = _from_disk_or_analyzer(missing, chosen)
        memory.add(found)
        known.update(found)
    return [known[text] for text in texts]


def analyze_cached(texts: Sequence[str], analyzer: str = "kiwi") -> list[list[Morpheme]]:
    """Like `analyses`, as `Morpheme` objects (slower: one object a morpheme)."""
    made: dict[str, Morpheme] = {}
    out = []
    for morphemes in analyses(texts, analyzer):
        for tagged in morphemes:
            if tagged not in made:
                made[tagged] = Morpheme.of(tagged)
        out.append([made[tagged] for tagged in morphemes])
    return out


def forget() -> None:
    """Drop what this process remembers; the files stay."""
    _memory.clear()
    _keys.clear()


class _Memory:
    """Analyses of this process, up to `REMEMBERED` morphemes; the oldest go first."""

    def __init__(self) -> None:
        self._items: dict[str, list[str]] = {}
        self._size = 0
        self._lock = threading.Lock()

    def pick(self, texts: Sequence[str]) -> dict[str, list[str]]:
        items = self._items
        return {text: items[text] for text in texts if text in items} if items else {}

    def add(self, found: Mapping[str, list[str]]) -> None:
        with self._lock:
            items = dict(self._items)
            for text, morphemes in found.items():
                if text not in items:
                    items[text] = morphemes
                    self._size += len(morphemes) + 1
            oldest = iter(list(items)) if self._size > REMEMBERED else iter(())
            while self._size > REMEMBERED:
                self._size -= len(items.pop(next(oldest))) + 1
            self._items = items


_memory: dict[str, _Memory] = {}


def _from_disk_or_analyzer(texts: list[str], chosen: Analyzer) -> dict[str, list[str]]:
    root = cache_folder()
    folder = root / "morphemes" / f"{chosen.name}-{chosen.version}-{FORMAT}" if root else None
    found = _read(folder, texts) if folder else {}
    rest = [text for text in texts if text not in found]
    if rest:
        results = chosen.tagged(rest)
        if len(rest) >= 2000:
            results = track(results, "morphemes", total=len(rest))
        new = dict(zip(rest, results, strict=True))
        if folder and len(new) >= WORTH_A_FILE:
            _write(folder, new)
        found.update(new)
    return found


def _hashes(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return the texts' 128-bit hashes, shape (n, 2)."""
    digests = b"".join(
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts
    )
    return np.frombuffer(digests, dtype="<u8").reshape(-1, 2)


@dataclass(frozen=True)
class _Keys:
    stamp: tuple[int, int]  # modification time and size of the file they were read from
    hashes: NDArray[np.uint64]  # (n, 2), sorted by the first column


_keys: dict[Path, _Keys] = {}


def _read(folder: Path, texts: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    wanted = _hashes(texts)
    for path in _files(folder):
        if len(found) == len(texts):
            break
        try:
            for number, morphemes in _read_file(path, wanted):
                found.setdefault(texts[number], morphemes)
        except FileNotFoundError:  # trimmed by another process
            continue
        except Exception as error:  # zip, numpy and JSON have a dozen ways to say "damaged"
            log.warning("the morpheme cache %s is damaged (%s) and is discarded", path, error)
            _remove(path)
    return found


def _files(folder: Path) -> list[Path]:
    """Return the cache files, the most recently used first."""
    stamped = []
    for path in folder.glob("*.npz"):
        try:
            if not path.name.startswith("."):
                stamped.append((path.stat().st_mtime_ns, path))
        except OSError:
            continue
    return [path for _, path in sorted(stamped, reverse=True)]


def _read_file(path: Path, wanted: NDArray[np.uint64]) -> Iterator[tuple[int, list[str]]]:
    """Yield (number of the wanted hash, morphemes) for the wanted hashes that the file holds."""
    status = path.stat()
    stamp = (status.st_size, status.st_ino)
    known = _keys.get(path)
    with np.load(path, allow_pickle=False) as data:
        if known is None or known.stamp != stamp:
            hashes = data["hashes"]
            if hashes.ndim != 2 or hashes.shape[1] != 2 or hashes.dtype != np.uint64 or len(hashes) == 0:
                raise ValueError("its hashes are none")
            known = _keys[path] = _Keys(stamp, hashes)
        at = np.searchsorted(known.hashes[:, 0], wanted[:, 0]).clip(max=len(known.hashes) - 1)
        hits = np.flatnonzero((known.hashes[at] == wanted).all(axis=1))
        if not len(hits):
            return
        ids, offsets, vocabulary = data["ids"], data["offsets"], json.loads(data["vocabulary"].tobytes())
    _check(ids, offsets, len(known.hashes), vocabulary)
    os.utime(path)
    for number, start, end in zip(
        hits.tolist(), offsets[at[hits]].tolist(), offsets[at[hits] + 1].tolist(), strict=True
    ):
        yield number, [vocabulary[i] for i in ids[start:end].tolist()]


def _check(ids: NDArray[np.int32], offsets: NDArray[np.int64], n: int, vocabulary: list[str]) -> None:
    whole = (
        len(offsets) == n + 1
        and offsets[0] == 0
        and offsets[-1] == len(ids)
        and (np.diff(offsets) >= 0).all()
    )
    if not whole or (len(ids) and not 0 <= ids.min() <= ids.max() < len(vocabulary)):
        raise ValueError("its parts do not fit each other")


def _write(folder: Path, new: Mapping[str, Sequence[str]]) -> None:
    hashes = _hashes(list(new))
    order = np.argsort(hashes[:, 0], kind="stable")
    rows = list(new.values())
    numbers: dict[str, int] = {}
    ids = [numbers.setdefault(tagged, len(numbers)) for i in order.tolist() for tagged in rows[i]]
    lengths = np.array([len(rows[i]) for i in order.tolist()], dtype=np.int64)
    path = folder / f"{blake2b(hashes[order].tobytes(), digest_size=12).hexdigest()}.npz"
    try:
        with write_beside(path, force=True) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                hashes=hashes[order],
                offsets=np.concatenate([[0], np.cumsum(lengths)]),
                ids=np.array(ids, dtype=np.int32),
                vocabulary=np.frombuffer(json.dumps(list(numbers)).encode("ascii"), dtype=np.uint8),
            )
        _trim(folder.parent, keep=path)
    except (OSError, OutputError) as error:
        log.warning("the morpheme cache cannot be written (%s); going on without it", error)


def _trim(root: Path, keep: Path) -> None:
    """Remove the files longest unused until the folder is within its limits, and leftovers of a crash."""
    files = []
    for path in root.glob("*/*.npz"):
        try:
            status = path.stat()
        except OSError:
            continue
        if path.name.startswith("."):
            if time.time() - status.st_mtime > 86_400:
                _remove(path)
        else:
            files.append((status.st_mtime_ns, status.st_size, path))
    total, count = sum(size for _, size, _ in files), len(files)
    for _, size, path in sorted(files):
        if total <= LARGEST and count <= MOST_FILES:
            break
        if path != keep:
            _remove(path)
            total, count = total - size, count - 1


def _remove(path: Path) -> None:
    _keys.pop(path, None)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.debug("cannot remove %s: %s", path, error)
