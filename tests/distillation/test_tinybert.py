import csv

import numpy as np
import pytest
import torch

import gallae
from gallae.distillation.tinybert import LayerOptions, learn_layers
from gallae.errors import DataError, RecipeError
from gallae.pretrained.loading import load_model
from gallae.pretrained.scratch import write_checkpoint
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.pretraining.objectives.tinybert import TinyBert
from gallae.pretraining.recipe import pretraining_recipe
from gallae.pretraining.rows import Row

QUICK = LayerOptions(epochs=30, learning_rate=3e-3, max_length=32, batch_tokens=256, device="cpu")


@pytest.fixture(scope="module")
def texts(topics_csv):
    with topics_csv.open(encoding="utf-8", newline="") as file:
        return [row["title"] for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def teacher(topics_csv, checkpoint, tmp_path_factory):
    """A classifier of the family encoder, fine-tuned."""
    start = checkpoint("bert", num_hidden_layers=4, initializer_range=0.15)
    options = [
        f"model.checkpoint='{start}'",
        "model.max_length=32",
        "training.epochs=1",
        "training.device=cpu",
    ]
    return gallae.train(
        topics_csv, "encoder", output=tmp_path_factory.mktemp("tiny") / "teacher", overrides=options
    )


@pytest.fixture(scope="module")
def student(teacher, tmp_path_factory):
    """Make a checkpoint of random weights with the teacher's tokenizer; returns its folder."""
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}

    def make(**config):
        folder = tmp_path_factory.mktemp("student")
        tokenizer = load_tokenizer(teacher.folder / "model")
        return write_checkpoint(folder, [], "bert", tokenizer, **{**sizes, **config})

    return make


def _unexplained(student, teacher, texts):
    """Return the share of a teacher's states of held-out texts that no linear map of its student's gives."""
    tokenizer, own = load_tokenizer(student), load_model(student)
    theirs = gallae.load(teacher.folder).network_.backbone

    def states(network, texts):
        inputs = tokenizer(texts, return_tensors="pt", padding=True)
        with torch.no_grad():
            found = network(**inputs).last_hidden_state[inputs["attention_mask"].bool()]
        return torch.cat([found, torch.ones(len(found), 1)], dim=1)

    seen, held = texts[::2], texts[1::2]
    turn = torch.linalg.lstsq(states(own, seen), states(theirs, seen)).solution
    wanted = states(theirs, held)
    left = (states(own, held) @ turn - wanted).square().sum()
    return float(left / (wanted - wanted.mean(dim=0)).square().sum())


def test_a_student_comes_nearer_to_a_fine_tuned_teacher(teacher, student, texts, tmp_path):
    start = student()
    made = learn_layers(texts[::2], teacher.folder, start, tmp_path / "student", QUICK)
    assert made == tmp_path / "student"
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {path.name for path in made.iterdir()}
    assert load_model(made).config.hidden_size == 16
    assert _unexplained(made, teacher, texts) < 0.8 * _unexplained(start, teacher, texts)
    again = learn_layers(texts[::2], teacher.folder, start, tmp_path / "again", QUICK)
    one, other = (load_model(folder).state_dict() for folder in (made, again))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_what_is_there_is_kept(tmp_path):
    assert learn_layers([], "nowhere", "nowhere", tmp_path) == tmp_path


def test_the_general_stage_takes_a_classifier_as_teacher_too(teacher):
    options = [f"network.teacher='{teacher.folder}'", "network.layers=2", "network.hidden=16"]
    sizes = ["network.heads=2", "network.feed_forward=32", "network.positions=64", "corpus.max_length=32"]
    recipe = pretraining_recipe("tinybert", [*options, *sizes])
    objective = TinyBert(recipe, load_tokenizer(teacher.folder / "model"), 0)
    batch = objective.collate([Row(np.array([7, 8, 9]))], np.random.default_rng(0))
    assert objective.network(**batch)["loss"] > 0


def test_what_does_not_fit(teacher, student, checkpoint, texts, tmp_path):
    with pytest.raises(RecipeError, match="Give the student as many"):
        learn_layers(texts, teacher.folder, student(num_attention_heads=4), tmp_path / "a", QUICK)
    with pytest.raises(RecipeError, match="reads other tokens"):
        learn_layers(texts, teacher.folder, checkpoint("electra"), tmp_path / "b", QUICK)
    with pytest.raises(DataError, match="no text has a token"):
        learn_layers([""], teacher.folder, student(), tmp_path / "c", QUICK)
    assert not list(tmp_path.iterdir())
