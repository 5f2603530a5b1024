"""AI-Hub's dialect transcriptions: utterances in two spellings, a JSON file a conversation.

The layouts differ by year and publisher. What is taken from each utterance: `dialect_form` and
`standard_form`; where one is missing, the words of `eojeolList` (`eojeol`, `standard`, `isDialect`), or the
double transcription "(dialect)/(standard)" of `form`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gallae.data.opening import detect_encoding, open_text
from gallae.errors import DataError

REGIONS: dict[str, tuple[str, ...]] = {
    "gangwon": ("강원", "gangwon"),
    "gyeongsang": ("경상", "경남", "경북", "부산", "대구", "울산", "gyeongsang", "gyungsang"),
    "jeolla": ("전라", "전남", "전북", "광주", "jeolla", "jeonla"),
    "jeju": ("제주", "jeju"),
    "chungcheong": ("충청", "충남", "충북", "대전", "세종", "chungcheong"),
}
# DZES20000011.json is a conversation from Jeju.
_CODES = {"G": "gangwon", "K": "gyeongsang", "J": "jeolla", "Z": "jeju", "C": "chungcheong"}
_CODE = re.compile(r"^D([GKJZC])[A-Z]{2}\d{2,}")
_LISTS = ("utterance", "utterances", "sentences")
_FORMS = {
    "dialect": ("dialect_form", "dialectForm", "dialect"),
    "standard": ("standard_form", "standardForm", "standard"),
}
_HOMES = ("principal_residence", "current_residence", "birthplace", "residence", "residenceProvince")
# A topic is none of them: a conversation from Busan may be about a journey to Jeju.
_TITLES = ("region", "dialect", "category", "title", "지역")
_GUESSED = re.compile(r"\(\(([^()]*)\)\)")
_NOISE = re.compile(r"\{[^{}]*\}")
_DOUBLE = re.compile(r"\(([^()]*)\)/\(([^()]*)\)")


def read_conversation(path: Path, encoding: str | None = None) -> Iterator[tuple[str, str, str]]:
    """Yield the dialect form, the standard form and the region of each utterance of a file.

    Marks of the transcribers go: ((a guess)) keeps its words, (()) and {laughing} keep nothing. Names that
    were made anonymous (&name1&) and the marks * and # within words stay: they are part of the word.

    Raises:
        DataError: if the file is not JSON, holds no utterances, or nothing tells its region.
    """
    conversation = _load(path, encoding)
    utterances = list(_utterances(conversation))
    if not utterances:
        raise DataError(f"{path}: no utterances: none of the lists {', '.join(_LISTS)} is there.")
    speakers = {str(one.get("id")): one for one in _listed(conversation.get("speaker"))}
    common = _common_region(conversation, path)
    for number, utterance in enumerate(utterances, 1):
        dialect, standard = _form(utterance, "dialect"), _form(utterance, "standard")
        if not (dialect or standard):
            continue
        region = common or _home(speakers.get(str(utterance.get("speaker_id"))), speakers)
        if region is None:
            raise DataError(
                f"{path}, utterance {number}: whose dialect is it? Neither metadata nor speaker nor the "
                f"names of file and folders say a region. Known: {', '.join(REGIONS)}. Put the file into a "
                "folder of that name."
            )
        yield dialect or standard, standard or dialect, region


def find_region(text: str) -> str | None:
    """Return the region that a text names, such as "제주특별자치도", or None."""
    folded = text.casefold()
    places = [
        (at, region) for region, names in REGIONS.items() for name in names if (at := folded.find(name)) >= 0
    ]
    return min(places)[1] if places else None


def _load(path: Path, encoding: str | None) -> Mapping[str, Any]:
    try:
        with open_text(path, detect_encoding(path, encoding)) as file:
            value = json.loads(file.read().removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON ({error.msg})."
        ) from error
    except RecursionError as error:
        raise DataError(f"{path}: nested too deeply to be read.") from error
    if isinstance(value, list):
        return {"utterance": value}
    if not isinstance(value, dict):
        raise DataError(f"{path} holds a JSON {type(value).__name__}; wanted is an object with utterances.")
    return value


def _listed(value: Any) -> list[Mapping[str, Any]]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _utterances(value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in _LISTS:
        yield from _listed(value.get(name))
    for name in ("document", "transcription"):
        for inner in _listed(value.get(name)):
            yield from _utterances(inner)


def _form(utterance: Mapping[str, Any], side: str) -> str:
    """Return one spelling of an utterance, cleaned; "" where there is none."""
    for name in _FORMS[side]:
        if isinstance(utterance.get(name), str) and utterance[name].strip():
            return clean(utterance[name])
    words = _listed(utterance.get("eojeolList"))
    if words:
        return clean(" ".join(_word(word, side) for word in words))
    double = utterance.get("form")
    if not isinstance(double, str):
        return ""
    return clean(_DOUBLE.sub(lambda match: match[1 if side == "dialect" else 2], double))


def _word(word: Mapping[str, Any], side: str) -> str:
    spoken, standard = str(word.get("eojeol") or ""), str(word.get("standard") or "")
    if side == "dialect" or not word.get("isDialect"):
        return spoken or standard
    return standard or spoken


def clean(text: str) -> str:
    """Return an utterance without the transcribers' marks, its spaces single."""
    return " ".join(_NOISE.sub(" ", _GUESSED.sub(r"\1", text)).replace("\ufeff", "").split())


def _common_region(conversation: Mapping[str, Any], path: Path) -> str | None:
    """Return the region of a whole conversation: of its metadata, else of the names of file and folders.

    A speaker's home comes between the two, where all speakers share it.
    """
    metadata = conversation.get("metadata")
    for place in (conversation, metadata if isinstance(metadata, dict) else {}):
        for name in _TITLES:
            if isinstance(place.get(name), str) and (region := find_region(place[name])):
                return region
    homes = {home for one in _listed(conversation.get("speaker")) if (home := _home(one, {}))}
    if homes:
        return homes.pop() if len(homes) == 1 else None
    return _named_region(path)


def _named_region(path: Path) -> str | None:
    coded = _CODE.match(path.name)
    if coded:
        return _CODES[coded[1]]
    names = [path.stem, *(parent.name for parent in path.absolute().parents)]
    return next((region for name in names if (region := find_region(name))), None)


def _home(speaker: Mapping[str, Any] | None, others: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return where a speaker lives, else comes from; an unknown speaker is the first with a home."""
    for one in [speaker] if speaker is not None else list(others.values()):
        for name in _HOMES:
            if isinstance(one.get(name), str) and (region := find_region(one[name])):
                return region
    return None
