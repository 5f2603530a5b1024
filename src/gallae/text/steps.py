"""The named text steps: each a pure function from text to text, registered in `STEPS`.

A recipe lists names; `gallae.text.TextPipeline` runs them in that order. Add one with `@step("name")`.
"""

from __future__ import annotations

import html as html_module
import re
import unicodedata
from collections.abc import Callable, Mapping

from gallae.errors import TextError
from gallae.text import tables
from gallae.text.hanja import Hanja

Step = Callable[[str], str]

STEPS: dict[str, Step] = {}


def step(name: str) -> Callable[[Step], Step]:
    """Register a function `str -> str` as the step `name`.

    Raises:
        TextError: if the name is taken.
    """

    def register(function: Step) -> Step:
        if name in STEPS:
            raise TextError(f"a text step named {name!r} exists already. Choose another name.")
        STEPS[name] = function
        return function

    return register


_CHOSEONG = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_JUNGSEONG = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_JONGSEONG = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_LOOSE_JAMO = {
    **{0x1100 + i: jamo for i, jamo in enumerate(_CHOSEONG)},
    **{0x1161 + i: jamo for i, jamo in enumerate(_JUNGSEONG)},
    **{0x11A8 + i: jamo for i, jamo in enumerate(_JONGSEONG)},
    0x119E: "ㆍ",
}
_CONJOINING = re.compile("[\u1100-\u11ff]+")
_OLD_SYLLABLE = re.compile("[\u1100-\u115f][\u1160-\u11a7]")


# KS X 1001 writes a syllable it has no code for as a filler and its letters: "ㅤㄴㅔㅋ" is "넼".
_FILLED = re.compile(f"\u3164([{_CHOSEONG}])([ㅏ-ㅣ])([{_JONGSEONG}\u3164]?)")


def _filled(match: re.Match[str]) -> str:
    initial, vowel, final = (
        letters.find(part)
        for letters, part in zip((_CHOSEONG, _JUNGSEONG, _JONGSEONG), match.groups(), strict=True)
    )
    return chr(0xAC00 + (initial * 21 + vowel) * 28 + (final + 1 if match[3] else 0))


def _loose_jamo(match: re.Match[str]) -> str:
    run = match[0]
    return run if _OLD_SYLLABLE.search(run) else run.translate(_LOOSE_JAMO)


@step("nfc")
def nfc(text: str) -> str:
    """Compose Unicode to NFC: "ㅎ", "ㅏ", "ㄴ" as separate conjoining letters become "한".

    Conjoining letters that belong to no syllable become the letters a keyboard types ("ᄏᄏ" → "ㅋㅋ"),
    syllables spelt with a filler are composed, those of old Korean stay.
    NFC, not NFKC: "㈜" and "½" are the business of `symbols`.
    """
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if "\u3164" in text:
        text = _FILLED.sub(_filled, text)
    return _CONJOINING.sub(_loose_jamo, text)


_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Each opening is searched no further than the next one: linear also in text that never closes any.
_HIDDEN = re.compile(
    r"<!--(?:(?!<!--).)*?-->"
    r"|<script\b[^<>]*>(?:(?!<script\b).)*?</script\s*>"
    r"|<style\b[^<>]*>(?:(?!<style\b).)*?</style\s*>",
    re.DOTALL | re.IGNORECASE,
)
_NAMES = (
    "a|abbr|address|article|aside|b|big|blockquote|body|br|button|center|cite|code|dd|del|div|dl|dt|em|figure|"
    "font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|label|li|link|main|mark|meta|nav|ol|"
    "option|p|pre|q|s|script|section|select|small|span|strike|strong|style|sub|sup|table|tbody|td|textarea|"
    "tfoot|th|thead|title|tr|tt|u|ul|video"
)
_ATTRIBUTE = r"\s+[A-Za-z_:][\w:.-]*(?:\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=]+))?"
_TAG = re.compile(rf"</?(?:{_NAMES})(?:{_ATTRIBUTE}){{0,30}}\s*/?>", re.IGNORECASE | re.ASCII)
_INLINE = re.compile(r"</?(?:a|abbr|b|big|em|font|i|ins|mark|small|span|strike|strong|sub|sup|tt|u)\b", re.I)


def _tag(match: re.Match[str]) -> str:
    return "" if _INLINE.match(match[0]) else " "


@step("html")
def html(text: str) -> str:
    """Decode entities and remove tags: "&quot;금리&quot; <b>동결</b>" → '"금리" 동결'.

    Only real entities (with their semicolon) and real tags count: "R&D", "<표>", "<LG 3연승>" stay.
    """
    for _ in range(3):  # portals escape twice: &amp;quot;
        if "&" not in text:
            break
        text = _ENTITY.sub(lambda match: html_module.unescape(match[0]), text)
    if "<" not in text:
        return text
    return _TAG.sub(_tag, _HIDDEN.sub(" ", text) if "</" in text or "<!" in text else text)


_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL_CLASS = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ue000-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
_CONTROL = re.compile(f"[{_CONTROL_CLASS}]")
_CONTROL_AS_SPACE = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029\u3164\uffa0\ufffc\ufffd")


def _control(match: re.Match[str]) -> str:
    return " " if match[0] in _CONTROL_AS_SPACE else ""


@step("control")
def control(text: str) -> str:
    """Remove what cannot be seen: "한​국은행\\x00" (with a zero-width space) → "한국은행".

    Control and format characters, NUL, byte order marks, zero-width and private-use characters and
    variation selectors go; line breaks, tabs, hangul fillers and the replacement character � become
    a space. Halves of surrogate pairs are joined where they belong together and become a space where not.
    """
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _CONTROL.sub(_control, text)


def make_symbols(extra: Mapping[str, str] | None = None) -> Step:
    """Return the step `symbols` with more (or other) replacements of single characters."""
    table = {**tables.symbols(), **(extra or {})}
    codes = str.maketrans(table)
    search = re.compile(f"[{re.escape(''.join(table))}]").search

    def replace(text: str) -> str:
        return text.translate(codes) if search(text) else text

    return replace


def make_hanja(extra: Mapping[str, str] | None = None) -> Step:
    """Return the step `hanja` with more (or other) headline abbreviations."""
    return Hanja(extra)


_WORD = re.compile(r"[A-Za-z0-9]+(?:&[A-Za-z0-9]+)*")


def make_abbreviations(extra: Mapping[str, str] | None = None) -> Step:
    """Return the step `abbreviations` with more (or other) entries."""
    table = {**tables.shipped("abbreviations")["abbreviations"], **(extra or {})}
    others = sorted((key for key in table if not _WORD.fullmatch(key)), key=len, reverse=True)

    def guarded(key: str) -> str:
        edge = r"[A-Za-z0-9]"
        before = rf"(?<!{edge})" if re.match(edge, key) else ""
        after = rf"(?!{edge})" if re.match(edge, key[-1]) else ""
        return before + re.escape(key) + after

    pattern = re.compile("|".join([*map(guarded, others), _WORD.pattern]))

    def replace(text: str) -> str:
        return pattern.sub(lambda match: table.get(match[0], match[0]), text)

    return replace


_symbols: list[Step] = []
_hanja: list[Step] = []
_abbreviations: list[Step] = []


@step("symbols")
def symbols(text: str) -> str:
    """Write symbols plainly: "㈜한빛 3㎞…매출↑" → "(주)한빛 3km 매출 상승 ".

    Separators (… · → ★) become a space, arrows up and down the word headlines mean by them, units
    and circled numbers their letters. The table is `symbols.toml`; a dictionary's `[symbols]` adds to it.
    """
    if not _symbols:
        _symbols.append(make_symbols())
    return _symbols[0](text)


@step("hanja")
def hanja(text: str) -> str:
    """Read hanja in Korean: "美 금리…韓美 정상회담, 女性" → "미국 금리…한미 정상회담, 여성".

    See `gallae.text.hanja.Hanja`. Before `nfc` it can tell 金 typed as 김 from 金 typed as 금.
    The readings are from the Unihan database; a dictionary's `[hanja]` adds headline abbreviations.
    """
    if not _hanja:
        _hanja.append(make_hanja())
    return _hanja[0](text)


@step("abbreviations")
def abbreviations(text: str) -> str:
    """Spell English abbreviations out: "NYT가 본 AI" → "뉴욕타임스가 본 인공지능".

    A whole word only ("NYTX" stays), hangul may follow directly. The table is `abbreviations.toml`;
    a dictionary's `[abbreviations]` adds to it.
    """
    if not _abbreviations:
        _abbreviations.append(make_abbreviations())
    return _abbreviations[0](text)


_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@step("digits")
def digits(text: str) -> str:
    """Make every number "0": "2024년 1,500만명" → "0년 0만명". Points and commas inside belong to it."""
    return _NUMBER.sub("0", text)


_REPEATED = re.compile(r"([^\s\dA-Zw])\1{2,}")


@step("repeats")
def repeats(text: str) -> str:
    """Cut a character repeated three times or more to two: "ㅋㅋㅋㅋ 최고!!!!" → "ㅋㅋ 최고!!".

    Digits, capitals and "www" stay, where repetition means something.
    """
    return _REPEATED.sub(r"\1\1", text)


_NOT_HANGUL = re.compile(r"[^가-힣ㄱ-ㅎㅏ-ㅣ\s]+")


@step("hangul_only")
def hangul_only(text: str) -> str:
    """Keep only Hangul and spaces: "KT 5G…가입자 100만" → "   가입자  만". What goes leaves one space."""
    return _NOT_HANGUL.sub(" ", text)


@step("lower")
def lower(text: str) -> str:
    """Write Latin letters small: "LG전자 OLED" → "lg전자 oled"."""
    return text.lower()


@step("spaces")
def spaces(text: str) -> str:
    """Make every run of white space one space and strip the ends: " 금리\\t 동결 " → "금리 동결"."""
    return " ".join(text.split())


_URL = re.compile(r"(?:https?://|www\.)[!-~]+|(?<![\w.+-])[A-Za-z0-9._%+-]++@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+")


@step("urls")
def urls(text: str) -> str:
    """Remove web and mail addresses: "자세히는 https://example.com/a 참고" → "자세히는   참고"."""
    if "://" not in text and "www." not in text and "@" not in text:
        return text
    return _URL.sub(" ", text)


_EMOJI = re.compile(
    "[\u2600-\u2604\u2607-\u27bf\u2b50-\u2b55\ufe0f\u200d\u20e3\U0001f000-\U0001faff\U000e0020-\U000e007f]+"
)


@step("emoji")
def emoji(text: str) -> str:
    """Remove emoji and pictographs: "최고👍🏻 ♥♥" → "최고   ". The stars ★☆ stay: reviews count with them."""
    return _EMOJI.sub(" ", text)


_QUOTES = str.maketrans({**dict.fromkeys("‘’‛‚′´`", "'"), **dict.fromkeys("“”‟„″«»", '"')})


@step("quotes")
def quotes(text: str) -> str:
    """Make every quotation mark straight: "“금리” ‘동결’" → "\\"금리\\" '동결'"."""
    return text if text.isascii() and "`" not in text else text.translate(_QUOTES)


_WIDE = re.compile("[\u3000\uff01-\uff5e\uffa1-\uffdc\uffe0-\uffe6]")
_WIDE_TABLE = {
    code: unicodedata.normalize("NFC", unicodedata.normalize("NFKC", chr(code)).translate(_LOOSE_JAMO))
    for code in (0x3000, *range(0xFF01, 0xFF5F), *range(0xFFA1, 0xFFDD), *range(0xFFE0, 0xFFE7))
}


@step("fullwidth")
def fullwidth(text: str) -> str:
    """Make full-width letters and half-width hangul normal: "ＫＢＳ　ﾡﾢ" → "KBS ㄱㄲ"."""
    return text.translate(_WIDE_TABLE) if _WIDE.search(text) else text
