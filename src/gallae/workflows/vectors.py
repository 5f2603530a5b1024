"""`gallae vectors`: train word vectors, and ask them for neighbours and analogies."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gallae.data.corpus import Corpus
from gallae.errors import TextError
from gallae.files import refuse_existing
from gallae.progress import status
from gallae.text import DEFAULT_STEPS, TextPipeline, tokenize
from gallae.text.vectors import Vectors, check_method, check_vector_options, load_vectors
from gallae.text.vectors import train_vectors as train_on_rows
from gallae.workflows.clean import read_or_take
from gallae.workflows.showing import percent

KIWI = "kiwi"
"""The name of Kiwi's own vectors, in the place of a file."""
_WEIGHTED = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\*(.+)")
_SPACED_STAR = re.compile(r"(?<!\S)([-+−]?(?:\d+(?:\.\d*)?|\.\d+))\s*\*\s*(?=\S)")
_SIGNS = {"+": 1.0, "-": -1.0, "−": -1.0}


def train_vectors(
    data: str | Path | Corpus,
    output: str | Path,
    *,
    method: str = "word2vec",
    unit: str | None = None,
    steps: Sequence[str] | None = None,
    dictionary: str | Path | Mapping[str, Mapping[str, str]] | None = None,
    drop_tags: Sequence[str] = (),
    keep_tags: Sequence[str] = (),
    analyzer: str = "kiwi",
    options: Mapping[str, Any] | None = None,
    force: bool = False,
    **reading: Any,
) -> dict[str, Any]:
    """Train vectors on the texts of a corpus, and write them.

    A network that is to use them needs the same steps, unit and tags.

    Args:
        data: What `gallae.data.read` takes, or a corpus; labels are not needed.
        output: The file; see `gallae.text.vectors.Vectors.save`. With fastText a name that ends in .bin
            keeps the n-grams, and so vectors for unseen words; another does not.
        method: "word2vec", "fasttext" or "glove".
        unit: One of `gallae.text.UNITS`: what gets a vector. None for "morpheme_tag"; with fasttext for
            "morpheme", as tags would be a part of the n-grams.
        steps: Names from `gallae.text.STEPS`, in order; None for `DEFAULT_STEPS`.
        dictionary: A TOML file that extends the steps' tables, or its content.
        drop_tags: Tags of morphemes to leave out, with a morpheme unit.
        keep_tags: Tags of the only morphemes to keep, with a morpheme unit.
        analyzer: "kiwi" or "mecab", with a morpheme unit.
        options: Those of `gallae.text.vectors.train_vectors`, such as {"dim": 300}.
        force: Whether to replace an existing output.
        reading: Keywords of `gallae.data.read`.

    Returns:
        "source", "output", "method", "unit", "texts", "tokens" (running), "distinct", "vectors", "dim",
        "coverage" (share of the running tokens that have a vector) and "seconds".

    Raises:
        OutputError: for an output that exists or cannot be written.
        TextError: for an unknown method, option, step, unit or tag, or too few tokens.
        DataError: if the data cannot be read.
        MissingExtra: if gensim is not installed.
    """
    started = time.perf_counter()
    refuse_existing(output, force)
    check_method(method)
    unit = unit or ("morpheme" if method == "fasttext" else "morpheme_tag")
    check_vector_options(options or {})
    pipeline = TextPipeline(DEFAULT_STEPS if steps is None else steps, dictionary)
    tokenize([], unit, drop_tags, keep_tags, analyzer)  # their mistakes, before anything is read
    corpus = read_or_take(data, {"labels": "none", **reading} if not isinstance(data, Corpus) else reading)
    with status("splitting"):
        rows = tokenize(pipeline.apply(corpus.texts), unit, drop_tags, keep_tags, analyzer)
    with status(f"training {method}"):
        vectors = train_on_rows(rows, method, **(options or {}))
    vectors.save(output, force)
    running = [token for row in rows for token in row]
    return {
        "source": corpus.source,
        "output": str(output),
        "method": method,
        "unit": unit,
        "texts": len(corpus),
        "tokens": len(running),
        "distinct": len(set(running)),
        "vectors": len(vectors),
        "dim": vectors.dim,
        "coverage": vectors.coverage(running),
        "seconds": time.perf_counter() - started,
    }


def training_summary(result: Mapping[str, Any]) -> list[str]:
    """Return what `train_vectors` did as lines of plain text."""
    return [
        f"{result['source']}: {result['texts']:,} texts, {result['tokens']:,} tokens ({result['unit']}), "
        f"{result['distinct']:,} of them distinct.",
        f"{result['method']}: {result['vectors']:,} vectors of {result['dim']} dimensions, for "
        f"{percent(result['coverage'])} of the tokens, in {result['seconds']:.1f} s.",
        f"Wrote {result['output']}.",
    ]


def open_vectors(vectors: str | Path | Vectors) -> Vectors:
    """Return vectors as they are, those of a file, or those of Kiwi for "kiwi".

    All of Kiwi's vectors take a minute the first time; then they are kept in the cache folder.

    Raises:
        TextError: if the file is missing or damaged.
    """
    if isinstance(vectors, Vectors):
        return vectors
    if str(vectors) != KIWI:
        with status("reading vectors"):
            return load_vectors(vectors)
    from gallae.text.kiwi_vectors import kiwi_vectors

    with status("Kiwi's vectors (a minute, the first time)"):
        table = kiwi_vectors()
        tokens = table.morphemes()
        return Vectors(tokens, table(tokens))


def neighbours(vectors: str | Path | Vectors, words: Sequence[str], n: int = 10) -> list[dict[str, Any]]:
    """Return the nearest tokens of each word.

    Args:
        vectors: A file, "kiwi", or vectors.
        words: Tokens; of tokens with tags, such as "은행/NNG", the form alone will do.
        n: How many.

    Returns:
        Per word "word", "token" (the one taken for it) and "neighbours", pairs of token and cosine.

    Raises:
        TextError: if the vectors cannot be read, or have no such word.
    """
    if isinstance(words, str):
        words = [words]
    table = open_vectors(vectors)
    return [
        {"word": word, "token": table.token_of(word), "neighbours": table.neighbours(word, n)}
        for word in words
    ]


def analogy(vectors: str | Path | Vectors, expression: str, n: int = 10) -> dict[str, Any]:
    """Return the tokens nearest to a sum of words, such as "king - man + 1.3*woman".

    Args:
        vectors: A file, "kiwi", or vectors.
        expression: See `parse_analogy`.
        n: How many.

    Returns:
        "expression", "weights" (per token), and "neighbours", pairs of token and cosine.

    Raises:
        TextError: for an expression that makes no sense, vectors that cannot be read, or an unknown word.
    """
    weights = parse_analogy(expression)
    table = open_vectors(vectors)
    (alone, *others) = weights
    if not others and alone not in table and re.search(r"\w[-+−]\w", alone):
        raise TextError(f"there is no vector of {alone!r}. Put spaces around + and -, as in 'king - man'.")
    found = table.analogy(weights, n)
    tokens: dict[str, float] = {}
    for word, weight in weights.items():
        token = table.token_of(word)
        tokens[token] = tokens.get(token, 0.0) + weight
    return {"expression": expression, "weights": tokens, "neighbours": found}


def parse_analogy(expression: str) -> dict[str, float]:
    """Read "king - man + 1.3*woman" as {"king": 1, "man": -1, "woman": 1.3}.

    Words stand between + and - with spaces around, as words may hold these themselves; a number and *
    before a word weigh it.

    Raises:
        TextError: for two words or two signs in a row, a sign without a word, or no word.
    """
    weights: dict[str, float] = {}
    sign: float | None = 1.0
    for part in _SPACED_STAR.sub(r"\1*", expression).split():
        if part in _SIGNS:
            if sign is not None and weights:
                raise _senseless(expression, f"two signs in a row, before {part!r}")
            sign = _SIGNS[part]
            continue
        if part[0] in _SIGNS and (sign is None or not weights):
            sign, part = _SIGNS[part[0]], part[1:]
        if sign is None:
            raise _senseless(expression, f"no + or - before {part!r}")
        weighted = _WEIGHTED.fullmatch(part)
        weight, word = (float(weighted[1]), weighted[2]) if weighted else (1.0, part)
        weights[word] = weights.get(word, 0.0) + sign * weight
        sign = None
    if sign is not None:
        raise _senseless(expression, "it ends with a sign" if weights else "there is no word")
    return weights


def _senseless(expression: str, why: str) -> TextError:
    return TextError(f"{expression!r} is no analogy ({why}). Write one like 'king - man + 1.3*woman'.")
