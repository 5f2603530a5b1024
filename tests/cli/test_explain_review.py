import json

import pytest


def test_explain_on_the_terminal(gallae_cli, topics_run):
    done = gallae_cli(
        "explain", topics_run.folder, "--text", "손흥민, 결승골로 승리", "--text", "", "--top", 2
    )
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("스포츠 0.") and lines[0].endswith("손흥민, 결승골로 승리  (exact)")
    assert lines[1].count("+") == 2
    assert lines[3] == "  no word says anything"


def test_explain_the_bundled_model_as_a_page(gallae_cli, tmp_path):
    page = tmp_path / "page.html"
    arguments = ["explain", "headlines", "--text", "코스피 2% 급락 <b>마감</b>", "-o", page]
    assert gallae_cli(*arguments, "--language", "ko", "--unit", "morpheme").code == 0
    content = page.read_text(encoding="utf-8")
    assert "headlines 모델의 판단 이유" in content and "코스피" in content and "<b>마감" not in content
    assert gallae_cli(*arguments).code == 2 and "exists already" in gallae_cli(*arguments).err


def test_explain_a_file_as_json(gallae_cli, topics_run, topics_csv, tmp_path):
    out = tmp_path / "why.jsonl"
    done = gallae_cli("explain", topics_run.folder, topics_csv, "-o", out, "--label", "경제")
    assert done.code == 0 and "72 explanations" in done.err and not done.out
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 72 and {row["label"] for row in rows} == {"경제"}
    total = sum(part["weight"] for part in rows[0]["parts"])
    assert total + rows[0]["base"] == pytest.approx(rows[0]["score"], abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text", "가", "--label", "날씨"], "does not know the label '날씨'. It knows: 경제"),
        (["--text", "가", "--method", "gradients"], "Allowed for it: auto, exact, occlusion, lime"),
        (["--text", "가", "--attention"], "has no attention to show"),
        (["--text", "가", "-o", "page.pdf"], ".html, .jsonl"),
        ([], "give either a file"),
    ],
)
def test_mistakes_in_explain(gallae_cli, topics_run, arguments, message):
    done = gallae_cli("explain", topics_run.folder, *arguments)
    assert done.code == 2 and message in done.err and "Traceback" not in done.err


def test_review_prints_the_first_rows(gallae_cli, topics_csv, tmp_path):
    out = tmp_path / "review.csv"
    done = gallae_cli("review", topics_csv, "--budget", 3, "-o", out, "-o", tmp_path / "review.html")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("72 labels judged by fast, ")
    assert sum(line.startswith("row ") for line in lines) == 3
    assert lines[-2:] == [f"review: {out}", f"review: {tmp_path / 'review.html'}"]


def test_review_of_more_rows_than_there_are(gallae_cli, topics_csv):
    done = gallae_cli("review", topics_csv, "--budget", 5000)
    assert done.code == 0 and "the budget is 5000 rows, and there are 72 to propose" in done.err
    assert "... 52 more" in done.out


def test_mistakes_in_review(gallae_cli, tmp_path):
    (tmp_path / "bare.csv").write_text("id,text\n1,가나\n2,다라\n", encoding="utf-8")
    done = gallae_cli("review", tmp_path / "bare.csv")
    assert done.code == 2 and "--label-column" in done.err
    done = gallae_cli("review", tmp_path / "bare.csv", "--budget", 0)
    assert done.code == 2 and "budget is 0" in done.err
    assert gallae_cli("review", tmp_path / "none.csv").code == 2
