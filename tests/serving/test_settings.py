"""What a server is told: names, limits, the key."""

import pytest

from gallae.errors import ServingError
from gallae.serving.settings import Limits, named_models, read_api_key


def test_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/news/model").mkdir(parents=True)
    (tmp_path / "a=b").mkdir()
    given = ["runs/news", "again=runs/news/model", "kiwi", "klue/roberta-base", "한국어=headlines"]
    assert named_models(given) == {
        "news": "runs/news",
        "again": "runs/news/model",
        "kiwi": "kiwi",
        "roberta-base": "klue/roberta-base",
        "한국어": "headlines",
    }
    assert named_models(["runs/news/model"]) == {"news": "runs/news/model"}
    monkeypatch.chdir(tmp_path / "runs/news")
    assert named_models(["."]) == {"news": "."}


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a b", "-a", "a" * 101, "a\nb"])
def test_what_is_no_name(name):
    with pytest.raises(ServingError, match="NAME=MODEL"):
        named_models([f"{name}=headlines"])


def test_a_name_given_twice():
    with pytest.raises(ServingError, match=r"two models are named 'x': headlines and kiwi.*x-2=kiwi"):
        named_models(["x=headlines", "x=kiwi"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"texts": 0}, "--max-texts is 0: give a number of 1 or more"),
        ({"batch": -1}, "--batch is -1"),
        ({"wait_ms": -0.5}, "--wait-ms is -0.5"),
        ({"timeout": 0}, "--timeout is 0"),
        ({"timeout": float("nan")}, "--timeout is nan"),
        ({"timeout": float("inf")}, "--timeout is inf"),
        ({"queue": 10}, "--queue 10 is less than --max-texts 256"),
        ({"wait_ms": 10_000.0}, "--wait-ms 10000 is not less than --timeout"),
    ],
)
def test_limits_that_make_no_sense(wrong, said):
    with pytest.raises(ServingError, match=said):
        Limits(**wrong)


def test_the_key_of_a_file_or_the_environment(tmp_path):
    file = tmp_path / "key"
    file.write_text("abcdefghijklmnop\n", encoding="utf-8")
    assert read_api_key(file, "other-key-0123456") == "abcdefghijklmnop"
    assert read_api_key(None, "other-key-0123456") == "other-key-0123456"
    assert read_api_key(None, "") == ""
    for wrong in ("", "short", "with a space, and long", "열여섯 글자가 넘는 그런 열쇠"):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(ServingError, match="16 printable ASCII"):
            read_api_key(file, "")
    file.write_bytes(b"\xff" * 20)
    with pytest.raises(ServingError, match="cannot be read"):
        read_api_key(file, "")
    with pytest.raises(ServingError, match="cannot be read: No such file"):
        read_api_key(tmp_path / "none", "")
    with pytest.raises(ServingError, match="16 printable"):
        read_api_key(None, "  ")
