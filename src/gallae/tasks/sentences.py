"""Sentence embeddings: vectors of texts that lie near each other where the texts mean the same.

Reimers and Gurevych 2019, Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks (arXiv:1908.10084);
Reimers and Gurevych 2020, Making Monolingual Sentence Embeddings Multilingual using Knowledge Distillation
(arXiv:2004.09813). Training and models are sentence-transformers'.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from gallae.errors import DataError, ModelError, require
from gallae.files import folder_beside
from gallae.progress import watched
from gallae.tasks.sentence_clusters import Clusters, cluster_vectors
from gallae.tasks.sentence_measures import kind_of, measure
from gallae.tasks.sentence_recipe import SentenceRecipe, sentence_recipe
from gallae.tasks.sentence_rows import TARGETS, TEXTS, SentenceRow, read_rows, unit_scores
from gallae.tasks.sentence_search import SearchIndex

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

EXTRA = "tasks"
_AT_ONCE = 1024


class SentenceEncoder:
    """Texts to vectors.

    >>> from gallae.tasks import SentenceEncoder
    >>> rows = SentenceEncoder.read("sts-train.tsv", "regression")  # doctest: +SKIP
    >>> encoder = SentenceEncoder(checkpoint="klue/roberta-base").fit(rows)  # doctest: +SKIP
    >>> encoder.embed(["오늘 날씨가 좋다"]).shape  # doctest: +SKIP
    (1, 768)

    Args:
        recipe: The whole recipe; by default the one of `fields`.
        fields: Fields of the recipe that differ from the defaults, such as ``objective="triplet"``.

    Attributes:
        recipe: The recipe.
        model: The `sentence_transformers.SentenceTransformer`, from `fit` or `load` on.
        history: A row an epoch: epoch, loss, learning_rate.

    Raises:
        RecipeError: if a field or value is not allowed.
    """

    def __init__(self, recipe: SentenceRecipe | None = None, **fields: Any) -> None:
        self.recipe = recipe or sentence_recipe(**fields)
        self.model: SentenceTransformer | None = None
        self.history: list[dict[str, float]] = []

    @staticmethod
    def read(path: str | Path, objective: str = "regression", **reading: Any) -> list[SentenceRow]:
        """Read rows for an objective; see `gallae.tasks.sentence_rows.read_rows`."""
        return read_rows(path, objective, **reading)

    def fit(self, rows: Sequence[SentenceRow]) -> Self:
        """Train on rows of the recipe's objective.

        Args:
            rows: Pairs with labels ("classification") or scores ("regression"), triplets, or positive pairs
                ("ranking").

        Raises:
            DataError: if there are no rows, or their kind is not the objective's.
            ModelError: if the checkpoint is missing or damaged.
        """
        _check(rows, self.recipe.objective)
        _require()
        from gallae.tasks import sentence_training as training
        from gallae.training.seeding import isolated

        recipe = self.recipe
        targets: list[Any] | None = None
        if recipe.objective == "regression":
            targets = unit_scores([float(row.target or 0) for row in rows], recipe.highest_score)
        if recipe.objective == "classification":
            names = sorted({str(row.target) for row in rows})
            targets = [names.index(str(row.target)) for row in rows]
        with isolated(recipe.seed):
            model = self._begun([row.texts for row in rows])
            loss = training.make_loss(model, recipe, len(set(targets or ())))
            self.history = training.fit(model, loss, [row.texts for row in rows], targets, recipe)
        self.model = model
        return self

    def distil(self, teacher: SentenceEncoder | str | Path, rows: Sequence[SentenceRow]) -> Self:
        """Train so that a text and its translation get the teacher's vector of the text.

        A linear layer is added where student and teacher have vectors of different sizes.

        Args:
            teacher: An encoder, or what `load` takes.
            rows: Pairs of a text in the teacher's language and its translation.

        Raises:
            DataError: if there are no rows.
            ModelError: if teacher or checkpoint is missing or damaged.
        """
        _check(rows, "distillation")
        _require()
        from gallae.tasks import sentence_training as training
        from gallae.tasks.sentence_models import widened
        from gallae.training.seeding import isolated

        known = teacher if isinstance(teacher, SentenceEncoder) else SentenceEncoder.load(teacher)
        texts = [row.texts for row in rows]
        wanted = known.embed([source for source, _ in texts])
        recipe = self.recipe.model_copy(update={"objective": "distillation"})
        with isolated(recipe.seed):
            model = widened(self._begun(texts), wanted.shape[1])
            loss = training.make_loss(model, recipe)
            self.history = training.fit(model, loss, texts, list(wanted), recipe)
        self.recipe, self.model = recipe, model
        return self

    def _begun(self, texts: Sequence[Sequence[str]]) -> SentenceTransformer:
        from gallae.tasks.sentence_models import build_model

        recipe = self.recipe
        return build_model(
            recipe.checkpoint,
            list(dict.fromkeys(chain.from_iterable(texts))),
            revision=recipe.revision,
            pooling=recipe.pooling,
            max_length=recipe.max_length,
            scratch=recipe.scratch,
            seed=recipe.seed,
            device=recipe.training.device,
        )

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        return int(self._fitted().get_embedding_dimension() or 0)

    @property
    def parameters(self) -> int:
        """How many weights the model has."""
        return sum(weight.numel() for weight in self._fitted().parameters())

    def _fitted(self) -> SentenceTransformer:
        if self.model is None:
            raise ModelError("this SentenceEncoder is not fitted. Call fit() first, or load a model.")
        return self.model

    def embed(self, texts: Sequence[str], batch_size: int = 64, unit: bool = False) -> NDArray[np.float32]:
        """Return the texts' vectors, (n_texts, n_dimensions) float32.

        Args:
            texts: Texts.
            batch_size: How many at once; it changes nothing but speed and memory.
            unit: Whether to scale each vector to length 1, so that products are cosines.

        Raises:
            ModelError: if the encoder is neither fitted nor loaded.
        """
        model = self._fitted()
        if isinstance(texts, str):
            raise DataError(f"texts is a list of texts, not the single text {texts!r}.")
        if not len(texts):
            return np.zeros((0, self.dimensions), dtype=np.float32)
        found = model.encode(
            list(texts), batch_size=batch_size, show_progress_bar=watched(), normalize_embeddings=unit
        )
        return np.asarray(found, dtype=np.float32)

    def cosines(self, rows: Sequence[SentenceRow]) -> NDArray[np.float64]:
        """Return the cosine of each row's first text with its others, (n_rows, 1), or 2 of triplets."""
        if not rows:
            return np.zeros((0, 1))
        columns = list(zip(*(row.texts for row in rows), strict=True))
        distinct = list(dict.fromkeys(chain.from_iterable(columns)))
        numbers = {text: number for number, text in enumerate(distinct)}
        vectors = self.embed(distinct, unit=True)
        first, *others = (vectors[[numbers[text] for text in column]] for column in columns)
        return np.stack([(first * other).sum(axis=1) for other in others], axis=1).astype(np.float64)

    def evaluate(self, rows: Sequence[SentenceRow], seed: int = 0) -> dict[str, Any]:
        """Measure how well cosines tell what rows say; see `gallae.tasks.sentence_measures.measure`.

        Args:
            rows: Of any layout but "distillation".
            seed: Of the intervals' resampling.

        Raises:
            DataError: if there are fewer than two rows.
        """
        ranks = self.ranks(rows) if rows and kind_of(rows) == "ranking" else None
        return measure(rows, self.cosines(rows), ranks, seed)

    def ranks(self, rows: Sequence[SentenceRow]) -> NDArray[np.float64]:
        """Return the rank, from 1, of each row's second text among all second texts; ties count above."""
        partners = list(dict.fromkeys(row.texts[1] for row in rows))
        numbers = {text: number for number, text in enumerate(partners)}
        found = self.embed(partners, unit=True)
        ranks = np.empty(len(rows))
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            scores = self.embed([row.texts[0] for row in part], unit=True) @ found.T
            own = scores[np.arange(len(part)), [numbers[row.texts[1]] for row in part]]
            ranks[start : start + len(part)] = (scores >= own[:, None]).sum(axis=1)
        return ranks

    def likeness(self, teacher: SentenceEncoder, rows: Sequence[SentenceRow]) -> dict[str, float]:
        """Return the mean cosines of this encoder's vectors with the teacher's of the first texts.

        Args:
            teacher: An encoder whose vectors have as many dimensions.
            rows: Pairs of a text and its translation.

        Returns:
            "source_to_teacher" and "translation_to_teacher".
        """
        sources, translations = zip(*(row.texts[:2] for row in rows), strict=True)
        wanted = teacher.embed(sources, unit=True)
        found = {"source_to_teacher": sources, "translation_to_teacher": translations}
        return {
            name: float((self.embed(texts, unit=True) * wanted).sum(axis=1).mean())
            for name, texts in found.items()
        }

    def index(self, corpus: Sequence[str]) -> SearchIndex:
        """Return a corpus's vectors, to search in again and again."""
        return SearchIndex(list(corpus), self.embed(corpus, unit=True))

    def search(
        self, questions: Sequence[str], corpus: Sequence[str] | SearchIndex, top_k: int = 5
    ) -> list[list[dict[str, Any]]]:
        """Return for each question the nearest texts of a corpus, nearest first.

        Args:
            questions: What is looked for.
            corpus: Texts, or an `index` of them.
            top_k: How many texts each.

        Returns:
            For each question a list of {"rank", "row" (from 0), "score" (the cosine), "text"}.
        """
        place = corpus if isinstance(corpus, SearchIndex) else self.index(corpus)
        return place.search(self.embed(questions, unit=True), top_k)

    def cluster(
        self, texts: Sequence[str], k: int | str = "auto", method: str = "kmeans", seed: int = 42
    ) -> Clusters:
        """Group texts by their vectors; see `gallae.tasks.sentence_clusters.cluster_vectors`."""
        return cluster_vectors(texts, self.embed(texts, unit=True), k, method, seed)

    def save(self, folder: str | Path, force: bool = False) -> None:
        """Write the model as a sentence-transformers folder.

        Raises:
            OutputError: if the folder exists and `force` is false.
        """
        with folder_beside(folder, force) as target:
            self.write(target)

    def write(self, folder: Path) -> None:
        """Write what `save` writes into a folder that is there."""
        from gallae.pretrained.loading import quiet

        with quiet():
            self._fitted().save(str(folder), create_model_card=False)

    @classmethod
    def load(cls, folder: str | Path, revision: str = "", device: str = "auto") -> Self:
        """Load a run, a sentence-transformers folder or id of the hub, or a plain checkpoint (mean pooling).

        Raises:
            ModelError: if it is missing or damaged.
        """
        _require()
        from gallae.tasks.sentence_models import open_model

        encoder = cls(checkpoint=str(folder), revision=revision)
        encoder.model = open_model(folder, revision, device)
        return encoder


def _require() -> None:
    for module in ("torch", "sentence_transformers", "datasets"):
        require(module, EXTRA)


def _check(rows: Sequence[SentenceRow], objective: str) -> None:
    texts = TEXTS[objective]
    part, kind, _ = TARGETS.get(objective, ("", object, None))
    if not rows:
        raise DataError(f"there are no rows to train on with the objective {objective!r}.")
    for number, row in enumerate(rows, 1):
        if len(row.texts) != len(texts) or not isinstance(row.target, kind):
            raise DataError(
                f"row {number} does not go with the objective {objective!r}, which needs {len(texts)} texts"
                f"{f' and a {part}' if part else ''}."
            )
    if objective == "classification" and len({row.target for row in rows}) < 2:
        raise DataError(
            f"every pair has the label {rows[0].target!r}. Classification needs at least two labels."
        )
