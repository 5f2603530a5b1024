import io
import sys

from rich.console import Console
from rich.status import Status

from gallae import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_inner_display_takes_the_place_of_the_outer_one(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    outer = Status("outer", console=Console(stderr=True))
    live = outer._live
    with progress.show(outer):
        assert live.is_started
        for _ in progress.track([1, 2], "inner"):
            assert not live.is_started
        assert live.is_started
        with progress.status("second"):
            assert not live.is_started
        assert live.is_started
    assert not live.is_started


def test_leaving_a_loop_early_gives_the_place_back(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    outer = Status("outer", console=Console(stderr=True))
    with progress.show(outer):
        for _ in progress.track([1, 2], "inner"):
            break
        assert outer._live.is_started
