"""The words: in both languages, with the same places, each used."""

import re
import string
from pathlib import Path

import gallae.app
from gallae.app.language import NAMES, phrases

FOLDER = Path(gallae.app.__file__).parent
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py"))


def places(phrase):
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name is not None}


def test_every_phrase_stands_in_both_languages_with_the_same_places():
    for key, pair in phrases().items():
        assert set(pair) == set(NAMES), key
        assert places(pair["ko"]) == places(pair["en"]), key
        assert all(pair.values()), key


def test_every_phrase_that_is_asked_for_is_there():
    asked = set(re.findall(r'say\("(\w+\.\w+)"', SOURCE))
    assert asked
    assert asked <= set(phrases())


def test_every_phrase_is_used():
    for key in phrases():
        table, _, name = key.partition(".")
        composed = (
            table in ("dialect", "families", "methods", "styles", "train")
            or name in ("menu", "what")
            or key.startswith("app.sample_")
        )
        assert composed or f'"{key}"' in SOURCE or f"{name}" in SOURCE, key


def test_korean_is_korean():
    for key, pair in phrases().items():
        if pair["ko"] != pair["en"]:
            assert re.search("[가-힣]", pair["ko"]), key
