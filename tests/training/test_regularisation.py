import pytest
import torch
from torch import nn

from gallae.training.regularisation import Ema, adversarial, mixup, word_dropout


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_word_dropout_hides_a_share_and_keeps_what_it_must():
    ids = torch.tensor([0, 2, 3] + [7] * 997).repeat(20, 1)
    found = word_dropout(ids, 0.3, 1, keep=(0, 2, 3))
    assert (found[:, :3] == ids[:, :3]).all()
    assert set(found[:, 3:].unique().tolist()) == {1, 7}
    assert (found[:, 3:] == 1).float().mean() == pytest.approx(0.3, abs=0.01)
    assert (word_dropout(ids, 0.0, 1) == ids).all()


def test_mixup_mixes_embeddings_and_targets_alike():
    shares = torch.arange(1.0, 9.0)
    embeds = shares[:, None, None].expand(8, 3, 2).clone()
    mask = torch.ones(8, 3, dtype=torch.int64)
    mixed, _, targets = mixup(embeds, mask, shares[:, None], 0.4)
    torch.testing.assert_close(mixed, targets[:, :, None].expand(8, 3, 2))
    assert not torch.equal(targets[:, 0], shares)
    assert targets.min() >= 1
    assert targets.max() <= 8


def test_mixup_takes_the_longer_text_and_nothing_from_padding():
    embeds = torch.ones(2, 3, 1)
    embeds[1, 1:] = 99.0
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    for _ in range(10):
        mixed, both, targets = mixup(embeds, mask, torch.eye(2), 1.0)
        assert mixed.max() <= 1
        assert (mixed[:, 2] == 0).all()
        torch.testing.assert_close(targets.sum(dim=1), torch.ones(2))
        for row, own in zip(both.tolist(), mask.tolist(), strict=True):
            assert row in ([1, 1, 0], own)


def test_adversarial_steps_have_one_length():
    slope = torch.randn(4, 3, 2) * 100
    slope[2] = 0
    step = adversarial(slope, 0.5)
    assert step.flatten(1).norm(dim=1).tolist() == pytest.approx([0.5, 0.5, 0, 0.5])
    assert nn.functional.cosine_similarity(step[0].flatten(), slope[0].flatten(), dim=0) == pytest.approx(1)


def model():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 2).requires_grad_(False))


def test_ema_by_hand():
    net = model()
    expected = net[0].weight.detach().clone()
    ema = Ema(net, 0.5)
    for step in range(1, 12):
        nn.init.constant_(net[0].weight, float(step))
        net[1].running_mean.fill_(float(step))
        ema.update()
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    with ema.applied():
        torch.testing.assert_close(net[0].weight.detach(), expected)
        assert 9 < float(net[1].running_mean[0]) < 11
        assert net[1].num_batches_tracked == 0
    assert (net[0].weight == 11).all()
    assert (net[1].running_mean == 11).all()


def test_ema_puts_the_weights_back_after_an_error():
    net = model()
    before = net[0].weight.detach().clone()
    ema = Ema(net, 0.9)
    nn.init.zeros_(net[0].weight)
    with pytest.raises(RuntimeError), ema.applied():
        assert torch.equal(net[0].weight.detach(), before)
        raise RuntimeError
    assert (net[0].weight == 0).all()


def test_ema_leaves_frozen_weights_alone():
    assert not any(name.startswith("2.") for name in Ema(model(), 0.9).averages)


def test_ema_goes_on_from_its_state():
    net = model()
    first = Ema(net, 0.9)
    nn.init.ones_(net[0].weight)
    first.update()
    second = Ema(net, 0.9)
    second.load_state_dict({name: tensor.clone() for name, tensor in first.state_dict().items()})
    nn.init.zeros_(net[0].weight)
    first.update()
    second.update()
    assert second.updates == 2
    for name, average in first.averages.items():
        assert torch.equal(average, second.averages[name])


def test_averages_do_not_stand_in_the_way_of_learning():
    net = model()
    ema = Ema(net, 0.9)
    with ema.applied():
        net(torch.randn(4, 2)).sum().backward()
    assert net[0].weight.grad is not None
    assert not any(average.requires_grad for average in ema.averages.values())
