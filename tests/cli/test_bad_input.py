"""Mistakes: each gets one clear message, exit code 2, and leaves nothing half-written."""

import errno
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import gallae

GOOD = "title,topic\n" + "".join(f"코스피 {n} 상승,경제\n손흥민 {n} 골,스포츠\n" for n in range(6))


@pytest.fixture
def refused(gallae_cli, tmp_path, monkeypatch):
    """Run a command that must be refused; returns the message, made sure that nothing else happened."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def call(*arguments, code=2, before=(), lines=1):
        answer = gallae_cli(*arguments)
        assert answer.code == code, answer.err
        assert answer.out == ""
        assert "Traceback" not in answer.err
        said = [line for line in answer.err.splitlines() if line.startswith("gallae: ")]
        assert len(said) == lines, answer.err
        assert sorted(path.name for path in work.iterdir()) == sorted(before)
        return said[-1]

    return call


def train(data, *options):
    return ("train", data, "-r", "fast", "-o", "new/run", *options)


FILES = {
    "empty": (b"", ["is empty"]),
    "header only": (b"title,topic\n", ["title", "no rows"]),
    "one row": ("title,topic\n코스피,경제\n".encode(), ["1 row", "at least two"]),
    "one class": ("title,topic\n코스피,경제\n환율,경제\n".encode(), ["'경제'", "at least two classes"]),
    "a class with one row": ((GOOD + "日 총리,세계\n").encode(), ["'세계' has 1", "data.label_map"]),
    "all texts empty": (b"title,topic\n,a\n ,b\n,a\n,b\n", ["all 4 texts are empty", "--text-column"]),
    "ragged rows": (
        GOOD.replace("손흥민 3 골,스포츠", "손흥민 3 골,스포츠,또").encode(),
        ["line 9", "3 fields"],
    ),
    "a missing label": (GOOD.replace("3 골,스포츠", "3 골,").encode(), ["line 9", "'topic'", "is empty"]),
    "NUL bytes": (GOOD.replace("손흥민 3", "손흥민\0 3").encode(), ["line 9", "NUL"]),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\x08\2\0\0\0", ["PNG picture", "CSV"]),
    "a binary file": (bytes(range(256)) * 40, ["not a text file", "CSV"]),
    "wrong encoding": (GOOD.encode() + b"\xff\xfe\x81,x\n", ["line 14", "encoding"]),
    "no label column": (GOOD.replace("topic", "x").encode(), ["--label-column", "'title', 'x'"]),
    "no text column": (
        GOOD.replace("title", "y").replace("\n", ",1\n").replace("topic,1", "topic,x").encode(),
        ["--text-column", "'y'"],
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_cannot_be_learned_from(refused, tmp_path, name):
    content, parts = FILES[name]
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    message = refused(*train(path), lines=2 if name == "all texts empty" else 1)  # a warning comes before
    for part in [str(path), *parts]:
        assert part in message


def test_a_wrong_encoding_that_was_asked_for(refused, tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(GOOD.encode("cp949"))
    assert "utf-8" in refused(*train(path, "--encoding", "utf-8"))
    assert "utf-9" in refused(*train(path, "--encoding", "utf-9"))


def test_numbers_and_nan_among_texts_are_texts(gallae_cli, tmp_path):
    path = tmp_path / "odd.jsonl"
    texts = [1.5, None, "가나", True, float("nan"), "", 7, "가나"] * 2
    rows = [{"text": text, "label": "ab"[n % 2]} for n, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    answer = gallae_cli("train", path, "-r", "fast", "-o", tmp_path / "run")
    assert answer.code == 0, answer.err
    assert "6 of 16 texts are empty" in answer.err


def test_a_line_of_ten_megabytes(gallae_cli, topics_run, tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("title,topic\n" + "코" * 3_500_000 + ",경제\n환율,경제\n", encoding="utf-8")
    answer = gallae_cli("predict", topics_run.folder, path, "-o", tmp_path / "out.csv")
    assert answer.code in (0, 2) and "Traceback" not in answer.err
    assert answer.code == 0 or "line 2" in answer.err


def test_a_missing_file(refused, topics_csv):
    message = refused(*train(topics_csv.with_name("trian.csv")))
    assert "no such file" in message and "Did you mean" in message and "train.csv" in message


def test_an_unreadable_file(refused, topics_csv, monkeypatch):
    real = Path.open

    def locked(self, *arguments, **options):
        if self == topics_csv:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", locked)
    message = refused(*train(topics_csv))
    assert "Permission denied" in message and str(topics_csv) in message


def test_a_folder_without_a_known_layout(refused, tmp_path):
    (tmp_path / "stuff").mkdir()
    (tmp_path / "stuff" / "thesis.hwp").write_bytes(b"x")
    message = refused(*train(tmp_path / "stuff"))
    assert "stuff" in message and "folder" in message


def test_a_missing_column(refused, topics_csv):
    message = refused(*train(topics_csv, "--text-column", "titel"))
    assert "'titel'" in message and "Did you mean 'title'" in message and "--text-column" in message
    assert "'sauce'" in refused(*train(topics_csv, "--group-column", "sauce", "--folds", 2))


def test_an_unknown_label_at_evaluation(refused, topics_run, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("title,topic\n환율,경제\n금리,경재\n", encoding="utf-8")
    message = refused("evaluate", topics_run.folder, path, "-o", "report.html")
    assert "line 3" in message and "'경재'" in message and "Did you mean '경제'" in message


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["-r", "fats"], ["'fats'", "Did you mean 'fast'", "Shipped:"]),
        (["-r", "nowhere.toml"], ["nowhere.toml"]),
        (["--set", "model.CC=1"], ["model.CC", "Did you mean 'C'"]),
        (["--set", "model.C=-1"], ["model.C", "greater than 0", "-1"]),
        (["--set", "model.classifier=forest"], ["forest", "svm", "register_classifier"]),
        (["--set", "calibration.method=thresholds"], ["thresholds", "several labels"]),
        (["--set", "model.C"], ["KEY=VALUE"]),
        (["--seed", "-1"], ["seed", "-1"]),
        (["--holdout", "0.2", "--folds", "3"], ["--holdout", "--folds", "contradict"]),
        (["--holdout", "20"], ["--holdout 20", "between 0 and 1"]),
        (["--folds", "1"], ["--folds 1", "2 or more"]),
        (["--folds", "60"], ["60 folds", "24"]),
        (["--refit"], ["--refit", "--holdout"]),
        (["--resume", "elsewhere"], ["--resume", "contradict"]),
        (["--format", "docx"], ["docx", "csv"]),
        (["--valid", "nowhere.csv"], ["nowhere.csv"]),
    ],
)
def test_options(refused, topics_csv, options, parts):
    message = refused(*train(topics_csv, *options))
    assert all(part in message for part in parts), message


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["train"],
        ["train", "x.csv", "--holdout", "many"],
        ["train", "x.csv", "--language", "fr"],
        ["train", "x.csv", "--quiet", "--verbose"],
        ["predict", "m", "--top-k", "all"],
        ["submit", "m", "x.csv", "-o", "y.csv"],
    ],
)
def test_usage(gallae_cli, arguments):
    answer = gallae_cli(*arguments)
    assert answer.code == 2 and "Traceback" not in answer.err
    assert "Usage:" in answer.err + answer.out


def test_compare_needs_two(refused, topics_csv):
    assert "at least two" in refused("compare", topics_csv, "-r", "fast", "-o", "c")
    assert "given twice" in refused("compare", topics_csv, "-r", "fast", "-r", "fast", "-o", "c")


def test_outputs_that_exist(refused, topics_csv, topics_run, dacon_folder):
    Path("here").write_text("dear", encoding="utf-8")
    Path("here.csv").write_text("dear", encoding="utf-8")
    sample, test = dacon_folder / "sample_submission.csv", dacon_folder / "test_data.csv"
    for command in [
        ("train", topics_csv, "-r", "fast", "-o", "here"),
        ("compare", topics_csv, "-r", "fast", "-r", "bow", "-o", "here"),
        ("demo", "-o", "here"),
        ("audit", topics_csv, "-o", "here"),
        ("clean", topics_csv, "-o", "here.csv"),
        ("evaluate", topics_run.folder, topics_csv, "-o", "here"),
        ("predict", topics_run.folder, topics_csv, "-o", "here.csv"),
        ("submit", topics_run.folder, test, "--like", sample, "-o", "here.csv"),
    ]:
        message = refused(*command, before=["here", "here.csv"])
        assert "exists already" in message and "--force" in message
    assert Path("here").read_text() == Path("here.csv").read_text() == "dear"


def test_outputs_that_cannot_be(refused, topics_csv, topics_run):
    Path("file").touch()
    message = refused("train", topics_csv, "-r", "fast", "-o", "file/run", before=["file"])
    assert "is a file, not a folder" in message
    message = refused("train", topics_csv, "-r", "fast", "-o", "file", "--force", before=["file"])
    assert "file is a file" in message
    assert ".csv, .jsonl, .parquet" in refused(
        "predict", topics_run.folder, topics_csv, "-o", "x.xls", before=["file"]
    )
    message = refused("predict", topics_run.folder, before=["file"])
    assert "--text" in message


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 48 KiB; skipped where none may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    "command", ["train", "folds", "compare", "evaluate", "predict", "parquet", "audit", "clean"]
)
def test_a_full_disk(refused, topics_csv, topics_run, tiny_disk, tmp_path, command):
    many = tmp_path / "many.csv"
    many.write_text("title\n" + "코스피 급락 마감\n" * 5000, encoding="utf-8")
    arguments = {
        "train": ["train", topics_csv, "-r", "fast", "--holdout", "0.25"],
        "folds": ["train", topics_csv, "-r", "fast", "--folds", "3"],
        "compare": ["compare", topics_csv, "-r", "fast", "-r", "bow"],
        "evaluate": ["evaluate", topics_run.folder, topics_csv],
        "predict": ["predict", topics_run.folder, many],
        "parquet": ["predict", topics_run.folder, many, "--top-k", 0],
        "audit": ["audit", topics_csv],
        "clean": ["clean", many],
    }[command]
    if command in ("predict", "parquet", "clean"):
        fill(tiny_disk, 44)
    name = {"predict": "out.csv", "parquet": "out.parquet", "clean": "out.csv"}.get(command, "out")
    message = refused(*arguments, "-o", tiny_disk / name, lines=2 if command == "folds" else 1)
    assert "No space left" in message and str(tiny_disk / name) in message
    kept = {"out.partial"} if command == "folds" else set()  # finished folds may have had room
    assert {path.name for path in tiny_disk.iterdir()} - {"filler"} <= kept


def fill(folder, kib):
    (folder / "filler").write_bytes(b"x" * 1024 * kib)


def test_a_full_disk_where_none_can_be_mounted(refused, topics_csv, monkeypatch):
    def full(self, *_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    message = refused(*train(topics_csv))
    assert (
        "new/run cannot be written" in message and "No space left" in message and "Free some space" in message
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "{data}", "-r", "fast", "-o", "new/run"],
        ["compare", "{data}", "-r", "fast", "-r", "bow", "-o", "new/c"],
        ["evaluate", "{run}", "{data}", "-o", "new/report.html"],
        ["predict", "{run}", "{data}", "-o", "new/out.csv"],
    ],
)
def test_ctrl_c(refused, topics_csv, topics_run, monkeypatch, arguments):
    def stop(*_, **__):
        raise KeyboardInterrupt

    for method in ("fit_with_scores", "scores"):
        monkeypatch.setattr(f"gallae.models.linear.LinearClassifier.{method}", stop)
    given = [part.format(data=topics_csv, run=topics_run.folder) for part in arguments]
    assert refused(*given, code=130) == "gallae: stopped."


def files_of(folder):
    return sorted(path.name for path in (folder / "model").iterdir() if path.name != "README.md")


def test_models_with_a_file_missing_or_altered(refused, topics_run, tmp_path):
    assert files_of(topics_run.folder) == ["model.json", "tensors.safetensors"]
    for name in files_of(topics_run.folder):
        for damage in ("missing", "cut", "altered", "empty"):
            run = tmp_path / f"{name}-{damage}"
            shutil.copytree(topics_run.folder, run)
            path = run / "model" / name
            content = path.read_bytes()
            if damage == "missing":
                path.unlink()
            else:
                middle = len(content) // 2
                changed = bytes([content[middle] ^ 1])
                whole = {"cut": content[:middle], "empty": b""}
                path.write_bytes(whole.get(damage, content[:middle] + changed + content[middle + 1 :]))
            message = refused("predict", run, "--text", "코스피")
            assert name in message, (name, damage, message)
            assert any(word in message for word in ("missing", "damaged", "altered")), message


def test_what_is_no_model(refused, tmp_path, topics_csv):
    assert "'nowhere'" in refused("predict", "nowhere", "--text", "코스피")
    assert "model.json is missing" in refused("evaluate", tmp_path, topics_csv)


def test_a_newer_model(refused, topics_run, tmp_path):
    shutil.copytree(topics_run.folder, tmp_path / "run")
    path = tmp_path / "run" / "model" / "model.json"
    manifest = json.loads(path.read_text(encoding="utf-8")) | {"format": 99}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    message = refused("predict", tmp_path / "run", "--text", "코스피")
    assert "newer" in message and "pip install -U gallae" in message


def test_a_missing_extra_is_answered_with_the_install_line(refused, topics_csv, monkeypatch):
    def absent(module, extra):
        raise gallae.errors.MissingExtra(f'Install it with: pip install "gallae[{extra}]"')

    monkeypatch.setattr("gallae.errors.require", absent)
    monkeypatch.setattr("gallae.models.fasttext.require", absent, raising=False)
    message = refused("train", topics_csv, "-r", "fasttext", "-o", "new/run")
    assert 'pip install "gallae[fasttext]"' in message


def test_no_memory(refused, topics_csv, monkeypatch):
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr("gallae.models.linear.LinearClassifier.fit_with_scores", full)
    assert "hashing" in refused(*train(topics_csv))
