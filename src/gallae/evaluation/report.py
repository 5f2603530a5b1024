"""The pages that `train`, `evaluate` and `compare` write for a person to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gallae.evaluation.charts import heat_map
from gallae.evaluation.compare import calibration_curve, confident_errors, label_distribution
from gallae.evaluation.curves import History, training_section
from gallae.evaluation.metrics import Labels, check_probabilities, confusion_matrix, decide, encode
from gallae.evaluation.page import (
    Card,
    Cards,
    Cell,
    Details,
    Heading,
    Note,
    Part,
    Plot,
    Section,
    Table,
    Text,
    page,
    written,
)
from gallae.evaluation.plots import (
    class_plot,
    confusion_plot,
    distribution_plot,
    model_plot,
    reliability_plot,
)
from gallae.evaluation.wording import words

FEW_ROWS, FEW_OF_CLASS = 200, 20
MOST_IN_MATRIX = 8

Facts = Mapping[str, Cell]


def evaluation_page(
    metrics: Mapping[str, Any],
    gold: Labels,
    probabilities: ArrayLike,
    classes: Sequence[str],
    *,
    texts: Sequence[str] | None = None,
    predicted: Labels | None = None,
    multilabel: bool = False,
    thresholds: float | Sequence[float] | None = None,
    title: str = "Evaluation",
    facts: Facts | None = None,
    notes: Sequence[str] = (),
    histories: Sequence[History] = (),
    language: str = "en",
    top: int = 20,
) -> str:
    """A model's results on labelled rows, as a self-contained HTML page.

    Args:
        metrics: What `evaluate` returned for the same rows.
        gold: The right labels, n strings, or tuples when `multilabel`.
        probabilities: (n, n_classes), columns in the order of `classes`.
        classes: The model's labels.
        texts: The n texts; without them the surest mistakes are left out.
        predicted: The decided labels; by default the most probable, or those from `thresholds` on.
        multilabel: Whether a row has a set of labels.
        thresholds: Multi-label only, as for `evaluate`.
        title: The page's heading.
        facts: Recipe, data, seed and the like, in the order to show.
        notes: Warnings to show first.
        histories: How networks learned, a row an epoch (see `curves_plot`).
        language: "en" (with the Korean terms) or "ko".
        top: How many mistakes to list.

    Raises:
        DataError: for lengths that differ, an unknown label, values that are no probabilities.
    """
    say = words(language)
    table = check_probabilities(probabilities, len(gold), classes)
    truth = encode(gold, classes, multilabel)
    guess = (
        decide(table, multilabel=multilabel, thresholds=thresholds)
        if predicted is None
        else encode(predicted, classes, multilabel)
    )
    decided = _decoded(guess, classes, multilabel)
    sections = [
        Section(say["summary"], _summary(metrics, facts, notes, say)),
        Section(say["classes"], _classes(metrics["per_class"], say, language)),
    ]
    if not multilabel:
        counts = confusion_matrix(truth, guess, len(classes))
        sections.append(Section(say["confusion"], _confusions(counts, classes, say, language)))
    curve = calibration_curve(gold, table, classes, multilabel=multilabel, predicted=decided)
    reliability = reliability_plot(curve, metrics["ece"], language=language)
    sides = {"gold": say["gold_side"], "predicted": say["predicted_side"]}
    balance = distribution_plot(label_distribution(gold, decided, classes), names=sides)
    sections += [
        Section(say["calibration"], [Plot(reliability, say["calibration_plot"])]),
        Section(say["distribution"], [Plot(balance, say["distribution_plot"])]),
    ]
    if histories:
        sections.append(training_section(histories, say, language))
    if texts is not None:
        wrong = confident_errors(texts, gold, table, classes, top, multilabel=multilabel, predicted=decided)
        sections.append(Section(say["errors"], _errors(wrong, multilabel, say)))
    return page(title, sections, language, footer=say["footer"])


def _decoded(guess: NDArray[Any], classes: Sequence[str], multilabel: bool) -> Labels:
    if multilabel:
        return [tuple(classes[column] for column in np.flatnonzero(row).tolist()) for row in guess]
    return [classes[column] for column in guess.tolist()]


def _summary(
    metrics: Mapping[str, Any], facts: Facts | None, notes: Sequence[str], say: Mapping[str, str]
) -> list[Part]:
    names = ("macro_f1", "accuracy", "subset_accuracy", "micro_f1", "log_loss", "ece")
    cards = [
        Card(say[name], metrics[name], _between(metrics.get(f"{name}_interval"), say))
        for name in names
        if name in metrics
    ]
    seconds, n = metrics.get("seconds"), metrics["n"]
    speed = say["per_second"].format(n / seconds) if seconds else ""
    cards.append(Card(say["n"], n, f"{say['seconds']}: {written(seconds)}" if seconds is not None else ""))
    if speed:
        cards[-1] = Card(say["n"], n, f"{say['seconds']}: {seconds:,.3g} ({speed})")
    parts: list[Part] = [Note(text, warning=True) for text in (*notes, *_warnings(metrics, say))]
    parts += [Cards(cards), Text(say["summary_text"])]
    if "subset_accuracy" in metrics:
        parts.append(Text(say["accuracy_multi"]))
    if facts:
        parts += [Heading(say["facts"]), _facts(facts)]
    return parts


def _facts(facts: Facts) -> Table:
    values = [f"{value:.4g}" if isinstance(value, float) else written(value) for value in facts.values()]
    return Table(("", ""), list(zip(facts, values, strict=True)))


def _between(bounds: Sequence[float] | None, say: Mapping[str, str]) -> str:
    return say["interval"].format(f"{bounds[0]:.3f}", f"{bounds[1]:.3f}") if bounds else ""


def _warnings(metrics: Mapping[str, Any], say: Mapping[str, str]) -> list[str]:
    per_class = metrics["per_class"]
    absent = [label for label, figures in per_class.items() if not figures["support"]]
    few = [label for label, figures in per_class.items() if 0 < figures["support"] < FEW_OF_CLASS]
    # Precision and recall are both 0 too for a class that is predicted but never rightly.
    never = [label for label, figures in per_class.items() if figures["support"] and not figures["f1"]]
    warnings = []
    if metrics["n"] < FEW_ROWS:
        warnings.append(say["few_rows"].format(n=metrics["n"]))
    for key, labels in (("absent", absent), ("few_class", few), ("never", never)):
        if labels:
            warnings.append(say[key].format(classes=", ".join(labels), least=FEW_OF_CLASS))
    return warnings


def _classes(per_class: Mapping[str, Any], say: Mapping[str, str], language: str) -> list[Part]:
    rows = [
        (label, f["precision"], f["recall"], f["f1"], _range(f.get("f1_interval")), f["support"])
        for label, f in per_class.items()
    ]
    columns = [say[name] for name in ("class", "precision", "recall", "f1", "range", "support")]
    return [Plot(class_plot(per_class, language=language), say["class_plot"]), Table(columns, rows)]


def _range(bounds: Sequence[float] | None, signed: bool = False) -> str:
    if not bounds:
        return "–"
    low, high = (f"{bound:+.3f}" if signed else f"{bound:.3f}" for bound in bounds)
    return f"[{low}, {high}]"


def _confusions(
    counts: NDArray[np.integer], classes: Sequence[str], say: Mapping[str, str], language: str
) -> list[Part]:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    worst = [at for at in np.argsort(-wrong, axis=None, kind="stable")[:10].tolist() if wrong.flat[at]]
    totals = counts.sum(axis=1)
    rows = []
    for at in worst:
        gold, said = divmod(at, len(classes))
        count = int(wrong[gold, said])
        rows.append((classes[gold], classes[said], count, f"{count / totals[gold]:.1%}"))
    plot = confusion_plot(counts, classes, language=language)
    parts: list[Part] = [Plot(plot, say["confusion_plot"], wide=len(classes) > 20)]
    if rows:
        columns = [say[name] for name in ("gold", "predicted", "count", "share")]
        parts += [Heading(say["mistakes"]), Table(columns, rows)]
    return parts


def _errors(wrong: Sequence[Mapping[str, Any]], multilabel: bool, say: Mapping[str, str]) -> list[Part]:
    if not wrong:
        return [Text(say["no_errors"])]
    if multilabel:
        names = ["text", "gold", "predicted", "wrong_label", "probability"]
        rows = [
            (e["text"], ", ".join(e["gold"]), ", ".join(e["predicted"]), e["label"], e["probability"])
            for e in wrong
        ]
    else:
        names = ["text", "gold", "predicted", "probability", "gold_probability"]
        rows = [tuple(error[name] for name in names) for error in wrong]
    shortened = [(_excerpt(str(row[0])), *row[1:]) for row in rows]
    return [Text(say["errors_text"]), Table([say[name] for name in names], shortened)]


def _excerpt(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else text[:limit] + " …"


def comparison_page(
    models: Sequence[Mapping[str, Any]],
    pairs: Sequence[Mapping[str, Any]] = (),
    *,
    title: str = "Comparison",
    facts: Facts | None = None,
    notes: Sequence[str] = (),
    language: str = "en",
) -> str:
    """Several models measured on the same rows, as a self-contained HTML page, best macro-F1 first.

    Args:
        models: Each with `name`, what `evaluate` returned, and, where known, `fit_seconds`,
            `texts_per_second` and `size_mb`.
        pairs: What `compare_models` returned for them.
        title: The page's heading.
        facts: Data, split, seed and the like, in the order to show.
        notes: Warnings to show first.
        language: "en" (with the Korean terms) or "ko".
    """
    say = words(language)
    ranked = sorted(models, key=lambda model: -model["macro_f1"])
    first: list[Part] = [Note(text, warning=True) for text in notes]
    first += [Plot(model_plot(ranked), say["models_plot"]), _model_table(ranked, say)]
    first.append(Text(say["summary_text"]))
    sections = [Section(say["models"], first)]
    if pairs:
        sections.append(Section(say["pairs"], _pairs(ranked, pairs, say)))
    sections.append(Section(say["heat"], [_class_heat(ranked, say)]))
    if facts:
        sections.append(Section(say["facts"], [_facts(facts)]))
    return page(title, sections, language, footer=say["footer"])


def _model_table(ranked: Sequence[Mapping[str, Any]], say: Mapping[str, str]) -> Table:
    shown = [name for name in ("subset_accuracy", "micro_f1") if any(name in model for model in ranked)]
    after = ["log_loss", "ece", "fit_seconds", "texts_per_second", "size_mb"]
    columns = ["model", "macro_f1", "", "accuracy", "", *shown, *after]
    heads = [_brief(say[name]) if name else "95 %" for name in columns]
    rows: list[list[Cell]] = []
    for model in ranked:
        row: list[Cell] = [str(model["name"])]
        for name in ("macro_f1", "accuracy"):
            row += [model[name], _range(model.get(f"{name}_interval"))]
        rows.append(row + [_rounded(name, model.get(name)) for name in [*shown, *after]])
    return Table(heads, rows)


def _brief(name: str) -> str:
    """A figure's name without its translation in brackets."""
    return name.split(" (")[0]


def _rounded(name: str, value: float | None) -> Cell:
    places = {"fit_seconds": 1, "texts_per_second": 0, "size_mb": 1}
    return f"{value:,.{places[name]}f}" if name in places and value is not None else value


def _flipped(pair: Mapping[str, Any]) -> dict[str, Any]:
    """The pair with a and b exchanged."""
    other = {**pair, "a": pair["b"], "b": pair["a"], "only_a_right": pair["only_b_right"],
             "only_b_right": pair["only_a_right"]}  # fmt: skip
    for name in ("accuracy_difference", "macro_f1_difference"):
        other[name] = -pair[name]
        if bounds := pair.get(f"{name}_interval"):
            other[f"{name}_interval"] = [-bounds[1], -bounds[0]]
    return other


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _pairs(
    ranked: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]], say: Mapping[str, str]
) -> list[Part]:
    found = {(pair["a"], pair["b"]): pair for pair in (*pairs, *map(_flipped, pairs))}
    names = [str(model["name"]) for model in ranked]
    best = names[0]
    columns = [say["model"], say["difference_f1"], "95 %", say["difference_accuracy"], "95 %",
               say["only_best"].format(best=best), say["only_other"], say["p"]]  # fmt: skip
    rows = []
    for name in names[1:]:
        if pair := found.get((best, name)):
            row: list[Cell] = [name]
            for figure in ("macro_f1_difference", "accuracy_difference"):
                row += [f"{pair[figure]:+.3f}", _range(pair.get(f"{figure}_interval"), signed=True)]
            rows.append([*row, pair["only_a_right"], pair["only_b_right"], _p(pair["p_value"])])
    parts: list[Part] = [Text(say["pairs_text"].format(best=best)), Table(columns, rows)]
    if len(names) > 2:
        parts.append(Text(say["many"].format(count=len(pairs), limit=0.05 / len(pairs)), faint=True))
    if 2 < len(names) <= MOST_IN_MATRIX:
        cells = [[name, *(_pair_cell(found.get((name, other))) for other in names)] for name in names]
        parts.append(Details(say["matrix"], [Table(["", *names], cells)]))
    return parts


def _pair_cell(pair: Mapping[str, Any] | None) -> str:
    if pair is None:
        return ""
    bounds = _range(pair.get("macro_f1_difference_interval"), signed=True)
    return f"{pair['macro_f1_difference']:+.3f} {bounds} p {_p(pair['p_value'])}"


def _class_heat(ranked: Sequence[Mapping[str, Any]], say: Mapping[str, str]) -> Plot:
    classes = list(ranked[0]["per_class"])
    values = [[model["per_class"][label]["f1"] for label in classes] for model in ranked]
    low = min(min(row) for row in values)
    plot = heat_map(
        values, [str(model["name"]) for model in ranked], classes, low=max(0.0, low - 0.1), description="F1"
    )
    return Plot(plot, say["heat_plot"], wide=len(classes) > 20)
