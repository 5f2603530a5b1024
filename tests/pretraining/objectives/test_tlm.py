"""The translation language model: positions, languages, and help from the other sentence."""

import numpy as np
import pytest

from gallae.errors import RecipeError
from gallae.pretraining.recipe import pretraining_recipe
from gallae.pretraining.rows import Row


def test_positions_begin_anew_and_types_tell_languages_apart(made):
    objective = made("tlm")
    batch = objective.collate(
        [Row(np.arange(10, 13), np.arange(20, 22)), Row(np.array([10]), np.array([20]))],
        np.random.default_rng(0),
    )
    assert batch["position_ids"][0].tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    assert batch["token_type_ids"][0].tolist() == [0] * 5 + [1] * 3
    assert batch["position_ids"][1, :5].tolist() == [0, 1, 2, 0, 1]
    assert objective.network(**batch)["loss"] >= 0


def test_robertas_positions_begin_behind_the_padding(made):
    objective = made("tlm", "network.model_type=roberta")
    assert objective.encoder.config.type_vocab_size == 2
    batch = objective.collate([Row(np.arange(10, 13), np.arange(20, 22))], np.random.default_rng(0))
    first = objective.tokenizer.pad_token_id + 1
    assert batch["position_ids"][0].tolist() == [first + n for n in (0, 1, 2, 3, 4, 0, 1, 2)]
    objective.network(**batch)


def test_it_learns_more_than_how_frequent_tokens_are(taught, texts):
    lines = [f"{line}\t{' '.join(reversed(line.split()))}" for line in texts if line]
    found = taught("tlm", lines, "objective.masked=0.3", steps=100, rate=5e-3)
    assert found.before["mlm"] > found.entropy
    assert found.after["mlm"] < 0.8 * found.entropy


def test_a_sentence_helps_its_translation(taught, texts):
    rng = np.random.default_rng(0)
    korean, other = ["코스피", "환율", "수출"], ["손흥민", "류현진", "컬링팀"]
    # Words at random: nothing but the other side tells what they are.
    lines = [rng.integers(3, size=4) for _ in range(150)]
    pairs = [" ".join(korean[n] for n in line) + "\t" + " ".join(other[n] for n in line) for line in lines]
    found = taught("tlm", pairs, "objective.masked=0.3", steps=300, rate=5e-3)
    assert found.after["mlm"] < 0.6 * np.log(3)  # who knows the language only has log 3


def test_networks_without_types_of_tokens_are_refused(made):
    with pytest.raises(RecipeError, match="token types"):
        made("tlm", "network.model_type=distilbert")


def test_it_needs_parallel_lines():
    with pytest.raises(RecipeError, match="'parallel'"):
        pretraining_recipe("tlm", ["corpus.format=lines"])
