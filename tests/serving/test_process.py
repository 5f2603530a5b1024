"""Real servers: draining, killed workers, ports, and what only a bare socket sends."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest

import gallae
from gallae.serving.client import Client, ServerError

SLOW = """
import sys, time
from gallae.cli.main import main
from gallae.models.calibration import CalibratedClassifier
answers = CalibratedClassifier.predict_proba
def slow(self, texts):
    time.sleep(1.0 if "slow" in texts else 0.0)
    return answers(self, texts)
CalibratedClassifier.predict_proba = slow
main(sys.argv[1:])
"""


def connect(url):
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def talk(url, data):
    """Send bytes; return all that comes until the connection is closed."""
    with connect(url) as connection:
        connection.sendall(data)
        found = b""
        while more := connection.recv(65536):
            found += more
        return found


def wait_until(true, seconds=60):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it does not come to pass"
        time.sleep(0.05)


def workers_of(process):
    command = ["ps", "-A", "-ww", "-o", "pid=", "-o", "ppid=", "-o", "args="]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    words = [line.split(maxsplit=2) for line in lines if "multiprocessing.spawn" in line]
    return [int(pid) for pid, parent, _ in words if int(parent) == process.pid]


def stop(process, number=signal.SIGTERM):
    """Send a signal; return the exit code and the seconds until the process ended."""
    started = time.monotonic()
    process.send_signal(number)
    return process.wait(20), time.monotonic() - started


def test_the_client_gets_what_is_served(server, topics_run):
    texts = ["한국은행 금리", "손흥민 결승골"] * 70
    with Client(server.url) as client:
        assert client.ready()
        (model,) = client.models()
        assert model.name == "news" and model.can[0] == "classify" and len(model.labels) == 3
        (reason,) = client.explain(texts[:1])
        assert reason == gallae.explain(topics_run.model, texts[:1])[0]
        found = client.classify(texts, top_k=2)
        assert [one.label for one in found] == topics_run.model.predict(texts).tolist()
        assert all(len(one.probabilities) == 2 and one.labels == (one.label,) for one in found)
        with pytest.raises(ServerError) as refused:
            client.classify(["a"], model="nope")
        assert (refused.value.status, refused.value.code, refused.value.field) == (404, "no_model", "model")
        with pytest.raises(ServerError, match="list of strings"):
            client.classify("one text")
    with pytest.raises(ServerError, match="no address"):
        Client("127.0.0.1:8000")
    nobody = Client("http://127.0.0.1:9", retries=1)
    assert not nobody.ready()
    with pytest.raises(ServerError, match="does not answer"):
        nobody.models()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 150 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nx: " + b"b" * 50_000 + b"\r\n\r\n", 431),
        (
            b"POST /v1/classify HTTP/1.1\r\n"
            + b"content-type: application/json\r\ncontent-length: 99999999999\r\n\r\n",
            413,
        ),
        (b"POST /v1/classify HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", 400),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_proper_request(server, sent, status):
    found = talk(
        server.url, sent.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nhost: a\r\nconnection: close\r\n", 1)
    )
    head, _, body = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert json.loads(body)["error"]["message"]


def test_a_port_in_use_and_other_mistakes_are_told_in_a_line(
    server, topics_run, gallae_cli, tmp_path, monkeypatch
):
    port = urlsplit(server.url).port
    run = topics_run.folder
    for arguments, said in (
        ([run, "--port", port], f"port {port} of 127.0.0.1 is in use"),
        ([run, "--host", "203.0.113.7", "--port", 0], "cannot be listened to"),
        ([run, "--host", "no such host"], "no address of this machine"),
        ([tmp_path / "none", "--port", 0], "there is no model"),
        ([tmp_path, "--port", 0], "holds no model"),
        ([f"a={run}", f"a={run}"], "two models are named 'a'"),
        ([run, "--batch", 0], "--batch is 0"),
        ([run, "--cors-origin", "example.org"], "--cors-origin"),
        ([run, "--api-key-file", tmp_path / "none"], "cannot be read"),
        ([run, "--layer", "x"], "layer"),
    ):
        answer = gallae_cli("serve", *arguments)
        assert answer.code == 2 and said in answer.err and "Traceback" not in answer.err, arguments
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    answer = gallae_cli("serve", run)
    assert answer.code == 2 and 'pip install "gallae[serve]"' in answer.err


def test_sigterm_lets_requests_in_flight_finish(topics_run, tmp_path):
    out = tmp_path / "out"
    with out.open("w") as stdout:
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW, "serve", f"news={topics_run.folder}", "--port", "0"],
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
    wait_until(lambda: "http://" in out.read_text(), 90)
    url = out.read_text().split()[-1]
    answers = []

    def ask():
        with Client(url, retries=0) as client:
            answers.append(client.classify(["slow"])[0].label)

    asking = threading.Thread(target=ask)
    asking.start()
    idle = connect(url)
    time.sleep(0.4)
    code, seconds = stop(process)
    asking.join(10)
    idle.close()
    assert (code, len(answers)) == (0, 1) and seconds < 8
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    with pytest.raises(OSError):
        connect(url)


def test_a_killed_worker_is_replaced_and_the_others_go_on(start_server, topics_run):
    server = start_server(topics_run.folder, "--workers", "2")
    wait_until(lambda: len(workers_of(server.process)) == 2)
    wait_until(lambda: server.log().count("is ready") == 2)
    before = workers_of(server.process)
    with Client(server.url) as client:
        expected = client.classify(["한국은행 금리"])
        os.kill(before[0], signal.SIGKILL)
        for _ in range(20):
            assert client.classify(["한국은행 금리"]) == expected
        wait_until(lambda: server.log().count("is ready") == 3)
        assert before[1] in workers_of(server.process) and before[0] not in workers_of(server.process)
        page = _page(server.url, "/metrics")
        assert 'gallae_requests_total{path="/v1/classify",status="200"}' in page
        counted = next(line for line in page.splitlines() if line.startswith("gallae_batch_texts_sum"))
        assert float(counted.split()[-1]) >= 21  # of all workers, the dead one included
    code, seconds = stop(server.process)
    assert code == 0 and seconds < 8
    assert "Traceback" not in server.log()


def test_workers_end_when_their_supervisor_is_killed(start_server, topics_run):
    server = start_server(topics_run.folder, "--workers", "1", "--quiet")
    assert not workers_of(server.process)
    code, _ = stop(server.process, signal.SIGINT)
    assert code == 130
    server = start_server(topics_run.folder, "--workers", "2", "--quiet")
    wait_until(lambda: len(workers_of(server.process)) == 2)
    workers = workers_of(server.process)
    server.process.kill()
    wait_until(lambda: not any(map(_lives, workers)))
    assert server.log() == ""


def test_a_model_that_cannot_be_served_ends_all_workers(topics_run, tmp_path):
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(topics_run.folder, broken)
    (broken / "model/tensors.safetensors").write_bytes(b"x")
    found = subprocess.run(
        [sys.executable, "-m", "gallae", "serve", broken, "--port", "0", "--workers", "3"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert found.returncode == 2 and found.stderr.count("is damaged or was altered") == 1
    assert "Traceback" not in found.stderr


def _page(url, path):
    parts = urlsplit(url)
    return talk(
        url, f"GET {path} HTTP/1.1\r\nhost: {parts.netloc}\r\nconnection: close\r\n\r\n".encode()
    ).decode()


def _lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")
