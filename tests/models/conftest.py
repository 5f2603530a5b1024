"""Small corpora for the models' tests, and a way to ask another process."""

import os
import subprocess
import sys

import numpy as np
import pytest

from gallae.data import read, sample

SPORTS = [
    "손흥민 두 골 폭발",
    "프로야구 개막전 매진",
    "류현진 7이닝 무실점",
    "여자배구 결승 진출",
    "축구 대표팀 평가전 승리",
]
ECONOMY = [
    "한국은행 기준금리 동결",
    "코스피 2% 급락 마감",
    "수출 석 달 연속 증가",
    "삼성전자 영업이익 급증",
    "원달러 환율 상승",
]
WORLD = [
    "美 대통령 中 방문",
    "유럽연합 정상회의 개최",
    "日 총리 사임 발표",
    "중동 휴전 협상 타결",
    "英 의회 조기 총선",
]
ENDINGS = ["", " 속보", "…종합"]


@pytest.fixture(scope="session")
def small():
    """45 headlines and their three topics."""
    groups = {"스포츠": SPORTS, "경제": ECONOMY, "세계": WORLD}
    rows = [(text + end, topic) for topic, texts in groups.items() for text in texts for end in ENDINGS]
    return [text for text, _ in rows], [topic for _, topic in rows]


@pytest.fixture(scope="session")
def binary(small):
    """45 headlines: sport or not."""
    return small[0], ["예" if topic == "스포츠" else "아니오" for topic in small[1]]


@pytest.fixture(scope="session")
def several(small):
    """60 headlines with one, two or no topics, written as tuples, lists, and bare labels."""
    texts, topics = small
    joint = [f"{a} {b}" for a, b in zip(SPORTS, ECONOMY, strict=True)] * 2
    labels = [(topic,) for topic in topics[:-1]] + [topics[-1]]
    return [*texts, *joint, *["ㅋㅋ"] * 5], [*labels, *[["스포츠", "경제"]] * 10, *[()] * 5]


@pytest.fixture(scope="session")
def headlines():
    """Texts and topics of the embedded headlines."""
    corpus = sample("headlines")
    return corpus.texts, np.array(corpus.labels)


@pytest.fixture
def elsewhere(tmp_path):
    """Load a saved model in a new process and return its probabilities of texts, (n_texts, n_classes)."""

    def ask(folder, texts, before="", **environment):
        code = f"""
import sys, numpy as np
{before}
from gallae.models.persistence import load
np.save(sys.argv[2], load(sys.argv[1]).predict_proba(sys.argv[3].split("\\x1f")))
"""
        out = tmp_path / "probabilities.npy"
        arguments = [sys.executable, "-c", code, str(folder), str(out), "\x1f".join(texts)]
        result = subprocess.run(
            arguments, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
        )
        assert result.returncode == 0, result.stderr
        return np.load(out)

    return ask


@pytest.fixture(scope="session")
def topics(topics_csv):
    """32 headlines and their three topics, which the tokenizers of `checkpoint` know."""
    corpus = read(topics_csv)
    chosen = [*range(11), *range(24, 35), *range(48, 58)]
    return [corpus.texts[row] for row in chosen], [corpus.labels[row] for row in chosen]


@pytest.fixture(scope="session")
def joint_topics(topics):
    """The same and 10 with two topics."""
    texts, labels = topics
    more = [texts[at] + " " + texts[at + 11] for at in range(10)]
    both = [[labels[at], labels[at + 11]] for at in range(10)]
    return [*texts, *more], [*([label] for label in labels), *both]


@pytest.fixture(scope="session")
def encoder(checkpoint):
    """Make an unfitted classifier over a tiny checkpoint: encoder(family, [training], fields of [model])."""
    from gallae.models.encoder import EncoderClassifier

    def made(family="bert", training=None, **network):
        table = {"checkpoint": str(checkpoint(family)), "max_length": 32, **network}
        learn = {"epochs": 1, "batch_size": 16, "track": "none"}
        return EncoderClassifier(table, learn | (training or {}))

    return made
