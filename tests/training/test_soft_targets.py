"""What a step minimises with a teacher: the papers' formulas, row by row."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from gallae.errors import RecipeError
from gallae.training.batches import Examples
from gallae.training.distilling import SoftObjective
from gallae.training.objective import Objective
from gallae.training.options import TrainingOptions
from gallae.training.soft_targets import SoftExamples, SoftOptions, SoftTargets

CHANCES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]], dtype=np.float32)
GOLD = np.array([0, 2, -1])
KNOWN = np.array([True, True, False])
LOGITS = torch.tensor([[0.5, -1.0, 2.0], [1.0, 0.0, -0.5], [0.2, 0.1, 0.0]])


class Ids:
    """Three rows of one token."""

    lengths = np.ones(3, dtype=np.int64)

    def batch(self, rows):
        return {"input_ids": torch.from_numpy(rows)[:, None]}

    def __len__(self):
        return 3


def targets(gold=GOLD, known=KNOWN, **options):
    return SoftTargets(np.array(["가", "나", "다"]), CHANCES, gold, known, SoftOptions(**options))


def loss(of, logits=LOGITS, multilabel=False, **training):
    batch = SoftExamples(Ids(), of).__getitems__([0, 1, 2])
    step = SoftObjective(of.options, TrainingOptions(**training), None, multilabel)
    return float(step.plain(logits, batch["labels"]))


def test_a_labelled_row_costs_a_mixture_and_another_the_teachers_part():
    found = loss(targets(temperature=2.0, weight=0.3))
    teacher = (torch.tensor(CHANCES).log() / 2).softmax(dim=1)
    student = (LOGITS / 2).log_softmax(dim=1)
    divergence = 4 * (teacher * (teacher.log() - student)).sum(dim=1)
    told = functional.cross_entropy(LOGITS[:2], torch.tensor([0, 2]), reduction="none")
    rows = [0.3 * divergence[0] + 0.7 * told[0], 0.3 * divergence[1] + 0.7 * told[1], divergence[2]]
    assert found == pytest.approx(float(torch.stack(rows).mean()), rel=1e-5)


def test_a_student_that_says_the_same_costs_nothing():
    same = torch.tensor(CHANCES).log() + 3.0  # logits are known up to a number a row
    assert loss(targets(weight=1.0, temperature=3.0), same) == pytest.approx(0, abs=1e-5)
    centred = same - same.mean(dim=1, keepdim=True)
    assert loss(targets(weight=1.0, loss="mse"), centred) == pytest.approx(0, abs=1e-5)
    assert loss(targets(weight=1.0, loss="mse"), centred + 1) == pytest.approx(1, rel=1e-4)
    odds = torch.tensor(CHANCES).logit()
    several = targets(gold=np.eye(3, dtype=bool), weight=1.0, temperature=3.0)
    assert loss(several, odds, multilabel=True) == pytest.approx(0, abs=1e-5)
    assert loss(several, odds + 1, multilabel=True) > 0.01


def test_the_weight_0_is_the_plain_loss_of_labelled_rows():
    known = np.ones(3, dtype=bool)
    gold = np.array([0, 2, 1])
    for training in ({}, {"label_smoothing": 0.1}, {"loss": "focal"}):
        plain = Examples(Ids(), gold, 3).labels(np.arange(3))
        want = float(Objective(TrainingOptions(**training), None, False).plain(LOGITS, plain))
        assert loss(targets(gold, known, weight=0.0), **training) == pytest.approx(want, rel=1e-5)


def test_class_weights_count_for_labelled_rows_alone():
    of, weights = targets(weight=0.0), torch.tensor([1.0, 2.0, 5.0])
    packed = SoftExamples(Ids(), of).labels(np.arange(2))
    found = SoftObjective(of.options, TrainingOptions(), weights, False).plain(LOGITS[:2], packed)
    want = functional.cross_entropy(LOGITS[:2], torch.tensor([0, 2]), weight=weights)
    assert float(found) == pytest.approx(float(want), rel=1e-5)


def test_labels_are_the_teachers_where_none_is_known():
    of = targets()
    assert of.decided.tolist() == [0, 2, 2]
    packed = SoftExamples(Ids(), of).labels(np.arange(3))
    assert SoftObjective(of.options, TrainingOptions(), None, False).labels(packed).tolist() == [0, 2, 2]
    assert of.shares[2] == pytest.approx(CHANCES[2]) and of.shares[1] == pytest.approx([0.05, 0.4, 0.55])
    assert of.take(np.array([2, 0])).decided.tolist() == [2, 0]


def test_several_labels_are_taken_from_a_teacher_by_halves():
    gold = np.array([[True, False, True], [False, False, False], [True, True, True]])
    of = SoftTargets(np.array(["가", "나", "다"]), CHANCES, gold, KNOWN)
    assert of.multilabel and of.decided.tolist() == [[True, False, True], [False] * 3, [False] * 3]
    assert of.shares[0] == pytest.approx([0.85, 0.1, 0.55])


@pytest.mark.parametrize(
    ("options", "word"),
    [({"temperature": 0}, "--temperature 0"), ({"weight": 1.5}, "--weight"), ({"loss": "l1"}, "kl, mse")],
)
def test_options_that_make_no_sense_are_refused(options, word):
    with pytest.raises(RecipeError, match=word):
        SoftOptions(**options)
