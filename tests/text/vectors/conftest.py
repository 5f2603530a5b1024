"""Hand-made vectors, and a corpus in which words of one kind keep the same company."""

import numpy as np
import pytest

from gallae.text.vectors import Vectors

FRUITS = ["사과", "포도", "참외", "자두"]
BANKS = ["은행", "증권", "보험", "카드"]


@pytest.fixture
def royal():
    """Words on axes: royalty, man, woman; "table" is on none of them, "nothing" is zeros."""
    rows = {
        "king": (1, 1, 0, 0),
        "queen": (1, 0, 1, 0),
        "man": (0, 2, 0, 0),
        "woman": (0, 0, 3, 0),
        "table": (0, 0, 0, 1),
        "nothing": (0, 0, 0, 0),
    }
    return Vectors(list(rows), np.array(list(rows.values()), dtype=np.float32))


@pytest.fixture(scope="session")
def company():
    """600 rows: fruits are eaten, banks lend."""
    random = np.random.default_rng(0)
    beside = {
        tuple(FRUITS): ["달콤한", "익은", "먹다", "과수원", "껍질"],
        tuple(BANKS): ["금리", "대출", "예금", "주가", "투자"],
    }
    rows = []
    for _ in range(300):
        for words, others in beside.items():
            rows.append([*random.choice(others, 2), str(random.choice(words)), *random.choice(others, 2)])
    return [[str(token) for token in row] for row in rows]
