"""Saved models: what is written, and how every damage is answered."""

import json
from hashlib import sha256

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, SGDClassifier

from gallae.errors import ModelError, OutputError
from gallae.models import heads
from gallae.models.calibration import CalibratedClassifier
from gallae.models.linear import LinearClassifier
from gallae.models.persistence import MANIFEST, TENSORS, _digest, load, load_with_facts, save


@pytest.fixture
def registered(monkeypatch):
    """A registry of classifiers that is the test's own."""
    monkeypatch.setattr(heads, "_OWN", {})
    monkeypatch.setattr(heads, "_TRUSTED", set())


@pytest.fixture
def folder(small, tmp_path):
    model = CalibratedClassifier(LinearClassifier(blocks=({"unit": "char_wb", "ngrams": [1, 2]},)))
    save(model.fit(*small), tmp_path / "model", recipe="test")
    return tmp_path / "model"


def edit(folder, change, sign=True):
    """Change the manifest as someone would who knows how it is signed."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    change(manifest)
    if sign:
        manifest["sha256"] = _digest(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def refused(folder, message):
    with pytest.raises(ModelError, match=message) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


class Mine(LogisticRegression):
    """Somebody's own classifier."""


def test_json_and_safetensors_and_nothing_else(folder, small):
    assert sorted(path.name for path in folder.iterdir()) == [MANIFEST, TENSORS]
    model, facts = load_with_facts(folder)
    assert facts == {"recipe": "test"}
    assert list(model.predict(small[0])) == list(small[1])
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["files"][TENSORS]["sha256"] == sha256((folder / TENSORS).read_bytes()).hexdigest()


def test_a_run_folder_leads_to_its_model(folder, small):
    assert list(load(folder.parent).predict(small[0])) == list(load(str(folder)).predict(small[0]))


def test_saving_a_loaded_model_writes_the_same_bytes(folder, tmp_path):
    save(load(folder), tmp_path / "again", recipe="test")
    for name in (MANIFEST, TENSORS):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_an_existing_folder_is_kept_unless_forced(folder, small):
    before = (folder / TENSORS).read_bytes()
    other = LinearClassifier().fit(*small)
    with pytest.raises(OutputError, match="exists already"):
        other.save(folder)
    assert (folder / TENSORS).read_bytes() == before
    other.save(folder, force=True)
    assert isinstance(load(folder), LinearClassifier)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_what_cannot_be_saved_leaves_nothing(small, tmp_path):
    class Local(LinearClassifier):
        pass

    with pytest.raises(ModelError, match="Local cannot be saved"):
        Local().fit(*small).save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_nothing_there(tmp_path):
    refused(tmp_path / "none", "there is no model '.*none'")
    refused(tmp_path, f"holds no model: {MANIFEST} is missing")
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file", "holds no model")


def test_a_missing_file(folder):
    (folder / TENSORS).unlink()
    refused(folder, rf"{TENSORS} is missing\. Copy the model again")
    (folder / TENSORS).mkdir()
    refused(folder, f"{TENSORS} cannot be read")


def test_an_altered_byte(folder):
    data = bytearray((folder / TENSORS).read_bytes())
    data[-1] ^= 1
    (folder / TENSORS).write_bytes(data)
    refused(folder, f"{TENSORS} is damaged or was altered")
    (folder / TENSORS).write_bytes(data[:-1])
    refused(folder, "is damaged or was altered: it should have .* bytes")


def test_altered_json(folder):
    edit(folder, lambda manifest: manifest["classes"].reverse(), sign=False)
    refused(folder, f"{MANIFEST} was altered since it was written")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"kind": "linear"}', b"\xff\xfe", b'{"format": "x"}']
)
def test_damaged_json(folder, content):
    (folder / MANIFEST).write_bytes(content)
    refused(folder, f"{MANIFEST} is damaged")


def test_a_newer_format(folder):
    edit(folder, lambda manifest: manifest.update(format=99))
    refused(folder, r"has format 99, newer than this gallae reads \(1\).*pip install -U gallae")


def test_an_unknown_kind(folder):
    edit(folder, lambda manifest: manifest.update(kind="magic"))
    refused(folder, "of the kind 'magic', which is neither built in nor registered. Known: linear")


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("files"),
        lambda manifest: manifest.pop("classes"),
        lambda manifest: manifest.update(state={}),
        lambda manifest: manifest["state"].pop("estimator"),
        lambda manifest: manifest["files"].clear(),
        lambda manifest: manifest["files"][TENSORS].clear(),
        lambda manifest: manifest["state"]["estimator"]["parameters"].update(C_=1),
    ],
)
def test_a_manifest_that_lacks_something(folder, change):
    edit(folder, change)
    refused(folder, "cannot be put together again|is damaged")


def test_files_outside_the_folder_are_not_read(folder):
    secret = folder.parent / "secret"
    secret.write_bytes(b"x")
    facts = {"sha256": sha256(b"x").hexdigest(), "bytes": 1}
    edit(folder, lambda manifest: manifest["files"].update({"../secret": facts}))
    refused(folder, "secret is missing")


def test_an_estimator_of_ones_own_in_three_lines(small, tmp_path, elsewhere, registered):
    heads.register_classifier("elastic", SGDClassifier(loss="log_loss", penalty="elasticnet", random_state=0))
    model = LinearClassifier(classifier="elastic").fit(*small)
    model.save(tmp_path / "model")

    texts, labels = small
    assert (model.predict(texts) == labels).mean() > 0.9
    assert (tmp_path / "model" / "head.estimator.skops").is_file()
    assert np.array_equal(load(tmp_path / "model").predict_proba(texts), model.predict_proba(texts))
    assert np.array_equal(elsewhere(tmp_path / "model", texts), model.predict_proba(texts))
    assert model.predict([]).shape == (0,)


def test_an_own_estimator_of_two_classes_and_calibrated(binary, tmp_path, registered):
    texts, labels = binary
    for number, own in enumerate((LogisticRegression(), SGDClassifier(random_state=0))):
        heads.register_classifier("own", own)
        model = CalibratedClassifier(LinearClassifier(classifier="own")).fit(texts, labels)
        assert (model.predict(texts) == labels).mean() > 0.9
        model.save(tmp_path / str(number))
        assert np.array_equal(load(tmp_path / str(number)).predict_proba(texts), model.predict_proba(texts))


def test_an_own_estimator_whose_fold_lacks_a_class(small, registered):
    heads.register_classifier("own", SGDClassifier(random_state=0))
    rows = np.arange(45)
    scores = LinearClassifier(classifier="own").fit_with_scores(*small, [(rows[:30], rows[30:])])
    assert np.isfinite(scores[30:]).all() and (scores[30:].argmax(axis=1) != 1).all()


def test_a_type_that_is_not_registered_is_refused(small, tmp_path, registered):
    heads.register_classifier("mine", Mine())
    model = LinearClassifier(classifier="mine").fit(*small)
    model.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict_proba(small[0]), model.predict_proba(small[0]))
    heads._OWN.clear()
    heads._TRUSTED.clear()
    refused(
        tmp_path / "model", r"neither built in nor registered: .*Mine\. If you trust its source, register"
    )


def test_saving_says_what_loading_would_refuse(small, tmp_path, registered):
    model = LinearClassifier(classifier="own")
    heads.register_classifier("own", LogisticRegression())
    model.fit(*small)
    model.head_.estimator.extra_ = Mine()
    with pytest.raises(ModelError, match="trusted="):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
    heads.register_classifier("own", LogisticRegression(), trusted=[f"{Mine.__module__}.Mine"])
    model.save(tmp_path / "model")
    assert isinstance(load(tmp_path / "model").head_.estimator.extra_, Mine)


def test_loading_needs_no_cache(folder, small, elsewhere):
    expected = load(folder).predict_proba(small[0])
    assert np.array_equal(elsewhere(folder, small[0], GALLAE_CACHE="off"), expected)
