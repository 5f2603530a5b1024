"""Figures of a running server in Prometheus' format, of one worker or of all together."""

from __future__ import annotations

import os
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder in which workers keep their figures; read by prometheus_client when it is imported."""
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counts requests, texts and batches."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        # Among several workers figures lie in files, and a registry would show this worker's alone.
        shared = os.environ.get(SHARED)
        registry = None if shared else self._registry
        if shared:
            MultiProcessCollector(self._registry, shared)
        self._requests = Counter(
            "gallae_requests", "Requests answered", ["path", "status"], registry=registry
        )
        self._seconds = Histogram(
            "gallae_request_seconds", "Seconds a request", ["path"], registry=registry, buckets=_SECONDS
        )
        self._batches = Histogram(
            "gallae_batch_texts", "Texts a batch", ["model", "ability"], registry=registry, buckets=_TEXTS
        )
        self._computing = Histogram(
            "gallae_batch_seconds",
            "Seconds a batch",
            ["model", "ability"],
            registry=registry,
            buckets=_SECONDS,
        )
        self._waiting = Gauge(
            "gallae_texts_in_work",
            "Texts taken and not answered yet",
            ["model", "ability"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._gauges: list[tuple[Gauge, Callable[[], int]]] = []
        self._known: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count a request; `path` is one of the server's own."""
        known = self._known.get((path, status))
        if known is None:
            known = self._requests.labels(path, str(status)), self._seconds.labels(path)
            self._known[path, status] = known
        known[0].inc()
        known[1].observe(seconds)

    def batches(self, model: str, ability: str, waiting: Callable[[], int]) -> Callable[[int, float], None]:
        """Return what counts the batches of a model, given their texts and seconds.

        Args:
            model: Its name.
            ability: What it is asked.
            waiting: Tells how many texts are taken and not answered yet.
        """
        texts, seconds = self._batches.labels(model, ability), self._computing.labels(model, ability)
        gauge = self._waiting.labels(model, ability)
        self._gauges.append((gauge, waiting))

        def count(number: int, duration: float) -> None:
            texts.observe(number)
            seconds.observe(duration)
            gauge.set(waiting())

        return count

    def page(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        for gauge, waiting in self._gauges:
            gauge.set(waiting())
        return generate_latest(self._registry)
