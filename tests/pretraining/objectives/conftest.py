"""Objectives of two layers that learn a few steps from headlines."""

import csv
from itertools import groupby
from operator import itemgetter
from types import SimpleNamespace

import numpy as np
import pytest

SMALL = (
    *("network.layers=2", "network.hidden=32", "network.heads=2", "network.dropout=0.0"),
    *("network.positions=64", "corpus.max_length=40"),
)


@pytest.fixture(scope="session")
def texts(topics_csv):
    """Three documents of 24 headlines, one a topic; a blank line between them."""
    with topics_csv.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    groups = [[row["title"] for row in group] for _topic, group in groupby(rows, itemgetter("topic"))]
    return [*groups[0], "", *groups[1], "", *groups[2]]


@pytest.fixture(scope="session")
def reader(checkpoint):
    """The tokenizer of a tiny BERT of headlines."""
    from gallae.pretrained.tokenizing import load_tokenizer

    return load_tokenizer(checkpoint("bert"))


@pytest.fixture(scope="session")
def pieces_reader(texts):
    """A tokenizer that cuts most words into pieces."""
    from gallae.pretrained.scratch import wrapped
    from gallae.text.subwords import train_subwords

    return wrapped(train_subwords("bpe", texts, 180, 1))


@pytest.fixture
def made(reader):
    """Return made(recipe, *overrides): a small objective."""
    import torch

    from gallae.pretraining.objectives import find_objective
    from gallae.pretraining.recipe import pretraining_recipe

    def make(name, *overrides, tokenizer=reader):
        torch.manual_seed(0)
        recipe = pretraining_recipe(name, [*SMALL, *overrides])
        return find_objective(recipe.objective.kind)(recipe, tokenizer, 0)

    return make


@pytest.fixture
def taught(made, reader, tmp_path):
    """Return taught(recipe, lines, *overrides): figures before and after a few steps, and the entropy."""
    import torch

    from gallae.pretraining.batches import Batches
    from gallae.pretraining.corpora import parse_sources
    from gallae.pretraining.encoding import encode, unigram_entropy

    def teach(name, lines, *overrides, steps=80, rate=5e-3, tokenizer=reader):
        objective = made(name, *overrides, tokenizer=tokenizer)
        file, corpus = tmp_path / "lines.txt", objective.recipe.corpus
        file.write_text("\n".join(lines), encoding="utf-8")
        encoded = encode(parse_sources([file]), tokenizer, tmp_path / "ids", corpus.format == "parallel")
        batches = Batches(encoded, corpus, 512, seed=0)

        def figures():
            objective.network.eval()
            with torch.no_grad():
                found = [
                    objective.network(
                        **objective.collate(batches.rows(number), np.random.default_rng(number))
                    )
                    for number in range(4)
                ]
            objective.network.train()
            return {name: np.mean([float(one[name]) for one in found]) for name in found[0]}

        before = figures()
        optimizer = torch.optim.Adam(objective.network.parameters(), rate)
        for step in range(steps):
            optimizer.zero_grad()
            objective.network(**objective.collate(batches.rows(step), batches.rng(step)))["loss"].backward()
            optimizer.step()
        entropy = unigram_entropy(encoded, encoded, len(tokenizer))
        return SimpleNamespace(objective=objective, before=before, after=figures(), entropy=entropy)

    return teach
