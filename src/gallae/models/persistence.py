"""Saved models: JSON and safetensors, with skops or a library's own file where needed, never a pickle."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as dump_tensors

from gallae.errors import GallaeError, ModelError
from gallae.files import folder_beside, write_json
from gallae.models.bundled import bundled_models
from gallae.models.contract import State, TextClassifier
from gallae.models.registry import class_of, kind_of

FORMAT = 1
MANIFEST = "model.json"
TENSORS = "tensors.safetensors"


def save(model: TextClassifier, folder: str | Path, force: bool = False, **facts: Any) -> None:
    """Write a fitted model to a folder, beside it first and then renamed.

    Args:
        model: The fitted model.
        folder: Where to.
        force: Replace what is there.
        facts: JSON values to keep with the model: its label set, its recipe, ...

    Raises:
        OutputError: if the folder exists and `force` is false.
    """
    with folder_beside(folder, force) as temporary:
        write_model(model, temporary, **facts)


def write_model(model: TextClassifier, folder: Path, **facts: Any) -> None:
    """Write a model's files into an existing folder."""
    state = model.state()
    tensors = {name: np.ascontiguousarray(array) for name, array in state.tensors.items()}
    files = {TENSORS: dump_tensors(tensors), **state.files}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "kind": kind_of(model),
        "classes": model.classes_.tolist(),
        "facts": facts,
        "state": state.values,
        "files": {
            name: {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        },
    }
    manifest = json.loads(json.dumps(manifest, default=_plain))
    manifest["sha256"] = _digest(manifest)
    write_json(folder / MANIFEST, manifest)


def _plain(value: Any) -> Any:
    """Turn NumPy's numbers, which searches over parameters leave behind, into Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} ({type(value).__name__}) cannot be written as JSON")


def _digest(manifest: dict[str, Any]) -> str:
    content = {key: value for key, value in manifest.items() if key != "sha256"}
    return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf-8")).hexdigest()


def load(folder: str | Path) -> TextClassifier:
    """Load a saved model.

    Args:
        folder: A run folder, its `model/`, or a folder that `save` wrote.

    Raises:
        ModelError: if it is missing, damaged, of a newer format, or of a type not built in or registered.
    """
    return load_with_facts(folder)[0]


def load_with_facts(folder: str | Path) -> tuple[TextClassifier, dict[str, Any]]:
    """Load a saved model, and the facts kept with it."""
    folder = find_model(folder)
    manifest = _read_manifest(folder)
    try:
        files = {
            name: _read_checked(folder / Path(name).name, facts) for name, facts in manifest["files"].items()
        }
        tensors = load_tensors(files.pop(TENSORS))
        model = class_of(manifest["kind"]).restore(State(manifest["state"], tensors, files))
        model.classes_ = np.array(manifest["classes"])
    except GallaeError:
        raise
    except Exception as error:
        raise ModelError(f"the model in {folder} cannot be put together again: {error!r}.") from error
    return model, manifest["facts"]


def find_model(folder: str | Path) -> Path:
    """Return the folder that holds the model's files.

    Args:
        folder: A run folder, its `model/`, or the name of a bundled classifier where no such folder is.

    Raises:
        ModelError: if there is none.
    """
    folder = Path(folder)
    for candidate in (folder, folder / "model"):
        if (candidate / MANIFEST).is_file():
            return candidate
    bundled = bundled_models()
    if not folder.exists() and str(folder) in bundled:
        return bundled[str(folder)]
    if not folder.exists():
        raise ModelError(
            f"there is no model {str(folder)!r}: give a run folder, its model/ folder, or the name of a "
            f"bundled classifier ({', '.join(bundled)})."
        )
    raise ModelError(
        f"{folder} holds no model: {MANIFEST} is missing. Give a run folder that `gallae train` wrote; "
        "runs of `gallae tasks` and `gallae sentences` are for those commands."
    )


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = int(manifest["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged: {error}. Copy the model again, or train it again.") from error
    if version > FORMAT:
        raise ModelError(
            f"the model in {folder} has format {version}, newer than this gallae reads ({FORMAT}). "
            "Update it: pip install -U gallae"
        )
    if manifest.get("sha256") != _digest(manifest):
        raise ModelError(f"{path} was altered since it was written. Copy the model again, or train it again.")
    return manifest


def _read_checked(path: Path, facts: dict[str, Any]) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        problem = (
            "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        )
        raise ModelError(f"the model's file {path} {problem}. Copy the model again, or train it.") from error
    if len(content) != facts["bytes"] or sha256(content).hexdigest() != facts["sha256"]:
        raise ModelError(
            f"the model's file {path} is damaged or was altered: it should have {facts['bytes']} bytes with "
            f"SHA-256 {facts['sha256'][:12]}..., and has {len(content)}. Copy the model again, or train it."
        )
    return content
