"""Every family of students comes nearer to its teacher by what the teacher says of texts."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

import gallae
from gallae.errors import DataError, RecipeError
from gallae.models.heads import HeadOptions, fit_head
from gallae.models.soft_heads import copies, fit_soft_head
from gallae.recipes import find_recipe
from gallae.training.soft_targets import SoftOptions, SoftTargets

SMALL = [
    *("training.epochs=15", "training.min_steps=0", "training.learning_rate=5e-3"),
    *("training.track=none", "training.batch_size=32"),
]
NETWORK = [*SMALL, "model.unit=char", "model.vectors=", "model.dropout=0.0"]
NARROW = [*NETWORK, "model.embedding=32", "model.hidden=32"]
STUDENTS = {
    "svm": ("fast", ["features.blocks.0.ngrams=[1,2]"]),
    "calibrated": ("fast", ["calibration.folds=2"]),
    "logistic": ("logistic", []),
    "nbsvm": ("nbsvm", []),
    "sgd": ("fast", ["model.classifier=sgd"]),
    "mlp": ("simple-dnn", [*SMALL, "model.dropout=0.0"]),
    "bag": ("embedding-bag", [*NETWORK, "model.embedding=32"]),
    "recurrent": ("lstm", [*NARROW, "model.layers=1"]),
    "convolutional": ("textcnn", [*NETWORK, "model.embedding=32", "model.filters=32"]),
    "transformer": ("transformer", [*NARROW, "model.layers=1", "model.feed_forward=32"]),
    "encoder": (
        "encoder",
        [*SMALL, "training.learning_rate=1e-3", "model.max_length=32", "model.max_unknown=1"],
    ),
}


def soft(texts, teacher, gold, known, **options):
    place = np.searchsorted(teacher.classes_, gold)
    return SoftTargets(
        teacher.classes_,
        teacher.predict_proba(texts).astype(np.float32),
        np.where(known, place, -1),
        known,
        SoftOptions(**options),
    )


def divergence(teacher, student, texts):
    """Return the mean Kullback-Leibler divergence of a student from its teacher."""
    told, said = (np.clip(model.predict_proba(texts), 1e-6, 1) for model in (teacher, student))
    return float((told * np.log(told / said)).sum(axis=1).mean())


@pytest.fixture(scope="module")
def lesson():
    """A teacher who has seen all the texts; texts to learn from, of which a sixth is labelled; others."""
    whole = gallae.sample("headlines")
    chosen = np.random.default_rng(0).permutation(len(whole))
    texts, labels = np.array(whole.texts, dtype=object)[chosen], np.array(whole.labels)[chosen]
    teacher = gallae.build("logistic").fit(texts.tolist(), labels)
    rows, held = np.arange(len(texts)) < 300, np.arange(len(texts)) >= 300
    known = np.arange(300) < 50
    return teacher, texts[rows].tolist(), labels[rows], known, texts[held].tolist()


def built(name, checkpoint):
    recipe, overrides = STUDENTS[name]
    if name == "encoder":
        overrides = [*overrides, f"model.checkpoint='{checkpoint('bert')}'"]
    if name not in ("calibrated",):
        overrides = [*overrides, "calibration.method=none"]
    return gallae.build(find_recipe(recipe, overrides))


@pytest.mark.parametrize("name", list(STUDENTS))
def test_a_student_comes_nearer_to_its_teacher(name, lesson, checkpoint):
    teacher, texts, labels, known, _ = lesson
    told = [text for text, labelled in zip(texts, known, strict=True) if not labelled]
    alone = built(name, checkpoint).fit([*np.array(texts, dtype=object)[known]], labels[known])
    targets = soft(texts, teacher, labels, known, temperature=2.0, weight=0.7)
    student = built(name, checkpoint).fit_soft(texts, targets)
    assert student.classes_.tolist() == teacher.classes_.tolist() and not student.multilabel_
    if name != "nbsvm":  # whose margins are no logits
        assert divergence(teacher, student, told) < divergence(teacher, alone, told)
    same = [(model.predict(told) == teacher.predict(told)).mean() for model in (alone, student)]
    assert same[1] > same[0]


def test_logits_are_learned_too(lesson, checkpoint):
    teacher, texts, labels, known, held = lesson
    start = built("convolutional", checkpoint).fit([*np.array(texts, dtype=object)[known]], labels[known])
    targets = soft(texts, teacher, labels, known, loss="mse", weight=1.0)
    student = built("convolutional", checkpoint).fit_soft(texts, targets)
    assert divergence(teacher, student, held) < divergence(teacher, start, held)


def test_a_saved_student_says_the_same(lesson, checkpoint, tmp_path):
    teacher, texts, labels, known, held = lesson
    student = built("calibrated", checkpoint).fit_soft(texts, soft(texts, teacher, labels, known))
    student.save(tmp_path / "student")
    assert np.array_equal(gallae.load(tmp_path / "student").predict_proba(held), student.predict_proba(held))


def test_rows_held_out_to_stop_early_have_labels(lesson, checkpoint):
    teacher, texts, labels, known, _ = lesson
    recipe, overrides = STUDENTS["convolutional"]
    stopping = ["training.early_stopping.share=0.2", "training.epochs=1", "calibration.method=multinomial"]
    model = gallae.build(find_recipe(recipe, [*overrides, *stopping, "calibration.folds=1"]))
    model.fit_soft(texts, soft(texts, teacher, labels, known))
    held = model.estimator_.held_out_[0]
    assert len(held) and known[held].all()


def test_several_labels_are_taught(lesson):
    _, texts, _, _, held = lesson
    labels = [tuple(name for name in ("숫자", "영문") if has(text, name)) for text in texts]
    teacher = gallae.build("logistic").fit(texts, labels)
    known = np.arange(300) < 30
    gold = np.array([[name in names for name in teacher.classes_] for names in labels])
    chances = teacher.predict_proba(texts).astype(np.float32)
    targets = SoftTargets(teacher.classes_, chances, gold, known)
    for name in ("logistic", "textcnn"):
        overrides = ["calibration.method=none", *(STUDENTS["convolutional"][1] if name == "textcnn" else [])]
        student = gallae.build(find_recipe(name, overrides)).fit_soft(texts, targets)
        assert student.multilabel_
        near = np.abs(student.predict_proba(held) - teacher.predict_proba(held)).mean()
        assert near < np.abs(chances.mean(axis=0) - teacher.predict_proba(held)).mean()


def has(text, name):
    return any(sign.isdigit() if name == "숫자" else sign.isascii() and sign.isalpha() for sign in text)


def test_shares_of_0_and_1_are_labels():
    rng = np.random.default_rng(0)
    rows, target = sp.random(200, 30, 0.2, "csr", np.float32, rng), rng.integers(0, 3, 200)
    for name in ("svm", "logistic", "sgd"):
        want = fit_head(name, rows, target, 3, HeadOptions(C=1.0)) if name != "sgd" else None
        found = fit_soft_head(name, rows, np.eye(3)[target], False, HeadOptions(C=1.0))
        assert found.scores([rows]).shape == (200, 3)
        if want:
            np.testing.assert_allclose(found.scores([rows]), want.scores([rows]), atol=1e-3)


def test_a_logistic_student_finds_the_cross_entropys_least():
    """The same as scikit-learn's, where every row stands there as often as its share says."""
    rng = np.random.default_rng(1)
    rows = sp.csr_matrix(rng.normal(size=(150, 4)).astype(np.float32))
    share = np.round(expit(rows @ np.array([1.0, -2.0, 0.5, 0.0])), 1)
    found = fit_soft_head("logistic", rows, np.stack([1 - share, share], axis=1), False, HeadOptions(C=0.1))
    counted = [(row, True) for row in range(150) for _ in range(round(10 * share[row]))]
    counted += [(row, False) for row in range(150) for _ in range(10 - round(10 * share[row]))]
    chosen, positive = zip(*counted, strict=True)
    want = LogisticRegression(C=0.01, solver="liblinear", dual=True, random_state=42)
    want.fit(rows[list(chosen)], positive)
    np.testing.assert_allclose(found.weights[:, 0], want.coef_[0], atol=0.02)


def test_copies_of_a_row_weigh_as_much_as_the_row():
    share = np.array([1.0, 0.0, 0.7, 0.01, 0.995])
    chosen, positive, counts = copies(share)
    assert chosen.tolist() == [0, 1, 2, 2, 3, 4]
    assert np.bincount(chosen, counts) == pytest.approx([1, 1, 1, 1, 1])
    assert counts[positive].sum() == pytest.approx(2.7)


def test_there_is_one_target_a_text(lesson, checkpoint):
    teacher, texts, labels, known, _ = lesson
    for name in ("svm", "calibrated", "bag"):
        with pytest.raises(DataError, match="299 texts but 300 targets"):
            built(name, checkpoint).fit_soft(texts[:-1], soft(texts, teacher, labels, known))


@pytest.mark.parametrize("name", ["naive-bayes", "ensemble"])
def test_who_learns_from_labels_alone_says_so(name, lesson):
    teacher, texts, labels, known, _ = lesson
    with pytest.raises(RecipeError, match="labels alone"):
        gallae.build(name).fit_soft(texts, soft(texts, teacher, labels, known))
