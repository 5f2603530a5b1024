"""Sentence pairs: reading every layout, learning, and what changes nothing."""

import json

import numpy as np
import pytest

from gallae.errors import DataError
from gallae.tasks import Nli, Similarity
from gallae.tasks.figures import averages, classification, correlations, from_sums
from gallae.tasks.pair_reading import Pair

WORDS = ("코스피", "환율", "손흥민", "수출", "프로야구", "류현진", "국제유가", "유엔 안보리")
TRAINING = {"epochs": 40, "batch_size": 8, "learning_rate": 3e-3, "warmup": 0.0, "device": "cpu"}


def labelled(count=32):
    """Return pairs of words: does the second come directly after the first in WORDS?"""
    found = []
    for number in range(count):
        first, step = number % 8, 1 if number % 2 else 3 + number // 8
        found.append(Pair(WORDS[first], WORDS[(first + step) % 8], "next" if step == 1 else "far"))
    return found


def scored(count=32):
    """Return pairs that share 0 to 3 of their words."""
    found = []
    for number in range(count):
        shared, at = number % 4, number // 4
        first = [WORDS[(at + place) % 8] for place in range(3)]
        second = [word if place < shared else WORDS[(at + place + 4) % 8] for place, word in enumerate(first)]
        found.append(Pair(" ".join(first), " ".join(second), 5 * shared / 3))
    return found


@pytest.fixture(scope="module")
def nli(checkpoint):
    return Nli(checkpoint=str(checkpoint("bert")), max_length=32, training=TRAINING).fit(labelled())


def similarity(checkpoint, head):
    return Similarity(checkpoint=str(checkpoint("bert")), max_length=32, head=head, training=TRAINING)


SCORED = {
    "siamese": scored(),
    "cross": [Pair(p.first, p.second, 5.0 * (p.target == "next")) for p in labelled()],
}


@pytest.fixture(scope="module", params=SCORED)
def alike(request, checkpoint):
    return similarity(checkpoint, request.param).fit(SCORED[request.param])


# ---- learning


def test_nli_overfits(nli):
    found = nli.evaluate(labelled())
    assert found["accuracy"] == found["macro_f1"] == 1
    assert found["baseline"]["accuracy"] == 0.5
    assert found["baseline"]["name"].startswith("majority class")
    assert found["truncation"] == {"max_length": 32, "longest": found["truncation"]["longest"], "cut": 0}


def test_similarity_overfits(alike):
    examples = SCORED[alike.recipe.head]
    found = alike.evaluate(examples)
    assert found["pearson"] > 0.9
    assert found["rmse"] < 0.9
    assert found["baseline"]["pearson"] == 0
    assert (found["word_baseline"]["pearson"] > 0.9) == (alike.recipe.head == "siamese")
    assert all(0 <= row["score"] <= 5 for row in alike.predict(examples))


def test_a_siamese_network_is_symmetric(checkpoint, tmp_path):
    task = similarity(checkpoint, "siamese").fit(scored(16))
    swapped = [Pair(pair.second, pair.first) for pair in scored(16)]
    one, other = (np.array([row["score"] for row in task.predict(rows)]) for rows in (scored(16), swapped))
    np.testing.assert_allclose(one, other, atol=1e-4)
    task.save(tmp_path / "saved")
    assert Similarity.load(tmp_path / "saved").predict(scored(16)) == task.predict(scored(16))


def test_order_and_company_change_nothing(nli, alike):
    for task, examples in ((nli, labelled()), (alike, scored())):
        whole = task.predict(examples)
        alone = [task.predict([pair])[0] for pair in examples[:4]]
        long = Pair("코스피 " * 9, "환율 " * 9)
        beside = task.predict([long, *examples[::-1]])[1:][::-1]
        key = "probability" if task is nli else "score"
        for other in (alone, beside):
            for mine, theirs in zip(whole, other, strict=False):
                assert mine[key] == pytest.approx(theirs[key], abs=1e-4)


def test_the_padding_side_changes_nothing(nli):
    whole = nli.predict([*labelled(), Pair("코스피 " * 9, "환율 " * 9)])
    nli.tokenizer.padding_side = "left"
    try:
        other = nli.predict([*labelled(), Pair("코스피 " * 9, "환율 " * 9)])
    finally:
        nli.tokenizer.padding_side = "right"
    assert other == whole


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert", "xlm-roberta", "electra", "modernbert"])
def test_kinds_of_tokens_are_the_networks(checkpoint, family):
    task = Nli(checkpoint=str(checkpoint(family)), max_length=32, training={**TRAINING, "epochs": 1})
    task.fit(labelled(8))
    feature = task.encode(labelled(1), True)[0]
    kinds = getattr(task.model.config, "type_vocab_size", 0) or 0
    assert ("token_type_ids" in feature) <= (kinds > 1)
    if family in ("bert", "electra"):
        assert set(feature["token_type_ids"]) == {0, 1}
    assert len(task.predict(labelled(8))) == 8


def test_berts_tokenizer_with_robertas_network(checkpoint):
    task = Nli(checkpoint=str(checkpoint("bert", type_vocab_size=1)), max_length=32, training=TRAINING)
    task.fit(labelled(4))
    assert "token_type_ids" not in task.encode(labelled(1), False)[0]


def test_long_pairs_are_counted(nli):
    found = nli.evaluate([*labelled(4), Pair("코스피 " * 40, "환율", "next")])
    assert found["truncation"]["cut"] == 1
    assert found["truncation"]["longest"] > 40
    assert nli.remarks(found)[0].startswith("cut to 32 tokens: 1 of 5 pairs")


def test_each_side_counts_for_itself(checkpoint):
    pair = Pair("코스피 " * 10, "환율 " * 10, 1.0)
    one, two = (similarity(checkpoint, head).fit([*scored(8), pair]) for head in ("siamese", "cross"))
    assert one.truncation([pair])["longest"] < two.truncation([pair])["longest"] - 9


def test_what_cannot_be_learnt(checkpoint, nli):
    with pytest.raises(DataError, match="all pairs have the label 'a'"):
        Nli(checkpoint=str(checkpoint("bert")), max_length=32).fit([Pair("코스피", "환율", "a")] * 3)
    with pytest.raises(DataError, match=r"does not know: neutral. It knows: far, next"):
        nli.evaluate([Pair("하나", "둘", "neutral")])


# ---- reading

KLUE_STS = {
    "guid": "klue-sts-v1_train_00000",
    "source": "airbnb-rtt",
    "sentence1": "숙소 위치는 찾기 쉽고 일반적인 한국의 반지하 숙소입니다.",
    "sentence2": "숙박시설의 위치는 쉽게 찾을 수 있고 한국의 대표적인 반지하 숙박시설입니다.",
    "labels": {"label": 3.7, "real-label": 3.714285714285714, "binary-label": 1},
    "annotations": {"agreement": "0:0:0:2:5:0", "annotators": ["07", "13"]},
}
KLUE_NLI = {
    "guid": "klue-nli-v1_train_00000",
    "source": "NSMC",
    "premise": "힛걸 진심 최고다 그 어떤 히어로보다 멋지다",
    "hypothesis": "힛걸 진심 최고로 멋지다.",
    "gold_label": "entailment",
    "author": "entailment",
    "label2": "entailment",
}
TABLES = {
    "kornli.tsv": 'sentence1\tsentence2\tgold_label\n그가 갔다.\t그는 "갔다".\tentailment\n',
    "question_pair.csv": "question1,question2,is_duplicate\n집앞에서 만남,집앞 만남,0\n",
    "paws.tsv": "id\tsentence1\tsentence2\tlabel\n4\tFour Rivers 위원회\t위원회 Four Rivers\t1\n",
    "pairs.jsonl": '{"text1": "가", "text2": "나", "label": 3}\n',
    "klue-nli.json": json.dumps([KLUE_NLI], ensure_ascii=False),
}
READ = {
    "kornli.tsv": Pair("그가 갔다.", '그는 "갔다".', "entailment"),
    "question_pair.csv": Pair("집앞에서 만남", "집앞 만남", "0"),
    "paws.tsv": Pair("Four Rivers 위원회", "위원회 Four Rivers", "1"),
    "pairs.jsonl": Pair("가", "나", "3"),
    "klue-nli.json": Pair(KLUE_NLI["premise"], KLUE_NLI["hypothesis"], "entailment"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize("name", TABLES)
def test_layouts(tmp_path, name, encoding):
    (tmp_path / name).write_text(TABLES[name], encoding=encoding)
    assert Nli.read(tmp_path / name) == [READ[name]]


def test_scores(tmp_path):
    path = tmp_path / "sts.tsv"
    path.write_text("genre\tscore\tsentence1\tsentence2\nnews\t3.800\t가\t나\n", encoding="utf-8")
    assert Similarity.read(path) == [Pair("가", "나", 3.8)]
    path = tmp_path / "klue.json"
    path.write_text(json.dumps([KLUE_STS], ensure_ascii=False), encoding="utf-8")
    assert Similarity.read(path) == [Pair(KLUE_STS["sentence1"], KLUE_STS["sentence2"], 3.714285714285714)]


def test_columns_by_name(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("왼쪽,오른쪽,판정\n가,나,같다\n", encoding="utf-8")
    own = {"columns": "왼쪽,오른쪽", "label_column": "판정"}
    assert Nli.read(path, **own) == [Pair("가", "나", "같다")]
    assert Nli.read(path, labelled=False, columns="왼쪽,오른쪽") == [Pair("가", "나")]
    with pytest.raises(DataError, match=r"which two columns hold the sentences.*--columns"):
        Nli.read(path)
    with pytest.raises(DataError, match=r"which column holds the label.*--label-column"):
        Nli.read(path, columns=["왼쪽", "오른쪽"])
    with pytest.raises(DataError, match="Did you mean '오른쪽'"):
        Nli.read(path, columns="왼쪽,오른쪾")
    with pytest.raises(DataError, match="a pair has two"):
        Nli.read(path, columns="왼쪽")


def test_bad_rows_are_named(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("sentence1,sentence2,label\n가,나,a\n다,라,\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"bad\.csv, line 3: 'label' is empty"):
        Nli.read(path)
    for cell in ("5.5", "-1", "높음", "nan"):
        path.write_text(f"sentence1,sentence2,score\n가,나,{cell}\n", encoding="utf-8")
        with pytest.raises(DataError, match=r"bad\.csv, line 2: 'score' holds .*from 0 to 5"):
            Similarity.read(path)
    path.write_text("sentence1,sentence2,score\n", encoding="utf-8")
    with pytest.raises(DataError, match="no rows"):
        Similarity.read(path)


def test_pairs_without_agreement_are_left_out(tmp_path, caplog):
    path = tmp_path / "snli.csv"
    path.write_text("sentence1,sentence2,gold_label\n가,나,-\n다,,neutral\n", encoding="utf-8")
    assert Nli.read(path) == [Pair("다", "", "neutral")]
    assert '1 pairs have the label "-"' in caplog.text
    assert "in 1 of 1 pairs a sentence is empty" in caplog.text


# ---- figures


def test_figures_equal_scikit_learns_and_scipys():
    from scipy.stats import pearsonr, spearmanr
    from sklearn.metrics import f1_score

    generator = np.random.default_rng(0)
    gold = generator.integers(0, 6, 300).astype(float)
    guess = gold + generator.normal(0, 2, 300)
    found = correlations(gold, guess)
    assert found["pearson"] == pytest.approx(pearsonr(gold, guess).statistic)
    assert found["spearman"] == pytest.approx(spearmanr(gold, guess).statistic)
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean((gold - guess) ** 2)))
    low, high = found["pearson_interval"]
    theirs = pearsonr(gold, guess).confidence_interval(0.95)
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.03)
    names = [str(int(value)) for value in gold]
    said = [str(int(value)) for value in np.clip(guess.round(), 0, 5)]
    whole = classification(names, said, list("012345"))
    assert whole["macro_f1"] == pytest.approx(f1_score(names, said, average="macro"))
    hits = [mine == theirs for mine, theirs in zip(names, said, strict=True)]
    mean = averages({"accuracy": hits})
    assert mean["accuracy"] == pytest.approx(whole["accuracy"])
    assert mean["accuracy_interval"] == pytest.approx(whole["accuracy_interval"], abs=0.02)
    table = np.stack([hits, np.ones(300)], axis=1).astype(float)
    share = from_sums(table, lambda sums: {"share": sums[..., 0] / sums[..., 1]})
    assert share["share_interval"] == pytest.approx(mean["accuracy_interval"], abs=0.02)
