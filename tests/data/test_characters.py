import pytest

from gallae.data.characters import damage_of, damaged, script_shares


def test_shares_of_texts_and_characters():
    shares = script_shares(["美 中 회담", "GDP 3% ↑", "", "ㅋㅋ 😀"])
    assert shares["hanja"] == {"texts": 0.25, "characters": 2 / 13}
    assert shares["hangul"]["characters"] == 4 / 13
    assert shares["latin"]["characters"] == 3 / 13
    assert shares["digits"]["texts"] == 0.25
    assert shares["emoji"] == {"texts": 0.25, "characters": 1 / 13}


def test_no_texts_at_all():
    assert script_shares([])["hanja"] == {"texts": 0.0, "characters": 0.0}
    assert script_shares(["", ""])["hanja"] == {"texts": 0.0, "characters": 0.0}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("띵곡·\ufffd이 무슨 말", "replacement"),
        ("안녕".encode().decode("latin-1"), "latin"),
        ("한국 경제".encode().decode("cp1252", "ignore"), "latin"),
        ("경제".encode().decode("cp949"), "cp949"),
        ("가\x00나", "control"),
        ("bell\x07", "control"),
        ("ㅋㅋㅋ ㅠㅠ", None),
        ("美 中 무역 협상…“타결”", None),
        ("café naïve “voilà”…", None),
        ("plain", None),
        ("탭\t줄\n", None),
    ],
)
def test_damage(text, kind):
    assert damage_of(text) == kind


def test_damaged_texts_are_counted_with_examples():
    found = damaged(["가", "\ufffd", "\ufffd\ufffd"], examples=1)
    assert found == {
        "rows": 2,
        "kinds": {"replacement": 2},
        "examples": [{"row": 1, "kind": "replacement", "text": "\ufffd"}],
    }
