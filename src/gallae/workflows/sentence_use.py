"""`gallae sentences search` and `cluster`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from gallae.data import read
from gallae.errors import DataError, OutputError
from gallae.files import refuse_existing, write_beside
from gallae.progress import status
from gallae.tasks.sentence_clusters import Clusters, check_clusters
from gallae.tasks.sentence_folders import find_folder, fingerprint
from gallae.tasks.sentence_search import SearchIndex
from gallae.tasks.sentences import SentenceEncoder

log = logging.getLogger(__name__)


def search_sentences(
    model: str | Path,
    corpus: str | Path,
    texts: Sequence[str],
    *,
    top_k: int = 5,
    index: str | Path | None = None,
    **reading: Any,
) -> list[dict[str, Any]]:
    """Find the texts of a corpus that mean most nearly what the given texts say.

    Args:
        model: A run, a sentence-transformers folder, an id of the hub, or a plain checkpoint.
        corpus: What `gallae.data.read` takes; labels are not needed.
        texts: What is looked for.
        top_k: How many texts each.
        index: A .npy file that keeps the corpus's vectors: read if it is there and of the same texts and
            model, else written.
        reading: Keywords of `gallae.data.read`.

    Returns:
        For each text {"text", "found": [{"rank", "row" (from 0), "score" (the cosine), "text"}, ...]}.

    Raises:
        DataError, ModelError, OutputError: for what the user can mend.
    """
    if not texts:
        raise DataError("there is nothing to look for. Give a text by --text.")
    if top_k < 1:
        raise DataError(f"--top-k {top_k}: it is how many texts to find, 1 or more.")
    if index is not None and Path(index).suffix != ".npy":
        raise OutputError(f"{index}: the index is a .npy file. Name it so.")
    rows = read(corpus, labels="none", **reading).texts
    encoder = SentenceEncoder.load(model)
    place = encoder.index(rows) if index is None else _kept(encoder, rows, Path(index), find_folder(model))
    answers = encoder.search(texts, place, top_k)
    return [{"text": text, "found": answer} for text, answer in zip(texts, answers, strict=True)]


def _kept(encoder: SentenceEncoder, rows: list[str], index: Path, folder: Path) -> SearchIndex:
    """Return the index of a file; it is written anew where it is missing, or of other texts or a model."""
    mark = fingerprint(folder)
    found = SearchIndex.load(index, rows, mark) if index.exists() else None
    if found is None:
        found = encoder.index(rows)
        found.save(index, mark)
        log.info("the index of %d texts is written to %s", len(rows), index)
    return found


def cluster_sentences(
    model: str | Path,
    data: str | Path,
    *,
    k: int | str = "auto",
    method: str = "kmeans",
    seed: int = 42,
    output: str | Path | None = None,
    force: bool = False,
    **reading: Any,
) -> Clusters:
    """Group the texts of a file by meaning.

    Args:
        model: What `search_sentences` takes.
        data: What `gallae.data.read` takes; labels are not needed.
        k: How many clusters, or "auto".
        method: "kmeans" or "agglomerative".
        seed: Of the clustering.
        output: A .csv file: index, text, cluster, centrality.
        force: Replace an existing output.
        reading: Keywords of `gallae.data.read`.

    Raises:
        DataError, ModelError, OutputError: for what the user can mend.
    """
    if output is not None:
        if Path(output).suffix.lower() != ".csv":
            raise OutputError(f"{output}: clusters are written as .csv. Name the output so.")
        refuse_existing(output, force)
    corpus = read(data, labels="none", **reading)
    check_clusters(len(corpus), k, method)
    encoder = SentenceEncoder.load(model)
    with status(f"grouping {len(corpus):,} texts"):
        found = encoder.cluster(corpus.texts, k, method, seed)
    if output is not None:
        columns = {"text": corpus.texts, "cluster": found.cluster, "centrality": found.centrality.round(4)}
        with write_beside(output, force) as temporary:
            pd.DataFrame({"index": corpus.table["index"], **columns}).to_csv(temporary, index=False)
    return found
