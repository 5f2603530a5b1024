"""Watching a training from outside."""

import subprocess
import sys
import threading

import pytest

from gallae.training.watching import Pruned, report, watching


def test_reports_reach_the_innermost_watcher():
    outer, inner = [], []
    report(0, 0.1)  # nobody watches
    with watching(lambda *told: outer.append(told)):
        report(1, 0.2)
        with watching(lambda *told: inner.append(told)):
            report(2, 0.3)
        report(3, 0.4)
    report(4, 0.5)
    assert (outer, inner) == ([(1, 0.2), (3, 0.4)], [(2, 0.3)])


def test_pruned_passes_and_leaves_nobody_watching():
    def enough(step, value):
        raise Pruned

    with pytest.raises(Pruned), watching(enough):
        report(0, 0.1)
    report(1, 0.2)


def test_other_threads_are_not_watched():
    told = []
    with watching(lambda *values: told.append(values)):
        thread = threading.Thread(target=report, args=(0, 0.1))
        thread.start()
        thread.join()
    assert told == []


def test_no_torch():
    code = "import sys, gallae.training.watching; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
