"""Weights on disk."""

import errno

import pytest
import torch

from gallae.training import checkpoints


def test_what_the_system_refuses_is_its_own_error(tmp_path):
    path = tmp_path / "missing" / "model.safetensors"
    with pytest.raises(OSError, match=r"missing.model\.safetensors") as caught:
        checkpoints.write({"weight": torch.zeros(2)}, path)
    assert caught.value.errno == errno.ENOENT
