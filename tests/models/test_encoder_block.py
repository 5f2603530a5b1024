"""The block of an encoder's vectors, and the recipe over it."""

import shutil

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import gallae
from gallae.errors import DataError, ModelError, RecipeError
from gallae.models.documents import Documents
from gallae.models.encoder_block import EncoderBlock
from gallae.models.features import make_block
from gallae.models.persistence import load
from gallae.pretrained.loading import load_model
from gallae.recipes import find_recipe

BLOCK = "features.blocks.encoder."
TEXTS = ["한국은행 금리 동결에 상승", "손흥민, 결승골로 승리", "英 왕실, 정상회담 제안", "코스피 2% 급락"]


@pytest.fixture(scope="module")
def block(checkpoint):
    made = EncoderBlock(str(checkpoint("bert")), layer="-2:", combine="concat", weight=0.5)
    made.fit(Documents(TEXTS * 3))
    return made


@pytest.fixture(scope="module")
def known(topics_csv):
    """72 headlines, on which the checkpoints' tokenizers were trained, and their topics."""
    corpus = gallae.read(topics_csv)
    return corpus.texts, corpus.labels


def recipe(folder, *more):
    return find_recipe("encoder-features", [f"{BLOCK}checkpoint={folder}", f"{BLOCK}layer=-1", *more])


def test_columns_are_standardised_over_the_training_texts(block):
    documents = Documents(TEXTS * 3)
    rows = block.transform(documents)
    assert rows.shape == (12, 64) and rows.dtype == np.float32
    assert np.allclose(rows.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(rows.std(axis=0), 0.5 / 8, atol=1e-5)  # so that rows have about the length 0.5
    assert np.isclose((rows**2).sum(axis=1).mean(), 0.25, atol=1e-4)
    assert np.allclose(block.transform(documents, block.fit(documents)), rows, atol=1e-6)
    assert len(block.names()) == 64


def test_a_column_that_does_not_vary_is_left_out(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "flat")
    network = load_model(folder)
    network.encoder.layer[-1].output.LayerNorm.weight.data[3] = 1e-8
    network.save_pretrained(folder)
    made = EncoderBlock(str(folder), layer="-1")
    made.fit(Documents(TEXTS * 3))
    rows = made.transform(Documents(TEXTS))
    assert not rows[:, 3].any() and rows[:, 4].all() and np.isfinite(rows).all()


def test_batch_equals_single(block):
    together = block.transform(Documents([*TEXTS, "", "가" * 300]))
    alone = np.vstack([block.transform(Documents([text])) for text in [*TEXTS, "", "가" * 300]])
    assert np.allclose(together, alone, atol=1e-5)


def test_the_saved_model_needs_the_checkpoint_no_more(checkpoint, known, tmp_path, elsewhere):
    for family in ("bert", "distilbert", "xlm-roberta", "albert"):
        folder = shutil.copytree(checkpoint(family), tmp_path / f"{family}-checkpoint")
        model = gallae.build(recipe(folder)).fit(*known)
        model.save(tmp_path / family)
        before = model.predict_proba(known[0])
        shutil.rmtree(folder)
        assert np.array_equal(load(tmp_path / family).predict_proba(known[0]), before), family
    assert np.allclose(
        elsewhere(tmp_path / "bert", known[0]), gallae.load(tmp_path / "bert").predict_proba(known[0])
    )


def test_it_learns(checkpoint, known):
    texts, labels = known
    model = gallae.build(recipe(checkpoint("bert"), "model.C=10")).fit(texts, labels)
    assert model.score(texts, labels) > 0.9


def test_set_reaches_the_block_by_its_kind(checkpoint):
    folder = checkpoint("bert")
    by_kind = recipe(folder, f"{BLOCK}pool=cls")
    assert by_kind.features.blocks[0].layer == "-1" and by_kind.features.blocks[0].pool == "cls"
    by_number = find_recipe(
        "encoder-features",
        [
            f"features.blocks.0.checkpoint={folder}",
            "features.blocks.0.layer=-1",
            "features.blocks.0.pool=cls",
        ],
    )
    assert by_kind == by_number
    assert by_kind.extras() == ("neural",)
    with pytest.raises(RecipeError, match=r"'kiwi' is no place in a list of 1"):
        find_recipe("encoder-features", ["features.blocks.kiwi.weight=2"])
    with pytest.raises(RecipeError, match=r"2 are of the kind 'tfidf', so give the number"):
        find_recipe("default", ["features.blocks.tfidf.weight=2"])


@pytest.mark.parametrize(
    ("override", "why"),
    [
        ("layer=last", "'last' cannot be read"),
        ("combine=weighted", "needs weights"),
        ("pool=min", "pool: it should be 'cls', 'mean' or 'max'"),
        ("max_length=1", "max_length"),
        ("checkpoint=", "checkpoint"),
        ("layers=-1", "there is no field 'features.blocks.0.layers'. Did you mean 'layer'?"),
    ],
)
def test_values_that_are_not_allowed(override, why):
    with pytest.raises(RecipeError, match=why):
        find_recipe("encoder-features", [BLOCK + override])


def test_what_can_be_known_is_said_before_data_is_read(checkpoint, tmp_path):
    with pytest.raises(ModelError, match="no checkpoint folder"):
        gallae.train("missing.csv", "encoder-features", overrides=[f"{BLOCK}checkpoint=./nowhere"])
    with pytest.raises(RecipeError, match="there is no layer 7"):
        gallae.train("missing.csv", recipe(checkpoint("bert"), f"{BLOCK}layer=7"))
    with pytest.raises(RecipeError, match=r"vectors are no counts\. Leave out the block of kind 'encoder'"):
        gallae.build(recipe(checkpoint("bert"), "model.classifier=nbsvm"))


def test_texts_that_the_tokenizer_does_not_know_are_refused(checkpoint):
    greek = [f"{text} αβγδ ζηθικλ μνξοπρ στυφχψω" for text in ["ένα", "δύο", "τρία", "τέσσερα"]] * 2
    with pytest.raises(DataError, match="unknown to the tokenizer"):
        gallae.build(recipe(checkpoint("bert"))).fit(greek, ["a", "b"] * 4)


def test_beside_other_blocks_and_under_a_network(checkpoint, known):
    texts, labels = known
    blocks = [{"kind": "tfidf", "unit": "char"}, {"kind": "encoder", "checkpoint": str(checkpoint("bert"))}]
    both = gallae.build(gallae.Recipe(features={"blocks": blocks})).fit(texts, labels)
    assert both.score(texts, labels) > 0.9
    assert make_block(blocks[1]).options.layer == "-2"


def test_texts_that_are_cut_off_are_counted(checkpoint, caplog):
    made = EncoderBlock(str(checkpoint("bert")), max_length=6)
    with caplog.at_level("WARNING", "gallae"):
        made.fit(Documents(TEXTS))
    assert "1 of 4 texts are longer than the encoder block's max_length, 6 tokens" in caplog.text
