"""The workbench as a person meets it: a server of its own, and Debian's Chromium driven by Playwright."""

import csv
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest

from gallae.workflows.browsing import find_runs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
PATIENCE = 120_000  # milliseconds; elements are waited for, so a fast machine never waits this long
PAGES = ("", "classify", "data", "train", "runs", "review", "dialect")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server(workspace, interrupt, tmp_path_factory):
    """Serve the workbench on a free port; it is ended whatever happens."""
    interrupt(workspace)
    port = free_port()
    log = (tmp_path_factory.mktemp("server") / "log").open("w+b")
    options = ["--no-browser", "--port", str(port), "--workspace", str(workspace)]
    process = subprocess.Popen(
        [sys.executable, "-m", "gallae", "app", *options], stdout=log, stderr=log, start_new_session=True
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        log.seek(0)
        said = log.read().decode()
        log.close()
    assert "Traceback" not in said, said


def _wait_for(address, process):
    for _ in range(240):
        try:
            with urlopen(address, timeout=1):
                return
        except OSError:
            assert process.poll() is None, "the server ended"
            time.sleep(0.25)
    raise AssertionError("the server does not answer")


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, server):
    """A Korean browser's page; every request that it makes must go to the server."""
    context = chromium.new_context(
        locale="ko-KR", viewport={"width": 1280, "height": 1200}, accept_downloads=True
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    foreign, errors = [], []
    own = (server, server.replace("http", "ws"), "data:", "blob:")
    page.on("request", lambda request: request.url.startswith(own) or foreign.append(request.url))
    page.on("websocket", lambda socket: socket.url.startswith(own) or foreign.append(socket.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert foreign == []
    assert errors == []


def settled(page):
    """Wait until the script has run and all is drawn; nothing may have failed."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    playwright.expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=PATIENCE)
    assert page.get_by_test_id("stException").count() == 0


def upload(page, file):
    """Upload a data file and wait until it is the one that is chosen."""
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    name = file["name"] if isinstance(file, dict) else file.name
    playwright.expect(page.get_by_label("데이터", exact=True)).to_have_value(name, timeout=PATIENCE)
    settled(page)


def open_page(page, server, name, language="ko"):
    page.goto(f"{server}/{name}?lang={language}")
    page.get_by_test_id("stMain").locator("h1").first.wait_for()
    settled(page)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_page_opens(page, server, language):
    open_page(page, server, "", language)
    for link in page.get_by_test_id("stSidebarNavLink").all():
        link.click()
        title = link.inner_text().split("\n")[-1].strip()
        if link.get_attribute("href") not in (server, f"{server}/", "/"):
            page.get_by_test_id("stMain").get_by_role("heading", name=title, level=1).wait_for()
        settled(page)
        assert page.get_by_test_id("stAlertContentError").count() == 0


def test_korean_letters_come_from_the_packages_own_font(page, server):
    open_page(page, server, "")
    assert page.evaluate("document.fonts.check('16px \"Gallae Hangul\"', '갈래')")
    loaded = page.evaluate("[...document.fonts].filter(f => f.status == 'loaded').map(f => f.family)")
    assert any("Gallae Hangul" in family for family in loaded)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_page_says_its_language(page, server, language):
    open_page(page, server, "", language)
    playwright.expect(page.locator("html")).to_have_attribute("lang", language)


def test_inputs_have_labels_and_the_keyboard_reaches_them(page, server):
    open_page(page, server, "classify")
    for field in page.locator("textarea:visible, input:visible").all():
        assert field.get_attribute("aria-label") or field.get_attribute("aria-labelledby") or field.evaluate(
            "field => field.labels && field.labels.length > 0"
        )  # fmt: skip
    area = page.get_by_label("글 (한 줄에 하나씩)")
    area.fill("류현진 시즌 10승")
    area.press("Control+Enter")
    settled(page)
    page.get_by_text("스포츠").first.wait_for()


def test_text_is_classified(page, server):
    open_page(page, server, "")
    box = page.get_by_label("뉴스 제목")
    box.fill("류현진 시즌 10승…다저스 3연승")
    box.press("Enter")
    page.get_by_text("모델의 예측: 스포츠").wait_for()


def test_file_is_uploaded_and_its_result_downloaded(page, server, tmp_path):
    open_page(page, server, "classify")
    page.get_by_role("tab", name="파일 올리기").click()
    rows = "title\n손흥민 결승골로 승리\n코스피 2% 급락 마감\n"
    file = {"name": "제목.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(file)
    page.get_by_role("button", name="제목.csv 분류하기").click()
    page.get_by_text("2건을 분류했습니다").wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("tabpanel").get_by_role("button", name="CSV로 내려받기").last.click()
    waiting.value.save_as(tmp_path / "result.csv")
    assert waiting.value.suggested_filename == "제목-predictions.csv"
    table = list(csv.DictReader(io.StringIO((tmp_path / "result.csv").read_text("utf-8-sig"))))
    assert [row["label"] for row in table] == ["스포츠", "경제"]
    assert all(0 < float(row["p_경제"]) < 1 for row in table)


def test_comparison_is_trained_and_its_cell_opened(page, server, topics_csv):
    open_page(page, server, "train")
    upload(page, topics_csv)
    page.get_by_role("button", name="학습 시작").click()
    page.get_by_text("학습 중").first.wait_for()
    page.get_by_role("link", name="결과 보기").first.click(timeout=3 * PATIENCE)
    page.get_by_role("heading", name="학습 결과", level=1).wait_for()
    settled(page)
    _click_first_cell(page)
    page.get_by_text(re.compile("정답 경제, 예측 경제: \\d+건")).wait_for()


def _click_first_cell(page):
    """Click the upper left cell of the confusion matrix: gold and predicted are the first label."""
    chart = page.get_by_test_id("stVegaLiteChart").first
    chart.scroll_into_view_if_needed()
    place = chart.locator("canvas, svg.marks").first.bounding_box()
    page.mouse.click(place["x"] + place["width"] * 0.35, place["y"] + place["height"] * 0.30)


def test_training_is_cancelled(page, server):
    open_page(page, server, "train")
    page.get_by_text("교차 검증").click()
    settled(page)
    folds = page.get_by_label("폴드 수")
    folds.fill("20")  # long enough to be cancelled on any machine
    folds.press("Enter")
    settled(page)
    page.get_by_role("button", name="학습 시작").click()
    page.get_by_role("button", name="취소").click()
    page.get_by_text("취소됨").wait_for()


def test_training_of_an_earlier_server_is_taken_up(page, server, workspace):
    open_page(page, server, "train")
    page.get_by_text("begun · 중단됨").wait_for()
    page.get_by_role("button", name="이어서 학습").last.click()
    page.get_by_text("begun · 끝남").wait_for()
    assert (workspace / "begun" / "metrics.json").is_file()


def test_two_runs_stand_side_by_side(page, server, workspace):
    runs = [run.folder for run in find_runs([workspace])]  # other tests may have trained more
    open_page(page, server, "runs")
    table = page.get_by_test_id("stDataFrame").first
    place = table.locator("canvas").first.bounding_box()
    for chosen, recipe in enumerate(("fast", "tfidf-word"), 1):
        row = runs.index(workspace / "comparison" / recipe)
        page.mouse.click(place["x"] + 18, place["y"] + 36 + 35 * row + 17)
        playwright.expect(table.locator("tr[aria-selected=true]")).to_have_count(chosen, timeout=PATIENCE)
        settled(page)
    page.get_by_text("견주기").first.wait_for()
    page.get_by_text("macro-F1 차이의 95 % 신뢰구간").first.wait_for()


def test_dialect_is_translated(page, server):
    open_page(page, server, "dialect")
    box = page.get_by_label("문장", exact=True)
    box.fill("혼저 옵서")
    box.press("Enter")
    page.get_by_text("제주 말로 보입니다").wait_for()
    page.get_by_text("어서 오세요").wait_for()


def test_label_is_corrected_and_taken_home(page, server, topics_csv, tmp_path):
    rows = topics_csv.read_text("utf-8").splitlines()
    assert ",경제," in rows[1]
    wrong = [rows[0], rows[1].replace(",경제,", ",스포츠,"), *rows[2:]]
    open_page(page, server, "review")
    upload(page, {"name": "제목.csv", "mimeType": "text/csv", "buffer": "\n".join(wrong).encode()})
    page.get_by_role("button", name="라벨 판정하기").click()
    page.get_by_text("틀린 것으로 보입니다").wait_for()
    settled(page)
    _correct_first_row(page, "경제")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="고친 파일 내려받기 (라벨 1개)").click()
    waiting.value.save_as(tmp_path / "mended.csv")
    assert waiting.value.suggested_filename == "제목-corrected.csv"
    assert (tmp_path / "mended.csv").read_text("utf-8").splitlines() == rows


def _correct_first_row(page, label):
    """Choose a label in the list of the likeliest error: the mouse to its text, then the keyboard."""
    place = page.get_by_test_id("stDataFrame").first.locator("canvas").first.bounding_box()
    page.mouse.click(place["x"] + 150, place["y"] + 36 + 17)
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.get_by_role("option", name=label).wait_for()
    page.keyboard.type(label)
    page.keyboard.press("Enter")
