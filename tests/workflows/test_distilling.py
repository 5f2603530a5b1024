"""A student's run: who taught it and how honest that is, what is kept, resumed and refused."""

import lzma
import shutil

import numpy as np
import pandas as pd
import pytest

import gallae
from gallae.errors import DataError, GallaeError, ModelError, RecipeError
from gallae.pretrained.scratch import write_checkpoint
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.workflows import teachers as teaching
from gallae.workflows.distilling_job import COPIES, TEACHER
from gallae.workflows.transfer import Transfer

QUICK = ["calibration.method=none"]
NETWORK = [
    *("model.unit=char", "model.vectors=", "model.filters=16", "model.embedding=16"),
    *("training.epochs=2", "training.min_steps=0", "training.track=none"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory, write_table):
    """160 labelled headlines of three topics, 80 to measure on, 200 without labels."""
    whole = gallae.sample("headlines")
    pairs = [
        pair
        for pair in zip(whole.texts, whole.labels, strict=True)
        if pair[1] in ("경제", "스포츠", "세계", "사회")
    ]
    order = np.random.default_rng(0).permutation(len(pairs))
    rows = [pairs[at] for at in order]
    folder = tmp_path_factory.mktemp("distilling")
    write_table(folder / "train.csv", ["title", "topic"], rows[:120])
    write_table(folder / "valid.csv", ["title", "topic"], rows[120:180])
    (folder / "more.txt").write_text(
        "\n".join([*(text for text, _ in rows[180:]), rows[0][0], rows[130][0], "", rows[200][0]]),
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def folded(files):
    """A teacher with three folds."""
    return gallae.train(files / "train.csv", "fast", folds=3, report=False, output=files / "folded")


@pytest.fixture(scope="module")
def plain(files):
    """A teacher that has learned from every row."""
    return gallae.train(files / "train.csv", "logistic", overrides=QUICK, output=files / "plain")


@pytest.fixture(scope="module")
def student(files, folded, plain):
    return gallae.distill(
        [folded, plain.folder],
        files / "train.csv",
        "fast",
        unlabelled=files / "more.txt",
        valid=files / "valid.csv",
        augment=2,
        overrides=QUICK,
        output=files / "student",
    )


def columns(table):
    return table.filter(regex="^p_").to_numpy()


def test_a_student_is_a_run_like_any_other(student, files, gallae_cli):
    names = {path.name for path in student.folder.iterdir()}
    assert names == {"recipe.toml", "metrics.json", "predictions.parquet", "report.html", "model", TEACHER}
    assert student.metrics["teachers"] == "folded, plain"
    assert student.metrics["transfer_set"].startswith("120 labelled rows, ")
    assert student.metrics["n"] == 60 and student.metrics["split"] == "file valid.csv"
    said = student.model.predict(student.predictions["text"].tolist())
    assert said.tolist() == student.predictions["predicted"].tolist()
    answer = gallae_cli("evaluate", student.folder, files / "valid.csv")
    assert answer.code == 0 and f"{student.metrics['macro_f1']:.4f}" in answer.out
    card = (student.folder / "model" / "README.md").read_text(encoding="utf-8")
    assert "It learned what folded, plain say of" in card and "the student says the same of" in card


def test_the_teachers_figures_stand_beside(student, folded, plain, files):
    valid = gallae.read(files / "valid.csv")
    chances = np.mean([run.model.predict_proba(valid.texts) for run in (folded, plain)], axis=0)
    predicted = plain.model.classes_[chances.argmax(axis=1)]
    assert student.metrics["teacher"]["accuracy"] == pytest.approx((predicted == valid.labels).mean())
    same = (predicted == student.predictions["predicted"]).mean()
    assert student.metrics["agreement"] == pytest.approx(same)


def test_rows_that_a_teacher_held_out_get_what_it_said_then(student, folded, plain, files):
    kept = pd.read_parquet(student.folder / TEACHER).set_index("text")
    held = folded.predictions.set_index("text")
    texts = gallae.read(files / "train.csv").texts
    seen = plain.model.predict_proba(texts)
    want = (columns(held.loc[texts]) + seen) / 2
    np.testing.assert_allclose(columns(kept.loc[texts]), want, atol=1e-5)
    sure = folded.model.predict_proba(texts)
    assert np.abs(columns(held.loc[texts]) - sure).mean() > 0.01  # what its model says now is another thing


def test_every_text_stands_once_and_held_out_ones_are_not_taught(student, files):
    kept = pd.read_parquet(student.folder / TEACHER)
    assert kept["text"].is_unique and set(kept["kind"]) == {"labelled", "unlabelled", "altered"}
    lines = (files / "more.txt").read_text(encoding="utf-8").splitlines()
    labelled = {*gallae.read(files / "train.csv").texts, *gallae.read(files / "valid.csv").texts}
    assert set(kept.loc[kept["kind"] == "unlabelled", "text"]) == set(lines) - labelled - {""}
    assert 120 < (kept["kind"] == "altered").sum() <= 240


def test_copies_of_held_out_rows_are_not_learned_from():
    chances = np.full((5, 2), 0.5, dtype=np.float32)
    origin = [None, None, None, "하나", "둘"]
    whole = Transfer(
        ["하나", "둘", "셋", "하나!", "둘!"], origin, np.arange(5) == 2, chances, ["a", "b"], None
    )
    texts, targets = whole.lesson(["하나"], ["b"])
    assert texts == ["하나", "셋", "하나!"] and targets.known.tolist() == [True, False, False]
    assert targets.gold.tolist() == [1, -1, -1]


def test_a_student_of_a_file_is_the_same(student, files, tmp_path):
    again = gallae.distill(
        student.folder / TEACHER,
        files / "train.csv",
        "fast",
        unlabelled=[files / "more.txt"],
        valid=files / "valid.csv",
        augment=2,
        overrides=QUICK,
        report=False,
        output=tmp_path / "again",
    )
    assert again.metrics["teacher"] == student.metrics["teacher"]
    texts = gallae.read(files / "valid.csv").texts
    np.testing.assert_allclose(
        again.model.predict_proba(texts), student.model.predict_proba(texts), atol=1e-3
    )


def test_a_file_without_some_texts_is_refused(folded, files, tmp_path):
    with pytest.raises(DataError, match=r"has no probabilities of \d+ texts"):
        gallae.distill(
            folded.folder / "predictions.parquet",
            files / "train.csv",
            "fast",
            valid=files / "valid.csv",
            output=tmp_path / "run",
        )
    assert not list(tmp_path.iterdir())


def test_predictions_of_the_command_line_teach(plain, files, tmp_path, gallae_cli):
    texts = [*gallae.read(files / "train.csv").texts]
    (tmp_path / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    for name in ("said.csv", "said.jsonl", "said.parquet"):
        answer = gallae_cli(
            "predict", plain.folder, tmp_path / "texts.txt", "--top-k", 0, "-o", tmp_path / name
        )
        assert answer.code == 0, answer.err
        (teacher,) = teaching.open_teachers([tmp_path / name])
        found = teacher.probabilities(texts, tmp_path / "nowhere")
        np.testing.assert_allclose(found, plain.model.predict_proba(texts), atol=1e-6)


def test_a_network_learns_from_a_model_in_memory(files, plain, tmp_path):
    run = gallae.distill(
        plain.model,
        files / "train.csv",
        "textcnn",
        overrides=NETWORK,
        unlabelled=files / "more.txt",
        holdout=0.25,
        loss="mse",
        weight=1.0,
        refit=True,
        report=False,
        output=tmp_path / "run",
    )
    assert run.metrics["fitted_on"] == "all rows" and 0 < run.metrics["agreement"] <= 1
    assert run.metrics["soft_targets"] == "loss mse, temperature 2, weight 1"
    assert len(run.model.history_) == 2


def test_folds_and_no_split_at_all(files, folded, tmp_path):
    options = {"overrides": QUICK, "report": False}
    run = gallae.distill(folded, files / "train.csv", "fast", folds=2, output=tmp_path / "folds", **options)
    assert run.metrics["n"] == 120 and len(run.model.members_) == 2
    # The teacher is measured by what it said of rows that it had not seen.
    assert run.metrics["teacher"]["accuracy"] == pytest.approx(folded.metrics["accuracy"])
    whole = gallae.distill(folded, files / "train.csv", "fast", output=tmp_path / "whole", **options)
    assert "macro_f1" not in whole.metrics and whole.metrics["teachers"] == "folded"


def test_it_goes_on_where_it_was(files, folded, plain, student, tmp_path, monkeypatch):
    """The teacher is asked once, though the student's training is stopped twice."""
    options = {
        "unlabelled": files / "more.txt",
        "valid": files / "valid.csv",
        "augment": 2,
        "overrides": QUICK,
    }
    asked = []
    open_model = teaching.runs.open_model
    monkeypatch.setattr(
        teaching.runs, "open_model", lambda source: asked.append(source) or open_model(source)
    )
    monkeypatch.setattr(teaching, "CHUNK_ROWS", 100)
    teachers, output = [folded, plain.folder], tmp_path / "run"

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("gallae.models.linear.LinearClassifier.fit_soft", stopped)
        with pytest.raises(KeyboardInterrupt):
            gallae.distill(teachers, files / "train.csv", "fast", output=output, **options)
    assert len(asked) == 2 and (tmp_path / "run.partial" / COPIES).is_file()
    (tmp_path / "run.partial" / "teacher-1" / "100.npy").unlink()
    run = gallae.distill(teachers, files / "train.csv", "fast", resume=output, **options)
    assert len(asked) == 3 and not (tmp_path / "run.partial").exists()
    pd.testing.assert_frame_equal(run.predictions, student.predictions)


def test_labels_of_another_kind_are_refused(files, folded, topics_csv, several_csv, several_run, tmp_path):
    output = tmp_path / "run"
    reviews = gallae.sample("reviews")
    with pytest.raises(DataError, match="does not know the labels") as told:
        gallae.distill(folded, reviews, "fast", output=output)
    assert "경제" in str(told.value)
    with pytest.raises(DataError, match=r"one label, and .* several"):
        gallae.distill(folded, several_csv, "fast", label_separator="|", output=output)
    with pytest.raises(DataError, match=r"several labels, and .* one"):
        gallae.distill(several_run, topics_csv, "fast", output=output)
    with pytest.raises(DataError, match="do not know the same labels"):
        gallae.distill([folded, several_run], topics_csv, "fast", output=output)
    assert not output.exists()


def test_several_labels_a_text_are_taught(several_csv, several_run, tmp_path):
    run = gallae.distill(
        several_run, several_csv, "fast", label_separator="|", holdout=0.25, output=tmp_path / "run"
    )
    assert run.model.multilabel_ and 0 < run.metrics["agreement"] <= 1
    assert 0 < run.metrics["teacher"]["macro_f1"] <= 1


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        ({"recipe": "naive-bayes"}, RecipeError, "labels alone"),
        ({"recipe": "ensemble"}, RecipeError, "labels alone"),
        ({"temperature": 0.0}, RecipeError, "--temperature"),
        ({"weight": 2.0}, RecipeError, "--weight"),
        ({"augment": -1}, RecipeError, "--augment -1"),
        ({"augment_model": "x"}, RecipeError, "--augment N"),
        ({"layers": 3}, RecipeError, "--layers is for a student of the family encoder"),
        ({"teacher": []}, RecipeError, "needs a teacher"),
        ({"refit": True}, RecipeError, "--refit"),
        ({"teacher": "nowhere"}, ModelError, "there is no model"),
        ({"unlabelled": "empty.txt"}, DataError, "has no texts"),
        ({"unlabelled": "known.txt"}, DataError, "all its 1 texts are labelled"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(options, error, word, files, folded, tmp_path):
    (tmp_path / "empty.txt").write_text("\n\n", encoding="utf-8")
    (tmp_path / "known.txt").write_text(gallae.read(files / "train.csv").texts[0] + "\n", encoding="utf-8")
    given = {"teacher": folded, "recipe": "fast", "output": tmp_path / "run"} | options
    if "unlabelled" in given:
        given["unlabelled"] = tmp_path / given["unlabelled"]
    with pytest.raises(error, match=word):
        gallae.distill(given.pop("teacher"), files / "train.csv", given.pop("recipe"), **given)
    assert {path.name for path in tmp_path.iterdir()} == {"empty.txt", "known.txt"}


def test_an_encoder_learns_its_teachers_layers_and_answers(checkpoint, topics_csv, tmp_path):
    """Packed text, copies by a language model, TinyBERT's layers: and the run needs nothing of it later."""
    with lzma.open(tmp_path / "more.txt.xz", "wt", encoding="utf-8") as file:
        file.write("축구 대표팀, 금리 동결에 상승\n프로야구 휴전 협상 촉구\n")
    quick = ["model.max_length=32", "training.epochs=1", "training.track=none", "training.batch_size=36"]
    teacher = gallae.train(
        topics_csv,
        "encoder",
        overrides=[*quick, f"model.checkpoint='{checkpoint('bert')}'"],
        output=tmp_path / "t",
    )
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    tokenizer = load_tokenizer(checkpoint("bert"))
    small = str(write_checkpoint(tmp_path / "small", [], "bert", tokenizer, **sizes))
    run = gallae.distill(
        teacher,
        topics_csv,
        "encoder",
        unlabelled=tmp_path / "more.txt.xz",
        augment=1,
        augment_model=checkpoint("bert", "AutoModelForMaskedLM"),
        layers=0.5,
        holdout=0.25,
        overrides=[*quick, f"model.checkpoint='{small}'"],
        report=False,
        output=tmp_path / "run",
    )
    kept = pd.read_parquet(run.folder / TEACHER)
    assert (kept["kind"] == "unlabelled").sum() == 2 and (kept["kind"] == "altered").sum() > 30
    assert run.metrics["soft_targets"].endswith("0.5 epochs of its layers first")
    assert (
        run.model.network["checkpoint"] == small and run.model.network_.config.backbone["hidden_size"] == 16
    )
    assert {path.name for path in tmp_path.iterdir()} == {"more.txt.xz", "small", "t", "run"}


def test_files_that_are_no_teacher_are_refused(files, folded, tmp_path):
    with pytest.raises(DataError, match="has no probabilities"):
        teaching.open_teachers([files / "train.csv"])
    with pytest.raises(RecipeError, match="given twice"):
        teaching.open_teachers([folded, folded.folder])
    with pytest.raises(ModelError, match="is no teacher"):
        teaching.open_teachers([files / "more.txt"])
    odd = folded.predictions.assign(p_경제=2.0)
    odd.to_parquet(tmp_path / "odd.parquet")
    with pytest.raises(DataError, match="from 0 to 1"):
        teaching.open_teachers([tmp_path / "odd.parquet"])
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    with pytest.raises(GallaeError, match="is damaged"):
        teaching.open_teachers([tmp_path / "torn.parquet"])


def test_the_command(files, folded, plain, tmp_path, gallae_cli):
    shutil.copytree(folded.folder, tmp_path / "teacher")
    answer = gallae_cli(
        "distill",
        *(tmp_path / "teacher", plain.folder, files / "train.csv"),
        *("-r", "fast", "--unlabelled", files / "more.txt", "--valid", files / "valid.csv"),
        *("--temperature", 3, "--weight", 0.7, "--set", QUICK[0], "-o", tmp_path / "run"),
    )
    assert answer.code == 0, answer.err
    assert "taught by: teacher, plain" in answer.out and "temperature 3, weight 0.7" in answer.out
    assert "the student agrees on" in answer.out and f"run: {tmp_path / 'run'}" in answer.out
    assert "120 of 120 labelled rows were not held out by every teacher" in answer.err
    answer = gallae_cli("distill", tmp_path / "none", files / "train.csv", "-o", tmp_path / "other")
    assert answer.code == 2 and "there is no model" in answer.err and "Traceback" not in answer.err
