"""Training curves for TensorBoard or MLflow, by transformers' own callbacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gallae.errors import require

LOGS = "tensorboard"


def tracker(name: str, folder: Path | None) -> list[Any]:
    """Return the callbacks that write curves.

    Args:
        name: "tensorboard" (event files under `folder`), "mlflow" (as MLFLOW_TRACKING_URI says), or "none".
        folder: Of the fit; None: nothing is written.

    Raises:
        MissingExtra: if the package is not installed.
    """
    if folder is None or name == "none":
        return []
    if name == "mlflow":
        require("mlflow", "track")
        from transformers.integrations import MLflowCallback

        return [MLflowCallback()]
    require("tensorboard", "neural")
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations import TensorBoardCallback

    return [TensorBoardCallback(tb_writer=SummaryWriter(str(folder / LOGS)))]
