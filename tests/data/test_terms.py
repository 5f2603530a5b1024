from gallae.data.terms import telling_terms, vocabulary


def test_vocabulary():
    assert vocabulary([["가", "나", "가"], [], ["나라"]]) == {
        "tokens": 4,
        "words": 3,
        "once": 2,
        "once_share": 2 / 3,
        "once_occurrences": 0.5,
        "longest_word": "나라",
    }
    assert vocabulary([[]])["words"] == 0


TOKENS = [["골", "경기", "오늘"]] * 20 + [["국회", "의원", "오늘"]] * 20 + [["드문말", "오늘"]]
LABELS = ["스포츠"] * 20 + ["정치"] * 20 + ["정치"]


def test_telling_terms():
    terms = telling_terms(TOKENS, LABELS, ["스포츠", "정치", "없음"], top=3)
    assert {term["term"] for term in terms["스포츠"]} == {"골", "경기"}
    assert {term["term"] for term in terms["정치"]} == {"국회", "의원"}
    assert terms["스포츠"][0]["z"] > 2
    assert terms["스포츠"][0]["count"] == terms["스포츠"][0]["total"] == 20
    assert terms["없음"] == []


def test_a_text_counts_for_each_of_its_labels():
    terms = telling_terms(
        TOKENS, [(label, "뉴스") if label == "정치" else (label,) for label in LABELS], ["뉴스"]
    )
    assert {term["term"] for term in terms["뉴스"]} == {"국회", "의원"}


def test_nothing_to_tell():
    assert telling_terms([[]], ["a"], ["a"]) == {"a": []}
    assert telling_terms([["가"]] * 5, ["a"] * 5, ["a"]) == {"a": []}
