"""A student that begins with layers of its teacher (Sanh et al., "DistilBERT", 2019; DistilKoBERT)."""

from __future__ import annotations

import copy
import re
from typing import Any

from gallae.errors import RecipeError
from gallae.pretrained.loading import quiet

_LAYER = re.compile(r"(\b(?:layer|layers|h)\.)(\d+)(?=\.)")  # what architectures call their layers


def every_layer(teacher: Any, layers: int, every: int = 2) -> Any:
    """Return a network with every k-th layer of another, its embeddings and its head.

    Layer i is the teacher's layer i * every. An ALBERT's layers share their weights: its student only goes
    through them less often.

    Args:
        teacher: A `transformers.PreTrainedModel`.
        layers: Of the result.
        every: 1 or more.

    Returns:
        A network of the teacher's class, in evaluation mode.

    Raises:
        RecipeError: if the teacher has too few layers.
    """
    depth = int(teacher.config.num_hidden_layers)
    if (layers - 1) * every >= depth:
        raise RecipeError(
            f"network.layers = {layers} and network.every = {every} ask for the teacher's layer "
            f"{(layers - 1) * every + 1}, and it has {depth}. Set network.layers={-(-depth // every)}, or a "
            "smaller network.every."
        )
    with quiet():
        student = type(teacher)(_with_layers(teacher.config, layers, every))
    given = teacher.state_dict()
    for name, tensor in student.state_dict().items():
        tensor.copy_(given[_LAYER.sub(lambda found: f"{found[1]}{int(found[2]) * every}", name)])
    return student.eval()


def _with_layers(config: Any, layers: int, every: int) -> Any:
    """Return a configuration of fewer layers; what it says layer by layer, it says of those that stay."""
    depth, values = config.num_hidden_layers, config.to_dict()
    changed = copy.deepcopy(config)
    for name, value in values.items():
        if isinstance(value, list) and len(value) == depth and hasattr(changed, name):
            setattr(changed, name, value[::every][:layers])
    changed.num_hidden_layers = layers
    return changed
