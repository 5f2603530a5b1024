"""Batches: together when concurrent, bounded, given up in time, and one failure is one request's."""

import asyncio
import threading
import time

import pytest

from gallae.serving.batching import Batcher
from gallae.serving.problems import Problem


class Lengths:
    """Computes lengths, slowly, and remembers the batches."""

    def __init__(self, seconds=0.0):
        self.seconds, self.batches = seconds, []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, texts):
        self.go.wait(10)
        time.sleep(self.seconds)
        self.batches.append(list(texts))
        if "bad" in texts:
            raise ValueError("bad")
        return [len(text) for text in texts]


def run(scenario, compute, **options):
    """Run `scenario(batcher)` in a loop of its own."""
    settings = {"batch": 8, "wait": 0.0, "queue": 64, "timeout": 10.0, **options}

    async def whole():
        batcher = Batcher(compute, **settings)
        try:
            return await scenario(batcher)
        finally:
            compute.go.set()
            batcher.close()

    return asyncio.run(whole())


async def together(batcher, requests):
    return await asyncio.gather(*map(batcher, requests), return_exceptions=True)


def test_concurrent_requests_are_computed_together_and_get_their_own():
    compute = Lengths(0.02)
    requests = [["a" * n, "b"] for n in range(12)]
    found = run(lambda batcher: together(batcher, requests), compute)
    assert found == [[n, 1] for n in range(12)]
    assert max(map(len, compute.batches)) == 8 and len(compute.batches) < 6


def test_one_text_waits_for_company_but_not_for_long():
    compute = Lengths()

    async def scenario(batcher):
        first = asyncio.ensure_future(batcher(["a"]))
        await asyncio.sleep(0.02)
        started = time.monotonic()
        assert await asyncio.gather(first, batcher(["bb"])) == [[1], [2]]
        return time.monotonic() - started

    assert run(scenario, compute, wait=0.3) < 2
    assert compute.batches == [["a", "bb"]]


def test_without_batching_each_request_is_computed_alone():
    compute = Lengths(0.005)
    run(lambda batcher: together(batcher, [["a", "b"], ["c"], ["d"]]), compute, batch=1, wait=0.1)
    assert compute.batches == [["a", "b"], ["c"], ["d"]]


def test_a_full_queue_refuses_and_says_when_to_come_back():
    compute = Lengths()
    compute.go.clear()

    async def scenario(batcher):
        waiting = [asyncio.ensure_future(batcher(["a"])) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await batcher(["b", "c"])
        assert batcher.texts == 3
        compute.go.set()
        assert await asyncio.gather(*waiting) == [[1]] * 3
        assert await batcher(["b", "c"]) == [1, 1] and batcher.texts == 0
        return refused.value

    refused = run(scenario, compute, queue=4)
    assert refused.status == 429 and 1 <= refused.retry_after <= 30


def test_what_is_given_up_is_not_computed():
    compute = Lengths()
    compute.go.clear()

    async def scenario(batcher):
        found = await together(batcher, [["a"], ["b"]])
        assert batcher.busy_for() > 0
        compute.go.set()
        assert await batcher(["c"]) == [1]
        return found

    found = run(scenario, compute, batch=1, timeout=0.1)
    assert [problem.status for problem in found] == [504, 504]
    assert compute.batches == [["a"], ["c"]]


def test_one_failure_is_one_requests():
    compute = Lengths(0.01)
    found = run(lambda batcher: together(batcher, [["aa"], ["bad"], ["b"]]), compute, wait=0.1)
    assert found[0] == [2] and found[2] == [1] and isinstance(found[1], ValueError)
    assert run(lambda batcher: together(batcher, [["bad"], ["b"]]), compute)[1] == [1]


def test_functions_of_a_model_share_its_lock():
    lock, compute = threading.Lock(), Lengths()

    async def scenario(batcher):
        with lock:
            waiting = asyncio.ensure_future(batcher(["a"]))
            await asyncio.sleep(0.05)
            assert not compute.batches and not waiting.done()
        return await waiting

    assert run(scenario, compute, lock=lock) == [1]
