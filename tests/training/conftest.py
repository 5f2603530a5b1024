import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Threads that wait for each other make tiny networks slow."""
    torch.set_num_threads(1)
