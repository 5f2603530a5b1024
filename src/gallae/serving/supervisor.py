"""Several workers behind one listening socket: processes of their own, replaced when they die."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from gallae.errors import GallaeError
from gallae.serving import logs, metrics
from gallae.serving.server import DRAIN, leave, run_here
from gallae.serving.settings import Settings

log = logging.getLogger("gallae.serving")
_GRACE = DRAIN + 1  # seconds until a worker that drains is killed
_LONGEST_PAUSE = 30.0  # seconds between attempts to replace a worker that does not start


@dataclass
class _Worker:
    """A process, and the pipe on which it says that it is ready."""

    process: Any
    says: Connection
    ready: bool = False


class Supervisor:
    """Keeps workers running until SIGTERM or Ctrl-C, then lets them drain.

    The first worker starts alone, so that a model that cannot be served is told once. Each one that dies
    later is replaced, at once if it had answered requests, else after a pause that doubles. A worker whose
    supervisor is gone drains and ends, too.

    Args:
        settings: What each worker is told.
        listening: A socket from `gallae.serving.server.bind`.
        count: How many workers.
        ready: Called once the first of them answers requests.
    """

    def __init__(
        self, settings: Settings, listening: socket.socket, count: int, ready: Callable[[], Any]
    ) -> None:
        self._settings, self._listening, self._count, self._ready = settings, listening, count, ready
        self._context = multiprocessing.get_context("spawn")  # threads of ONNX Runtime do not survive a fork
        self._workers: list[_Worker] = []
        self._code: int | None = None
        self._pause, self._not_before = 0.0, 0.0
        self._woken, self._wake = self._context.Pipe(duplex=False)

    def run(self) -> int:
        """Run until a signal; return 0 after SIGTERM, 130 after Ctrl-C, or the code of a failed start.

        The folder in which the workers keep their figures is removed at the end.
        """
        logs.set_up(self._settings.log_level)
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        with tempfile.TemporaryDirectory(prefix="gallae-metrics-") as folder:
            os.environ[metrics.SHARED] = folder
            try:
                while self._code is None:
                    self._fill()
                    self._watch()
                return self._code
            finally:
                self._end()
                os.environ.pop(metrics.SHARED, None)
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _stop(self, number: int, _: Any) -> None:
        self._code = 130 if number == signal.SIGINT else 0
        self._wake.send_bytes(b"x")

    def _fill(self) -> None:
        """Start what is missing; nothing beside a first worker that is not ready."""
        alone = not any(worker.ready for worker in self._workers)
        wanted = min(self._count, 1) if alone else self._count
        while len(self._workers) < wanted and time.monotonic() >= self._not_before:
            self._workers.append(self._start())

    def _start(self) -> _Worker:
        says, tells = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_work, args=(self._settings, self._listening, tells), name="gallae-worker"
        )
        process.start()
        tells.close()
        log.info("worker %d starts", process.pid)
        return _Worker(process, says)

    def _watch(self) -> None:
        """Wait for something to happen, and note it."""
        starting = [worker.says for worker in self._workers if not worker.ready]
        sentinels = [worker.process.sentinel for worker in self._workers]
        wait([self._woken, *starting, *sentinels], timeout=max(0.1, self._not_before - time.monotonic(), 1.0))
        for worker in list(self._workers):
            if not worker.ready and worker.says.poll():
                self._note_ready(worker)
            if not worker.process.is_alive():
                self._note_death(worker)

    def _note_ready(self, worker: _Worker) -> None:
        try:
            worker.says.recv_bytes()
        except EOFError:  # it died
            return
        worker.ready, self._pause = True, 0.0
        log.info("worker %d is ready", worker.process.pid)
        self._ready()
        self._ready = _nothing

    def _note_death(self, worker: _Worker) -> None:
        code = worker.process.exitcode
        self._workers.remove(worker)
        _forget(worker)
        if self._code is not None:
            return
        if worker.ready:
            log.error("worker %d died (exit code %s) and is replaced", worker.process.pid, code)
        elif self._ready is _nothing:
            self._pause = min(_LONGEST_PAUSE, 2 * self._pause or 1.0)
            self._not_before = time.monotonic() + self._pause
            log.error(
                "worker %d did not start (exit code %s); next try in %g s",
                worker.process.pid,
                code,
                self._pause,
            )
        else:
            self._code = code if code and code > 0 else 1

    def _end(self) -> None:
        """Let workers drain; kill those that do not end in time."""
        self._listening.close()
        until = time.monotonic() + _GRACE
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(max(0.0, until - time.monotonic()))
            if worker.process.is_alive():
                log.error("worker %d does not end and is killed", worker.process.pid)
                worker.process.kill()
                worker.process.join()
            _forget(worker)


def _nothing() -> None:
    pass


def _forget(worker: _Worker) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    worker.says.close()
    mark_process_dead(worker.process.pid)


def _work(settings: Settings, listening: socket.socket, tells: Connection) -> None:
    """Be a worker."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the supervisor passes it on
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        code = run_here(settings, listening, lambda: tells.send_bytes(b"ready"))
    except GallaeError as error:
        sys.stderr.write(f"gallae: {error}\n")
        code = 2
    leave(code)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
