"""Translating: what every family holds, and what each has of its own."""

import io
import json

import pytest

from gallae.errors import DataError, ModelError, RecipeError
from gallae.tasks import Translate
from gallae.tasks.registry import load_task
from gallae.tasks.translate_edits import EditModel
from gallae.tasks.translate_reading import Passage

PAIRS = (
    ("밥 먹언", "밥 먹었어", "jeju"),
    ("집에 완", "집에 왔어", "jeju"),
    ("책 봔", "책 봤어", "jeju"),
    ("하영 먹언", "많이 먹었어", "jeju"),
    ("물이 이서", "물이 있어", "jeju"),
    ("물이 좋아", "물이 좋아", "jeju"),
    ("밥 뭇나", "밥 먹었니", "gyeongsang"),
    ("집에 갔나", "집에 갔니", "gyeongsang"),
    ("물이 좋나", "물이 좋니", "gyeongsang"),
    ("책이 있나", "책이 있니", "gyeongsang"),
    ("마이 있나", "많이 있니", "gyeongsang"),
    ("물이 좋다", "물이 좋다", "gyeongsang"),
)
SMALL = {"hidden": 32, "embedding": 32, "heads": 2, "feed_forward": 64, "dropout": 0.0}
LEARNING = {"epochs": 60, "batch_size": 8, "learning_rate": 1e-2, "device": "cpu"}
FAMILIES = {
    "edits": {"edits": {"boldness": 0.0}},
    "lstm": {"family": "lstm", "network": {**SMALL, "reversed": True}, "training": LEARNING},
    "transformer": {
        "family": "transformer",
        "network": {**SMALL, "unit": "jamo"},
        "training": {**LEARNING, "learning_rate": 5e-3},
    },
}


def passages(pairs=PAIRS):
    return [
        one
        for number, (said, standard, region) in enumerate(pairs)
        for one in (
            Passage(said, standard, region, "standard", number),
            Passage(standard, said, "standard", region, number),
        )
    ]


@pytest.fixture(scope="module")
def fitted():
    """Each family, fitted when it is first wanted."""
    made = {}

    def get(family):
        if family not in made:
            made[family] = Translate(**FAMILIES[family]).fit(passages())
        return made[family]

    return get


@pytest.fixture(params=FAMILIES)
def task(request, fitted):
    return fitted(request.param)


def said(task, examples, **deciding):
    return [one["translation"] for one in task.predict(examples, **deciding)]


# ---- every family


def test_it_learns_its_corpus(task):
    found = task.evaluate([one for one in passages() if one.target_style == "standard"])
    assert found["changed_accuracy"] > 0.8
    assert found["chrf"] > found["baseline"]["chrf"] + 10
    assert found["baseline"]["changed_accuracy"] == 0
    assert set(found["per_direction"]) == {"jeju to standard", "gyeongsang to standard"}


def test_saved_and_loaded_it_says_the_same(task, tmp_path):
    task.save(tmp_path / "model")
    again = load_task(tmp_path / "model")
    assert again.predict(passages()) == task.predict(passages())
    assert again.directions == task.directions
    assert again.evaluate(passages()) == task.evaluate(passages())


def test_a_batch_equals_its_texts(task):
    alone = [one for example in passages() for one in said(task, [example])]
    assert said(task, passages()) == alone


def test_two_dialects_meet_in_the_standard(task):
    found = task.translate("밥 먹언", "jeju", "gyeongsang")[0]
    assert found["via"] == ["jeju", "standard", "gyeongsang"]
    between = task.translate("밥 먹언", "jeju", "standard")[0]["translation"]
    assert found["translation"] == task.translate([between], "standard", "gyeongsang")[0]["translation"]


def test_unknown_styles_are_refused(task):
    with pytest.raises(
        DataError, match=r"does not translate from 'jeju' to 'jeolla'.*gyeongsang to standard"
    ):
        task.translate("밥", "jeju", "jeolla")
    with pytest.raises(DataError, match="from 'jeju' to 'jeju'"):
        task.translate("밥", "jeju", "jeju")


def test_nothing_and_empty_texts(task):
    assert task.predict([]) == []
    assert task.translate("", "jeju", "standard")[0]["changes"] in (
        [],
        task.translate("", "jeju", "standard")[0]["changes"],
    )
    with pytest.raises(DataError, match="no pair to learn from"):
        Translate().fit([])
    with pytest.raises(ModelError, match="not fitted"):
        Translate().translate("밥", "jeju", "standard")


def test_options_of_another_family_are_refused(task):
    wrong = {"beams": 2} if task.recipe.family == "edits" else {"boldness": 1.0}
    with pytest.raises(RecipeError, match="has no such option"):
        task.predict(passages()[:1], **wrong)


def test_the_same_seed_gives_the_same_model(fitted):
    once, again = (Translate(**FAMILIES["edits"]).fit(passages()) for _ in "12")
    assert once.predict(passages()) == again.predict(passages()) == fitted("edits").predict(passages())


# ---- word by word


def test_changes_are_marked(fitted):
    found = fitted("edits").translate("밥  먹언", "jeju", "standard")[0]
    assert found["translation"] == "밥 먹었어"
    assert [(one["source"], one["target"], one["start"]) for one in found["changes"]] == [
        ("먹언", "먹었어", 3)
    ]


def test_rules_reach_words_that_were_never_seen(fitted):
    assert "닭이 좋니" in said(
        fitted("edits"), [Passage("닭이 좋나", None, "gyeongsang", "standard")], boldness=3.0
    )


def test_unknown_words_stay(fitted):
    text = "뷁쀍 Σ😊 3.14"
    assert fitted("edits").translate(text, "jeju", "standard", boldness=0.0)[0]["translation"] == text


def test_boldness_changes_more(fitted):
    counts = [
        sum(len(one["changes"]) for one in fitted("edits").predict(passages(), boldness=bold))
        for bold in (0.0, 8.0)
    ]
    assert counts[1] > counts[0]


def test_words_that_split_or_are_lost():
    pairs = [("그래가 왔다", "그렇게 해서 왔다", "gyeongsang"), ("이 왔다 이", "이 왔다", "gyeongsang")] * 4
    task = Translate(edits={"boldness": 0.0}).fit(passages(pairs))
    assert said(task, [Passage("그래가 왔다", None, "gyeongsang", "standard")]) == ["그렇게 해서 왔다"]
    assert said(task, [Passage("이 왔다 이", None, "gyeongsang", "standard")]) == ["이 왔다"]


def test_damaged_files_are_named(fitted, tmp_path):
    fitted("edits").save(tmp_path / "model")
    (tmp_path / "model" / "edits.json").write_text(json.dumps({"known": 3}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"edits\.json is missing or damaged"):
        Translate.load(tmp_path / "model")
    with pytest.raises(ModelError):
        EditModel.from_pretrained(tmp_path)


def test_styles_of_a_table_without_a_standard():
    rows = [("갑니다", "간다"), ("옵니다", "온다"), ("봅니다", "본다"), ("잡니다", "잔다")]
    pairs = [Passage(one, other, "formal", "informal", at) for at, (one, other) in enumerate(rows)]
    task = Translate().fit(pairs)
    assert task.styles == ["formal", "informal"]
    assert task.translate("갑니다", "formal", "informal")[0]["translation"] == "간다"


# ---- recipes


def test_a_checkpoint_asks_for_its_family():
    assert Translate(checkpoint="gogamza/kobart-base-v2").recipe.family == "pretrained"
    with pytest.raises(RecipeError, match="contradict each other"):
        Translate(checkpoint="gogamza/kobart-base-v2", family="lstm")
    with pytest.raises(RecipeError, match="contradict each other"):
        Translate(family="pretrained")


def test_a_recipe_tells_only_what_it_reads():
    written = {family: Translate(**fields).recipe.to_toml() for family, fields in FAMILIES.items()}
    assert "[network]" not in written["edits"] and "boldness" in written["edits"]
    assert "boldness" not in written["lstm"] and "reversed = true" in written["lstm"]


def test_standard_input_is_translated_as_a_file_is(fitted, tmp_path, monkeypatch, gallae_cli):
    fitted("edits").save(tmp_path / "model")

    def translate(content, *options):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
        return gallae_cli("tasks", "translate", "predict", tmp_path / "model", "-", *options)

    (tmp_path / "said.txt").write_text("밥 먹언\n물이 좋아\n", encoding="utf-8")
    ways = ("--from", "jeju", "--to", "standard")
    lines = translate("밥 먹언\n물이 좋아\n", *ways)
    of_file = gallae_cli("tasks", "translate", "predict", tmp_path / "model", tmp_path / "said.txt", *ways)
    assert lines.out == of_file.out and json.loads(lines.out.splitlines()[0])["translation"] == "밥 먹었어"
    table = translate("dialect\tstandard\tregion\n밥 먹언\t밥 먹었어\tjeju\n")
    assert [json.loads(line)["to"] for line in table.out.splitlines()] == ["standard", "jeju"]
    for content, reason in (
        ("", "standard input is empty"),
        ("밥\n", "standard input holds texts without a"),
    ):
        refused = translate(content)
        assert refused.code == 2 and reason in refused.err
