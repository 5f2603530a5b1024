"""Exporting a model's networks to ONNX, with what that costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gallae.data import Corpus, read
from gallae.errors import ModelError, OutputError
from gallae.files import folder_beside, refuse_existing, write_json
from gallae.models.contract import TextClassifier
from gallae.models.network_scores import NetworkClassifier
from gallae.models.onnx_network import OnnxClassifier
from gallae.models.parts import parts, with_parts
from gallae.models.persistence import MANIFEST, find_model, load_with_facts, write_model
from gallae.progress import status
from gallae.workflows.columns import reading_for
from gallae.workflows.measuring import folder_size, outcome
from gallae.workflows.runs import LoadedModel, open_model

REPORT = "export.json"
_CARD = "README.md"


def export(
    model: str | Path,
    output: str | Path,
    *,
    int8: bool = False,
    sample: str | Path | None = None,
    force: bool = False,
    **reading: Any,
) -> dict[str, Any]:
    """Write a saved model with its networks in ONNX, for prediction without torch.

    The networks of calibrated models, folds and ensembles are exported one by one; what is no network stays
    as it is. Logits of each are compared with torch's, over batches of several sizes, lengths and paddings.

    Args:
        model: A run folder, or its `model/`.
        output: The folder to write. It is loaded, evaluated and predicted with like every saved model.
        int8: Bring the weights to 8 bits: smaller and faster, and not quite the same.
        sample: A file of texts, labelled or not, on which the two are compared.
        force: Replace an existing export.
        reading: Keywords of `gallae.read` for the sample.

    Returns:
        What export.json says: `precision`, `networks`, `largest_logit_difference` (before any 8 bits),
        `tolerance`, `mb` and `mb_before`; with a sample the keys of `compared`, under `sample`.

    Raises:
        ModelError: if there is no network in it, one cannot be exported, or logits differ by more than 1e-4.
        DataError: if the sample cannot be read.
        OutputError: if the output exists and `force` is false, or is no model.
        MissingExtra: without the extras `onnx` and `neural`.
    """
    folder = find_model(model)
    _check_output(Path(output), folder, force)
    loaded = open_model(folder)
    corpus = None if sample is None else _read(sample, loaded, reading)
    changed, differences = _exported(loaded.model, int8)
    from gallae.models.onnx_export import TOLERANCE

    report: dict[str, Any] = {
        "precision": "int8" if int8 else "float32",
        "networks": len(differences),
        "largest_logit_difference": max(differences),
        "tolerance": TOLERANCE,
        "mb_before": _mb(folder),
    }
    with folder_beside(output, force) as temporary:
        write_model(changed, temporary, **load_with_facts(folder)[1])
        report["mb"] = _mb(temporary)
        if corpus is not None:
            report["sample"] = compared(loaded.model, changed, corpus)
        write_json(temporary / REPORT, report)
        if (folder / _CARD).is_file():
            card = (folder / _CARD).read_text(encoding="utf-8") + _section(report)
            (temporary / _CARD).write_text(card, encoding="utf-8")
    return report


def _check_output(output: Path, model: Path, force: bool) -> None:
    if output.resolve() == model.resolve():
        raise OutputError(
            f"{output} is the model to export, which would be lost. Choose another output: an exported model "
            "learns no more."
        )
    refuse_existing(output, force)
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file; a folder is to be written there. Choose another output.")
    if output.is_dir() and any(output.iterdir()) and not (output / MANIFEST).is_file():
        raise OutputError(
            f"{output} holds something else than an exported model, and --force replaces those only. "
            "Choose another output."
        )


def _exported(model: TextClassifier, int8: bool) -> tuple[TextClassifier, list[float]]:
    """Return the model with its networks in ONNX, and the largest difference of each one's logits."""
    inside = list(parts(model))
    if any(isinstance(part, OnnxClassifier) for part in inside):
        raise ModelError("this model was exported already. Export the run that it was made of.")
    if not any(isinstance(part, NetworkClassifier) for part in inside):
        raise ModelError(
            "there is no network in this model, and nothing to export: it predicts without torch as it is."
        )
    from gallae.models.neural import NeuralClassifier
    from gallae.models.onnx_export import exported

    differences: list[float] = []

    def change(part: TextClassifier) -> TextClassifier:
        if not isinstance(part, NeuralClassifier):
            return part
        with status(f"exporting network {len(differences) + 1}"):
            made, difference = exported(part, int8)
        differences.append(difference)
        return made

    return with_parts(model, change), differences


def _mb(folder: Path) -> float:
    return round(folder_size(folder) / 1e6, 2)


def _read(sample: str | Path, loaded: LoadedModel, reading: dict[str, Any]) -> Corpus:
    given = reading_for(sample, loaded.reading, reading, labels=True)
    return read(sample, label_set=loaded.label_set, labels="optional", **given)


def compared(before: TextClassifier, after: TextClassifier, corpus: Corpus) -> dict[str, Any]:
    """Return how much another way of computing a model changes on some texts.

    Args:
        before: The model as it was.
        after: The model computed in another way.
        corpus: The texts, and maybe their labels.

    Returns:
        `rows`; `agreement`, the share of texts that get the same label (or labels); `largest_difference` and
        `mean_difference` of the probabilities; with labels `accuracy_before`, `accuracy` and
        `macro_f1_before`, `macro_f1`.
    """
    probabilities = [model.predict_proba(corpus.texts) for model in (before, after)]
    decided = [before.decide(table) for table in probabilities]
    difference = np.abs(probabilities[0] - probabilities[1])
    found: dict[str, Any] = {
        "rows": len(corpus),
        "agreement": float(np.mean([a == b for a, b in zip(*decided, strict=True)])),
        "largest_difference": float(difference.max(initial=0.0)),
        "mean_difference": float(difference.mean()),
    }
    if corpus.label_set is None:
        return found
    for suffix, table in zip(("_before", ""), probabilities, strict=True):
        figures = outcome(before, corpus, table, 0.0).metrics()
        found |= {f"{name}{suffix}": figures[name] for name in ("accuracy", "macro_f1")}
    return found


def summary(report: dict[str, Any]) -> list[str]:
    """Return what export.json says as lines for a person."""
    networks = "1 network" if report["networks"] == 1 else f"{report['networks']} networks"
    lines = [
        f"{networks} in {report['precision']}, {report['mb']:,.1f} MB instead of "
        f"{report['mb_before']:,.1f} MB",
        f"logits before any 8 bits: {report['largest_logit_difference']:.1e} from torch's at most "
        f"(allowed: {report['tolerance']:.0e})",
    ]
    sample = report.get("sample")
    if sample is None:
        return lines
    lines.append(
        f"on {sample['rows']:,} texts: {100 * sample['agreement']:.2f} % get the same label; probabilities "
        f"differ by {sample['mean_difference']:.4f} on average, {sample['largest_difference']:.4f} at most"
    )
    if "accuracy" in sample:
        lines.append(
            f"accuracy {sample['accuracy']:.4f} instead of {sample['accuracy_before']:.4f}, "
            f"macro-F1 {sample['macro_f1']:.4f} instead of {sample['macro_f1_before']:.4f}"
        )
    return lines


def _section(report: dict[str, Any]) -> str:
    """Return the model card's section on the export."""
    rows = [f"- {line}" for line in summary(report)]
    return "\n".join(["", "## Exported to ONNX", "", *rows, ""])
