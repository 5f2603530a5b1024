"""The classifier that comes with the package: by its name, wherever a saved model is taken, without torch."""

import csv
import subprocess
import sys

import numpy as np
import pytest

import gallae
from gallae.errors import ModelError
from gallae.models.bundled import bundled_models

TOPICS = ["IT과학", "경제", "사회", "생활문화", "세계", "스포츠", "정치"]
PLAIN = {
    "한은 기준금리 동결…코스피 2% 급등": "경제",
    "손흥민 시즌 10호골…토트넘 3연승": "스포츠",
    "北 김정은, 남북정상회담 제안…청와대 환영": "정치",
    "美 대선 개표 시작…출구조사 초박빙": "세계",
    "삼성 새 스마트폰 공개…5G 칩 탑재": "IT과학",
    "고속도로 12중 추돌 사고…경찰 수사 착수": "사회",
    "주말 전국에 비…봄꽃 축제 나들이객 우산 챙겨야": "생활문화",
}
BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, *_):
        if name.split(".")[0] in {"torch", "transformers", "accelerate", "onnx", "onnxscript"}:
            raise ImportError(name)

sys.meta_path.insert(0, Blocked())
import gallae
print(*gallae.load("headlines").predict(sys.argv[1:]), sep="\\n")
"""


@pytest.fixture(scope="module")
def model():
    return gallae.load("headlines")


@pytest.fixture
def written(tmp_path):
    """The embedded headlines as a file."""
    corpus = gallae.sample("headlines")
    path = tmp_path / "sample.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("title", "topic"), *zip(corpus.texts, corpus.labels, strict=True)])
    return path


def test_it_needs_no_torch():
    command = [sys.executable, "-c", BLOCKED, *PLAIN]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == list(PLAIN.values())


def test_topics_and_probabilities(model):
    assert list(model.classes_) == TOPICS
    table = model.predict_proba(list(PLAIN))
    assert table.shape == (7, 7) and np.allclose(table.sum(axis=1), 1, atol=1e-6)
    alone = np.vstack([model.predict_proba([text]) for text in PLAIN])
    assert np.abs(alone - table).max() < 0.1  # 8-bit products are scaled by what stands in the batch


def test_it_knows_the_embedded_headlines(written):
    found = gallae.evaluate("headlines", written)
    assert found["n"] == 1168 and found["macro_f1"] > 0.85


def test_the_command_line_says_what_python_says(model, written, gallae_cli, tmp_path):
    text = next(iter(PLAIN))
    answer = gallae_cli("predict", "headlines", "--text", text)
    row = next(csv.DictReader(answer.out.splitlines()))
    assert (row["label"], float(row["probability"])) == ("경제", model.predict_proba([text]).max())
    assert gallae_cli("evaluate", "headlines", written).code == 0
    assert gallae_cli("predict", "headlines", written, "-o", tmp_path / "out.csv").code == 0


def test_it_writes_a_submission(tmp_path):
    numbers = {topic: str(number) for number, topic in enumerate(TOPICS)}
    tables = {
        "test_data.csv": [("index", "title"), *((100 + at, text) for at, text in enumerate(PLAIN))],
        "sample.csv": [("index", "topic_idx"), *((100 + at, 0) for at in range(len(PLAIN)))],
    }
    for name, rows in tables.items():
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    out = tmp_path / "out.csv"
    gallae.submit("headlines", tmp_path / "test_data.csv", tmp_path / "sample.csv", out)
    with out.open(encoding="utf-8", newline="") as file:
        found = [row["topic_idx"] for row in csv.DictReader(file)]
    assert found == [numbers[topic] for topic in PLAIN.values()]


def test_it_is_small_and_has_a_card():
    folder = bundled_models()["headlines"]
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 30_000_000
    card = (folder / "README.md").read_text(encoding="utf-8")
    for said in ("CC BY-SA 4.0", "YNAT", "macro-F1", "scripts/headlines.py", "Limits"):
        assert said in card


def test_a_folder_of_that_name_comes_first_and_other_names_are_told_of_it(topics_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"no model 'headline'.*bundled classifier \(headlines\)"):
        gallae.load("headline")
    topics_run.model.save(tmp_path / "headlines")
    assert len(gallae.load("headlines").classes_) == 3
