"""Take the pictures of docs/app.md on the embedded data, by Chromium: `python docs/images/app.py`."""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
WIDTH = 1280
COLOURS = 200  # flat colours: a palette makes a picture half as large
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]


@contextmanager
def workbench(workspace: Path) -> Iterator[str]:
    """Serve the workbench while the block runs, and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", "--quiet", "--port", str(port), "--workspace", str(workspace)]
    process = subprocess.Popen([sys.executable, "-m", "gallae", "app", *options])
    try:
        for _ in range(600):
            try:
                urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.25)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def settled(page: Page) -> None:
    """Wait until all is drawn."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)  # charts fade in


def take(page: Page, name: str, height: int) -> None:
    """Write docs/images/app-<name>.png."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    settled(page)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(HERE / f"app-{name}.png", optimize=True)


def train(page: Page, address: str) -> None:
    """Compare two linear models and a network, and take the picture while the network learns."""
    page.goto(f"{address}/train")
    settled(page)
    page.get_by_test_id("stMultiSelect").locator("input").click()
    page.keyboard.type("hashed-bag")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    settled(page)
    page.get_by_role("button", name="학습 시작").click()
    page.get_by_text("hashed-bag의 학습 곡선").wait_for()
    page.wait_for_timeout(8000)
    take(page, "train", 1350)
    page.get_by_text("결과 보기").wait_for()


def review(page: Page, address: str) -> None:
    """Judge the labels of the embedded headlines."""
    page.goto(f"{address}/review")
    settled(page)
    page.get_by_role("button", name="라벨 판정하기").click()
    page.get_by_text("틀린 것으로 보입니다").wait_for()
    take(page, "review", 1300)


def dialect(page: Page, address: str) -> None:
    """Translate a sentence by the network, which shows its attention."""
    page.goto(f"{address}/dialect")
    settled(page)
    page.get_by_label("번역기").first.click()
    page.get_by_role("option").last.click()
    page.get_by_text("어텐션: 쓸 때 어디를 보았나").wait_for()
    take(page, "dialect", 1250)


def main() -> None:
    """Walk through the pages."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with (
        tempfile.TemporaryDirectory() as folder,
        workbench(Path(folder)) as address,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_context(locale="ko-KR", viewport={"width": WIDTH, "height": 1000}).new_page()
        page.set_default_timeout(600_000)
        train(page, address)
        for name, height in {"home": 1040, "classify": 1360, "data": 1180, "runs": 1180}.items():
            page.goto(f"{address}/{'' if name == 'home' else name}")
            page.locator("h1").first.wait_for()
            take(page, name, height)
        review(page, address)
        dialect(page, address)
        browser.close()


if __name__ == "__main__":
    main()
