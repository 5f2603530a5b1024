"""Words beside words, and where two texts differ."""

from gallae.tasks.translate_alignment import Link, align, changes, likeness, shared_words


def linked(source, target):
    words = source.split(), target.split()
    return [
        (" ".join(words[0][one.first : one.last]), " ".join(words[1][one.begin : one.end]))
        for one in align(*words)
    ]


def test_equal_texts_are_linked_word_by_word():
    assert align(["가", "나"], ["가", "나"]) == [Link(0, 1, 0, 1), Link(1, 2, 1, 2)]
    assert align([], []) == []


def test_one_word_for_two_and_two_for_one():
    assert linked("그래가 집에 갔다", "그렇게 해서 집에 갔다")[0] == ("그래가", "그렇게 해서")
    assert linked("시집왕 보나네 좋다", "시집와서보니까 좋다")[0] == ("시집왕 보나네", "시집와서보니까")


def test_a_lost_and_an_added_word():
    assert linked("나는 이 집에 간다", "나는 집에 간다") == [
        ("나는", "나는"),
        ("이", ""),
        ("집에", "집에"),
        ("간다", "간다"),
    ]
    assert ("", "꼭") in linked("나는 집에 간다", "나는 꼭 집에 간다")
    assert linked("", "가") == [("", "가")]


def test_likeness_counts_letters():
    assert likeness("먹다", "먹다") == 1
    assert likeness("먹언", "먹었어") > likeness("먹언", "하늘")


def test_changes_have_the_characters_of_both_texts():
    source, said = "밥  뭇나 어데 갔노", "밥 먹었니 어디 갔노"
    found = changes(source, said)
    assert [(one.source, one.target) for one in found] == [("뭇나 어데", "먹었니 어디")]
    for one in found:
        assert source[one.start : one.end] == one.source
        assert said[one.target_start : one.target_end] == one.target
    assert changes("같다", "같다") == []
    lost = changes("나는 이 간다", "나는 간다")
    assert [(one.source, one.target, one.target_start) for one in lost] == [("이", "", 2)]


def test_shared_words_are_a_longest_common_subsequence():
    assert shared_words(["가", "나", "다", "라"], ["나", "가", "다", "라"]) in ({0, 2, 3}, {1, 2, 3})
    assert shared_words(["가"], []) == set()
