"""Figures of translations, by examples made by hand, and what they are compared with."""

import pytest

from gallae.errors import DataError
from gallae.tasks.translate_baselines import learn_dictionary, read_dictionary, replace_words
from gallae.tasks.translate_metrics import score_texts, score_words
from gallae.tasks.translate_reading import Passage

# Of the reference's five words 먹었니 and 어디 had to change.
SOURCE, REFERENCE = "너 밥 뭇니 어데 갔니", "너 밥 먹었니 어디 갔니"


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        (REFERENCE, (2, 2, 3, 3)),
        (SOURCE, (2, 0, 3, 3)),
        ("너 밥 먹었니 어데 갔니", (2, 1, 3, 3)),
        ("나 밥 먹었니 어디 갔니", (2, 2, 3, 2)),
        ("", (2, 0, 3, 0)),
        ("먹었니 어디", (2, 2, 3, 0)),
    ],
)
def test_changed_and_kept_words(said, counts):
    assert score_words(SOURCE, REFERENCE, said) == counts


def test_figures_of_several_texts():
    found = score_texts([SOURCE, "가"], [REFERENCE, "가"], [REFERENCE, "나"])
    assert found["changed_words"] == 2
    assert found["changed_accuracy"] == 1
    assert found["kept_accuracy"] == 3 / 4
    assert found["exact_match"] == 0.5
    low, high = found["exact_match_interval"]
    assert low <= 0.5 <= high
    perfect = score_texts([SOURCE], [REFERENCE], [REFERENCE])
    assert (perfect["chrf"], perfect["bleu"]) == pytest.approx((100, 100))


def test_chrf_and_bleu_are_sacrebleus():
    sacrebleu = pytest.importorskip("sacrebleu")
    said, golds = ["너 밥 먹었니 어데 갔니", "오늘 정말 많이 춥다"], [REFERENCE, "오늘 아주 많이 춥네"]
    found = score_texts([SOURCE, "오늘 억수로 춥다"], golds, said)
    assert found["chrf"] == pytest.approx(sacrebleu.corpus_chrf(said, [golds]).score)
    assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(said, [golds]).score)


def test_nothing_to_change_leaves_the_figure_out():
    found = score_texts(["가 나"], ["가 나"], ["가 나"])
    assert "changed_accuracy" not in found
    assert found["kept_accuracy"] == 1


# ---- baselines


def passages(*rows):
    return [Passage(one, other, "jeju", "standard", at) for at, (one, other) in enumerate(rows)]


def test_a_dictionary_of_what_words_mostly_became():
    pairs = passages(("이 밥", "이 밥"), ("이 집", "이 집"), ("이 호꼼", "그 조금"))
    assert learn_dictionary(pairs) == {"jeju>standard": {"호꼼": "조금"}}
    assert learn_dictionary(pairs, always=True) == {"jeju>standard": {"호꼼": "조금", "이": "그"}}


def test_words_are_replaced():
    words = {"호꼼": "조금", "맹질": "명절", "이": ""}
    assert replace_words("이 호꼼 맹질은", words) == "조금 맹질은"
    assert replace_words("호꼼 맹질은", words, stems=True) == "조금 명절은"


def test_a_dialect_dictionary(tmp_path):
    file = tmp_path / "words.csv"
    rows = [
        "region,headword,definition",
        "jeju,맹질,‘명절’의 방언.",
        "제주,가개비01,‘개구리’의 방언",
        "jeju,숨비소리,해녀의 숨소리.",
    ]
    file.write_text("\n".join(rows), encoding="utf-8")
    found = read_dictionary(file)
    assert found == {
        "jeju>standard": {"맹질": "명절", "가개비": "개구리"},
        "standard>jeju": {"명절": "맹질", "개구리": "가개비"},
    }
    file.write_text("region,headword,definition\njeju,숨비소리,해녀의 숨소리.", encoding="utf-8")
    with pytest.raises(DataError, match="no definition names a standard form"):
        read_dictionary(file)
