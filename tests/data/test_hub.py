import sys

import pytest

from gallae.data.reading import read
from gallae.errors import DataError, MissingExtra


@pytest.fixture
def data(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    kinds = datasets.ClassLabel(names=["세계", "정치"])
    features = datasets.Features({"title": datasets.Value("string"), "label": kinds})
    return datasets.Dataset.from_dict({"title": ["가", "나", "다"], "label": [0, 1, 0]}, features=features)


def test_a_saved_data_set(tmp_path, data):
    data.save_to_disk(tmp_path / "saved")
    corpus = read(tmp_path / "saved")
    assert corpus.texts == ["가", "나", "다"]
    assert corpus.labels == ["세계", "정치", "세계"]
    assert corpus.label_set.ids == {"세계": "0", "정치": "1"}


def test_splits_are_chosen_after_a_colon(tmp_path, data):
    import datasets

    both = datasets.DatasetDict({"train": data, "validation": data.select([1])})
    both.save_to_disk(tmp_path / "saved")
    assert len(read(tmp_path / "saved")) == 3
    assert read(f"{tmp_path / 'saved'}:validation").labels == ["정치"]
    with pytest.raises(DataError, match=r"no split 'test'. Its splits: train, validation"):
        read(f"{tmp_path / 'saved'}:test")
    datasets.DatasetDict({"a": data, "b": data}).save_to_disk(tmp_path / "odd")
    with pytest.raises(DataError, match="none is called 'train'"):
        read(tmp_path / "odd")


def test_a_single_split_has_no_other(tmp_path, data):
    data.save_to_disk(tmp_path / "saved")
    with pytest.raises(DataError, match="single split"):
        read(f"{tmp_path / 'saved'}:test")


def test_load_dataset_on_a_local_folder(tmp_path, data):
    (tmp_path / "files").mkdir()
    data.to_parquet(tmp_path / "files" / "train.parquet")
    data.select([0]).to_parquet(tmp_path / "files" / "test.parquet")
    assert read(f"hf:{tmp_path / 'files'}").labels == ["세계", "정치", "세계"]
    assert read(f"hf:{tmp_path / 'files'}:test").texts == ["가"]


def test_class_names_in_parquet(tmp_path, data):
    data.to_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet").labels == ["세계", "정치", "세계"]


def test_what_the_hub_does_not_give(monkeypatch):
    datasets = pytest.importorskip("datasets")

    def refuse(identity, config):
        assert (identity, config) == ("owner/name", "part")
        raise ConnectionError("Couldn't reach the Hub")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(DataError, match=r"could not be loaded .ConnectionError: Couldn't reach"):
        read("hf:owner/name/part:train")
    with pytest.raises(DataError, match="not a data set id"):
        read("hf:a b")
    with pytest.raises(DataError, match="write hf:owner/name"):
        read("owner/name")


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra, match=r"gallae\[hub\]"):
        read("hf:owner/name")


def test_a_damaged_saved_data_set(tmp_path):
    pytest.importorskip("datasets")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "state.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read as a saved data set"):
        read(tmp_path / "saved")
