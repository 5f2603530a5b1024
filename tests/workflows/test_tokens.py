"""`gallae tokens`: what a network reads."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import gallae
from gallae.errors import DataError, ModelError
from gallae.models.encoder import EncoderClassifier
from gallae.models.neural import NeuralClassifier
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.workflows.tokens import measure_tokens, show_tokens

TEXT = "한국은행, 금리 동결에 상승"


def test_a_checkpoints_tokens_stand_where_they_say(checkpoint, families):
    for family in families:
        (found,) = show_tokens(checkpoint(family), [TEXT])
        tokenizer = load_tokenizer(checkpoint(family))
        rows = found["tokens"]
        assert [row["id"] for row in rows] == tokenizer(TEXT)["input_ids"], family
        assert [row["token"] for row in rows] == tokenizer.convert_ids_to_tokens(tokenizer(TEXT)["input_ids"])
        assert [row["number"] for row in rows] == list(range(len(rows))) and {
            row["mask"] for row in rows
        } == {1}
        assert rows[0]["special"] and rows[-1]["special"] and not rows[1]["special"]
        assert all(row["text"] == TEXT[row["start"] : row["end"]] for row in rows)
        assert rows[1]["start"] == 0 and rows[-2]["end"] == len(TEXT), family
        assert not found["truncated"] and found["length"] == len(rows)


def test_what_is_cut_off_and_what_is_unknown(checkpoint):
    folder = checkpoint("bert")
    (found,) = show_tokens(folder, ["αβγ " + TEXT], max_length=5)
    assert len(found["tokens"]) == 5 and found["truncated"] and found["length"] > 5
    assert found["tokens"][-1]["token"] == "[SEP]" and found["tokens"][1]["unknown"] and found["unknown"] == 1


def test_a_files_lengths(checkpoint, topics_csv):
    folder = checkpoint("bert")
    tokenizer = load_tokenizer(folder)
    lengths = sorted(len(ids) for ids in tokenizer(gallae.read(topics_csv).texts)["input_ids"])
    found = measure_tokens(folder, topics_csv, max_length=lengths[40])
    assert found["texts"] == 72 and found["tokens"] == sum(lengths) and found["max"] == lengths[-1]
    assert found["p50"] in lengths[35:37] and found["p99"] == lengths[-1]
    assert found["truncated"] == pytest.approx(sum(n > lengths[40] for n in lengths) / 72)
    assert found["unknown"] == found["unknown_texts"] == 0


def test_our_own_networks(topics_csv, tmp_path):
    corpus = gallae.read(topics_csv)
    network = {"family": "bag", "unit": "word", "embedding": 4, "max_length": 6, "min_count": 1}
    model = NeuralClassifier(network, training={"epochs": 1}).fit(corpus.texts, corpus.labels)
    model.save(tmp_path / "run")
    text = "한국은행, 금리 동결에 상승 그리고 또 상승 없는낱말"
    (found,) = show_tokens(tmp_path / "run", [f"  {text}"])
    assert [row["token"] for row in found["tokens"]][:4] == ["한국은행,", "금리", "동결에", "상승"]
    assert len(found["tokens"]) == 6 and found["truncated"] and found["length"] == 8 and found["unknown"] == 2
    tokenizer = model.inputs_.tokenizer
    assert [row["id"] for row in found["tokens"]] == tokenizer.transform([text]).flat.tolist()
    measured = measure_tokens(tmp_path / "run", topics_csv)
    assert measured["texts"] == 72 and measured["max_length"] == 6
    assert measured["tokens"] == sum(len(one.split()) for one in corpus.texts) and measured["unknown"] == 0


@pytest.mark.parametrize("reading", [{"truncation": "tail"}, {"truncation": "head_tail"}, {"windows": True}])
def test_a_trained_encoder_reads_as_it_was_trained(checkpoint, topics_csv, tmp_path, reading):
    corpus = gallae.read(topics_csv)
    network = {"checkpoint": str(checkpoint("bert")), "max_length": 8, **reading}
    model = EncoderClassifier(network, training={"epochs": 1}).fit(corpus.texts, corpus.labels)
    model.save(tmp_path / "run")
    text = "한국은행 금리 동결에 상승, 코스피 2% 급락 마감"
    (found,) = show_tokens(tmp_path / "run", [f"  {text}"])
    read = [row["id"] for row in found["tokens"]]
    windows = "windows" in reading
    assert found["truncated"] is not windows and len(read) == (found["length"] if windows else 8)
    if not windows:
        assert read == model.inputs_.transform([text]).arrays([0])["input_ids"][0].tolist()


def test_mistakes(checkpoint, topics_run, topics_csv, tmp_path):
    with pytest.raises(ModelError, match="no network over tokens"):
        show_tokens(topics_run.folder, [TEXT])
    with pytest.raises(DataError, match="--max-length 2: 3 or more"):
        show_tokens(checkpoint("bert"), [TEXT], max_length=2)
    with pytest.raises(ModelError, match="no checkpoint"):
        measure_tokens(tmp_path, topics_csv)


def test_the_command_line(gallae_cli, checkpoint, topics_csv):
    folder = checkpoint("bert")
    done = gallae_cli("tokens", folder, "--text", TEXT, "--text", "日 총리")
    lines = done.out.splitlines()
    assert done.code == 0 and lines[0] == TEXT
    assert lines[1].split() == ["0", "[CLS]", "2", "1"] and lines[2].split()[-2].startswith("0-")
    found = json.loads(gallae_cli("tokens", folder, "--text", TEXT, "--json").out)
    assert found == show_tokens(folder, [TEXT])
    lines = gallae_cli("tokens", folder, topics_csv).out.splitlines()
    assert (
        lines[0].startswith("72 texts, ")
        and lines[-1] == "unknown: 0 % of the tokens; 0 % of the texts have some"
    )
    assert json.loads(gallae_cli("tokens", folder, topics_csv, "--json").out) == measure_tokens(
        folder, topics_csv
    )
    for given in ((), (topics_csv, "--text", TEXT)):
        wrong = gallae_cli("tokens", folder, *given)
        assert wrong.code == 2 and "either a file" in wrong.err
