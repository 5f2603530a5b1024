"""Find the learning rate for a network's recipe on a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallae import __version__
from gallae.data import Corpus, read
from gallae.errors import RecipeError
from gallae.evaluation.wording import words
from gallae.files import folder_beside, refuse_existing, write_json
from gallae.models.architectures.options import FAMILIES
from gallae.models.registry import build
from gallae.progress import status
from gallae.recipes import Recipe, find_recipe, shipped_recipes
from gallae.workflows import runs

if TYPE_CHECKING:
    from gallae.training.finder import Finding

FOUND = "lr_find.json"


@dataclass(frozen=True)
class LrFinding:
    """A finished sweep over the learning rates.

    Attributes:
        folder: Where lr_find.json and report.html lie.
        finding: The curve, and the rate that it suggests.
        facts: Recipe, data, rows, and the recipe's own rate.
    """

    folder: Path
    finding: Finding
    facts: dict[str, Any]


def lr_find(
    data: str | Path | Corpus,
    recipe: str | Path | Recipe = "textcnn",
    *,
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
    seed: int | None = None,
    output: str | Path | None = None,
    overrides: Sequence[str] = (),
    force: bool = False,
    language: str = "en",
    **reading: Any,
) -> LrFinding:
    """Raise the learning rate step by step, and say where the loss falls most steeply.

    Smith, "Cyclical Learning Rates for Training Neural Networks" (2017). No model is kept.

    Args:
        data: A file, folder or `hf:` id (see `gallae.read`), or a corpus.
        recipe: A network's: a shipped one's name, a TOML file, or a `Recipe`.
        low: The first rate.
        high: The last rate.
        steps: Training steps.
        seed: Replaces the recipe's seed.
        output: A folder; by default a fresh one under `runs/`.
        overrides: Recipe fields, such as "training.batch_size=64".
        force: Replace an existing output.
        language: Of the report, "en" or "ko".
        reading: Keywords of `gallae.read`, such as `text_column`; they replace the recipe's.

    Raises:
        DataError, RecipeError, OutputError, MissingExtra: for what the user can mend.
        ModelError: if the loss is no number from the first step on.
    """
    words(language)
    chosen = find_recipe(recipe, overrides, seed, reading)
    classifier = _network(chosen)
    folder = _folder(output, chosen.name, force)
    corpus = data if isinstance(data, Corpus) else read(data, **chosen.data.reading())
    from gallae.training.finder import sweep

    with status(f"reading {len(corpus):,} rows"):
        training = classifier.prepare(corpus.texts, corpus.labels)
    finding = sweep(training, low, high, steps)
    facts = {
        "recipe": chosen.name,
        "data": corpus.source,
        "rows": len(corpus),
        "batch_size": chosen.training.batch_size,
        "accumulation": chosen.training.accumulation,
        "optimizer": chosen.training.optimizer,
        "steps": len(finding.rates),
        "seed": chosen.seed,
        "learning_rate": chosen.training.learning_rate,
        "gallae": __version__,
    }
    _write(folder, finding, facts, force, language)
    return LrFinding(folder, finding, facts)


def _network(recipe: Recipe) -> Any:
    """Return the recipe's unfitted network classifier, without its calibration."""
    if recipe.model.family not in FAMILIES:
        shipped = [name for name, known in shipped_recipes().items() if known.model.family in FAMILIES]
        raise RecipeError(
            f"the recipe {recipe.name} is of the family {recipe.model.family!r}, which has no learning rate "
            f"to find: only networks have. Shipped: {', '.join(shipped)}."
        )
    plain = recipe.calibration.model_copy(update={"method": "none"})
    return build(recipe.model_copy(update={"calibration": plain}))


def _folder(output: str | Path | None, name: str, force: bool) -> Path:
    if output is None:
        return runs.default_folder(f"lr-find-{name}")
    runs.refuse_foreign(refuse_existing(output, force))
    return Path(output)


def _write(folder: Path, finding: Finding, facts: dict[str, Any], force: bool, language: str) -> None:
    from gallae.workflows.lr_finding_page import lr_page

    curve = {name: getattr(finding, name).tolist() for name in ("rates", "losses", "smooth")}
    found = {"suggestion": finding.suggestion, "lowest": finding.lowest}
    with folder_beside(folder, force) as target:
        write_json(target / FOUND, facts | found | curve)
        page = lr_page(finding, {**facts, "data": Path(facts["data"]).name}, language=language)
        (target / runs.REPORT).write_text(page, encoding="utf-8")


def lr_lines(found: LrFinding) -> list[str]:
    """Return what was found as lines for a terminal."""
    from gallae.workflows.lr_finding_page import shown

    finding, own = found.finding, found.facts["learning_rate"]
    lines = [
        f"recipe: {found.facts['recipe']}, its learning rate is {shown(own)}",
        f"loss lowest at: {shown(finding.lowest)} ({len(finding.rates)} steps)",
    ]
    if finding.suggestion is None:
        lines.append("suggested: none, as the loss fell at no rate; try more --steps or a higher --high")
    else:
        lines.append(f"suggested: --set training.learning_rate={shown(finding.suggestion)}")
    return [*lines, f"report: {found.folder / runs.REPORT}"]
