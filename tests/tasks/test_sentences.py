"""Sentence embeddings: what training does to vectors, saving, searching, grouping."""

from itertools import pairwise

import numpy as np
import pytest

from gallae.errors import DataError, ModelError, RecipeError
from gallae.tasks import SentenceEncoder
from gallae.tasks.sentence_clusters import cluster_vectors
from gallae.tasks.sentence_rows import SentenceRow

MONEY = ["금리 동결에 상승", "2% 급락 마감", "석 달째 증가", "시장 전망 하향"]
SPORT = ["결승골로 승리", "시즌 첫 우승", "부상 복귀전 완승", "결승 진출 확정"]
STEPS = {"epochs": 6, "batch_size": 8, "learning_rate": 3e-3}


def pairs(same, other):
    """All pairs of the two topics; `same` is the target within a topic."""
    texts = [(text, topic) for topic, group in enumerate((MONEY, SPORT)) for text in group]
    return [SentenceRow((a, b), same if x == y else other) for a, x in texts for b, y in texts if a != b]


def triplets():
    return [
        SentenceRow((a, b, c))
        for near, far in ((MONEY, SPORT), (SPORT, MONEY))
        for a, b in pairwise(near)
        for c in far
    ]


def gap(encoder):
    """By how much texts of one topic are nearer to each other than to the other's."""
    rows = pairs(1.0, 0.0)
    cosines = encoder.cosines(rows)[:, 0]
    same = np.array([row.target == 1.0 for row in rows])
    return cosines[same].mean() - cosines[~same].mean()


@pytest.fixture(scope="module")
def plain(checkpoint):
    return SentenceEncoder.load(checkpoint("bert"))


@pytest.fixture(scope="module")
def trained(checkpoint):
    return SentenceEncoder(checkpoint=str(checkpoint("bert")), training=STEPS).fit(pairs(5.0, 0.0))


@pytest.mark.parametrize(
    ("objective", "rows"),
    [
        ("classification", pairs("같음", "다름")),
        ("triplet", triplets()),
        ("ranking", [row for row in pairs(None, "x") if row.target is None]),
    ],
)
def test_each_objective_brings_what_belongs_together_nearer(checkpoint, plain, objective, rows):
    encoder = SentenceEncoder(checkpoint=str(checkpoint("bert")), objective=objective, training=STEPS).fit(
        rows
    )
    assert gap(encoder) > gap(plain) + 0.2
    assert encoder.history[-1]["loss"] < encoder.history[0]["loss"]


def test_regression_follows_the_scores(trained, plain):
    rows = pairs(5.0, 0.0)
    assert gap(trained) > gap(plain) + 0.5
    figures = trained.evaluate(rows)
    assert figures["pearson"] > 0.9 > plain.evaluate(rows)["pearson"]
    low, high = figures["spearman_interval"]
    assert low <= figures["spearman"] <= high
    assert figures["baseline"]["pearson"] < figures["pearson"]


def test_the_same_seed_gives_the_same_vectors(checkpoint, trained):
    again = SentenceEncoder(checkpoint=str(checkpoint("bert")), training=STEPS).fit(pairs(5.0, 0.0))
    assert np.array_equal(again.embed(MONEY), trained.embed(MONEY))
    other = SentenceEncoder(checkpoint=str(checkpoint("bert")), training=STEPS, seed=1).fit(pairs(5.0, 0.0))
    assert not np.allclose(other.embed(MONEY), trained.embed(MONEY))


def test_vectors_do_not_depend_on_batch_and_order(trained):
    texts = [*MONEY, *SPORT]
    whole = trained.embed(texts)
    assert whole.dtype == np.float32 and whole.shape == (8, trained.dimensions)
    single = np.concatenate([trained.embed([text]) for text in texts])
    assert np.allclose(whole, single, atol=1e-5)
    assert np.allclose(whole[::-1], trained.embed(texts[::-1], batch_size=3), atol=1e-5)
    assert np.allclose(np.linalg.norm(trained.embed(texts, unit=True), axis=1), 1)
    assert trained.embed([]).shape == (0, trained.dimensions)


def test_a_saved_model_is_a_sentence_transformers_folder(trained, tmp_path):
    from sentence_transformers import SentenceTransformer

    trained.save(tmp_path / "model")
    wanted = trained.embed(MONEY)
    assert np.array_equal(SentenceEncoder.load(tmp_path / "model").embed(MONEY), wanted)
    theirs = SentenceTransformer(str(tmp_path / "model"), device="cpu", local_files_only=True)
    assert np.allclose(theirs.encode(MONEY), wanted, atol=1e-6)
    further = SentenceEncoder(checkpoint=str(tmp_path / "model"), training={"epochs": 1}).fit(pairs(5.0, 0.0))
    assert further.dimensions == trained.dimensions


def test_bf16_trains_and_leaves_a_float32_model(checkpoint, plain, tmp_path):
    training = {**STEPS, "precision": "bf16"}
    encoder = SentenceEncoder(checkpoint=str(checkpoint("bert")), training=training).fit(pairs(5.0, 0.0))
    encoder.save(tmp_path / "model")
    assert np.array_equal(SentenceEncoder.load(tmp_path / "model").embed(MONEY), encoder.embed(MONEY))
    assert gap(encoder) > gap(plain) + 0.4


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_pooling_is_what_it_says(checkpoint, pooling):
    import torch

    from gallae.tasks.sentence_models import from_checkpoint

    model = from_checkpoint(checkpoint("bert"), pooling, 0, "cpu")
    states = model.encode(MONEY[0], output_value="token_embeddings", convert_to_numpy=False)
    wanted = {"mean": states.mean(0), "cls": states[0], "max": states.max(0).values}[pooling]
    assert torch.allclose(torch.from_numpy(model.encode(MONEY[0])), wanted, atol=1e-5)


@pytest.mark.parametrize("family", ["roberta", "electra", "distilbert"])
def test_other_families_learn_too(checkpoint, family):
    encoder = SentenceEncoder(checkpoint=str(checkpoint(family)), training={"epochs": 1}).fit(pairs(5.0, 0.0))
    assert np.isfinite(encoder.embed([*MONEY, "긴 글 " * 300])).all()


def test_scratch_needs_no_checkpoint():
    sizes = {"layers": 1, "hidden": 16, "heads": 2, "min_count": 1, "tokenizer": "char"}
    encoder = SentenceEncoder(checkpoint="scratch", scratch=sizes, training=STEPS).fit(pairs(5.0, 0.0))
    assert encoder.evaluate(pairs(5.0, 0.0))["pearson"] > 0.8


# ---- distillation

PARALLEL = [
    SentenceRow((text, f"translated {'abcdefgh'[number]} {'hgfedcba'[number]}"))
    for number, text in enumerate([*MONEY, *SPORT])
]


@pytest.mark.parametrize("width", [32, 24])
def test_a_student_comes_near_its_teacher(trained, width):
    sizes = {"layers": 1, "hidden": width, "heads": 2, "min_count": 1}
    steps = {"epochs": 60, "batch_size": 8, "learning_rate": 5e-3, "weight_decay": 0.0}
    fields = {"checkpoint": "scratch", "scratch": sizes, "training": steps}
    student = SentenceEncoder(**fields).distil(trained, PARALLEL)
    begun = SentenceEncoder(**{**fields, "training": {**steps, "learning_rate": 1e-9, "epochs": 1}})
    before = begun.distil(trained, PARALLEL).likeness(trained, PARALLEL)
    after = student.likeness(trained, PARALLEL)
    assert student.dimensions == trained.dimensions
    assert after["translation_to_teacher"] > max(0.9, before["translation_to_teacher"] + 0.2)
    assert after["source_to_teacher"] > 0.9
    assert student.recipe.objective == "distillation"


def test_a_widened_student_survives_saving(trained, tmp_path):
    sizes = {"layers": 1, "hidden": 16, "heads": 2, "min_count": 1}
    student = SentenceEncoder(checkpoint="scratch", scratch=sizes, training={"epochs": 1})
    student.distil(trained, PARALLEL).save(tmp_path / "student")
    found = SentenceEncoder.load(tmp_path / "student")
    assert np.array_equal(found.embed(MONEY), student.embed(MONEY))


# ---- figures


def test_figures_of_each_layout(trained):
    labelled = trained.evaluate(pairs("같음", "다름"))
    assert labelled["cosine_by_label"]["같음"] > labelled["cosine_by_label"]["다름"]
    assert labelled["auc"] < 0.1  # the second label's pairs are those that differ
    three = trained.evaluate(triplets())
    assert three["accuracy"] > 0.95
    ranked = trained.evaluate([SentenceRow((text, text)) for text in [*MONEY, *SPORT]])
    assert ranked["accuracy_at_1"] > 0.8
    assert ranked["baseline"]["accuracy_at_1"] == pytest.approx(1 / 8)


def test_the_area_under_the_curve_is_the_share_of_pairs_in_order():
    from gallae.tasks.sentence_measures import auc

    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 5, 60), rng.integers(0, 9, 60).astype(float)
    wins = [(a > b) + 0.5 * (a == b) for a in other[one > 2] for b in other[one <= 2]]
    assert auc((one > 2).astype(float), other) == pytest.approx(np.mean(wins))
    assert np.isnan(auc(np.ones(3), np.arange(3.0)))


# ---- search and groups


def test_search_finds_the_text_itself(trained):
    corpus = [*MONEY, *SPORT]
    for text, hits in zip(corpus, trained.search(corpus, corpus, top_k=4), strict=True):
        assert [hit["rank"] for hit in hits] == [1, 2, 3, 4]
        assert hits[0]["text"] == text == corpus[hits[0]["row"]]
        assert hits[0]["score"] == pytest.approx(1, abs=1e-5)
        assert {hit["text"] for hit in hits} == set(MONEY if text in MONEY else SPORT)
    assert len(trained.search(["금리"], corpus, top_k=50)[0]) == 8


def test_search_equals_sorting_all_cosines(trained):
    rng = np.random.default_rng(1)
    texts = [f"{rng.integers(10**6)} {MONEY[number % 4]}" for number in range(40)] * 2
    index = trained.index(texts)
    cosines = trained.embed(SPORT, unit=True) @ index.vectors.T
    for row, hits in zip(cosines, trained.search(SPORT, index, 7), strict=True):
        assert [hit["row"] for hit in hits] == np.argsort(-row, kind="stable")[:7].tolist()


@pytest.mark.parametrize("method", ["kmeans", "agglomerative"])
@pytest.mark.parametrize("k", [2, "auto"])
def test_groups_separate_two_topics(trained, method, k):
    found = trained.cluster([*MONEY, *SPORT, SPORT[0]] * 4, k, method)
    assert set(found.cluster[:4]) == {2} and set(found.cluster[4:9]) == {1}
    assert found.silhouette > 0.5
    assert set(found.central(1, 9)) == set(SPORT)
    assert found.centrality.max() <= 1.0001
    assert "결승" in found.words()[1]
    assert [one["size"] for one in found.summary()] == [20, 16]
    assert bool(found.tried) == (k == "auto")


# ---- mistakes


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda e: e.fit([]), "no rows"),
        (lambda e: e.fit([SentenceRow(("a", "b"), "yes")]), "row 1 .* a score"),
        (lambda e: e.fit([SentenceRow(("a", "b", "c"))]), "2 texts"),
        (lambda e: e.fit([SentenceRow(("a", "b"), 87.0)]), "highest_score"),
        (lambda e: e.embed("하나"), "list of texts"),
        (lambda e: e.evaluate([SentenceRow(("a", "b"), 1.0)]), "two or more"),
        (lambda e: e.search(["a"], []), "no texts"),
        (lambda e: e.search(["a"], ["b"], 0), "top_k"),
        (lambda e: e.cluster(MONEY, 1), "2 or more"),
        (lambda e: e.cluster(MONEY, 9), "at least 9"),
        (lambda e: e.cluster([MONEY[0]] * 5, 2), "same vector"),
        (lambda e: e.cluster(MONEY, 2, "dbscan"), "kmeans, agglomerative"),
    ],
)
def test_mistakes_are_told(plain, call, says):
    with pytest.raises(DataError, match=says):
        call(plain)


def test_one_label_is_refused(checkpoint):
    with pytest.raises(DataError, match="every pair has the label"):
        SentenceEncoder(checkpoint=str(checkpoint("bert")), objective="classification").fit(pairs("x", "x"))


def test_models_that_are_none_are_told(trained, tmp_path, checkpoint):
    with pytest.raises(ModelError, match="not fitted"):
        SentenceEncoder().embed(MONEY)
    with pytest.raises(ModelError, match="holds no sentence encoder"):
        SentenceEncoder.load(tmp_path)
    trained.save(tmp_path / "model")
    with pytest.raises(RecipeError, match="pooling 'mean'"):
        SentenceEncoder(checkpoint=str(tmp_path / "model"), pooling="cls").fit(pairs(5.0, 0.0))
    (tmp_path / "model" / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="cannot be opened"):
        SentenceEncoder.load(tmp_path / "model")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "modules.json").write_text('[{"idx": 0, "name": "0", "path": "", "type": "os.path.join"}]')
    with pytest.raises(ModelError, match="code of their own"):
        SentenceEncoder.load(foreign)


def test_texts_that_the_tokenizer_does_not_know_are_refused(checkpoint):
    rows = [SentenceRow(("ᚠᚢᚦ ᚨᚱᚲ", "ᛏᛒᛖ ᛗᛚ"), float(number % 2)) for number in range(8)]
    with pytest.raises(DataError, match="unknown"):
        SentenceEncoder(checkpoint=str(checkpoint("bert"))).fit(rows)


def test_recipe_mistakes_are_told():
    with pytest.raises(RecipeError, match="objective"):
        SentenceEncoder(objective="rhyme")
    with pytest.raises(RecipeError, match="poolin"):
        SentenceEncoder(poolin="cls")


def test_a_diverging_training_is_told(checkpoint):
    rate = {"learning_rate": 1e30, "warmup": 0.0}
    with pytest.raises(ModelError, match="learning rate"):
        SentenceEncoder(checkpoint=str(checkpoint("bert")), training=rate).fit(pairs(5.0, 0.0))


def test_vectors_of_agglomerative_are_limited():
    vectors = np.zeros((10_001, 2), dtype=np.float32)
    with pytest.raises(DataError, match="kmeans"):
        cluster_vectors(["a"] * 10_001, vectors, 2, "agglomerative")


def test_kobert_keeps_its_tokenizer_through_training_and_saving(checkpoint, tmp_path):
    import shutil

    import sentencepiece

    folder = tmp_path / "kobert"
    shutil.copytree(checkpoint("bert"), folder, ignore=shutil.ignore_patterns("*token*", "vocab*"))
    special = ["[PAD]", "[CLS]", "[SEP]", "[MASK]"]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*MONEY, *SPORT] * 20),
        model_prefix=str(folder / "spiece"),
        vocab_size=56,
        hard_vocab_limit=False,
        unk_piece="[UNK]",
        bos_id=-1,
        eos_id=-1,
        user_defined_symbols=special,
        minloglevel=2,
    )
    encoder = SentenceEncoder(checkpoint=str(folder), training={"epochs": 1}).fit(pairs(5.0, 0.0))
    encoder.save(tmp_path / "saved")
    again = SentenceEncoder.load(tmp_path / "saved")
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    for text in (*MONEY, *SPORT):
        wanted = model.encode(text)
        for one in (encoder, again):
            ids = one.model.preprocess([text])["input_ids"][0].tolist()
            assert [number for number in ids if number not in (ids[0], ids[-1])] == wanted
    assert np.array_equal(again.embed(MONEY), encoder.embed(MONEY))
