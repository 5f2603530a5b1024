"""Draw this folder's pictures by gallae itself, from the embedded corpus: `python docs/images/make.py`."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import gallae
from gallae.evaluation.compare import calibration_curve
from gallae.evaluation.metrics import confusion_matrix, encode
from gallae.evaluation.plots import confusion_plot, model_plot, reliability_plot

HERE = Path(__file__).parent
RECIPES = ("default", "fast", "tfidf-word")


def alone(svg: str) -> str:
    """Make a plot of a page fit to stand alone: plain colours instead of the page's, white behind it."""
    svg = re.sub(r"var\(--\w+,(#\w+)\)", r"\1", svg)
    return svg.replace(">", '><rect width="100%" height="100%" fill="white"/>', 1)


def main() -> None:
    """Compare three recipes in five folds, and draw what the reports show."""
    with tempfile.TemporaryDirectory() as folder:
        comparison = gallae.compare(gallae.sample(), RECIPES, folds=5, output=Path(folder) / "comparison")
        best = comparison.best
        rows, metrics = best.predictions, best.metrics
        models = [{"name": name, **comparison.runs[name].metrics} for name in comparison.table["recipe"]]
    classes = [column.removeprefix("p_") for column in rows.columns if column.startswith("p_")]
    gold, predicted = rows["label"].tolist(), rows["predicted"].tolist()
    counts = confusion_matrix(encode(gold, classes), encode(predicted, classes), len(classes))
    probabilities = rows[[f"p_{label}" for label in classes]].to_numpy()
    plots = {
        "confusion": confusion_plot(counts, classes),
        "recipes": model_plot(models),
        "reliability": reliability_plot(calibration_curve(gold, probabilities, classes), metrics["ece"]),
    }
    for name, svg in plots.items():
        (HERE / f"{name}.svg").write_text(alone(svg), encoding="utf-8")


if __name__ == "__main__":
    main()
