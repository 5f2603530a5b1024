"""Rows of sentences and pairs: what they hold, how long they are, what follows what."""

import numpy as np
import pytest

from gallae.errors import DataError
from gallae.pretraining.encoding import Encoded
from gallae.pretraining.formats import check_format
from gallae.pretraining.options import CorpusOptions
from gallae.pretraining.rows import BREAK, IN_ORDER, NO_PAIR, OTHER, plan

DOCUMENTS, MOST = 40, 32


def corpus(sizes, weights=(1.0,), sources=None):
    """Return a corpus whose token ids count upwards, so that an id says where it stands.

    Args:
        sizes: Tokens of each sentence, document by document.
    """
    flat = [size for document in sizes for size in document]
    counts = np.cumsum([0, *map(len, sizes)])
    return Encoded(
        ids=np.arange(sum(flat)),
        sentences=np.cumsum([0, *flat]),
        documents=np.stack([counts[:-1], counts[1:]], axis=1),
        sources=np.zeros(len(sizes), dtype=np.int64) if sources is None else np.asarray(sources),
        weights=np.asarray(weights),
    )


@pytest.fixture(scope="module")
def encoded():
    """40 documents of 1 to 11 sentences of 3 to 11 tokens, 40 in the third."""
    rng = np.random.default_rng(0)
    sizes = [rng.integers(3, 12, rng.integers(1, 12)).tolist() for _ in range(DOCUMENTS)]
    sizes[2] = [4, 40, 5]
    return corpus(sizes)


def rows(encoded, name, seed=0, epoch=0, **options):
    made = plan(encoded, CorpusOptions(format=name, max_length=MOST, **options), seed, epoch)
    result = [made[number] for number in range(len(made.lengths))]
    assert [len(row) for row in result] == made.lengths.tolist()
    assert made.lengths.max() <= MOST
    return result


def document(encoded, token):
    """Return the number of the document that a token is in."""
    ends = encoded.sentences[encoded.documents[:, 1]]
    return int(np.searchsorted(ends, token, side="right"))


def part(encoded, ids):
    """Return the document of a part, made sure that it is a piece of the text."""
    assert np.array_equal(ids, np.arange(ids[0], ids[0] + len(ids)))
    assert document(encoded, ids[0]) == document(encoded, ids[-1])
    return document(encoded, ids[0])


@pytest.mark.parametrize("name", ["full_sentences", "doc_sentences"])
def test_packed_rows_hold_every_token_once_in_order(encoded, name):
    made = rows(encoded, name, min_tokens=1)
    tokens = np.concatenate([row.first[row.first != BREAK] for row in made])
    assert np.array_equal(tokens, encoded.ids)
    assert all(row.second is None and row.pair == NO_PAIR for row in made)
    assert all(row.number == row.first[0] for row in made)


def test_full_sentences_are_full_and_break_between_documents(encoded):
    made = rows(encoded, "full_sentences", min_tokens=1)
    for row in made:
        for place in np.flatnonzero(row.first == BREAK):
            before, after = row.first[place - 1], row.first[place + 1]
            assert (after, document(encoded, after)) == (before + 1, document(encoded, before) + 1)
        kept = row.first[row.first != BREAK]
        changes = len({document(encoded, token) for token in kept}) - 1
        assert (row.first == BREAK).sum() == changes
        if kept[-1] != encoded.ids[-1] and not 100 > len(kept) > MOST - 2:
            following = int(np.searchsorted(encoded.sentences, kept[-1], side="right"))
            joined = (
                len(row)
                + encoded.lengths[following]
                + (document(encoded, kept[-1] + 1) > document(encoded, kept[-1]))
            )
            assert joined > MOST or kept[-1] + 1 not in encoded.sentences
    assert any((row.first == BREAK).any() for row in made)


def test_doc_sentences_stay_in_their_document(encoded):
    made = rows(encoded, "doc_sentences", min_tokens=1)
    for row in made:
        part(encoded, row.first)
    ends = set((encoded.sentences[1:] - 1).tolist())
    cut = [row for row in made if row.first[-1] not in ends]
    assert len(cut) == 1  # the one sentence that is longer than a row
    assert len(rows(encoded, "full_sentences", min_tokens=1)) < len(made)
    assert all(len(row.first) >= 6 for row in rows(encoded, "doc_sentences", min_tokens=6))


@pytest.mark.parametrize("name", ["segment_pair", "sentence_pair"])
def test_pairs_follow_each_other_or_come_from_elsewhere(encoded, name):
    kinds = []
    for epoch in range(12):
        for row in rows(encoded, name, epoch=epoch, pairs="next"):
            kinds.append(row.pair)
            home = part(encoded, row.first)
            if row.pair == NO_PAIR:
                assert row.second is None
            elif row.pair == OTHER:
                assert part(encoded, row.second) != home
            else:
                assert part(encoded, row.second) == home
                assert row.second[0] > row.first[-1]
    pairs = [kind for kind in kinds if kind != NO_PAIR]
    assert len(pairs) > 500
    assert np.mean(pairs) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("name", ["segment_pair", "sentence_pair"])
def test_pairs_in_order_and_swapped(encoded, name):
    made = [row for epoch in range(12) for row in rows(encoded, name, epoch=epoch, pairs="order")]
    pairs = [row for row in made if row.pair != NO_PAIR]
    for row in pairs:
        assert part(encoded, row.first) == part(encoded, row.second)
        assert (row.first[0] < row.second[0]) == (row.pair == IN_ORDER)
    assert np.mean([row.pair for row in pairs]) == pytest.approx(0.5, abs=0.06)


def test_sentence_pairs_are_of_whole_sentences(encoded):
    starts, ends = set(encoded.sentences[:-1].tolist()), set((encoded.sentences[1:] - 1).tolist())
    made = rows(encoded, "sentence_pair")
    whole = [row for row in made if len(row) < MOST and row.pair != NO_PAIR]
    assert len(whole) > 50
    for row in whole:
        for ids in (row.first, row.second):
            assert ids[0] in starts
            assert ids[-1] in ends
            assert len(encoded.sentences[(encoded.sentences >= ids[0]) & (encoded.sentences <= ids[-1])]) == 1


def test_segment_pairs_are_mostly_full_and_of_several_sentences(encoded):
    long = corpus([[5] * 200 for _ in range(4)])
    made = rows(long, "segment_pair")
    sizes = np.array([len(row) for row in made])
    assert 0.75 < (sizes >= MOST - 4).mean() < 0.99  # one of ten is shorter
    assert np.mean([len(row.first) > 5 for row in made]) > 0.5


def test_too_long_pairs_lose_tokens_of_the_longer_part():
    made = rows(corpus([[8, 60], [60, 8], [50, 50]] * 10), "sentence_pair", pairs="order")
    sizes = sorted({tuple(sorted((len(row.first), len(row.second)))) for row in made})
    assert sizes == [(8, MOST - 3 - 8), (14, 15)]
    assert len({int(max(row.first, row.second, key=len)[0]) % 136 for row in made}) > 5  # cut at both ends


@pytest.mark.parametrize("name", ["segment_pair", "sentence_pair", "full_sentences", "doc_sentences"])
def test_an_epoch_is_a_function_of_seed_and_number(encoded, name):
    def listed(**which):
        return [
            (row.first.tolist(), None if row.second is None else row.second.tolist(), row.pair)
            for row in rows(encoded, name, **which)
        ]

    assert listed(seed=3, epoch=5) == listed(seed=3, epoch=5)
    if name.endswith("pair"):
        assert listed(seed=3, epoch=5) != listed(seed=3, epoch=6) != listed(seed=4, epoch=6)


@pytest.mark.parametrize("name", ["segment_pair", "sentence_pair", "full_sentences", "doc_sentences"])
def test_weights_say_how_often_a_document_comes(name):
    sizes = [[9, 9, 9]] * 100
    weighted = corpus(sizes, weights=(2.0, 0.25), sources=[0] * 50 + [1] * 50)
    counts = np.zeros(100)
    for epoch in range(8):
        for row in rows(weighted, name, epoch=epoch, pairs="order"):
            for ids in (row.first, *([] if row.second is None else [row.second])):
                for token in ids[ids != BREAK]:
                    counts[document(weighted, token)] += 1 / 27 / 8
    assert counts[:50].mean() == pytest.approx(2.0, abs=0.05)
    assert counts[50:].mean() == pytest.approx(0.25, abs=0.08)


@pytest.mark.parametrize("name", ["segment_pair", "sentence_pair", "full_sentences", "doc_sentences"])
def test_a_fraction_of_a_long_document_comes_as_parts_of_it(name):
    made = rows(corpus([[5] * 5000], weights=(0.4,)), name, pairs="order")
    assert sum(len(row) for row in made) / 25_000 == pytest.approx(0.44, abs=0.15)  # special tokens too


def test_translations_stay_beside_each_other():
    made = rows(corpus([[5, 7], [40, 6], [6, 40], [30, 30], [0, 5]]), "parallel")
    assert [(len(row.first), len(row.second)) for row in made] == [(5, 7), (23, 6), (6, 23), (15, 14)]
    assert [row.first[0] for row in made] == [0, 12, 58, 104]
    assert [row.second[0] for row in made] == [5, 52, 64, 134]
    assert [row.number for row in made] == [0, 1, 2, 3]


def refused(sizes, name, **options):
    with pytest.raises(DataError) as told:
        check_format(corpus(sizes), CorpusOptions(format=name, **options))
    return str(told.value)


def test_a_corpus_without_documents_or_sentences_is_refused():
    assert "blank line" in refused([[5, 6, 7]], "segment_pair")
    check_format(corpus([[5, 6, 7]]), CorpusOptions(format="segment_pair", pairs="order"))
    for pairs in ("next", "order"):
        assert "two sentences" in refused([[5], [6], [7]], "sentence_pair", pairs=pairs)
    for name in ("lines", "full_sentences", "doc_sentences"):
        check_format(corpus([[5]]), CorpusOptions(format=name))


def test_lines_without_one_tab_are_refused():
    assert "2 of 4 lines" in refused([[5, 6], [7], [5, 6], [1, 2, 3]], "parallel")
    check_format(corpus([[5, 6]]), CorpusOptions(format="parallel"))


def test_a_lone_document_held_out_has_pairs_in_order_only():
    assert {row.pair for row in rows(corpus([[5] * 20]), "sentence_pair")} <= {IN_ORDER, NO_PAIR}


def test_empty_sentences_leave_no_empty_part():
    made = rows(corpus([[0, 5, 0, 0, 6], [5, 0], [0, 0]]), "sentence_pair", pairs="order", min_tokens=1)
    assert made
    assert all(len(row.first) and (row.second is None or len(row.second)) for row in made)


@pytest.mark.parametrize(
    ("recipe", "lines", "said"),
    [
        ("tlm", "코스피 상승\t환율 하락\n환율 상승\n", "1 of 2 lines"),
        ("bert", "코스피 상승\n환율 하락\n", "one document"),
        ("albert", "코스피 상승\n\n환율 하락\n", "two sentences"),
    ],
)
def test_a_pretraining_says_what_its_format_lacks(checkpoint, tmp_path, recipe, lines, said):
    from gallae.workflows.pretraining import pretrain

    file = tmp_path / "lines.txt"
    file.write_text(lines, encoding="utf-8")
    small = ["network.layers=1", "network.hidden=32", "network.heads=2", "network.embedding=16"]
    with pytest.raises(DataError, match=said):
        pretrain(file, recipe, tokenizer=checkpoint("bert"), output=tmp_path / "run", overrides=small)
    assert not (tmp_path / "run").exists()
