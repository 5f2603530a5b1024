"""From a checkpoint's folder to a network; nothing in it is ever executed."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gallae.errors import ModelError, RecipeError
from gallae.pretrained.finding import CONFIG

log = logging.getLogger(__name__)
DROPOUTS = (
    *("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout"),
    *("resid_pdrop", "embd_pdrop", "attn_pdrop", "embedding_dropout", "mlp_dropout"),
)
"""What architectures call the shares that they drop in training."""
_OWN = "gallae-encoder"
_CLASSIFIER = (
    "{} is a classifier of `gallae train`; its encoder learns on under the recipe encoder alone. Give the "
    "checkpoint that it was made of."
)
_HEADS = (
    "classifier",
    "head",
    "score",
    "qa_outputs",
    "lm_head",
    "cls",
    "pooler",
    "predictions",
    "pre_classifier",
)


def load_config(folder: Path) -> Any:
    """Return the configuration of a checkpoint, a `transformers.PreTrainedConfig`.

    Raises:
        ModelError: if it is damaged, or of an architecture that transformers does not know.
    """
    from transformers import AutoConfig

    try:
        values = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / CONFIG} is damaged: {error}. Fetch the checkpoint again.") from error
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        kind = values.get("model_type", "none named") if isinstance(values, dict) else "none named"
        if kind == _OWN:
            raise ModelError(_CLASSIFIER.format(folder)) from error
        raise ModelError(
            f"{folder}: this architecture (model_type {kind!r}) cannot be read: {_first_line(error)}. "
            "Checkpoints with code of their own are not run."
        ) from error


def load_model(
    folder: Path, auto_class: str = "AutoModel", complete: bool = False, **config_fields: Any
) -> Any:
    """Return a checkpoint's network in evaluation mode, on the CPU, as float32.

    Weights that the checkpoint lacks, such as those of a new head, are drawn from torch's global generator.

    Args:
        folder: In the hub's layout.
        auto_class: Name of the class in transformers that chooses the head, such as
            "AutoModelForTokenClassification".
        complete: Whether a head that the checkpoint lacks is a mistake.
        config_fields: Replace the configuration's, such as `num_labels`.

    Raises:
        ModelError: if the weights are missing, damaged, or a pickle that could run code; or, if it is to be
            complete, the head is missing.
        RecipeError: if the architecture has no such head, or does not take the fields.
    """
    import torch
    import transformers

    config = load_config(folder)
    if config.model_type == _OWN and "backbone" not in config_fields:  # known once our networks are imported
        raise ModelError(_CLASSIFIER.format(folder))
    for name, value in config_fields.items():
        setattr(config, name, value)
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's about a pickle that is refused anyway
            network, told = getattr(transformers, auto_class).from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                weights_only=True,
                local_files_only=True,
            )
    except Exception as error:
        raise _explained(folder, auto_class, config, error) from error
    missing = sorted([*told.get("missing_keys", ()), *map(str, told.get("mismatched_keys", ()))])
    if complete and missing:
        raise ModelError(
            f"{folder} has no weights for this head ({auto_class} lacks {missing[0]}): it was saved without. "
            "Choose a checkpoint that was trained with it."
        )
    _warn(folder, told)
    return network.eval()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' own bars and reports away: what matters is said in our words."""
    from transformers.utils import logging as library

    level, bars = library.get_verbosity(), library.is_progress_bar_enabled()
    library.set_verbosity_error()
    library.disable_progress_bar()
    try:
        yield
    finally:
        library.set_verbosity(level)
        if bars:
            library.enable_progress_bar()


def _explained(folder: Path, auto_class: str, config: Any, error: Exception) -> Exception:
    text = _first_line(error)
    if "Unrecognized configuration class" in text or "Unrecognized configuration class" in str(error):
        return RecipeError(
            f"{folder}: a {config.model_type} has no head for this task ({auto_class}). Choose another "
            "checkpoint, such as one of BERT, RoBERTa or ELECTRA."
        )
    if _is_pickled(folder) and not (isinstance(error, RuntimeError) and "size mismatch" in str(error)):
        return ModelError(
            f"{folder}: its pytorch_model.bin is damaged, or holds more than weights; pickles can run code, "
            "so it is refused. Use a checkpoint with model.safetensors."
        )
    if isinstance(error, OSError) and "no file named" in str(error):
        return ModelError(
            f"{folder} has no weights: model.safetensors (or pytorch_model.bin) is missing. Fetch the "
            "checkpoint again."
        )
    if type(error).__name__ == "SafetensorError":
        return ModelError(f"{folder}: model.safetensors is damaged ({text}). Fetch the checkpoint again.")
    return ModelError(f"the checkpoint {folder} cannot be read: {type(error).__name__}: {text}")


def _is_pickled(folder: Path) -> bool:
    return any(folder.glob("pytorch_model*.bin")) and not any(folder.glob("*.safetensors"))


def _warn(folder: Path, told: dict[str, Any]) -> None:
    """Say which of the encoder's own weights are missing; new heads are what a task wants."""
    missing = [name for name in told.get("missing_keys", ()) if not _of_head(name)]
    if missing:
        log.warning(
            "%s lacks %d weights of its architecture, such as %s: they begin at random",
            folder,
            len(missing),
            sorted(missing)[0],
        )
    wrong = [item[0] if isinstance(item, tuple) else item for item in told.get("mismatched_keys", ())]
    strange = [name for name in wrong if not _of_head(name)]
    if strange:
        raise ModelError(
            f"{folder}: the weights do not fit config.json (such as {sorted(strange)[0]}). The folder mixes "
            "two checkpoints, or the configuration was changed; fetch it again."
        )
    if wrong:
        log.warning("%s: its head is for other labels; a new one begins at random", folder)


def _of_head(name: str) -> bool:
    return any(part in _HEADS for part in name.split("."))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or "no reason given").splitlines()[0][:300].rstrip(".")
