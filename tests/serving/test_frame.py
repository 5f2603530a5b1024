"""The API key, request ids, the log, figures, pages of other sites, and health."""

import io
import json

import pytest

from gallae.serving.logs import RequestLog
from gallae.serving.settings import Limits

KEY = "0123456789abcdef-KEY"
ASK = {"texts": ["비밀스러운 글"]}


def test_a_key_is_wanted_where_there_is_one(app_client):
    client = app_client(key=KEY)
    for headers in ({}, {"authorization": "Bearer wrong"}, {"x-api-key": KEY + "x"}, {"authorization": KEY}):
        answer = client.post("/v1/classify", json=ASK, headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"]["code"] in ("no_key", "wrong_key") and KEY not in answer.text
    for headers in (
        {"authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer {KEY}"},
        {"x-api-key": KEY},
    ):
        assert client.post("/v1/classify", json=ASK, headers=headers).status_code == 200
    for path in ("/v1/models", "/metrics", "/openapi.json", "/nope"):
        assert client.get(path).status_code == 401
    for path in ("/healthz", "/readyz"):
        assert client.get(path).status_code == 200


def test_a_key_is_compared_in_constant_time(app_client, monkeypatch):
    compared = []
    monkeypatch.setattr("hmac.compare_digest", lambda a, b: compared.append((a, b)) or False)
    assert app_client(key=KEY).get("/v1/models", headers={"x-api-key": "x"}).status_code == 401
    assert compared == [(b"x", KEY.encode())]


def test_ids_of_requests(client):
    assert client.get("/healthz", headers={"x-request-id": "mine-1"}).headers["x-request-id"] == "mine-1"
    for odd in ("with space", "x" * 65, "línea"):
        found = client.get("/healthz", headers={"x-request-id": odd.encode()}).headers["x-request-id"]
        assert found != odd and len(found) == 16


@pytest.mark.parametrize("log_texts", [False, True])
def test_the_log_has_a_line_a_request_and_texts_only_if_asked(app_client, log_texts):
    stream = io.BytesIO()
    client = app_client(requests=RequestLog(stream), log_texts=log_texts)
    client.post("/v1/classify", json=ASK, headers={"x-request-id": "mine"})
    client.post("/v1/classify", content=b"{", headers={"content-type": "application/json"})
    client.get("/nope%0A?q=secret")
    client.get("/healthz")
    lines = [json.loads(line) for line in stream.getvalue().decode().splitlines()]
    assert [(line["event"], line["path"], line["status"]) for line in lines[:2]] == [
        ("request", "/v1/classify", 200),
        ("request", "/v1/classify", 400),
    ]
    first = lines[0]
    assert first["id"] == "mine" and first["model"] == "run" and first["texts"] == 1 and first["ms"] > 0
    assert lines[1]["error"] == "no_json" and lines[2]["status"] == 404 and len(lines) == 3
    assert first.get("content") == (ASK["texts"] if log_texts else None)
    assert ("비밀" in stream.getvalue().decode()) is log_texts and b"secret" not in stream.getvalue()


def test_figures(app_client):
    client = app_client()
    for _ in range(3):
        client.post("/v1/classify", json={"texts": ["a", "b"]})
    client.get("/some/unknown/path")
    page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        'gallae_requests_total{path="/v1/classify",status="200"} 3.0',
        'gallae_requests_total{path="other",status="404"} 1.0',
        'gallae_request_seconds_count{path="/v1/classify"} 3.0',
        'gallae_batch_texts_sum{ability="classify",model="run"} 6.0',
        'gallae_texts_in_work{ability="classify",model="run"} 0.0',
    ):
        assert line in page.text


def test_pages_of_other_sites_may_ask_only_where_they_are_named(app_client):
    asked = {"origin": "https://a.example", "access-control-request-method": "POST"}
    assert "access-control-allow-origin" not in app_client().get("/v1/models", headers=asked).headers
    client = app_client(origins=("https://a.example",), key=KEY)
    allowed = client.options("/v1/classify", headers=asked)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://a.example"
    wrong = {"origin": "https://b.example"}, {"access-control-request-method": "PUT"}
    for headers in (*wrong, {"access-control-request-headers": "x-mine"}):
        refused = client.options("/v1/classify", headers={**asked, **headers})
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (400, "not_this_page")
        assert error["request_id"] == refused.headers["x-request-id"]
    other = client.options("/v1/classify", headers={**asked, "origin": "https://b.example"})
    assert "access-control-allow-origin" not in other.headers


def test_head_is_answered_as_get_without_a_body(client):
    for path in ("/healthz", "/readyz", "/v1/models", "/metrics", "/openapi.json"):
        assert client.head(path).status_code == client.get(path).status_code == 200
    assert client.head("/v1/classify").status_code == 405


def test_a_stuck_computation_is_not_ready(app_client, loaded, monkeypatch):
    import threading

    go = threading.Event()
    client = app_client(Limits(timeout=0.1))
    assert client.get("/readyz").json() == {"status": "ready"}
    monkeypatch.setattr(loaded["run"].classifier, "predict_proba", lambda _: go.wait(5))
    assert client.post("/v1/classify", json=ASK).status_code == 504
    threading.Event().wait(0.5)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stuck")
    assert client.get("/healthz").status_code == 200
    go.set()
