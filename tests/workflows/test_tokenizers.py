"""gallae tokenizer: train one, compare several."""

import json
import lzma

import pytest

from gallae.errors import DataError, OutputError, TextError
from gallae.text.subwords import KINDS
from gallae.workflows.tokenizer_comparing import compare_tokenizers
from gallae.workflows.tokenizers import train_tokenizer

NEWS = [
    "한국은행 기준금리 동결, 코스피 상승",
    "한국은행 기준금리 인상에 코스닥 하락",
    "수출 석 달째 증가",
] * 4
GAMES = ["축구 대표팀 결승골로 승리", "프로야구 결승 진출을 확정", "여자배구 시즌 첫 우승"] * 4


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "news.txt").write_text("\n".join([*NEWS, "", ""]), encoding="utf-8")
    with lzma.open(folder / "games.txt.xz", "wt", encoding="utf-8") as file:
        file.write("\n".join(GAMES))
    return folder


@pytest.fixture(scope="module")
def trained(files, tmp_path_factory):
    """A folder with a tokenizer of each kind."""
    folder = tmp_path_factory.mktemp("tokenizers")
    for kind in KINDS:
        sources = [files / "news.txt", f"{files / 'games.txt.xz'}@2"]
        train_tokenizer(sources, folder / kind, kind=kind, size=400, min_count=1)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_auto_tokenizer_loads_it(trained, kind):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(trained / kind)
    first, second = "축구 대표팀", "코스피 상승"
    pair = tokenizer(first, second)
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    assert pair["input_ids"][0] == cls and pair["input_ids"][-1] == sep and pair["input_ids"].count(sep) == 2
    assert pair["token_type_ids"][0] == 0 and pair["token_type_ids"][-1] == 1
    assert tokenizer.unk_token_id not in pair["input_ids"]
    assert tokenizer.decode(tokenizer(first)["input_ids"], skip_special_tokens=True).strip() == first
    assert (tokenizer.pad_token_id, tokenizer.mask_token_id) == (0, 4)


def test_what_the_command_says(files, tmp_path, gallae_cli):
    target = tmp_path / "made"
    done = gallae_cli(
        *("tokenizer", "train", files / "news.txt", f"{files / 'games.txt.xz'}@0.5"),
        *("-o", target, "--kind", "morpheme", "--size", 300, "--min-count", 1),
    )
    assert done.code == 0, done.err
    assert "24 texts of 2 files; morpheme" in done.out and f"Wrote {target}." in done.out
    assert "0 % of the tokens unknown" in done.out
    assert sorted(path.name for path in target.iterdir()) == ["tokenizer.json", "tokenizer_config.json"]
    again = gallae_cli("tokenizer", "train", files / "news.txt", "-o", target)
    assert again.code == 2 and "exists already" in again.err


def test_weights_decide_which_pieces_there_is_room_for(files, tmp_path):
    kept = {}
    for name, weights in (("news", (10, 0.1)), ("games", (0.1, 10))):
        sources = [f"{files / 'news.txt'}@{weights[0]}", f"{files / 'games.txt.xz'}@{weights[1]}"]
        train_tokenizer(sources, tmp_path / name, kind="morpheme", size=90, min_count=1)
        kept[name] = json.loads((tmp_path / name / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    pieces = {name: {piece for piece, _score in vocabulary} for name, vocabulary in kept.items()}
    assert "▁기준" in pieces["news"] - pieces["games"] and "▁승리" in pieces["games"] - pieces["news"]


def test_a_part_of_a_file_stands_for_the_whole(tmp_path):
    rows = [f"축구{number} 경기" for number in range(400)]
    (tmp_path / "many.txt").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "few.txt").write_text("\n".join(["수출 증가"] * 10), encoding="utf-8")
    sources = [tmp_path / "many.txt", tmp_path / "few.txt"]
    found = train_tokenizer(sources, tmp_path / "part", kind="morpheme", size=300, min_count=1, most=20)
    assert found["texts"] == 30
    train_tokenizer(sources, tmp_path / "again", kind="morpheme", size=300, min_count=1, most=20)
    made = [(tmp_path / name / "tokenizer.json").read_text("utf-8") for name in ("part", "again")]
    assert made[0] == made[1]
    scores = dict(map(tuple, json.loads(made[0])["model"]["vocab"]))
    assert scores["▁경기"] - scores["▁수출"] == pytest.approx(3.69, abs=0.01)  # log(400 / 10), not of 20 / 10


def test_mistakes_are_told(files, tmp_path):
    news, out = files / "news.txt", tmp_path / "out"
    with pytest.raises(TextError, match=r"no kind of tokenizer .morphem.\. Did you mean .morpheme."):
        train_tokenizer([news], out, kind="morphem")
    with pytest.raises(TextError, match="no room"):
        train_tokenizer([news], out, kind="morpheme", size=20)
    with pytest.raises(DataError, match="no such file"):
        train_tokenizer([files / "new.txt"], out)
    with pytest.raises(DataError, match="is no weight"):
        train_tokenizer([f"{news}@0"], out)
    with pytest.raises(DataError, match="--most -1"):
        train_tokenizer([news], out, most=-1)
    (tmp_path / "empty.txt").write_text("\n \n", encoding="utf-8")
    for kind in KINDS:
        with pytest.raises(TextError, match="no word"):
            train_tokenizer([tmp_path / "empty.txt"], out, kind=kind)
    assert not out.exists()


def test_comparing(trained, files, tmp_path, gallae_cli):
    target = tmp_path / "page.html"
    done = gallae_cli(
        *("tokenizer", "compare", trained / "morpheme", trained / "byte_bpe"),
        *("--texts", files / "games.txt.xz", "-o", target),
    )
    assert done.code == 0, done.err
    assert "12 texts, 48 words" in done.out and "morpheme: " in done.out and "byte_bpe: " in done.out
    page = target.read_text("utf-8")
    assert "▁축구 | ▁대표팀 | ▁결승 | 골 | 로 | ▁승리" in page or "▁축구 | ▁대표 | 팀" in page
    assert "Nothing is unknown" in page and "<script" not in page


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_speaks_both_languages(trained, tmp_path, language):
    texts = ["축구 대표팀 龘 결승골로 승리", "<b>축구</b> & 야구", "수출 증가"]
    result = compare_tokenizers(
        [trained / "wordpiece", trained / "bpe"], texts, output=tmp_path / "page.html", language=language
    )
    assert result["tokenizers"][0]["unknown_parts"]["龘"] == 1
    assert {row["text"] for row in result["longest"]} == set(texts)
    assert set(result["examples"][0]["cuts"]) == {"wordpiece", "bpe"}
    page = (tmp_path / "page.html").read_text("utf-8")
    assert f'lang="{language}"' in page and "?龘" in page and "<b>축구" not in page


def test_figures_as_json_and_tables_of_labelled_text(trained, topics_csv, gallae_cli):
    done = gallae_cli("tokenizer", "compare", trained / "unigram", "--texts", topics_csv, "--json")
    found = json.loads(done.out)
    assert found["texts"] == 72
    assert found["tokenizers"][0]["name"] == "unigram" and found["tokenizers"][0]["tokens_per_word"] > 1


def test_two_folders_of_one_name(trained, files, tmp_path):
    train_tokenizer([files / "news.txt"], tmp_path / "bpe", kind="bpe", size=300, min_count=1)
    result = compare_tokenizers([trained / "bpe", tmp_path / "bpe"], NEWS)
    assert [row["name"] for row in result["tokenizers"]] == [str(trained / "bpe"), str(tmp_path / "bpe")]


def test_nothing_to_compare(trained, tmp_path, gallae_cli):
    (tmp_path / "empty.txt").write_text("\n\n", encoding="utf-8")
    done = gallae_cli("tokenizer", "compare", trained / "bpe", "--texts", tmp_path / "empty.txt")
    assert done.code == 2 and "no text to compare" in done.err
    done = gallae_cli("tokenizer", "compare", tmp_path, "--texts", tmp_path / "empty.txt")
    assert done.code == 2 and "Traceback" not in done.err
    (tmp_path / "page.html").write_text("old", encoding="utf-8")
    with pytest.raises(OutputError, match="exists already"):
        compare_tokenizers([trained / "bpe"], NEWS, output=tmp_path / "page.html")
