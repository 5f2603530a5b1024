"""What a network begins with, as the recipe's [network] table says it."""

import shutil

import numpy as np
import pytest
import torch

from gallae.errors import GallaeError
from gallae.pretrained.loading import load_model
from gallae.pretrained.scratch import write_checkpoint
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.pretraining.networks import find_tokenizer, make_network
from gallae.pretraining.recipe import pretraining_recipe

TEXTS = ["학교에서 책을 읽었다", "학교가 멀다", "집에서 책을 본다"] * 4


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    sizes = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 64}
    folder, head = tmp_path_factory.mktemp("source") / "bert", "AutoModelForMaskedLM"
    return write_checkpoint(
        folder, TEXTS, "bert", "wordpiece", 300, head, max_position_embeddings=64, **sizes
    )


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A tokenizer of other pieces."""
    return write_checkpoint(tmp_path_factory.mktemp("other"), TEXTS, "bert", "unigram", 200, hidden_size=12)


def _begun(*overrides, **options):
    recipe = pretraining_recipe("mlm", ["corpus.max_length=32", *overrides], **options)
    return make_network(recipe, find_tokenizer(recipe), "AutoModelForMaskedLM")


def test_a_teachers_layers(source):
    student = _begun(f"network.teacher='{source}'", "network.layers=2", "network.every=3")
    teacher = load_model(source, "AutoModelForMaskedLM").bert.encoder.layer
    kept = [layer.output.dense.weight for layer in student.bert.encoder.layer]
    assert [torch.equal(kept[at], teacher[3 * at].output.dense.weight) for at in (0, 1)] == [True, True]
    assert student.config.hidden_size == 32  # the teacher's, whatever network.hidden says


def test_a_teacher_that_is_only_learnt_from_gives_its_tokenizer(source):
    sizes = ["network.layers=1", "network.hidden=16", "network.heads=2"]
    recipe = pretraining_recipe("tinybert", [f"network.teacher='{source}'", "corpus.max_length=32", *sizes])
    student = make_network(recipe, find_tokenizer(recipe))
    assert student.config.hidden_size == 16
    assert student.config.vocab_size == len(load_tokenizer(source))


def test_another_vocabulary(source, other):
    with pytest.raises(GallaeError, match=r"network\.new_vocabulary=true"):
        _begun(checkpoint=str(source), tokenizer=other)
    made = _begun("network.new_vocabulary=true", checkpoint=str(source), tokenizer=other)
    old, new = load_tokenizer(source), load_tokenizer(other)
    before = load_model(source).get_input_embeddings().weight
    after = made.get_input_embeddings().weight
    pieces = zip(("학교", "[MASK]"), ("▁학교", "[MASK]"), strict=True)
    for one, two in pieces:
        numbers = old.convert_tokens_to_ids(one), new.convert_tokens_to_ids(two)
        assert torch.equal(before[numbers[0]], after[numbers[1]])
    assert len(after) == len(new) and made.config.num_hidden_layers == 4
    half = [f"network.teacher='{source}'", "network.layers=2", "network.new_vocabulary=true"]
    student = _begun(*half, tokenizer=other)
    assert torch.equal(student.get_input_embeddings().weight, after)
    assert student.config.num_hidden_layers == 2


def test_its_own_tokenizer_given_once_more_changes_nothing(source):
    made = _begun(checkpoint=str(source), tokenizer=source)
    assert np.array_equal(
        made.get_input_embeddings().weight.detach(), load_model(source).get_input_embeddings().weight.detach()
    )


def test_kiwis_vectors(source):
    options = ["network.layers=1", "network.hidden=32", "network.heads=2"]
    random, warm = (
        _begun(*options, f"network.vectors='{name}'", tokenizer=source).get_input_embeddings().weight
        for name in ("", "kiwi")
    )
    school = load_tokenizer(source).convert_tokens_to_ids("학교")
    assert warm[school].square().mean().sqrt().item() == pytest.approx(0.04, rel=1e-2)
    assert not torch.equal(random[school], warm[school])
    kept = _begun("network.vectors='kiwi'", checkpoint=str(source)).get_input_embeddings().weight
    assert torch.equal(kept, load_model(source).get_input_embeddings().weight)


def test_a_field_that_the_architecture_does_not_have(source):
    recipe = pretraining_recipe("mlm", ["network.config.num_hidden_layer=2"], tokenizer=source)
    with pytest.raises(GallaeError, match=r"'num_hidden_layer'\. Did you mean 'num_hidden_layers'\?"):
        make_network(recipe, find_tokenizer(recipe))


def test_a_vocabulary_that_the_network_does_not_embed(source, tmp_path):
    recipe = pretraining_recipe("mlm", ["network.config.vocab_size=3"], tokenizer=source)
    with pytest.raises(GallaeError, match=r"the network embeds 3 \(vocab_size\)"):
        make_network(recipe, find_tokenizer(recipe))
    mixed = tmp_path / "mixed"
    shutil.copytree(source, mixed)
    tokenizer = load_tokenizer(source)
    tokenizer.add_tokens(["[NEW]"])
    tokenizer.save_pretrained(mixed)
    recipe = pretraining_recipe("mlm", ["corpus.max_length=32"], checkpoint=str(mixed))
    with pytest.raises(GallaeError, match="tokenizer and the weights of the same checkpoint"):
        make_network(recipe, find_tokenizer(recipe))
