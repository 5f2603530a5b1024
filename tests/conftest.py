"""Tiny corpora, a trained run, and the command line in this process, for the tests of every room."""

import csv
import os
from types import SimpleNamespace

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small networks: threads would only wait for each other

import gallae
from gallae import progress
from gallae.cli.main import run as run_command

SUBJECTS = {
    "경제": ["한국은행", "코스피", "수출", "환율", "반도체 업계", "국제유가"],
    "세계": ["美 의회", "日 총리", "유엔 안보리", "英 왕실", "EU 정상들", "中 외교부"],
    "스포츠": ["손흥민", "류현진", "여자배구", "프로야구", "축구 대표팀", "컬링팀"],
}
PREDICATES = {
    "경제": ["금리 동결에 상승", "2% 급락 마감", "석 달째 증가", "시장 전망 하향"],
    "세계": ["제재 결의안 논의", "정상회담 제안", "대사 초치 항의", "휴전 협상 촉구"],
    "스포츠": ["결승골로 승리", "시즌 첫 우승", "부상 복귀전 완승", "결승 진출 확정"],
}
IDS = {"세계": "2", "경제": "0", "스포츠": "1"}  # not in the order of the names


def headlines():
    """Return 72 (text, topic) pairs, 24 a topic."""
    return [
        (f"{subject}, {predicate}", topic)
        for topic in SUBJECTS
        for subject in SUBJECTS[topic]
        for predicate in PREDICATES[topic]
    ]


def write_csv(path, header, rows):
    """Write a CSV file and return its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GALLAE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _talkative():
    yield
    progress.set_quiet(False)


@pytest.fixture
def gallae_cli(capsys):
    """Run a command in this process; returns code, out, err."""

    def call(*arguments):
        capsys.readouterr()
        code = run_command([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return call


@pytest.fixture(scope="session")
def topics_csv(tmp_path_factory):
    """72 headlines with their topic's name: index, title, topic, source."""
    rows = [(number, *pair, f"신문{number % 9}") for number, pair in enumerate(headlines())]
    return write_csv(
        tmp_path_factory.mktemp("topics") / "train.csv", ["index", "title", "topic", "source"], rows
    )


@pytest.fixture(scope="session")
def topics_run(topics_csv, tmp_path_factory):
    """A run of `fast` with a quarter held out."""
    return gallae.train(topics_csv, "fast", holdout=0.25, output=tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="session")
def dacon_folder(tmp_path_factory):
    """The layout of the DACON competition: labels are ids, topic_dict.csv names them."""
    folder = tmp_path_factory.mktemp("dacon")
    pairs = headlines()
    ids = [(number, text, IDS[topic]) for number, (text, topic) in enumerate(pairs)]
    write_csv(folder / "train_data.csv", ["index", "title", "topic_idx"], ids)
    write_csv(folder / "topic_dict.csv", ["topic", "topic_idx"], IDS.items())
    tests = [(100 + number, text) for number, (text, _) in enumerate(pairs[::6])]
    write_csv(folder / "test_data.csv", ["index", "title"], tests)
    write_csv(folder / "sample_submission.csv", ["index", "topic_idx"], [(row[0], 0) for row in tests[::-1]])
    write_csv(folder / "by_name.csv", ["title", "topic"], pairs[::5])
    write_csv(
        folder / "by_id.csv", ["title", "topic_idx"], [(text, IDS[topic]) for text, topic in pairs[::5]]
    )
    return folder


@pytest.fixture(scope="session")
def dacon_run(dacon_folder, tmp_path_factory):
    """A run of `fast` on the DACON layout, fitted on every row."""
    return gallae.train(
        dacon_folder / "train_data.csv", "fast", output=tmp_path_factory.mktemp("runs") / "dacon"
    )


@pytest.fixture(scope="session")
def several_csv(tmp_path_factory):
    """96 texts with one or two topics each, joined by "|"."""
    pairs = headlines()
    joint = [
        (f"{pairs[at][0]} {pairs[at + 24][0]}", f"{pairs[at][1]}|{pairs[at + 24][1]}") for at in range(24)
    ]
    return write_csv(tmp_path_factory.mktemp("several") / "several.csv", ["text", "labels"], [*pairs, *joint])


@pytest.fixture(scope="session")
def several_run(several_csv, tmp_path_factory):
    """A multi-label run with two folds and thresholds."""
    return gallae.train(
        several_csv,
        "fast",
        folds=2,
        label_separator="|",
        overrides=["calibration.method=thresholds"],
        output=tmp_path_factory.mktemp("runs") / "several",
    )


# Each family of encoders with the kind of tokenizer that its published checkpoints have.
FAMILIES = {
    "bert": "BertTokenizer",
    "albert": "AlbertTokenizer",
    "roberta": "RobertaTokenizer",
    "electra": "ElectraTokenizer",
    "distilbert": "DistilBertTokenizer",
    "deberta-v2": "DebertaV2Tokenizer",
    "longformer": "LongformerTokenizer",
    "big_bird": "BigBirdTokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
    "modernbert": "RobertaTokenizer",
}
_SIZES = {
    "albert": {"embedding_size": 16},
    "electra": {"embedding_size": 16},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64},
    "longformer": {"attention_window": 16},
    "big_bird": {"attention_type": "original_full"},
    "deberta-v2": {
        "relative_attention": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_buckets": 16,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "max_relative_positions": 32,
    },
    "modernbert": {
        "global_attn_every_n_layers": 2,
        "local_attention": 16,
        "cls_token_id": 0,
        "sep_token_id": 2,
    },
}


def make_tokenizer(name, texts, size=400):
    """Train a tokenizer of one of transformers' classes on texts."""
    import transformers

    cased = ("BertTokenizer", "ElectraTokenizer", "DistilBertTokenizer")
    options = {"do_lower_case": False} if name in cased else {}
    options |= {"keep_accents": True} if name == "AlbertTokenizer" else {}
    made = getattr(transformers, name)(**options).train_new_from_iterator(texts, size)
    made.model_max_length = 126
    return made


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """Make a checkpoint of 2 layers with 32 units, random weights and a tokenizer of headlines; once each.

    checkpoint("bert", "AutoModelForMaskedLM", hidden_size=16) -> its folder.
    """
    from gallae.pretrained.scratch import write_checkpoint

    folder = tmp_path_factory.mktemp("checkpoints")
    made = {}

    def make(family="bert", head="AutoModel", **fields):
        key = (family, head, repr(sorted(fields.items())))
        if key not in made:
            texts = [text for text, _topic in headlines()]
            names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
            size = dict(zip(names, (32, 2, 2, 64), strict=True))
            sizes = {"max_position_embeddings": 128, **size, **_SIZES.get(family, {})}
            if family == "distilbert":
                sizes = {name: value for name, value in sizes.items() if name not in size}
            made[key] = write_checkpoint(
                folder / f"{family}-{len(made)}",
                texts,
                family,
                make_tokenizer(FAMILIES[family], texts),
                auto_class=head,
                **{**sizes, **fields},
            )
        return made[key]

    return make


@pytest.fixture(scope="session")
def families():
    """Return the names of the families of encoders that `checkpoint` makes."""
    return tuple(FAMILIES)


@pytest.fixture(scope="session")
def write_table():
    """Return `write_csv`."""
    return write_csv
