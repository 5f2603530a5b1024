import pytest
import torch
from torch.optim.lr_scheduler import OneCycleLR

from gallae.training.schedules import make_schedule


def rates(name, warmup, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    schedule = make_schedule(optimizer, name, warmup, steps)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return [*found, optimizer.param_groups[0]["lr"]]


@pytest.mark.parametrize("name", ["constant", "linear", "cosine"])
def test_warmup_rises_along_a_line_to_the_highest_rate(name):
    found = rates(name, 0.25, 20)
    assert found[:5] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    assert max(found) == pytest.approx(2.0)
    assert all(rate > 0 for rate in found[:-1])


def test_what_comes_after_warmup():
    assert rates("constant", 0.25, 20)[5:] == [2.0] * 16
    linear = rates("linear", 0.25, 20)
    assert linear[5] - linear[6] == pytest.approx(2.0 / 15)
    assert linear[-1] == 0
    cosine = rates("cosine", 0.2, 20)
    assert cosine[12] == pytest.approx(1.0)
    assert cosine[-1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["constant", "linear", "cosine", "one_cycle"])
@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("warmup", [0.0, 0.1])
def test_the_shortest_trainings_learn(name, steps, warmup):
    found = rates(name, warmup, steps)
    assert found[0] == pytest.approx(2.0)
    assert min(found) >= 0


def test_without_warmup_it_starts_at_the_highest_rate():
    assert rates("cosine", 0.0, 10)[0] == rates("linear", 0.0, 10)[0] == 2.0


@pytest.mark.parametrize("warmup", [0.1, 0.3, 0.55])
def test_one_cycle_is_torchs(warmup):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    reference = OneCycleLR(optimizer, 2.0, total_steps=41, pct_start=warmup, cycle_momentum=False)
    expected = []
    for _ in range(41):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(expected) < 41:
            reference.step()
    assert rates("one_cycle", warmup, 41)[:-1] == pytest.approx(expected)


def test_another_name_is_refused():
    with pytest.raises(ValueError, match=r"step.*cosine"):
        rates("step", 0.1, 10)
