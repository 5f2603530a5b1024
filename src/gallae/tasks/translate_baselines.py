"""What a translation has to beat: the source as it is, and dictionaries that replace word by word."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gallae.data.columns import find, listing
from gallae.data.dialect_json import find_region
from gallae.data.dialects import REGION_COLUMNS, STANDARD
from gallae.errors import DataError
from gallae.tasks.records import open_rows
from gallae.tasks.translate_reading import Passage
from gallae.tasks.translate_rules import places

Dictionary = dict[str, dict[str, str]]
"""Direction ("jeju>standard") to word to its replacement."""
_HEADWORDS = ("headword", "word", "표제어", "방언")
_DEFINITIONS = ("definition", "뜻풀이", "표준어")
_DIALECT_OF = re.compile(r"‘([^’]+)’의 방언")
_NUMBER = re.compile(r"\d+$")
_PREFIX = 2  # syllables of a headword to which particles and endings may be added


def learn_dictionary(passages: Sequence[Passage], always: bool = False) -> Dictionary:
    """Return what each word most often became.

    Args:
        passages: With their translations.
        always: Whether a word that ever changed is replaced always, or only where that was the rule.
    """
    counts: dict[str, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for one in passages:
        table = counts[f"{one.source_style}>{one.target_style}"]
        for place in places(one.source, one.target):
            if not (always and place.word == place.target):
                table[place.word][place.target] += 1
    found: Dictionary = {}
    for direction, words in counts.items():
        best = {word: min(forms, key=lambda form: (-forms[form], form)) for word, forms in words.items()}
        found[direction] = {word: form for word, form in best.items() if word != form}
    return found


def read_dictionary(path: str | Path) -> Dictionary:
    """Read a dialect dictionary: region, headword, and a definition such as "‘걔’의 방언".

    Headwords that are defined in other words are passed over; of several meanings the first counts.

    Raises:
        DataError: if a column is missing, or no headword has a standard form.
    """
    rows = open_rows(path, ("headword",))
    roles = (("region", REGION_COLUMNS), ("headword", _HEADWORDS), ("definition", _DEFINITIONS))
    columns = [find(names, rows.columns) for _, names in roles]
    for (part, names), column in zip(roles, columns, strict=True):
        if column is None:
            raise DataError(
                f"{rows.source}: which column holds the {part}? Known: {', '.join(names)}. Columns: "
                f"{listing(rows.columns)}. Rename it."
            )
    found: Dictionary = defaultdict(dict)
    for at in range(len(rows.cells)):
        region, word, definition = (rows.text(at, column).strip() for column in columns)
        match = _DIALECT_OF.search(definition)
        standard = _plain(match[1]) if match else ""
        word, region = _plain(word), find_region(region) or region
        if word and standard and word != standard:
            found[f"{region}>{STANDARD}"].setdefault(word, standard)
            found[f"{STANDARD}>{region}"].setdefault(standard, word)
    if not found:
        raise DataError(f"{rows.source}: no definition names a standard form, as ‘걔’의 방언 does.")
    return dict(found)


def _plain(word: str) -> str:
    return _NUMBER.sub("", word.strip()).replace("-", "").replace("^", " ").strip()


def replace_words(text: str, words: Mapping[str, str], stems: bool = False) -> str:
    """Return a text with its words replaced.

    Args:
        text: The text.
        words: Word to replacement.
        stems: Whether a word that begins with an entry of two syllables or more has that part replaced.
    """
    said = (
        words.get(word) if word in words else _stem(word, words) if stems else word for word in text.split()
    )
    return " ".join(word for word in said if word)


def _stem(word: str, words: Mapping[str, str]) -> str:
    for end in range(len(word) - 1, _PREFIX - 1, -1):
        if word[:end] in words:
            return words[word[:end]] + word[end:]
    return word


def baselines_of(passages: Sequence[Passage], dictionary: str) -> dict[str, Any]:
    """Return what the baselines need: dictionaries of the training pairs and, if there is one, a book."""
    found: dict[str, Any] = {
        "dictionary": learn_dictionary(passages),
        "bold_dictionary": learn_dictionary(passages, always=True),
    }
    return found | ({"book": read_dictionary(dictionary)} if dictionary else {})


_NAMES = {
    "dictionary": "dictionary of the training pairs",
    "bold_dictionary": "the same, always replacing",
    "book": "dialect dictionary",
}


def translations_of(baselines: Mapping[str, Dictionary], examples: Sequence[Passage]) -> dict[str, list[str]]:
    """Return what each baseline says, by its name: its key in the figures, and its words for people."""
    said = {"baseline\tcopying": [" ".join(one.source.split()) for one in examples]}
    for key, table in baselines.items():
        said[f"{key}_baseline\t{_NAMES[key]}"] = [
            replace_words(one.source, table.get(f"{one.source_style}>{one.target_style}", {}), key == "book")
            for one in examples
        ]
    return said
