"""Every page in both languages, without a browser: nothing fails, and what is asked for is shown."""

import pytest
from streamlit.testing.v1 import AppTest

from gallae.app import settings, trainings
from gallae.app.language import phrases
from gallae.app.launching import SCRIPT

PAGES = ("home", "classify", "data", "train", "runs", "review", "dialect")


@pytest.fixture(autouse=True)
def _workspace(workspace):
    settings.use(settings.Settings(workspace))
    yield
    settings.use(settings.Settings())


@pytest.fixture
def open_page():
    """Open a page in a language."""

    def call(name, language="ko"):
        test = AppTest.from_file(SCRIPT, default_timeout=60)
        test.query_params["lang"] = language
        test.run()
        if name != "home":
            test.switch_page(f"views/{name}.py").run()
        return test

    return call


def say(key, language, **values):
    return phrases()[key][language].format(**values)


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_page_opens(open_page, name, language):
    page = open_page(name, language)
    assert not page.exception
    assert not page.error
    title = "app.title" if name == "home" else f"{name}.menu"
    assert [title.value for title in page.title] == [say(title, language)]


def test_language_can_be_switched(open_page):
    page = open_page("classify")
    page.segmented_control(key="lang").set_value("en").run()
    assert page.title[0].value == "Try a model"
    assert not page.exception


def test_choice_of_data_outlives_the_language(open_page):
    page = open_page("train")
    page.selectbox(key="train_file").select_index(1).run()
    page.segmented_control(key="lang").set_value("en").run()
    assert not page.exception
    assert page.selectbox(key="train_file").value.path.name == "reviews.csv"


def test_first_page_classifies_at_once(open_page):
    page = open_page("home")
    assert any("경제" in text.value for text in page.markdown)
    page.text_input(key="home_text").set_value("손흥민 시즌 10호골…토트넘 3연승 질주").run()
    assert any("스포츠" in text.value for text in page.markdown)


def test_texts_are_classified_a_line_each(open_page):
    page = open_page("classify")
    page.text_area(key="classify_texts").set_value("손흥민 결승골\n\n코스피 급락 마감")
    page.button(key="classify_go").click().run()
    table = page.dataframe[0].value
    assert table["text"].tolist() == ["손흥민 결승골", "코스피 급락 마감"]
    assert table["label"].tolist() == ["스포츠", "경제"]


def test_word_that_stands_twice_has_two_bars(open_page):
    page = open_page("classify")
    page.text_area(key="classify_texts").set_value("한국 축구 대표팀, 축구 강호 꺾고 한국 4강")
    page.button(key="classify_go").click().run()
    bars = page.get("vega_lite_chart")[-1].proto
    assert "축구 (2) +" in bars.alt and "축구 +" in bars.alt


def test_nothing_to_classify_is_said(open_page):
    page = open_page("classify")
    page.text_area(key="classify_texts").set_value(" \n")
    page.button(key="classify_go").click().run()
    assert page.info[0].value == say("classify.no_text", "ko")


def test_runs_of_the_workspace_can_be_chosen_as_model(open_page):
    page = open_page("classify", "en")
    page.selectbox(key="classify_model").select_index(0).run()
    assert not page.exception
    assert set(page.dataframe[0].value["label"]) <= {"경제", "세계", "스포츠"}


def test_file_is_classified(open_page):
    page = open_page("classify", "en")
    page.file_uploader(key="classify_upload").upload(
        "news.csv", "title\n손흥민 결승골\n".encode(), "text/csv"
    ).run()
    page.button(key="classify_file").click().run()
    assert not page.exception
    assert page.success[0].value == say("classify.done", "en", count="1")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("broken.xlsx", b"PK\x03\x04 no zip", "broken.xlsx cannot be read as Excel"),
        ("empty.csv", b"", "empty.csv is empty"),
        ("two.csv", b"a,b\n1,2\n", "two.csv"),
    ],
)
def test_unreadable_upload_is_answered_by_the_reader(open_page, name, content, reason):
    page = open_page("data")
    page.file_uploader(key="data_upload").upload(name, content, "text/csv").run()
    assert not page.exception
    assert len(page.error) == 1
    assert reason in page.error[0].value
    assert "uploads" not in page.error[0].value  # no path of this machine


def test_uploaded_data_is_audited(open_page):
    rows = (
        "".join(f"제목 {number} 한국,라벨{number % 2}\n" for number in range(20)) + "제목 3 한국,라벨1\n" * 3
    )
    page = open_page("data", "en")
    page.file_uploader(key="data_upload").upload("mine.csv", f"text,label\n{rows}".encode(), "text/csv").run()
    assert not page.exception
    assert not page.error
    assert page.selectbox(key="data_file").value.name == "mine.csv"


@pytest.fixture
def interrupted(interrupt, tmp_path):
    """The train page's workspace holds a training that an earlier server left."""
    training = interrupt(tmp_path)
    settings.use(settings.Settings(tmp_path))
    trainings.take_up(tmp_path)
    yield training.request.folder
    trainings.end_all()
    trainings.TRAININGS.clear()


def test_training_of_an_earlier_server_is_taken_up(open_page, interrupted):
    page = open_page("train", "en")
    assert any("begun** · interrupted" in text.value for text in page.markdown)
    assert any("0 of 1 finished" in text.value for text in page.markdown)
    page.button(key="begun_resume").click().run()
    assert not page.exception
    assert trainings.TRAININGS[0].wait(120) == "finished"
    assert (interrupted / "metrics.json").is_file()


def test_training_of_an_earlier_server_is_thrown_away(open_page, interrupted):
    page = open_page("train")
    page.button(key="begun_discard").click().run()
    assert not page.exception
    assert any(say("train.none_yet", "ko") in text.value for text in page.markdown)
    assert list(interrupted.parent.iterdir()) == []


def test_one_training_at_a_time(open_page, interrupted, topics_csv, interrupt):
    from gallae.workflows.background import Background, Request

    trainings.TRAININGS.insert(
        0, Background(Request(topics_csv, ("fast",), interrupted.with_name("b"), folds=20))
    )
    page = open_page("train")
    assert page.button(key="begun_resume").disabled


def test_confusion_cell_shows_its_texts(open_page):
    page = open_page("runs")
    gold, predicted = page.selectbox[0], page.selectbox[1]
    gold.set_value("경제")
    predicted.set_value("경제").run()
    behind = page.dataframe[1].value
    assert len(behind) and not page.exception


def test_no_runs_leads_to_training(open_page, tmp_path):
    settings.use(settings.Settings(tmp_path))
    page = open_page("runs")
    assert page.info[0].value == say("runs.none", "ko")


def test_labels_are_judged_mended_and_taken_home(open_page, topics_csv):
    rows = topics_csv.read_text(encoding="utf-8").splitlines()
    rows[1] = rows[1].replace("경제", "스포츠")  # a wrong label
    page = open_page("review", "en")
    page.file_uploader(key="review_upload").upload("mine.csv", "\n".join(rows).encode(), "text/csv").run()
    page.selectbox(key="review_recipe").set_value("fast")
    page.number_input(key="review_budget").set_value(20)
    page.button(key="review_start").click().run()
    assert not page.exception
    assert not page.error
    assert len(page.dataframe[0].value) <= 20


def test_file_that_cannot_be_reviewed_is_told_by_its_own_name(open_page):
    page = open_page("review", "en")
    page.file_uploader(key="review_upload").upload("mine.csv", "title\n가나다\n".encode(), "text/csv").run()
    page.button(key="review_start").click().run()
    assert page.error[0].value.startswith("mine.csv: which column holds the label?")
    assert page.info[0].value == say("app.columns_hint", "en")


def test_file_that_cannot_be_corrected_is_told_before_labels_are(open_page, topics_csv, tmp_path):
    import pandas as pd

    excel = tmp_path / "mine.xlsx"
    pd.read_csv(topics_csv).to_excel(excel, index=False)
    page = open_page("review", "en")
    page.file_uploader(key="review_upload").upload("mine.xlsx", excel.read_bytes(), "").run()
    page.selectbox(key="review_recipe").set_value("fast")
    page.button(key="review_start").click().run()
    assert not page.exception
    assert page.error[0].value.startswith("mine.xlsx: labels can be corrected in files of the formats csv")


def test_dialect_is_recognised_and_translated(open_page):
    page = open_page("dialect", "en")
    assert any("Gyeongsang" in text.value for text in page.markdown)
    page.text_input(key="dialect_text").set_value("혼저 옵서").run()
    assert not page.exception
    assert any("Jeju" in text.value for text in page.markdown)
    assert any("어서 오세요" in shown.value.replace("</mark>", "") for shown in page.html)
