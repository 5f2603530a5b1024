"""Checkpoints: found, read safely, and with the tokenizer that they were trained with."""

import json
import pickle
import shutil

import pytest
import torch

from gallae.errors import DataError, ModelError, RecipeError
from gallae.pretrained.finding import resolve
from gallae.pretrained.loading import load_config, load_model
from gallae.pretrained.scratch import ScratchOptions, scratch_checkpoint
from gallae.pretrained.tokenizing import (
    check_unknown,
    load_tokenizer,
    restore_tokenizer,
    save_tokenizer,
    unknown_share,
)

TEXTS = ["한국은행, 금리 동결에 상승", "美 의회, 제재 결의안 논의", "손흥민, 결승골로 승리"] * 20
FAMILIES = (
    *("bert", "albert", "roberta", "electra", "distilbert", "deberta-v2", "longformer", "big_bird"),
    *("xlm-roberta", "modernbert"),
)


def logits_of(network, tokenizer, texts):
    """Return the last hidden states of a padded batch."""
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        return network(**batch).last_hidden_state


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_loads_with_its_own_tokenizer(checkpoint, family):
    folder = resolve(str(checkpoint(family)))
    network, tokenizer = load_model(folder), load_tokenizer(folder)
    states = logits_of(network, tokenizer, TEXTS[:3])
    assert network.config.model_type == family
    assert states.shape[0] == 3 and states.shape[2] == 32
    assert check_unknown(tokenizer, TEXTS) < 0.2
    again = restore_tokenizer(save_tokenizer(tokenizer))
    assert again(TEXTS[:3]).data == tokenizer(TEXTS[:3]).data
    assert (again.padding_side, again.pad_token_id) == (tokenizer.padding_side, tokenizer.pad_token_id)


def test_a_bin_of_weights_loads_and_equals_safetensors(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "bin")
    network = load_model(folder)
    torch.save(network.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    tokenizer = load_tokenizer(folder)
    torch.testing.assert_close(
        logits_of(load_model(folder), tokenizer, TEXTS[:2]), logits_of(network, tokenizer, TEXTS[:2])
    )


class Attack:
    """What a pickle could run."""

    def __reduce__(self):
        return (print, ("it ran",))


def test_a_pickle_that_could_run_code_is_refused(checkpoint, tmp_path, capsys):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "evil")
    (folder / "model.safetensors").unlink()
    torch.save({"weight": Attack()}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickles can run code"):
        load_model(folder)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": Attack()}))
    with pytest.raises(ModelError, match="pickles can run code"):
        load_model(folder)
    assert "it ran" not in capsys.readouterr().out


@pytest.mark.filterwarnings("error")
def test_a_bin_that_holds_no_weights_is_refused(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "strange")
    (folder / "model.safetensors").unlink()
    torch.save([1, 2], folder / "pytorch_model.bin")
    whole = (folder / "pytorch_model.bin").read_bytes()
    for content in (whole, whole[:-40], b"hello", b"", pickle.dumps([1, 2])):
        (folder / "pytorch_model.bin").write_bytes(content)
        with pytest.raises(ModelError, match=r"pytorch_model\.bin is damaged"):
            load_model(folder)


def test_a_run_is_its_checkpoint_and_a_file_is_none(checkpoint, tmp_path):
    shutil.copytree(checkpoint("bert"), tmp_path / "run" / "model")
    assert resolve(str(tmp_path / "run")) == tmp_path / "run" / "model"
    (tmp_path / "train.csv").write_text("text\n")
    with pytest.raises(ModelError, match=r"train\.csv is a file"):
        resolve(str(tmp_path / "train.csv"))


def test_a_head_of_ours_is_named_as_such(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gallae-encoder"}')
    with pytest.raises(ModelError, match="a classifier of `gallae train`"):
        load_model(tmp_path)


def damaged(folder, name):
    """Cut a file of a checkpoint in half."""
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])


def test_what_is_missing_or_damaged_is_named(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "a")
    damaged(folder, "model.safetensors")
    with pytest.raises(ModelError, match=r"model\.safetensors is damaged"):
        load_model(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="has no weights"):
        load_model(folder)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(ModelError, match="has no tokenizer"):
        load_tokenizer(folder)
    damaged(folder, "config.json")
    with pytest.raises(ModelError, match=r"config\.json is damaged"):
        load_config(folder)
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        resolve(str(tmp_path))


def test_weights_that_do_not_fit_the_configuration(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "mixed")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 48}))
    with pytest.raises(ModelError, match="do not fit"):
        load_model(folder)


def test_weights_of_the_backbone_that_are_missing_are_told(checkpoint, tmp_path, caplog):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "shallow")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    load_model(folder)
    assert "lacks 16 weights" in caplog.text


def test_a_new_head_is_no_reason_to_warn(checkpoint, caplog):
    network = load_model(checkpoint("bert"), "AutoModelForSequenceClassification", num_labels=7)
    assert network.config.num_labels == 7
    assert not caplog.records


def test_a_head_that_the_family_lacks(checkpoint):
    with pytest.raises(RecipeError, match="has no head for this task"):
        load_model(checkpoint("bert"), "AutoModelForSeq2SeqLM")


def test_offline_one_message_says_what_to_fetch(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"hf download someone/no-such-model --local-dir no-such-model"):
        resolve("someone/no-such-model")
    with pytest.raises(ModelError, match="did you mean 'gallae-small'"):
        resolve("gallae-smal")
    with pytest.raises(ModelError, match="there is no checkpoint folder"):
        resolve("./no-such-folder")
    with pytest.raises(ModelError, match=r"Set model\.checkpoint"):
        resolve("")


def test_the_unknown_share_betrays_a_wrong_tokenizer(checkpoint):
    tokenizer = load_tokenizer(checkpoint("bert"))
    assert unknown_share(tokenizer, TEXTS) < 0.05
    with pytest.raises(DataError, match="KoBERT needs its"):
        check_unknown(tokenizer, ["全然違う言語の文章です"] * 10, where="somewhere")


@pytest.fixture(scope="session")
def kobert(tmp_path_factory, checkpoint):
    """A checkpoint in KoBERT's layout: BERT's configuration, a SentencePiece model, and nothing else."""
    import sentencepiece

    folder = tmp_path_factory.mktemp("kobert")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_prefix=str(folder / "spiece"),
        vocab_size=60,
        hard_vocab_limit=False,
        unk_id=0,
        pad_id=1,
        bos_id=-1,
        eos_id=-1,
        unk_piece="[UNK]",
        pad_piece="[PAD]",
        control_symbols="[CLS],[SEP],[MASK]",
        minloglevel=2,
    )
    (folder / "spiece.vocab").unlink()
    shutil.copy(checkpoint("bert") / "config.json", folder)
    return folder


def test_kobert_gets_the_tokenizer_it_was_trained_with(kobert):
    import sentencepiece

    tokenizer = load_tokenizer(kobert)
    model = sentencepiece.SentencePieceProcessor(model_file=str(kobert / "spiece.model"))
    for text in TEXTS[:3]:
        ids = tokenizer(text)["input_ids"]
        assert ids == [2, *model.encode(text), 3]
    assert unknown_share(tokenizer, TEXTS) < 0.05
    pair = tokenizer(TEXTS[0], TEXTS[1])
    assert set(pair["token_type_ids"]) == {0, 1}


def test_distilkobert_takes_its_ids_from_the_vocabulary(kobert, tmp_path):
    import sentencepiece

    folder = shutil.copytree(kobert, tmp_path / "distilkobert")
    (folder / "spiece.model").rename(folder / "tokenizer_78b3253a26.model")
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer_78b3253a26.model"))
    names = [model.id_to_piece(number) for number in range(len(model))][::-1]
    (folder / "vocab.txt").write_text("\n".join(names), encoding="utf-8")
    tokenizer = load_tokenizer(folder)
    pieces = tokenizer.convert_ids_to_tokens(tokenizer(TEXTS[0])["input_ids"])
    assert pieces == ["[CLS]", *model.encode(TEXTS[0], out_type=str), "[SEP]"]
    assert tokenizer.cls_token_id == names.index("[CLS]")


def test_another_architecture_with_a_berts_vocabulary_gets_berts_tokenizer(checkpoint, tmp_path):
    albert = tmp_path / "albert"
    shutil.copytree(checkpoint("albert"), albert, ignore=shutil.ignore_patterns("*token*", "*.model"))
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "한국", "##은행", "금리"]
    (albert / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    (albert / "tokenizer_config.json").write_text('{"do_lower_case": true, "strip_accents": false}')
    tokenizer = load_tokenizer(albert)
    ids = tokenizer("한국은행 금리")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["[CLS]", "한국", "##은행", "금리", "[SEP]"]


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "byte_bpe", "unigram", "char"])
def test_a_checkpoint_from_scratch_reads_its_texts(kind, tmp_path):
    options = ScratchOptions(layers=1, hidden=16, heads=2, tokenizer=kind, vocabulary=300)
    folder = scratch_checkpoint(TEXTS, options, tmp_path / "made")
    tokenizer = load_tokenizer(folder)
    assert unknown_share(tokenizer, TEXTS) == 0
    assert logits_of(load_model(folder), tokenizer, TEXTS[:2]).shape[2] == 16
    again = scratch_checkpoint(TEXTS, options, tmp_path / "again")
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (folder / name).read_bytes() == (again / name).read_bytes()
