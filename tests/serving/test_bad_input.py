"""Whatever is sent is answered by a 4xx in one shape that says why."""

import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gallae.serving.settings import Limits

JSON = {"content-type": "application/json"}
HALF = b'{"texts": ["\\ud800"]}'
BODIES = {
    "nothing": (b"", 400, "no_json"),
    "no JSON": (b"texts=a", 400, "no_json"),
    "cut off": (b'{"texts": ["a"', 400, "no_json"),
    "something behind": (b'{"texts": ["a"]} x', 400, "no_json"),
    "NaN": (b'{"texts": ["a"], "top_k": NaN}', 400, "no_json"),
    "infinity": (b'{"texts": ["a"], "top_k": -Infinity}', 400, "no_json"),
    "no UTF-8": (b'{"texts": ["\xff\xfe"]}', 400, "not_utf8"),
    "UTF-16": ('{"texts": ["a"]}'.encode("utf-16"), 400, "not_utf8"),
    "half a pair": (HALF, 422, "half_character"),
    "half a pair in a name": (b'{"texts": ["a"], "model": "\\udfff"}', 404, "no_model"),
    "half a pair as a field": (b'{"texts": ["a"], "\\udfff": 1}', 422, None),
    "a field twice": (b'{"texts": ["a"], "texts": ["b"]}', 400, "twice"),
    "deep lists": (b"[" * 100_000 + b"]" * 100_000, 400, "too_deep"),
    "deep objects": (b'{"texts": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001, 400, "too_deep"),
    "a long number": (b'{"texts": ["a"], "top_k": ' + b"9" * 5000 + b"}", 400, "no_json"),
    "a list": (b'["a"]', 422, "no_object"),
    "null": (b"null", 422, "no_object"),
    "no texts": (b"{}", 422, "invalid"),
    "empty texts": (b'{"texts": []}', 422, "invalid"),
    "one text": (b'{"texts": "a"}', 422, "invalid"),
    "numbers": (b'{"texts": ["a", 1]}', 422, "invalid"),
    "null texts": (b'{"texts": [null]}', 422, "invalid"),
    "texts in texts": (b'{"texts": [["a"]]}', 422, "invalid"),
    "a text as top_k": (b'{"texts": ["a"], "top_k": "1"}', 422, "invalid"),
    "a share as top_k": (b'{"texts": ["a"], "top_k": 1.5}', 422, "invalid"),
    "true as top_k": (b'{"texts": ["a"], "top_k": true}', 422, "invalid"),
    "negative top_k": (b'{"texts": ["a"], "top_k": -1}', 422, "invalid"),
    "infinite top_k": (b'{"texts": ["a"], "top_k": 1e999}', 422, "invalid"),
    "a field too many": (b'{"texts": ["a"], "topk": 1}', 422, "unknown_field"),
    "an unknown model": (b'{"texts": ["a"], "model": "nope"}', 404, "no_model"),
    "a path": (b'{"texts": ["a"], "model": "../../etc/passwd"}', 404, "no_model"),
    "a path with NUL": (b'{"texts": ["a"], "model": "run\\u0000/../x"}', 404, "no_model"),
    "a model of another kind": (b'{"texts": ["a"], "model": 3}', 422, "invalid"),
}


def check(answer, status=None, code=None):
    """Every error has the same shape and betrays nothing."""
    error = answer.json()["error"]
    assert answer.status_code == status or (status is None and 400 <= answer.status_code < 500)
    assert code is None or error["code"] == code
    assert error["message"] and error["request_id"] == answer.headers["x-request-id"]
    for secret in ("Traceback", ".py", "site-packages", "gallae/"):
        assert secret not in answer.text
    return error


@pytest.mark.parametrize("name", BODIES)
def test_bodies(client, name):
    body, status, code = BODIES[name]
    check(client.post("/v1/classify", content=body, headers=JSON), status, code)


def test_the_field_is_named(client):
    bad = {"texts": ["a", "b", 3]}
    assert check(client.post("/v1/classify", json=bad))["field"] == "texts.2"
    assert check(client.post("/v1/classify", content=HALF, headers=JSON))["field"] == "texts.0"
    assert check(client.post("/v1/classify", json={"texts": ["a"], "topk": 1}))["field"] == "topk"


def test_limits(app_client):
    client = app_client(Limits(texts=3, characters=10, body=200, queue=3))

    def ask(texts, **more):
        return client.post("/v1/classify", json={"texts": texts}, **more)

    assert ask(["열글자인텍스트입니다"] * 2).status_code == 200
    assert check(ask(["a"] * 4), 422, "too_many_texts")["field"] == "texts"
    assert check(ask(["a", "b" * 11]), 422, "text_too_long")["field"] == "texts.1"
    check(client.post("/v1/classify", content=b" " * 201, headers=JSON), 413, "too_large")
    check(client.post("/v1/classify", content=iter([b" " * 50] * 9), headers=JSON), 413, "too_large")
    chunked = client.post("/v1/classify", content=iter([b'{"texts": ', b'["a"]}']), headers=JSON)
    assert chunked.status_code == 200


def test_bodies_that_are_not_taken(client):
    body = json.dumps({"texts": ["a"]}).encode()
    packed = {"content-type": "application/json", "content-encoding": "gzip"}
    check(client.post("/v1/classify", content=gzip.compress(body), headers=packed), 415, "compressed")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        headers = {"content-type": kind}
        check(client.post("/v1/classify", content=body, headers=headers), 415, "not_json")
    headers = {"content-type": "application/json; charset=utf-8"}
    assert client.post("/v1/classify", content=body, headers=headers).status_code == 200


def test_paths_and_methods(client):
    for path in ("/", "/v1", "/v1/classify/", "/../etc/passwd", "/v1/models/..%2f..%2fetc", "/docs"):
        check(client.get(path), 404, "not_found")
    answer = client.get("/v1/classify")
    check(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    check(client.post("/v1/models"), 405)
    assert client.options("/v1/classify", headers={"origin": "https://a.example"}).status_code == 405


def test_a_fault_of_ours_is_told_without_its_traceback(app_client, loaded, monkeypatch, caplog):
    client = app_client()

    def fail(_):
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(loaded["run"].classifier, "predict_proba", fail)
    answer = client.post("/v1/classify", json={"texts": ["a"]})
    check(answer, 500, "internal")
    assert "secret" not in answer.text and "secret" in caplog.text
    assert answer.json()["error"]["request_id"] in caplog.text


_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    body=st.binary(max_size=200)
    | _values.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries(
        {"texts": _values | st.lists(st.text(max_size=30), max_size=5)},
        optional={"top_k": _leaves, "model": _leaves},
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_body_is_answered(client, body):
    for path in ("/v1/classify", "/v1/embed"):
        answer = client.post(path, content=body, headers=JSON)
        if answer.status_code != 200:
            check(answer)
