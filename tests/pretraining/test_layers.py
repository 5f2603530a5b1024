import pytest
import torch

from gallae.errors import RecipeError
from gallae.pretrained.loading import load_model
from gallae.pretraining.layers import every_layer

IDS = torch.tensor([[2, 7, 9, 8, 3]])


@pytest.mark.parametrize(
    "family", ["bert", "roberta", "electra", "distilbert", "deberta-v2", "modernbert", "albert"]
)
def test_every_layer_of_all_is_the_teacher(checkpoint, family):
    teacher = load_model(checkpoint(family, "AutoModelForMaskedLM"), "AutoModelForMaskedLM")
    student = every_layer(teacher, 2, 1)
    assert torch.equal(student(IDS).logits, teacher(IDS).logits)
    assert every_layer(teacher, 1, 2).config.num_hidden_layers == 1


def test_every_kth_layer(checkpoint):
    teacher = load_model(checkpoint("bert", num_hidden_layers=6))
    student = every_layer(teacher, 3, 2)
    for number, layer in enumerate(student.encoder.layer):
        assert torch.equal(layer.output.dense.weight, teacher.encoder.layer[2 * number].output.dense.weight)
    assert torch.equal(student.embeddings.word_embeddings.weight, teacher.embeddings.word_embeddings.weight)
    # Without the layers between, the teacher says the same.
    teacher.encoder.layer = torch.nn.ModuleList(list(teacher.encoder.layer)[::2])
    assert torch.equal(student(IDS).last_hidden_state, teacher(IDS).last_hidden_state)


def test_what_the_configuration_says_layer_by_layer(checkpoint):
    teacher = load_model(checkpoint("modernbert", num_hidden_layers=4))
    student = every_layer(teacher, 2, 2)
    assert student.config.layer_types == teacher.config.layer_types[::2]
    assert student(IDS).last_hidden_state.shape == (1, 5, 32)


def test_too_few_layers(checkpoint):
    teacher = load_model(checkpoint("bert"))
    with pytest.raises(RecipeError, match=r"layer 5, and it has 2\. Set network.layers=1"):
        every_layer(teacher, 3, 2)
