"""A network that ONNX Runtime computes: it predicts without torch and transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Self

import numpy as np

from gallae.errors import ModelError
from gallae.models.contract import Labels, State
from gallae.models.network_scores import NetworkClassifier
from gallae.text import DEFAULT_STEPS, TextPipeline
from gallae.text.morphemes import available_cores
from gallae.training.batches import Rows
from gallae.training.inference import in_batches

FLOAT32, INT8 = "model.onnx", "model.int8.onnx"
_SLOWER = ["SkipLayerNormFusion"]  # its kernel takes a quarter of the time, twice what its parts take
TOKENS_A_BATCH = 512  # small enough for the caches of a processor
_INPUTS = {
    "tokens": "gallae.models.inputs:TokenInputs",
    "checkpoint": "gallae.models.encoded:CheckpointInputs",
}
_DAMAGED = "the ONNX network cannot be {}: {}. Export the model again, or update: pip install -U onnxruntime"


class OnnxClassifier(NetworkClassifier):
    """What `gallae export` makes of a neural classifier. It predicts the same, and learns no more.

    Args:
        steps: Names of the text steps, in order (see `gallae.text.STEPS`).
        dictionary: A user's dictionary for the steps: tables `abbreviations`, `hanja`, `symbols`.

    Attributes:
        onnx_: The network, the content of an ONNX file.
        int8_: Whether its weights are of 8 bits.
        threads_: Threads that compute; None: as many as this process may use cores.
    """

    def __init__(
        self,
        steps: Sequence[str] = DEFAULT_STEPS,
        dictionary: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.steps = steps
        self.dictionary = dictionary

    @classmethod
    def of(cls, model: Any, inputs: Any, onnx: bytes, int8: bool = False) -> Self:
        """Make one of a fitted classifier.

        Args:
            model: The classifier that the network is of.
            inputs: Its inputs, giving rows as the ONNX network reads them.
            onnx: The network, the content of an ONNX file.
            int8: Whether its weights are of 8 bits.
        """
        made = cls(tuple(model.steps), model.pipeline_.dictionary or None)
        made.pipeline_, made.inputs_, made.prior_ = model.pipeline_, inputs, model.prior_
        made.classes_, made.multilabel_ = model.classes_, model.multilabel_
        made.onnx_, made.int8_ = onnx, int8
        return made

    def fit(self, texts: Sequence[str], labels: Labels) -> Self:
        """Refuse: an exported network learns no more.

        Raises:
            ModelError: always.
        """
        raise ModelError(
            "this model was exported to ONNX and learns no more. Train its recipe again, and export that."
        )

    def logits_of(self, rows: Rows) -> np.ndarray:
        """Return (n, n_classes) float32 logits of rows that have a token each.

        Raises:
            ModelError: if ONNX Runtime cannot read or compute the network.
        """
        threads = self.threads_ or available_cores()
        several = int(rows.lengths.sum()) > TOKENS_A_BATCH
        # Where there are several batches, each thread has its own: small networks are twice as fast so.
        session = self._session(1 if several else threads)

        def answer(chosen: np.ndarray) -> np.ndarray:
            try:
                return np.asarray(session.run(None, rows.arrays(chosen))[0])
            except Exception as error:
                raise ModelError(_DAMAGED.format("computed", _first_line(error))) from error

        return in_batches(rows.lengths, len(self.classes_), answer, TOKENS_A_BATCH, threads if several else 1)

    def _session(self, threads: int) -> Any:
        """Return ONNX Runtime's session of the network, whose operations so many threads share."""
        kept = self.__dict__.setdefault("_kept", {})
        if threads not in kept:
            kept[threads] = open_session(self.onnx_, threads)
        return kept[threads]

    def state(self) -> State:
        """Return the network as an ONNX file, the tokenizer, and the text steps."""
        kinds = {path.split(":")[1]: kind for kind, path in _INPUTS.items()}
        inputs = self.inputs_.state()
        values = {
            "steps": list(self.steps),
            "dictionary": self.pipeline_.dictionary or None,
            "multilabel": self.multilabel_,
            "prior": self.prior_.tolist(),
            "int8": self.int8_,
            "inputs": inputs.values,
            "kind_of_inputs": kinds[type(self.inputs_).__name__],
        }
        return State(values, inputs.tensors, {INT8 if self.int8_ else FLOAT32: self.onnx_, **inputs.files})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Make the fitted classifier again; the caller sets `classes_`."""
        values = state.values
        model = cls(values["steps"], values["dictionary"])
        model.pipeline_ = TextPipeline(model.steps, model.dictionary)
        module, name = _INPUTS[values["kind_of_inputs"]].split(":")
        kind = getattr(import_module(module), name)
        model.inputs_ = kind.restore(State(values["inputs"], state.tensors, state.files))
        model.prior_, model.multilabel_ = np.array(values["prior"]), values["multilabel"]
        model.int8_ = values["int8"]
        model.onnx_ = state.files[INT8 if model.int8_ else FLOAT32]
        return model

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        state.pop("_kept", None)  # a session is of this process
        return state


def open_session(onnx: bytes, threads: int) -> Any:
    """Return an `onnxruntime.InferenceSession` on the processor.

    Args:
        onnx: The network, the content of an ONNX file.
        threads: How many threads share the work of an operation.

    Raises:
        ModelError: if it is damaged, or newer than ONNX Runtime.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors; warnings are about how it optimises
    try:
        return onnxruntime.InferenceSession(
            onnx, options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOWER
        )
    except Exception as error:
        raise ModelError(_DAMAGED.format("read", _first_line(error))) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300].rstrip(".")
