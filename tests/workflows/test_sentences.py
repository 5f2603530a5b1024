"""`gallae sentences`: runs, resuming, search with an index, groups as a file, and what is refused."""

import json

import numpy as np
import pytest

from gallae.tasks import SentenceEncoder
from gallae.tasks.sentence_rows import read_rows
from gallae.workflows.sentence_use import cluster_sentences, search_sentences
from gallae.workflows.sentences import distil_sentences, evaluate_sentences, train_sentences

MONEY = ["금리 동결에 상승", "2% 급락 마감", "석 달째 증가", "시장 전망 하향"]
SPORT = ["결승골로 승리", "시즌 첫 우승", "부상 복귀전 완승", "결승 진출 확정"]
QUICK = ["training.epochs=3", "training.batch_size=8", "training.learning_rate=3e-3"]


@pytest.fixture(scope="module")
def files(tmp_path_factory, write_table):
    folder = tmp_path_factory.mktemp("sentences")
    texts = [(text, topic) for topic, group in enumerate((MONEY, SPORT)) for text in group]
    pairs = [(a, b, 5 * (x == y)) for a, x in texts for b, y in texts if a != b]
    write_table(folder / "sts.csv", ["sentence1", "sentence2", "score"], pairs)
    labels = [(a, b, "같음" if same else "다름") for a, b, same in pairs]
    write_table(folder / "nli.csv", ["sentence1", "sentence2", "label"], labels)
    write_table(folder / "texts.csv", ["text"], [[text] for text, _ in texts] * 3)
    parallel = [(text, f"{'abcdefgh'[at]} translated") for at, (text, _) in enumerate(texts)]
    write_table(folder / "parallel.csv", ["source", "translation"], parallel)
    return folder


@pytest.fixture(scope="module")
def run(files, checkpoint, tmp_path_factory):
    return train_sentences(
        files / "sts.csv",
        checkpoint=str(checkpoint("bert")),
        holdout=0.25,
        overrides=QUICK,
        output=tmp_path_factory.mktemp("runs") / "run",
    )


def test_a_run_holds_model_figures_and_predictions(run, files):
    names = {path.name for path in run.folder.iterdir()}
    assert names == {"recipe.toml", "metrics.json", "predictions.jsonl", "model"}
    metrics = run.metrics
    assert metrics["rows"] == 42 and metrics["n"] == 14
    assert metrics["spearman"] > metrics["baseline"]["spearman"]
    assert metrics["dimensions"] == 32 and len(metrics["history"]) == 3
    lines = [json.loads(line) for line in (run.folder / "predictions.jsonl").open(encoding="utf-8")]
    held = {(line["sentence1"], line["sentence2"]) for line in lines}
    assert len(held) == 14 and held <= {row.texts for row in read_rows(files / "sts.csv", "regression")}
    card = (run.folder / "model" / "README.md").read_text(encoding="utf-8")
    assert "sentence-similarity" in card and f"{metrics['spearman']:.4f}" in card


def test_the_command_line_gives_the_same(gallae_cli, run, files, checkpoint, tmp_path):
    options = [part for override in QUICK for part in ("--set", override)]
    done = gallae_cli("sentences", "train", files / "sts.csv", "--checkpoint", checkpoint("bert"),
                      "--holdout", 0.25, "-o", tmp_path / "run", *options)  # fmt: skip
    assert done.code == 0 and "cosine of words" in done.out and "character bigrams" in done.out
    assert np.array_equal(SentenceEncoder.load(tmp_path / "run").embed(MONEY), run.encoder.embed(MONEY))
    told = gallae_cli("sentences", "evaluate", tmp_path / "run", files / "sts.csv", "--json")
    wanted = evaluate_sentences(run.folder, files / "sts.csv")
    assert json.loads(told.out)["spearman"] == wanted["spearman"]
    assert "Spearman" in gallae_cli("sentences", "evaluate", run.folder, files / "sts.csv").out
    assert (tmp_path / "run" / "recipe.toml").read_text() == (run.folder / "recipe.toml").read_text()


@pytest.mark.parametrize(("file", "objective"), [("sts.csv", "regression"), ("nli.csv", "classification")])
def test_a_killed_training_goes_on_to_the_same_result(
    files, checkpoint, tmp_path, monkeypatch, file, objective
):
    from gallae.training.callbacks import ProgressBar

    def train(**more):
        return train_sentences(
            files / file, objective=objective, checkpoint=str(checkpoint("bert")), overrides=QUICK, **more
        )

    whole = train(output=tmp_path / "whole")
    step = ProgressBar.on_step_end

    def kill(self, args, state, control, **rest):
        step(self, args, state, control, **rest)
        if state.global_step == 18:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ProgressBar, "on_step_end", kill)
        with pytest.raises(KeyboardInterrupt):
            train(output=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert list(tmp_path.glob("run.partial/training-*/fit-0/checkpoint-14"))
    resumed = train(resume=tmp_path / "run")
    assert np.array_equal(resumed.encoder.embed(MONEY), whole.encoder.embed(MONEY))
    assert resumed.metrics["history"] == whole.metrics["history"]
    assert not (tmp_path / "run.partial").exists()


def test_distilling_measures_against_the_teacher(gallae_cli, files, run, tmp_path):
    small = ["checkpoint=scratch", "scratch.layers=1", "scratch.hidden=32", "scratch.heads=2",
             "scratch.min_count=1", "training.epochs=30", "training.learning_rate=5e-3"]  # fmt: skip
    options = [part for override in small for part in ("--set", override)]
    done = gallae_cli("sentences", "distil", run.folder, files / "parallel.csv", "--valid",
                      files / "parallel.csv", "-o", tmp_path / "student", *options)  # fmt: skip
    assert done.code == 0
    metrics = json.loads((tmp_path / "student" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["translation_to_teacher"] > 0.8
    assert metrics["accuracy_at_1"] > 0.5 > metrics["baseline"]["accuracy_at_1"]
    assert metrics["teacher"] == str(run.folder)
    same = distil_sentences(run.folder, files / "parallel.csv", overrides=small, output=tmp_path / "again",
                            valid=files / "parallel.csv")  # fmt: skip
    assert np.array_equal(same.encoder.embed(MONEY), SentenceEncoder.load(tmp_path / "student").embed(MONEY))


def test_search_keeps_an_index_until_something_changes(gallae_cli, files, run, tmp_path, monkeypatch):
    index = tmp_path / "texts.npy"
    found = search_sentences(run.folder, files / "texts.csv", [SPORT[0]], top_k=3, index=index)
    assert [hit["text"] for hit in found[0]["found"]] == [SPORT[0]] * 3
    made = []
    real = SentenceEncoder.index
    monkeypatch.setattr(SentenceEncoder, "index", lambda self, texts: made.append(1) or real(self, texts))
    assert search_sentences(run.folder, files / "texts.csv", [SPORT[0]], top_k=3, index=index) == found
    assert not made
    other = tmp_path / "other.txt"
    other.write_text("\n".join(MONEY), encoding="utf-8")
    assert search_sentences(run.folder, other, [MONEY[1]], index=index)[0]["found"][0]["text"] == MONEY[1]
    assert made == [1]
    told = gallae_cli("sentences", "search", run.folder, other, "--text", MONEY[1], "--top-k", 1)
    assert told.out.splitlines()[1].split(maxsplit=1) == ["1.000", MONEY[1]]
    index.write_bytes(b"damaged")
    told = gallae_cli("sentences", "search", run.folder, other, "--text", "가", "--index", index)
    assert told.code == 2 and "damaged" in told.err


def test_an_index_beside_a_corpus_of_the_same_name_leaves_it_alone(run, tmp_path):
    corpus = tmp_path / "faq.json"
    corpus.write_text(json.dumps([{"text": text} for text in MONEY]), encoding="utf-8")
    before = corpus.read_bytes()
    first, again = (
        search_sentences(run.folder, corpus, ["금리"], index=tmp_path / "faq.npy") for _ in range(2)
    )
    assert first == again and len(first[0]["found"]) == 4
    assert corpus.read_bytes() == before


def test_groups_as_a_file(gallae_cli, files, run, tmp_path):
    import pandas as pd

    out = tmp_path / "groups.csv"
    done = gallae_cli("sentences", "cluster", run.folder, files / "texts.csv", "-k", 2, "-o", out)
    assert done.code == 0 and "24 texts in 2 groups" in done.out
    table = pd.read_csv(out)
    assert list(table.columns) == ["index", "text", "cluster", "centrality"] and len(table) == 24
    wanted = cluster_sentences(run.folder, files / "texts.csv", k=2)
    assert table["cluster"].tolist() == wanted.cluster.tolist()
    told = gallae_cli("sentences", "cluster", run.folder, files / "texts.csv", "--json")
    assert sum(one["size"] for one in json.loads(told.out)["clusters"]) == 24


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "nli.csv"], "a score is a number from 0"),
        (["train", "parallel.csv"], "which two columns"),
        (["train", "sts.csv", "--holdout", "2"], "share"),
        (["train", "sts.csv", "--holdout", "0.1", "--valid", "sts.csv"], "contradict"),
        (["train", "sts.csv", "--set", "training.epoch=3"], "epochs"),
        (["train", "sts.csv", "--set", "objective=distillation"], "distil TEACHER"),
        (["train", "none.csv"], "no such file"),
        (["train", "sts.csv", "--checkpoint", "./nowhere"], "no checkpoint"),
        (["train", "sts.csv", "--resume", "never"], "nothing to resume"),
        (["distil", "sts.csv", "parallel.csv"], "sts.csv"),
        (["evaluate", "RUN", "texts.csv"], "which two columns"),
        (["search", "RUN", "texts.csv"], "--text"),
        (["search", "RUN", "texts.csv", "--text", "가", "--top-k", "0"], "1 or more"),
        (["search", "RUN", "texts.csv", "--text", "가", "--index", "x.bin"], ".npy"),
        (["search", "./nowhere", "texts.csv", "--text", "가"], "nowhere"),
        (["cluster", "RUN", "texts.csv", "-k", "many"], "number of clusters"),
        (["cluster", "RUN", "texts.csv", "-o", "x.json"], ".csv"),
        (["cluster", "RUN", "texts.csv", "-o", "sts.csv"], "exists already"),
    ],
)
def test_mistakes_end_with_2_and_one_message(
    gallae_cli, files, run, checkpoint, arguments, says, monkeypatch
):
    monkeypatch.chdir(files)
    arguments = [str(run.folder) if part == "RUN" else part for part in arguments]
    if arguments[0] == "train" and "--checkpoint" not in arguments:
        arguments += ["--checkpoint", str(checkpoint("bert"))]
    before = sorted(path.name for path in files.iterdir())
    done = gallae_cli("sentences", *arguments)
    assert done.code == 2 and says in done.err and "Traceback" not in done.err
    assert not done.out
    assert sorted(path.name for path in files.iterdir()) == before
