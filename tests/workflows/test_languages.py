"""`gallae languages`: trained on some, measured on every one."""

import json
import random

import pandas as pd
import pytest

import gallae
from gallae.errors import DataError, OutputError, RecipeError
from gallae.workflows.languages_plan import Training

WORDS = {
    "경제": {"ko": ["금리", "환율", "수출", "증시"], "en": ["rates", "dollar", "exports", "stocks"]},
    "스포츠": {"ko": ["축구", "야구", "결승", "우승"], "en": ["soccer", "baseball", "final", "victory"]},
}
HEADER = ["pair", "text", "label", "lang", "origin"]
ASKED = {"language_column": "lang", "translated_column": "origin", "group_column": "pair", "holdout": 0.3}


@pytest.fixture(scope="module")
def bilingual_csv(tmp_path_factory, write_table):
    """80 headlines in Korean or English, each with its translation; Korean and English share no word."""
    draw = random.Random(5)
    rows = []
    for pair in range(80):
        label, numbers = draw.choice(list(WORDS)), draw.choices(range(4), k=3)
        first, second = draw.sample(["ko", "en"], 2)
        rows.append([pair, " ".join(WORDS[label][first][n] for n in numbers), label, first, ""])
        rows.append([pair, " ".join(WORDS[label][second][n] for n in numbers), label, second, first])
    return write_table(tmp_path_factory.mktemp("languages") / "both.csv", HEADER, rows)


@pytest.fixture(scope="module")
def both(bilingual_csv, tmp_path_factory):
    return gallae.languages(bilingual_csv, "fast", output=tmp_path_factory.mktemp("runs") / "both", **ASKED)


def test_zero_shot_fails_where_no_word_is_shared_and_translations_help(both):
    wide = both.wide
    assert wide.columns.tolist()[-3:] == ["en, translated", "ko, translated", "all"]
    assert set(wide.index) == {"ko", "en", "all", "ko, translated", "en, translated", "all, translated"}
    for language, other in (("ko", "en"), ("en", "ko")):
        assert wide.loc[language, language] > 0.9 > wide.loc[language, other]
        assert (
            wide.loc[language, f"{language}, translated"] > 0.9 > wide.loc[language, f"{other}, translated"]
        )
        assert wide.loc[f"{language}, translated", other] > 0.9  # trained on its rows' translations
    assert wide.loc["all", "all"] > 0.9


def test_the_table_says_what_is_zero_shot(both):
    table = both.table.set_index(["trained_on", "tested_on"])
    assert table.loc[("ko", "en"), "zero_shot"] and table.loc[("ko", "en, translated"), "zero_shot"]
    for trained, tested in (("ko", "ko"), ("ko", "all"), ("ko, translated", "en"), ("all", "en")):
        assert not table.loc[(trained, tested), "zero_shot"]
    row = table.loc[("ko", "all")]
    assert row["macro_f1_low"] <= row["macro_f1"] <= row["macro_f1_high"]
    assert row["n"] == table.loc[("ko", "ko"), "n"] + table.loc[("ko", "en"), "n"]


def test_all_sets_have_the_same_held_out_rows_and_no_pair_is_torn(both, bilingual_csv):
    frame = pd.read_csv(bilingual_csv)
    held = [run.predictions["text"].tolist() for run in both.runs.values()]
    assert len(held[0]) % 2 == 0 and all(texts == held[0] for texts in held)
    rows = both.runs["all, translated"].predictions["index"]
    pairs = frame["pair"].iloc[rows]
    assert (pairs.value_counts() == 2).all()
    trained = {name: run.metrics["n_train"] for name, run in both.runs.items()}
    assert trained["ko"] + trained["en"] == trained["all"] and trained["all, translated"] == 160 - len(rows)
    assert trained["ko, translated"] == 2 * trained["ko"]


def test_what_is_written(both):
    assert {path.name for path in both.folder.iterdir()} == {
        *("languages.csv", "languages.json", "report.html", "recipe.toml", "ko", "en", "all"),
        *("ko-translated", "en-translated", "all-translated"),
    }
    facts = json.loads((both.folder / "languages.json").read_text())
    assert facts["rows"]["ko"]["original"] + facts["rows"]["en"]["original"] == 80
    assert facts["rows"]["ko"]["translated"] == facts["rows"]["en"]["original"]
    assert len(facts["results"]) == 30 == len(pd.read_csv(both.folder / "languages.csv"))
    page = (both.folder / "report.html").read_text()
    assert "zero-shot" in page and "en, translated" in page and "http://" not in page
    assert both.runs["ko"].model.predict(["금리 환율"]).tolist() == ["경제"]


def test_chosen_sets_folds_and_the_korean_page(bilingual_csv, tmp_path):
    found = gallae.languages(
        bilingual_csv,
        "fast",
        language_column="lang",
        group_column="pair",
        train="en+ko, en",
        folds=2,
        output=tmp_path / "run",
        language="ko",
    )
    assert list(dict.fromkeys(found.table["trained_on"])) == ["all", "en"]
    assert found.table["n"].iloc[-1] == 160  # every row was held out once, and all are originals here
    assert "언어별 비교" in (tmp_path / "run" / "report.html").read_text()


def test_it_goes_on_where_it_was_stopped(bilingual_csv, both, tmp_path, monkeypatch):
    from gallae.workflows import comparing

    once, done = comparing.run_part, []

    def stop_at_the_third(job, folder):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(folder.name)
        return once(job, folder)

    monkeypatch.setattr("gallae.workflows.languages.run_part", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        gallae.languages(bilingual_csv, "fast", output=tmp_path / "run", **ASKED)
    assert not (tmp_path / "run").exists()
    monkeypatch.undo()
    again = gallae.languages(bilingual_csv, "fast", resume=tmp_path / "run", **ASKED)
    assert again.table.equals(both.table)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            {"train": ["fr"]},
            r"no rows of the language 'fr' to train on\. Languages: (ko, en|en, ko); several",
        ),
        ({"train": ["ko", "ko"]}, "the same languages twice"),
        ({"language_column": "tongue"}, "no column 'tongue'"),
        ({"group_column": None}, "--translated-column needs --group-column"),
        ({"language_column": "label2"}, "no column"),
    ],
)
def test_mistakes(bilingual_csv, tmp_path, given, why):
    with pytest.raises(DataError, match=why):
        gallae.languages(bilingual_csv, "fast", output=tmp_path / "run", **{**ASKED, **given})
    assert not any(tmp_path.iterdir())


def test_rows_that_do_not_do(tmp_path, write_table, both, bilingual_csv):
    texts = [("금리 환율", "경제"), ("축구 야구", "스포츠")] * 4
    one = write_table(tmp_path / "one.csv", HEADER[1:4], [(*pair, "ko") for pair in texts])
    with pytest.raises(DataError, match=r"has one language only \(ko\)"):
        gallae.languages(one, "fast", language_column="lang")
    holes = write_table(
        tmp_path / "holes.csv", HEADER[1:4], [(*pair, "" if n == 2 else "ko") for n, pair in enumerate(texts)]
    )
    with pytest.raises(DataError, match=r"1 of 8 rows have no language in 'lang' \(the first is row 3\)"):
        gallae.languages(holes, "fast", language_column="lang")
    english = [("rates dollar", "경제"), ("stocks", "경제"), ("exports", "경제"), ("dollar", "경제")]
    lacking = write_table(
        tmp_path / "lacking.csv",
        HEADER[1:4],
        [*((*pair, "ko") for pair in texts), *((*pair, "en") for pair in english)],
    )
    with pytest.raises(DataError, match="training rows of 'en' lack the labels '스포츠'"):
        gallae.languages(lacking, "fast", language_column="lang", holdout=0.4)
    with pytest.raises(OutputError, match="exists already"):
        gallae.languages(bilingual_csv, "fast", output=both.folder, **ASKED)
    with pytest.raises(RecipeError, match="there is no recipe"):
        gallae.languages(bilingual_csv, "fastt", **ASKED)


def test_the_command_line_is_python(gallae_cli, bilingual_csv, both, tmp_path):
    columns = ("--language-column", "lang", "--translated-column", "origin", "--group-column", "pair")
    asked = (*columns, "--holdout", 0.3, "-r", "fast", "-o", tmp_path / "run")
    done = gallae_cli("languages", bilingual_csv, *asked)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].split("  ")[0] == "trained on" and "zero-shot" in lines[-2]
    assert lines[-1] == f"languages: {tmp_path / 'run'}"
    assert pd.read_csv(tmp_path / "run" / "languages.csv").equals(pd.read_csv(both.folder / "languages.csv"))
    wrong = gallae_cli("languages", bilingual_csv, *columns, "--train", "fr", "-r", "fast")
    assert wrong.code == 2 and "Languages: " in wrong.err and "Traceback" not in wrong.err
    forced = gallae_cli("languages", bilingual_csv, *asked, "--train", "ko", "--force")
    assert forced.code == 0 and {p.name for p in (tmp_path / "run").iterdir()} >= {"ko", "ko-translated"}
    assert not (tmp_path / "run" / "en").exists()


def test_a_tiny_encoder(checkpoint, bilingual_csv, tmp_path):
    pytest.importorskip("torch")
    given = [
        f"model.checkpoint={checkpoint('bert')}",
        "training.epochs=1",
        "model.max_length=16",
        "model.max_unknown=1",
    ]
    found = gallae.languages(
        bilingual_csv,
        "encoder",
        language_column="lang",
        train=["ko"],
        overrides=given,
        output=tmp_path / "run",
    )
    assert found.wide.shape == (1, 3) and found.runs["ko"].metrics["n_train"] < 80


def test_names_of_languages_become_names_of_folders():
    names = ["한국어", "zh TW", "zh-TW", "..", "a/b"]
    folders = [Training(name, (name,)).folder for name in names]
    assert folders[0] == "한국어" and len(set(folders)) == 5
    assert not any(set(folder) & set("/. ") for folder in folders)
