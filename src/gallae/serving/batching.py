"""Micro-batches: texts of concurrent requests are computed together, in a thread of their own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from gallae.serving.problems import Problem

log = logging.getLogger("gallae.serving")
_LONGEST_RETRY = 30  # seconds
_POLITE = 0.001  # seconds; a lock that is taken again at once is never given to another thread
_RECENT = 0.8  # how much of the speed so far is kept when a batch tells another


class _Request:
    """The texts of one request, and where its results are waited for."""

    __slots__ = ("arrived", "future", "texts")

    def __init__(self, texts: list[Any], future: asyncio.Future[Any]) -> None:
        self.texts, self.future, self.arrived = texts, future, time.monotonic()


class Batcher:
    """Computes the texts of concurrent requests together.

    While a batch is computed, the next one gathers. When there is nothing to do, a text waits for company,
    but not beyond `wait` seconds from its arrival. Requests are never split.

    Args:
        compute: Takes texts (or what stands for them), returns one result each, in order; in a thread.
        batch: Most texts at once; a request with more is computed alone. 1 computes each request alone.
        wait: Seconds.
        queue: Most texts taken and not answered yet.
        timeout: Seconds until a request is given up.
        lock: Held while computing, for functions of the same model.
        observe: Called in the thread after each batch with its texts and seconds.
        polite: Whether to let others have the lock between two batches.
    """

    def __init__(
        self,
        compute: Callable[[list[Any]], Sequence[Any]],
        *,
        batch: int,
        wait: float,
        queue: int,
        timeout: float,
        lock: threading.Lock | None = None,
        observe: Callable[[int, float], None] | None = None,
        polite: bool = False,
    ) -> None:
        self._compute, self._batch, self._wait = compute, batch, wait
        self._most, self._timeout = queue, timeout
        self._lock, self._observe, self._polite = lock or threading.Lock(), observe, polite
        self._queue: SimpleQueue[_Request | None] = SimpleQueue()
        self._speed = 0.0  # texts a second, of late
        self.texts = 0
        self.begun = 0.0
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="gallae-batches", daemon=True)
        self._thread.start()

    async def __call__(self, texts: list[Any]) -> Sequence[Any]:
        """Return the results of texts.

        Raises:
            Problem: 429 if too many wait, 504 if it takes too long, 500 if the computation fails.
        """
        if self.texts + len(texts) > self._most:
            raise Problem(
                429,
                "busy",
                f"{self.texts} texts wait for this model. Try again after the seconds in Retry-After.",
                retry_after=self._retry_after(),
            )
        future = self._loop.create_future()
        timer = self._loop.call_later(self._timeout, self._give_up, future)
        self.texts += len(texts)
        self._queue.put(_Request(texts, future))
        try:
            return await future
        finally:
            timer.cancel()

    def busy_for(self) -> float:
        """Return for how many seconds the batch at hand has been computed; 0 if there is none."""
        return time.monotonic() - self.begun if self.begun else 0.0

    def close(self) -> None:
        """End the thread when what waits is computed."""
        self._queue.put(None)

    def _retry_after(self) -> int:
        seconds = self.texts / self._speed if self._speed else 1.0
        return min(_LONGEST_RETRY, max(1, math.ceil(seconds)))

    def _give_up(self, future: asyncio.Future[Any]) -> None:
        if not future.done():
            future.set_exception(
                Problem(
                    504,
                    "timeout",
                    f"This took more than {self._timeout:g} s and was given up. Send fewer texts.",
                )
            )

    # ---- in the thread

    def _work(self) -> None:
        kept: _Request | None = None
        while True:
            first = kept or self._queue.get()
            if first is None:
                return
            requests, kept, closing = self._gather(first)
            self._answer([request for request in requests if not request.future.done()], requests)
            if closing:
                return

    def _gather(self, first: _Request) -> tuple[list[_Request], _Request | None, bool]:
        """Return requests to compute at once, the one that was too much for them, and whether to end then."""
        requests, count = [first], len(first.texts)
        until = first.arrived + self._wait
        while count < self._batch:
            try:
                following = self._next(until)
            except Empty:
                break
            if following is None:
                return requests, None, True
            if count + len(following.texts) > self._batch:
                return requests, following, False
            requests.append(following)
            count += len(following.texts)
        return requests, None, False

    def _next(self, until: float) -> _Request | None:
        rest = until - time.monotonic()
        return self._queue.get(timeout=rest) if rest > 0 else self._queue.get_nowait()

    def _answer(self, wanted: list[_Request], requests: list[_Request]) -> None:
        """Compute what is still waited for, and hand it to the loop; a request that fails fails alone."""
        answers: list[tuple[_Request, Any]] = []
        try:
            if wanted:
                answers = self._computed(wanted)
        except Exception:
            log.exception("a batch of %d requests failed; each is computed alone", len(wanted))
            answers = [(request, self._alone(request)) for request in wanted]
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits
            self._loop.call_soon_threadsafe(self._deliver, requests, answers)

    def _computed(self, requests: list[_Request]) -> list[tuple[_Request, Any]]:
        texts = [text for request in requests for text in request.texts]
        with self._lock:
            self.begun = started = time.monotonic()
            try:
                results = self._compute(texts)
            finally:
                seconds = time.monotonic() - started
                self.begun = 0.0
        speed = len(texts) / max(seconds, 1e-6)
        self._speed = _RECENT * self._speed + (1 - _RECENT) * speed if self._speed else speed
        if self._polite:
            time.sleep(_POLITE)
        if self._observe is not None:
            self._observe(len(texts), seconds)
        answers, start = [], 0
        for request in requests:
            answers.append((request, results[start : start + len(request.texts)]))
            start += len(request.texts)
        return answers

    def _alone(self, request: _Request) -> Any:
        try:
            return self._computed([request])[0][1]
        except Exception as error:
            return error

    # ---- in the loop again

    def _deliver(self, requests: list[_Request], answers: list[tuple[_Request, Any]]) -> None:
        self.texts -= sum(len(request.texts) for request in requests)
        for request, answer in answers:
            if request.future.done():
                continue
            if isinstance(answer, Exception):
                request.future.set_exception(answer)
            else:
                request.future.set_result(answer)
