import pytest
import torch
from torch.nn import functional

from gallae.training.losses import NAMES, make_loss, r_drop, supervised_contrastive


@pytest.fixture
def logits() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, 4, generator=generator, dtype=torch.float64) * 2


WEIGHTS = torch.tensor([0.5, 1.0, 2.0, 4.0], dtype=torch.float64)
HARD = torch.tensor([0, 1, 2, 3, 3])
ONE_HOT = functional.one_hot(HARD, 4).double()
SOFT = torch.tensor([[0.7, 0.3, 0, 0], [0, 1, 0, 0], [0.25] * 4, [0, 0, 0, 1], [0.5, 0, 0.5, 0]]).double()
SEVERAL = torch.tensor([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 0], [0, 0, 1, 1]]).double()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_cross_entropy_is_torchs(logits, smoothing, weights):
    loss = make_loss("cross_entropy", label_smoothing=smoothing, class_weights=weights)
    found = loss(logits, ONE_HOT).sum() / loss.row_weights(ONE_HOT).sum()
    expected = functional.cross_entropy(logits, HARD, weight=weights, label_smoothing=smoothing)
    torch.testing.assert_close(found, expected)


def test_cross_entropy_of_shares_is_torchs(logits):
    expected = functional.cross_entropy(logits, SOFT, reduction="none", label_smoothing=0.2)
    torch.testing.assert_close(make_loss("cross_entropy", label_smoothing=0.2)(logits, SOFT), expected)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_binary_is_torchs(logits, weights):
    expected = functional.binary_cross_entropy_with_logits(
        logits, SEVERAL, reduction="none", pos_weight=weights
    ).mean(dim=1)
    torch.testing.assert_close(make_loss("binary", class_weights=weights)(logits, SEVERAL), expected)


def test_binary_smoothing_draws_to_a_half(logits):
    found = make_loss("binary", label_smoothing=0.2)(logits, SEVERAL)
    torch.testing.assert_close(found, make_loss("binary")(logits, SEVERAL * 0.8 + 0.1))


@pytest.mark.parametrize(("focal", "plain"), [("focal", "cross_entropy"), ("binary_focal", "binary")])
def test_focal_without_gamma_is_the_plain_loss(logits, focal, plain):
    found = make_loss(focal, gamma=0.0, class_weights=WEIGHTS)(logits, SEVERAL)
    torch.testing.assert_close(found, make_loss(plain, class_weights=WEIGHTS)(logits, SEVERAL))


def test_focal_weighs_by_how_far_off_it_is(logits):
    p = logits.softmax(dim=1)[torch.arange(5), HARD]
    torch.testing.assert_close(make_loss("focal", gamma=3.0)(logits, ONE_HOT), -((1 - p) ** 3) * p.log())


def test_binary_focal_of_one_label():
    z = torch.tensor([[0.3], [0.3]], dtype=torch.float64)
    p = z[0, 0].sigmoid()
    found = make_loss("binary_focal", gamma=2.0)(z, torch.tensor([[1.0], [0.0]]).double())
    expected = torch.stack([-((1 - p) ** 2) * p.log(), -(p**2) * (1 - p).log()])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("targets", [SOFT, SEVERAL])
@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_gradients_are_those_of_finite_differences(logits, name, targets, gamma):
    loss = make_loss(name, label_smoothing=0.1, class_weights=WEIGHTS, gamma=gamma)
    assert torch.autograd.gradcheck(lambda z: loss(z, targets), logits.requires_grad_())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_sure_predictions_have_finite_losses_and_gradients(name, gamma):
    logits = torch.tensor([[200.0, -200.0], [-200.0, 200.0], [200.0, 0.0]], requires_grad=True)
    loss = make_loss(name, gamma=gamma)(logits, torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(logits.grad).all()


def test_only_weighted_cross_entropy_weighs_rows():
    assert make_loss("cross_entropy", class_weights=WEIGHTS).row_weights(ONE_HOT).tolist() == [
        0.5,
        1,
        2,
        4,
        4,
    ]
    assert make_loss("cross_entropy").row_weights(ONE_HOT).tolist() == [1] * 5
    assert make_loss("binary", class_weights=WEIGHTS).row_weights(SEVERAL).tolist() == [1] * 5


def test_another_name_is_refused():
    with pytest.raises(ValueError, match=r"hinge.*cross_entropy"):
        make_loss("hinge")


@pytest.mark.parametrize("multilabel", [False, True])
def test_r_drop(logits, multilabel):
    other = logits.flip(0)
    if multilabel:
        a, b = (torch.distributions.Bernoulli(logits=z) for z in (logits, other))
    else:
        a, b = (torch.distributions.Categorical(logits=z) for z in (logits, other))
    kl = torch.distributions.kl_divergence
    expected = (kl(a, b) + kl(b, a)) / 2
    expected = expected.mean(dim=1) if multilabel else expected
    torch.testing.assert_close(r_drop(logits, other, multilabel), expected)
    assert r_drop(logits, logits, multilabel).abs().max() == 0
    inputs = (logits.clone().requires_grad_(), other.clone().requires_grad_())
    assert torch.autograd.gradcheck(lambda x, y: r_drop(x, y, multilabel), inputs)


def by_hand(features: torch.Tensor, pairs: list[list[float]], temperature: float) -> float:
    unit = features / features.norm(dim=1, keepdim=True)
    losses = []
    for i, row in enumerate(pairs):
        others = [j for j in range(len(pairs)) if j != i]
        below = sum(torch.exp(unit[i] @ unit[j] / temperature) for j in others)
        terms = [row[j] * -torch.log(torch.exp(unit[i] @ unit[j] / temperature) / below) for j in others]
        if sum(row[j] for j in others):
            losses.append(sum(terms) / sum(row[j] for j in others))
    return float(sum(losses) / len(losses))


def test_contrastive_by_hand(logits):
    labels = torch.tensor([0, 1, 0, 1, 2])
    pairs = (labels[:, None] == labels[None, :]).double().tolist()
    found = supervised_contrastive(logits, labels, temperature=0.5)
    assert float(found) == pytest.approx(by_hand(logits, pairs, 0.5))


def test_contrastive_of_several_labels_counts_the_common_share(logits):
    labels = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 0], [0, 0, 0]])
    pairs = [[0, 1 / 2, 1 / 3, 0, 0], [1 / 2, 0, 0, 0, 0], [1 / 3, 0, 0, 0, 0], [0] * 5, [0] * 5]
    found = supervised_contrastive(logits, labels, temperature=0.5)
    assert float(found) == pytest.approx(by_hand(logits, pairs, 0.5))


@pytest.mark.parametrize("labels", [torch.tensor([0, 1, 0, 1, 2]), SEVERAL])
def test_gradient_of_contrastive(logits, labels):
    assert torch.autograd.gradcheck(lambda x: supervised_contrastive(x, labels), logits.requires_grad_())


def test_contrastive_without_a_pair_is_nothing(logits):
    features = logits.requires_grad_()
    loss = supervised_contrastive(features, torch.arange(5))
    loss.backward()
    assert loss == 0
    assert features.grad.abs().max() == 0
    assert supervised_contrastive(logits[:1], torch.tensor([0])) == 0
