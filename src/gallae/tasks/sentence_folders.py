"""Where a sentence encoder lies, and what identifies it. No torch here."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from gallae.errors import ModelError
from gallae.pretrained.finding import resolve

MODULES = "modules.json"
"""What every sentence-transformers folder has, and no plain checkpoint."""
_OF_MODELS = (".json", ".safetensors", ".bin", ".txt", ".model")


def find_folder(name: str | Path, revision: str = "") -> Path:
    """Return the folder of a run's model, of a sentence-transformers model, or of a plain checkpoint.

    Args:
        name: A run folder, a model's folder, or an id of the hub.
        revision: Of the hub's.

    Raises:
        ModelError: if there is none.
    """
    for folder in (Path(name), Path(name) / "model"):
        if (folder / MODULES).is_file():
            return folder
    try:
        return resolve(str(name), revision)
    except ModelError as error:
        if Path(name).is_dir():
            raise ModelError(
                f"{name} holds no sentence encoder. Give a run of `gallae sentences`, a folder of "
                "sentence-transformers, or a checkpoint's folder (config.json, weights, tokenizer)."
            ) from error
        raise


def fingerprint(folder: Path) -> str:
    """Return a hash of a model's files, by which its vectors are known again."""
    digest = sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in _OF_MODELS and path.is_file():
            digest.update(f"{path.relative_to(folder)}\0".encode())
            with path.open("rb") as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
    return digest.hexdigest()
