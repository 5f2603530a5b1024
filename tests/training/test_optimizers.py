import copy
import io

import pytest
import torch
from torch import nn

from gallae.training.optimizers import NAMES, Combined, Lion, clip_gradients, make_optimizer
from gallae.training.schedules import make_schedule


class Net(nn.Module):
    """Embedding, hidden layer, norm, classifier."""

    def __init__(self, sparse: bool = False) -> None:
        super().__init__()
        self.embedding = nn.EmbeddingBag(20, 6, sparse=sparse)
        self.hidden = nn.Linear(6, 8)
        self.norm = nn.LayerNorm(8)
        self.classifier = nn.Linear(8, 3)

    def forward(self, ids):
        return self.classifier(self.norm(torch.tanh(self.hidden(self.embedding(ids)))))


def net(sparse=False, seed=0):
    torch.manual_seed(seed)
    return Net(sparse)


IDS = torch.randint(0, 20, (16, 5), generator=torch.Generator().manual_seed(1))
TARGETS = torch.randint(0, 3, (16,), generator=torch.Generator().manual_seed(2))


def learn(model, optimizer, steps, schedule=None):
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(IDS), TARGETS)
        loss.backward()
        optimizer.step()
        if schedule:
            schedule.step()
        losses.append(loss.item())
    return losses


def members(optimizer):
    return optimizer.members if isinstance(optimizer, Combined) else [optimizer]


RATES = {"sgd": 0.5, "lion": 0.01, "muon": 0.05}


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_each_learns_a_small_problem(name, sparse):
    model = net(sparse)
    optimizer = make_optimizer(model, name, RATES.get(name, 0.05), 0.0)
    losses = learn(model, optimizer, 150)
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize("name", NAMES)
def test_each_finds_the_lowest_point_of_a_quadratic(name):
    model = nn.Linear(4, 3, bias=False)
    goal = torch.arange(12.0).reshape(3, 4) / 12
    optimizer = make_optimizer(model, name, 0.1, 0.0)
    schedule = make_schedule(optimizer, "linear", 0.0, 300)
    for _ in range(300):
        optimizer.zero_grad()
        ((model.weight - goal) ** 2).sum().backward()
        optimizer.step()
        schedule.step()
    assert (model.weight - goal).abs().max() < 0.02


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_saved_state_goes_on_exactly(name, sparse):
    model = net(sparse)
    optimizer = make_optimizer(model, name, 0.01, 0.1)
    schedule = make_schedule(optimizer, "linear", 0.3, 10)
    learn(model, optimizer, 4, schedule)
    saved = io.BytesIO()
    torch.save([model.state_dict(), optimizer.state_dict(), schedule.state_dict()], saved)
    learn(model, optimizer, 6, schedule)

    saved.seek(0)
    weights, state, position = torch.load(saved, weights_only=True)
    other = net(sparse, seed=9)
    other.load_state_dict(weights)
    again = make_optimizer(other, name, 0.01, 0.1)
    following = make_schedule(again, "linear", 0.3, 10)
    again.load_state_dict(state)
    following.load_state_dict(position)
    learn(other, again, 6, following)
    for weight, expected in zip(other.parameters(), model.parameters(), strict=True):
        assert torch.equal(weight, expected)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "adam"])
def test_biases_norms_and_embeddings_do_not_decay(name):
    model = net()
    optimizer = make_optimizer(model, name, 0.1, 0.5)
    before = copy.deepcopy(model.state_dict())
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {"hidden.weight", "classifier.weight"}
    torch.testing.assert_close(model.hidden.weight.data, before["hidden.weight"] * 0.95)


def test_decay_of_adam_is_part_of_the_gradient():
    groups = make_optimizer(net(), "adam", 0.1, 0.5).param_groups
    assert [group["weight_decay"] for group in groups] == [0.5, 0.0, 0.0]


@pytest.mark.parametrize("name", NAMES)
def test_every_learning_weight_is_in_one_group(name):
    model = net(sparse=True)
    model.norm.weight.requires_grad_(False)
    groups = make_optimizer(model, name, 0.1, 0.1).param_groups
    found = [id(weight) for group in groups for weight in group["params"]]
    assert sorted(found) == sorted(id(weight) for weight in model.parameters() if weight.requires_grad)


def test_muon_gets_the_hidden_matrices_only():
    model = net()
    muon, rest = make_optimizer(model, "muon", 0.1, 0.1).members
    assert [id(w) for g in muon.param_groups for w in g["params"]] == [id(model.hidden.weight)]
    assert type(rest).__name__ == "AdamW"
    assert type(make_optimizer(nn.LayerNorm(3), "muon", 0.1, 0.1)).__name__ == "AdamW"


def test_tied_weights_count_once():
    model = net()
    model.classifier = nn.Linear(6, 20)
    model.classifier.weight = model.embedding.weight
    groups = make_optimizer(model, "adamw", 0.1, 0.1).param_groups
    assert sum(weight is model.embedding.weight for group in groups for weight in group["params"]) == 1


@pytest.mark.parametrize(
    ("name", "field", "expected"), [("lion", "betas", (0.8, 0.9)), ("sgd", "momentum", 0.8)]
)
def test_betas(name, field, expected):
    assert make_optimizer(net(), name, 0.1, 0.1, (0.8, 0.9)).param_groups[0][field] == expected


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_embeddings_may_learn_at_a_rate_of_their_own(name, sparse):
    model = net(sparse)
    for group in make_optimizer(model, name, 0.1, 0.1, embedding_rate=0.5).param_groups:
        of_embeddings = any(weight is model.embedding.weight for weight in group["params"])
        assert group["lr"] == (0.05 if of_embeddings else 0.1)


def test_a_schedule_reaches_all_members_before_and_after_loading():
    optimizer = make_optimizer(net(sparse=True), "muon", 0.1, 0.0)
    assert len(optimizer.members) == 3
    schedule = make_schedule(optimizer, "linear", 0.0, 10)
    for expected in (0.09, 0.08):
        optimizer.step()
        schedule.step()
        rates = [group["lr"] for member in optimizer.members for group in member.param_groups]
        assert rates == pytest.approx([expected] * len(rates))
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx(rates)


def test_combined_survives_copying():
    model = net(sparse=True)
    made = copy.deepcopy(make_optimizer(model, "adamw", 0.1, 0.0))
    assert made.param_groups[0] is made.members[0].param_groups[0]


def test_sparse_and_dense_embeddings_learn_alike_when_all_rows_come():
    ids = torch.arange(20).reshape(4, 5)
    found = []
    for sparse in (True, False):
        model = net(sparse)
        optimizer = make_optimizer(model, "adamw", 0.01, 0.1)
        for _ in range(5):
            optimizer.zero_grad()
            (100 * nn.functional.cross_entropy(model(ids), TARGETS[:4])).backward()
            clip_gradients(model.parameters(), 10.0)
            optimizer.step()
        found.append(model.embedding.weight.detach())
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-4)


def test_lion_by_hand():
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = Lion([weight], lr=0.1, betas=(0.9, 0.99), weight_decay=0.5)
    weight.grad = torch.tensor([3.0, -1.0])
    optimizer.step()
    torch.testing.assert_close(weight.data, torch.tensor([0.95 - 0.1, -1.9 + 0.1]))
    weight.grad = torch.tensor([-0.1, 1.0])  # the mean (0.03, -0.01) outweighs the first one only
    optimizer.step()
    torch.testing.assert_close(weight.data, torch.tensor([0.85 * 0.95 - 0.1, -1.8 * 0.95 - 0.1]))


def test_a_closure_is_called():
    model = net(sparse=True)
    optimizer = make_optimizer(model, "adamw", 0.01, 0.0)

    def closure():
        loss = model(IDS).square().mean()
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) > 0
    assert make_optimizer(net(), "lion", 0.01, 0.0).step(lambda: 2.0) == 2.0


@pytest.mark.parametrize("max_norm", [0.0, 0.01, 100.0])
def test_clipping_sparse_gradients_equals_dense(max_norm):
    found = []
    for sparse in (False, True):
        model = net(sparse)
        nn.functional.cross_entropy(model(IDS), TARGETS).backward()
        expected = torch.nn.utils.get_total_norm([w.grad.to_dense() for w in model.parameters()])
        assert clip_gradients(model.parameters(), max_norm) == pytest.approx(float(expected))
        found.append([weight.grad.to_dense() for weight in model.parameters()])
    torch.testing.assert_close(found[0], found[1])
    clipped = float(torch.nn.utils.get_total_norm(found[0]))
    assert clipped == pytest.approx(min(max_norm or 9, float(expected)), rel=1e-3)


def test_clipping_nothing():
    assert clip_gradients([torch.zeros(2)], 1.0) == 0


def test_a_model_that_cannot_learn_or_another_name_is_refused():
    frozen = nn.Linear(2, 2).requires_grad_(False)
    with pytest.raises(ValueError, match="requires_grad"):
        make_optimizer(frozen, "adamw", 0.1, 0.1)
    with pytest.raises(ValueError, match=r"adagrad.*adamw"):
        make_optimizer(net(), "adagrad", 0.1, 0.1)


# ---- layers at rates of their own

DEPTHS = {
    "embedding.weight": 0,
    "hidden.weight": 1,
    "hidden.bias": 1,
    "norm.weight": 2,
    "norm.bias": 2,
    "classifier.weight": 3,
    "classifier.bias": 3,
}


def rates(optimizer, model):
    """The learning rate and decay of every weight, by name."""
    names = {id(weight): name for name, weight in model.named_parameters()}
    return {
        names[id(weight)]: (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for weight in group["params"]
    }


def test_every_layer_learns_at_a_share_of_the_rate_above_it():
    model = net()
    optimizer = make_optimizer(model, "adamw", 0.8, 0.1, layer_decay=0.5, depths=DEPTHS)
    found = rates(optimizer, model)
    assert found == {
        "classifier.weight": (0.8, 0.1),
        "classifier.bias": (0.8, 0.0),
        "norm.weight": (0.4, 0.0),
        "norm.bias": (0.4, 0.0),
        "hidden.weight": (0.2, 0.1),
        "hidden.bias": (0.2, 0.0),
        "embedding.weight": (0.1, 0.0),
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer_takes_layers_and_a_schedule_scales_them_alike(name):
    model = net()
    optimizer = make_optimizer(model, name, 0.8, 0.1, layer_decay=0.5, depths=DEPTHS)
    assert {key: rate for key, (rate, _) in rates(optimizer, model).items()} == {
        key: 0.8 * 0.5 ** (3 - depth) for key, depth in DEPTHS.items()
    }
    schedule = make_schedule(optimizer, "linear", 0.0, 4)
    learn(model, optimizer, 1, schedule)
    found = rates(optimizer, model)
    assert [found[key][0] for key in DEPTHS] == pytest.approx(
        [0.75 * 0.8 * 0.5 ** (3 - d) for d in DEPTHS.values()]
    )


def test_layers_and_the_rate_of_embeddings_multiply():
    model = net()
    optimizer = make_optimizer(model, "adamw", 0.8, 0.1, embedding_rate=3.0, layer_decay=0.5, depths=DEPTHS)
    assert rates(optimizer, model)["embedding.weight"][0] == pytest.approx(0.3)


def test_embeddings_of_pretrained_encoders_decay():
    model = net()
    optimizer = make_optimizer(model, "adamw", 0.1, 0.5, embedding_decay=True)
    assert {key for key, (_, decay) in rates(optimizer, model).items() if decay} == {
        "embedding.weight",
        "hidden.weight",
        "classifier.weight",
    }


def test_depths_alone_change_nothing():
    found = [
        rates(make_optimizer(m, "adamw", 0.1, 0.5, depths=d), m) for d in (None, DEPTHS) for m in [net()]
    ]
    assert found[0] == found[1]


def test_the_deepest_layer_counts_though_it_is_frozen():
    model = net()
    model.classifier.requires_grad_(False)
    found = rates(make_optimizer(model, "adamw", 0.8, 0.1, layer_decay=0.5, depths=DEPTHS), model)
    assert found["hidden.weight"][0] == pytest.approx(0.2)


def test_layers_without_depths_are_refused():
    with pytest.raises(ValueError, match="depths"):
        make_optimizer(net(), "adamw", 0.1, 0.1, layer_decay=0.9)
