"""The whole path in one go, on the embedded headlines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gallae.data import sample
from gallae.evaluation.wording import words
from gallae.files import folder_beside, refuse_existing
from gallae.models.persistence import load
from gallae.workflows.audit import audit, audit_summary
from gallae.workflows.comparing import compare, comparison_lines, pair_lines
from gallae.workflows.runs import refuse_foreign
from gallae.workflows.training import train

RECIPES = ("default", "fast", "tfidf-word")
HEADLINES = (
    "코스피, 외국인 매수에 2% 급등…2,900선 회복",
    "北, 동해상으로 단거리 발사체 2발 발사",
    "축구대표팀, 후반 추가시간 결승골로 극적 승리",
    "구글, AI 번역 기능 한국어로 확대",
)


def demo(
    output: str | Path | None = None,
    *,
    force: bool = False,
    language: str = "en",
    say: Callable[[str], object] = print,
) -> Path:
    """Audit, compare three recipes, train the best on every row, predict, and write the pages.

    Args:
        output: Where to; by default a fresh folder `gallae-demo...` here.
        force: Replace an existing output.
        language: Of the pages, "en" or "ko".
        say: What prints a line.

    Returns:
        The folder: audit.html, comparison/ with report.html, model run/.

    Raises:
        OutputError: if the output exists.
    """
    words(language)
    folder = _folder(output, force)
    corpus = sample("headlines")
    with folder_beside(folder, force) as target:
        say(f"1. audit: {len(corpus):,} headlines written for this project")
        found = audit(corpus, output=target / "audit.html", language=language)
        for line in filter(str.strip, audit_summary(found)[:6]):
            say(f"   {line}")
        say("2. compare: three recipes, 5 folds, every headline predicted by a model that has not seen it")
        comparison = compare(corpus, RECIPES, folds=5, output=target / "comparison", language=language)
        best = str(comparison.table["recipe"].iloc[0])
        for line in [*comparison_lines(comparison.table), *pair_lines(comparison.pairs, best)]:
            say(f"   {line}")
        say(f"3. train: {best} on every row")
        train(corpus, best, output=target / "run", language=language)
        say("4. predict: headlines it has never seen")
        model = load(target / "run")
        for text, row in zip(HEADLINES, model.predict_proba(list(HEADLINES)), strict=True):
            say(f"   {text} -> {model.classes_[row.argmax()]} ({row.max():.0%})")
    say("5. look at it:")
    for page in ("audit.html", "comparison/report.html", f"comparison/{best}/report.html"):
        say(f"   {folder / page}")
    say(f'   gallae predict {folder / "run"} --text "..."')
    return folder


def _folder(output: str | Path | None, force: bool) -> Path:
    if output is not None:
        refuse_foreign(refuse_existing(output, force))
        return Path(output)
    here = Path("gallae-demo")
    number = 2
    while here.exists():
        here = Path(f"gallae-demo-{number}")
        number += 1
    return here
