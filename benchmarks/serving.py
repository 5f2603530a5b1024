"""What does `gallae serve` bear, from a second process on the same cores?

Debian's `wrk` (apt-get install wrk), one thread, 64 connections, requests of one text. Sections, by name:

throughput  requests a second and latency of `fast`, `default`, a network, and the bundled 8-bit model
batching    the network, and the same server computing each request alone (--batch 1)
overload    twice the requests that `fast`, `default` and `headlines` can take: 429, still up, latency
kill        kill -9 of one of two workers under load: what is lost, how long until it is replaced
soak        ten minutes of load: memory at each of them
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from common import YNAT, YNAT_TEST, data, start, table

SECTIONS = ("throughput", "batching", "overload", "kill", "soak")
CONNECTIONS = 64
TEXTS = 5000
PAUSE_MS = 850  # with the latency of an overloaded server about a second
LUA = """
local bodies = {}
for line in io.lines(%s) do bodies[#bodies + 1] = line end
local n, pause = %d, %d
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function request() n = n %% #bodies + 1; return wrk.format(nil, nil, nil, bodies[n]) end
function delay() return pause > 0 and math.random(0, 2 * pause) or 0 end
statuses = {}  -- global: read by done()
function response(status) statuses[status] = (statuses[status] or 0) + 1 end
local threads = {}
function setup(thread) threads[#threads + 1] = thread end
function done(summary, latency)
  local codes = threads[1]:get("statuses")
  for status, count in pairs(codes) do print("status", status, count) end
end
"""


@dataclass
class Load:
    """What wrk saw: requests a second by status, errors of connections, latency in ms."""

    statuses: dict[int, float]
    broken: int
    p50: float
    p99: float

    @property
    def answered(self) -> float:
        """Requests a second that were answered with 200."""
        return self.statuses.get(200, 0.0)


@dataclass
class Server:
    """A running `gallae serve`."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def workers(self) -> list[int]:
        """Return the process ids of its workers."""
        command = ["ps", "-A", "-ww", "-o", "pid=", "-o", "ppid=", "-o", "args="]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        words = [line.split(maxsplit=2) for line in lines if "multiprocessing.spawn" in line]
        return [int(pid) for pid, parent, _ in words if int(parent) == self.process.pid]

    def megabytes(self) -> float:
        """Return the memory of all its processes."""
        pids = [str(pid) for pid in (self.process.pid, *self.workers())]
        sizes = subprocess.run(
            ["ps", "-o", "rss=", "-p", ",".join(pids)], capture_output=True, text=True
        ).stdout
        return sum(map(int, sizes.split())) / 1024


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Server]:
    """Run a server for the block."""
    out, log = folder / "out", folder / "log"
    command = [sys.executable, "-m", "gallae", "serve", *arguments, "--port", "0"]
    with out.open("w") as stdout, log.open("w") as stderr:
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr)
    try:
        while not (found := re.search(r"http://\S+", out.read_text())):
            if process.poll() is not None:
                sys.exit(log.read_text())
            time.sleep(0.1)
        yield Server(found[0], process, log)
    finally:
        process.terminate()
        process.wait(30)


def wrk(
    folder: Path, server: Server, seconds: float, connections: int = CONNECTIONS, pause_ms: int = 0
) -> Load:
    """Load a server; each connection pauses so long between requests, on average."""
    script = folder / f"load-{time.monotonic_ns()}.lua"
    script.write_text(LUA % (json.dumps(str(folder / "bodies")), time.monotonic_ns() % TEXTS, pause_ms))
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{max(1, round(seconds))}s",
        "--latency",
        "--timeout",
        "15s",
    ]
    text = subprocess.run(
        [*command, "-s", str(script), server.url + "/v1/classify"], capture_output=True, text=True, check=True
    ).stdout
    took = re.search(r"requests in ([\d.]+)(m|s)", text)
    assert took is not None, text
    length = float(took[1]) * (60 if took[2] == "m" else 1)
    counts = {int(status): int(count) for status, count in re.findall(r"status\s+(\d+)\s+(\d+)", text)}
    broken = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", text)))
    return Load({s: n / length for s, n in counts.items()}, broken, _ms(text, "50%"), _ms(text, "99%"))


def _ms(text: str, share: str) -> float:
    found = re.search(rf"{share}\s+([\d.]+)(us|ms|s|m)", text)
    assert found is not None, text
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}[found[2]]


def prepare(folder: Path, models: Path, network: str) -> dict[str, str]:
    """Train what is not there yet, and write the requests."""
    with data(YNAT_TEST).open(encoding="utf-8", newline="") as file:
        titles = [row["title"] for row in csv.DictReader(file)][:TEXTS]
    bodies = [json.dumps({"texts": [title]}, ensure_ascii=False) for title in titles]
    (folder / "bodies").write_text("\n".join(bodies) + "\n", encoding="utf-8")
    for recipe in ("fast", "default", network):
        if not (models / recipe).is_dir():
            command = [sys.executable, "-m", "gallae", "train", str(data(YNAT)), "-r", recipe, "--quiet"]
            subprocess.run([*command, "-o", str(models / recipe)], check=True)
    return {recipe: str(models / recipe) for recipe in ("fast", "default", network)} | {
        "headlines": "headlines"
    }


def throughput(folder: Path, sources: dict[str, str], seconds: int) -> None:
    rows = []
    for name, source in sources.items():
        with serving(folder, source) as server:
            wrk(folder, server, 3)
            load = wrk(folder, server, seconds)
        rows.append([name, f"{load.answered:,.0f}", f"{load.p50:.1f}", f"{load.p99:.1f}", load.broken])
    table(rows, ["model", "requests/s", "p50 ms", "p99 ms", "broken"])


def batching(folder: Path, source: str, name: str, seconds: int) -> None:
    found = []
    for batch in ("64", "1"):
        with serving(folder, source, "--batch", batch) as server:
            wrk(folder, server, 3)
            found.append(wrk(folder, server, seconds))
    rows = [
        [f"{name} --batch {batch}", f"{load.answered:,.0f}", f"{load.p99:.1f}"]
        for batch, load in zip(("64", "1"), found, strict=True)
    ]
    table(rows, ["server", "requests/s", "p99 ms"])
    print(f"\nbatched / alone: {found[0].answered / found[1].answered:.1f}")


def overload(folder: Path, sources: dict[str, str], seconds: int) -> None:
    rows = []
    for name in ("fast", "default", "headlines"):
        with serving(folder, sources[name], "--queue", "256", "--max-connections", "9000") as server:
            most = wrk(folder, server, seconds).answered
            # A request a second from each connection, which waits most of the time.
            load = wrk(folder, server, seconds, min(6000, round(2 * most)), PAUSE_MS)
            with urllib.request.urlopen(server.url + "/readyz", timeout=10) as answer:
                up = answer.status == 200
        offered = sum(load.statuses.values())
        rows.append(
            [
                name,
                *(f"{rate:,.0f}" for rate in (most, offered, load.answered, load.statuses.get(429, 0))),
                *(f"{load.p99:.0f}", load.broken, "yes" if up else "NO"),
            ]
        )
    table(rows, ["model", "can take/s", "offered/s", "200/s", "429/s", "p99 ms", "broken", "up"])


def kill(folder: Path, source: str, seconds: int) -> None:
    with serving(folder, source, "--workers", "2") as server:
        while server.log.read_text().count("is ready") < 2:
            time.sleep(0.1)
        loads: list[Load] = []
        loading = threading.Thread(target=lambda: loads.append(wrk(folder, server, seconds + 20)))
        loading.start()
        time.sleep(seconds / 2)
        victim, killed = server.workers()[0], time.monotonic()
        os.kill(victim, signal.SIGKILL)
        while server.log.read_text().count("is ready") < 3:
            time.sleep(0.05)
        replaced = time.monotonic() - killed
        loading.join()
    total = sum(loads[0].statuses.values()) * (seconds + 20)
    table(
        [[f"{total:,.0f}", loads[0].broken, CONNECTIONS, f"{replaced:.1f}"]],
        ["requests", "connections broken", "open at most", "replaced after s"],
    )


def soak(folder: Path, source: str, minutes: int) -> None:
    rows = []
    with serving(folder, source) as server:
        wrk(folder, server, 20)
        rows.append(["0", "", f"{server.megabytes():.0f}"])
        for minute in range(1, minutes + 1):
            load = wrk(folder, server, 60)
            rows.append([str(minute), f"{load.answered:,.0f}", f"{server.megabytes():.0f}"])
    table(rows, ["minute", "requests/s", "MB"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sections", nargs="*", default=SECTIONS[:-1], help=", ".join(SECTIONS))
    parser.add_argument(
        "--models", type=Path, default=Path("runs/serving"), help="where runs lie, or are trained"
    )
    parser.add_argument("--network", default="bilstm", help="recipe of the network")
    parser.add_argument("--seconds", type=int, default=20, help="of each measurement")
    parser.add_argument("--minutes", type=int, default=10, help="of the soak")
    parser.add_argument("--soaked", default="default", help="model of the soak")
    options = parser.parse_args()
    odd = set(options.sections) - set(SECTIONS)
    if odd:
        parser.error(f"no section {', '.join(odd)}; there are {', '.join(SECTIONS)}")
    if shutil.which("wrk") is None:
        sys.exit("This needs wrk: apt-get install wrk")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = prepare(folder, options.models, options.network)
        start(
            "What does the server bear?",
            f"requests of one of {TEXTS:,} YNAT titles, {CONNECTIONS} connections",
        )
        for section in options.sections:
            print(f"\n## {section}\n", flush=True)
            if section == "throughput":
                throughput(folder, sources, options.seconds)
            elif section == "batching":
                batching(folder, sources[options.network], options.network, options.seconds)
            elif section == "overload":
                overload(folder, sources, options.seconds)
            elif section == "kill":
                kill(folder, sources["fast"], options.seconds)
            else:
                soak(folder, sources[options.soaked], options.minutes)


if __name__ == "__main__":
    main()
