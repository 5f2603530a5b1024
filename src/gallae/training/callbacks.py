"""What is shown of a training while it goes on."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from typing import Any

from transformers import TrainerCallback

from gallae.progress import show, watched


class ProgressBar(TrainerCallback):
    """A bar on standard error with epoch, step, loss and metric; nothing when nobody watches.

    Args:
        metric: What is shown of an evaluation, as it is called after "eval_".
    """

    def __init__(self, metric: str = "macro_f1") -> None:
        self.metric = metric
        self.figures: dict[str, str] = {}
        self._display: Any = None
        self._task: Any = None
        self._shown = ExitStack()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Draw the bar; a training that goes on begins where it was."""
        self.close()
        if not watched():
            return
        self._display = _display()
        self._task = self._display.add_task(
            "training", total=state.max_steps, completed=state.global_step, figures=""
        )
        self._shown.enter_context(show(self._display))
        atexit.register(self.close)  # an exception ends no training, and the cursor is hidden by now

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Say which epoch it is."""
        if self._display:
            now = min(int((state.epoch or 0) + 1e-6) + 1, state.num_train_epochs)
            self._display.update(self._task, description=f"epoch {now}/{state.num_train_epochs}")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Move the bar."""
        if self._display:
            self._display.update(self._task, completed=state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Take up the newest loss and metric."""
        found = {"loss": (logs or {}).get("loss"), self.metric: (logs or {}).get(f"eval_{self.metric}")}
        self.figures |= {name: f"{value:.4f}" for name, value in found.items() if value is not None}
        if self._display:
            text = ", ".join(f"{name} {value}" for name, value in self.figures.items())
            self._display.update(self._task, figures=text)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Take the bar away."""
        self.close()

    def close(self) -> None:
        """Take the bar away, if there is one: to be called when a training ends by an exception."""
        if self._display:
            self._shown.close()
            self._display = None
            atexit.unregister(self.close)


def _display() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        refresh_per_second=4,
    )
