"""Where a checkpoint is: a folder, or the hub."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from textwrap import shorten

from gallae.errors import ModelError, require
from gallae.pretrained.shipped import SHIPPED, shipped

CONFIG = "config.json"
_MODEL = "model"  # where a run of ours keeps its checkpoint
_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
_WANTED = ["*.json", "*.txt", "*.model", "*.safetensors", "pytorch_model*.bin", "*.bin.index.json"]
_UNWANTED = ["onnx/*", "openvino/*", "flax_model*", "tf_model*", "*training_args*", "optimizer*"]


def resolve(checkpoint: str, revision: str = "") -> Path:
    """Return the folder of a checkpoint, downloaded if it is the hub's and not in the cache yet.

    Args:
        checkpoint: A folder in the hub's layout, a run that holds one in `model/`, one of our own
            (`gallae.pretrained.shipped.SHIPPED`), or an id such as "klue/roberta-base".
        revision: Branch, tag or commit of the hub's; "" is its main branch.

    Raises:
        ModelError: if the folder holds no checkpoint, or the hub has or gives none.
        MissingExtra: without the extra `neural`.
    """
    if not checkpoint:
        raise ModelError(
            "no checkpoint is named. Set model.checkpoint, such as --set model.checkpoint=klue/roberta-base, "
            "or give a folder with config.json, weights and tokenizer."
        )
    folder = Path(checkpoint).expanduser()
    if folder.is_dir():
        return _checked(folder)
    if folder.exists():
        raise ModelError(f"{checkpoint} is a file. Give a checkpoint's folder, or a hub id owner/name.")
    if checkpoint in SHIPPED:
        return shipped(checkpoint)
    if not _ID.fullmatch(checkpoint) or checkpoint.startswith("."):
        raise ModelError(
            f"there is no checkpoint folder {checkpoint!r}. Give a folder, or a hub id owner/name."
        )
    return _download(checkpoint, revision)


def _checked(folder: Path) -> Path:
    if not (folder / CONFIG).is_file():
        if (folder / _MODEL / CONFIG).is_file():
            return folder / _MODEL
        raise ModelError(
            f"{folder} holds no checkpoint: {CONFIG} is missing. A checkpoint's folder has {CONFIG}, "
            "model.safetensors and tokenizer.json (or vocab.txt, spiece.model)."
        )
    return folder


def _download(name: str, revision: str) -> Path:
    hub = require("huggingface_hub", "neural")
    errors = require("huggingface_hub.errors", "neural")
    try:  # the cache first: a run must not wait for a hub that cannot be reached
        found = Path(hub.snapshot_download(name, revision=revision or None, local_files_only=True))
        if (found / CONFIG).is_file() and _has_weights(found):
            return found
    except (errors.LocalEntryNotFoundError, errors.HFValidationError, OSError):
        pass
    try:
        return _checked(
            Path(
                hub.snapshot_download(
                    name, revision=revision or None, allow_patterns=_WANTED, ignore_patterns=_UNWANTED
                )
            )
        )
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        what = f"no revision {revision!r} of" if revision else "no checkpoint"
        raise ModelError(
            f"the hub has {what} {name!r}, or it asks for a login (huggingface-cli login). Check the name; a "
            "folder of your own is given by its path, such as ./checkpoint."
        ) from error
    except Exception as error:  # whatever a network can do: the answer is the same
        raise ModelError(_offline(name, revision, error)) from error


def _has_weights(folder: Path) -> bool:
    return any(any(folder.glob(pattern)) for pattern in ("*.safetensors", "pytorch_model*.bin"))


def _offline(name: str, revision: str, error: Exception) -> str:
    short = name.split("/")[-1]
    at = f" --revision {revision}" if revision else ""
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    reason = shorten(said, 200, placeholder=" ...")
    close = get_close_matches(name, SHIPPED, 1)
    hint = f" Or did you mean {close[0]!r}, which comes with gallae?" if close else ""
    return (
        f"the checkpoint {name!r} is neither a folder here nor in the cache, and the hub gave none "
        f"({reason}). Where there is a connection, fetch it: hf download {name}{at} --local-dir {short} "
        f"- then copy that folder here, and name ./{short} as the checkpoint.{hint}"
    )
