"""Checkpoints that are whole or not there."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from gallae.files import write_beside

_WHOLE = "whole.json"
_FINAL = "final.safetensors"
_HISTORY = "history.json"


def last_whole(folder: Path) -> Path | None:
    """Return the newest checkpoint that was written to its end, if there is one."""
    whole = [path for path in folder.glob("checkpoint-*") if (path / _WHOLE).exists()]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def seal(checkpoint: Path, facts: dict[str, Any], tensors: dict[str, dict[str, Tensor]]) -> None:
    """Add our own state to a checkpoint, mark it as whole, and remove those before it.

    Args:
        checkpoint: The folder that transformers' Trainer has written.
        facts: JSON values.
        tensors: Weights by file name, such as averaged ones.
    """
    for name, state in tensors.items():
        write(state, checkpoint / f"{name}.safetensors")
    with write_beside(checkpoint / _WHOLE, force=True) as temporary:
        temporary.write_text(json.dumps(facts))
    for older in checkpoint.parent.glob("checkpoint-*"):
        if older != checkpoint:
            shutil.rmtree(older, ignore_errors=True)


def sealed(checkpoint: Path) -> tuple[dict[str, Any], dict[str, dict[str, Tensor]]]:
    """Return what `seal` added."""
    facts = json.loads((checkpoint / _WHOLE).read_text())
    own = [path for path in checkpoint.glob("*.safetensors") if path.stem != "model"]
    return facts, {path.stem: load_file(path) for path in own}


def keep_final(folder: Path, network: Any, history: list[dict[str, Any]]) -> None:
    """Keep a finished training in the place of its checkpoints."""
    (folder / _HISTORY).write_text(json.dumps(history))
    with write_beside(folder / _FINAL, force=True) as temporary:
        write(network.state_dict(), temporary)
    for checkpoint in folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint, ignore_errors=True)


def take_final(folder: Path, network: Any) -> list[dict[str, Any]] | None:
    """Load a finished training into a network and return its history; None if it is not finished."""
    if not (folder / _FINAL).exists():
        return None
    network.load_state_dict(load_file(folder / _FINAL), strict=False)
    history: list[dict[str, Any]] = json.loads((folder / _HISTORY).read_text())
    return history


def write(state: dict[str, Tensor], path: Path) -> None:
    """Write weights to a file.

    Raises:
        OSError: if the system refuses, such as for a full disk; safetensors has an error of its own for it.
    """
    try:
        save_file(plain(state), path)
    except SafetensorError as error:
        code = re.search(r"\(os error (\d+)\)", str(error))
        if code is None:
            raise
        number = int(code[1])
        raise OSError(number, os.strerror(number), str(path)) from error


def plain(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors as safetensors takes them: whole, and none twice."""
    seen: set[int] = set()
    result = {}
    for name, tensor in state.items():
        if tensor.data_ptr() not in seen or not tensor.numel():
            result[name] = tensor.detach().cpu().contiguous()
            seen.add(tensor.data_ptr())
    return result


def copied(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a copy of weights that later steps do not change."""
    with torch.no_grad():
        return {name: tensor.detach().clone() for name, tensor in state.items()}
