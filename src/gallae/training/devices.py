"""Where a network computes, and how precisely."""

from __future__ import annotations

import torch

from gallae.errors import RecipeError


def find_device(name: str) -> torch.device:
    """Return the device of a recipe: "auto" takes a GPU where there is one.

    Raises:
        RecipeError: if it is not there.
    """
    there = ["cpu"]
    if torch.cuda.is_available():
        there += ["cuda", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        there.append("mps")
    if name == "auto":
        return torch.device("cuda" if "cuda" in there else "cpu")
    if name not in there:
        raise RecipeError(
            f"training.device is {name!r}, which is not there. This machine has: {', '.join(there)}. "
            "'auto' takes what there is."
        )
    return torch.device(name)


def lacks_memory(error: BaseException) -> bool:
    """Whether an error says that memory does not suffice; torch has a class of its own only for GPUs."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    told = str(error).lower()
    return isinstance(error, RuntimeError) and ("alloc" in told or "out of memory" in told)


def use_bf16(precision: str, device: torch.device) -> bool:
    """Whether to compute in bfloat16 where that is safe: as told, or for "auto" where it is fast."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
