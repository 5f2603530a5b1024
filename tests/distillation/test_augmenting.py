"""Altered copies: what the rules say happens, as often as they say, in any order, and to pairs."""

import collections

import numpy as np
import pytest

import gallae
from gallae.distillation.augmenting import MaskedAugmenter, Place, RuleAugmenter
from gallae.errors import ModelError, RecipeError

TEXTS = gallae.sample("headlines").texts[:40]


@pytest.fixture(scope="module")
def rules():
    return RuleAugmenter.of(TEXTS)


@pytest.fixture(scope="module")
def model(checkpoint):
    return MaskedAugmenter(checkpoint("bert", "AutoModelForMaskedLM"))


def own(words, **chances):
    """Rules with nothing but what is given."""
    return RuleAugmenter(
        {"NNG": collections.Counter(words)}, **{"p_mask": 0.0, "p_pos": 0.0, "p_ng": 0.0} | chances
    )


def letters(count):
    """A text of one-letter words, and a noun's place each."""
    text = " ".join("가" * count)
    return text, [Place(2 * number, 2 * number + 1, "NNG") for number in range(count)]


def test_words_are_taken_out_and_replaced_as_often_as_the_rules_say():
    text, places = letters(20_000)
    found = own("나", p_mask=0.1, p_pos=0.2, mask="X").draw(text, places, np.random.default_rng(0)).split()
    shares = {word: count / len(found) for word, count in collections.Counter(found).items()}
    assert shares == pytest.approx({"X": 0.1, "나": 0.2, "가": 0.7}, abs=0.01)


def test_a_word_without_a_mask_leaves_no_gap():
    text, places = letters(4)
    assert own("나", p_mask=1.0).draw(text, places, np.random.default_rng(0)) == ""
    found = own("나", p_mask=0.5).draw(text, places, np.random.default_rng(0))
    assert found == " ".join(found.split()) and "가" in found


def test_replacements_are_as_frequent_as_in_the_corpus():
    text, places = letters(20_000)
    found = own(["나"] * 9 + ["다"], p_pos=1.0).draw(text, places, np.random.default_rng(0)).split()
    assert found.count("나") / len(found) == pytest.approx(0.9, abs=0.01)


def test_replacements_are_of_the_same_part_of_speech():
    augmenter = RuleAugmenter.of(TEXTS, p_mask=0.0, p_pos=1.0, p_ng=0.0)
    for places, copies in zip(augmenter.places(TEXTS), augmenter.augment(TEXTS, 1), strict=True):
        assert {place.kind for place in places} <= set(augmenter.words)
        assert bool(copies) or not places
    nouns = set(augmenter.words["NNG"])
    assert nouns and all(any(noun in text for text in TEXTS) for noun in nouns)
    places = [Place(0, 2, "NNG")]
    assert augmenter.draw("코끼", places, np.random.default_rng(0)) in nouns


def test_n_grams_are_one_to_five_words_in_a_row():
    text = " ".join(map(str, range(50)))
    rng, sizes = np.random.default_rng(0), collections.Counter()
    augmenter = own("나", p_ng=0.25)
    for _ in range(4000):
        words = augmenter.draw(text, [], rng).split()
        sizes[len(words)] += 1
        assert list(map(int, words)) == list(range(int(words[0]), int(words[0]) + len(words)))
    assert set(sizes) == {1, 2, 3, 4, 5, 50}
    assert sizes[50] / 4000 == pytest.approx(0.75, abs=0.03)
    assert max(sizes[n] for n in range(1, 6)) < 1.3 * min(sizes[n] for n in range(1, 6))


def test_copies_depend_on_text_and_seed_alone(rules):
    found = rules.augment(TEXTS, 4)
    assert rules.augment(TEXTS[5:9], 4) == found[5:9] and rules.augment(TEXTS[::-1], 4) == found[::-1]
    assert rules.augment(TEXTS, 4, seed=1) != found
    for text, copies in zip(TEXTS, found, strict=True):
        assert text not in copies and "" not in copies and len(set(copies)) == len(copies) <= 4


def test_pairs_are_altered_first_second_and_both():
    rules = RuleAugmenter.of(TEXTS, p_mask=0.0, p_pos=1.0, p_ng=0.0)
    pairs = list(zip(TEXTS[:20], TEXTS[20:], strict=True))
    found = rules.augment_pairs(pairs, 3)
    assert rules.augment_pairs(pairs, 3) == found
    for pair, copies in zip(pairs, found, strict=True):
        assert [(a == pair[0], b == pair[1]) for a, b in copies] == [
            (False, True),
            (True, False),
            (False, False),
        ]


def test_probabilities_that_are_none_are_refused():
    with pytest.raises(RecipeError, match=r"p_mask 0\.8, p_pos 0\.4"):
        own("나", p_mask=0.8, p_pos=0.4)


def test_a_language_model_replaces_the_beginnings_of_words(model):
    texts = ["한국은행, 금리 동결에 상승", "손흥민, 결승골로 승리"]
    for text, places in zip(texts, model.places(texts), strict=True):
        assert [place.start for place in places] == [
            0,
            *(at + 1 for at, sign in enumerate(text) if sign == " "),
        ]
        for place in places:
            assert len(place.words) == 15 and text[place.start : place.end] not in place.words
            assert all(word == word.strip() and not word.startswith("[") for word in place.words)


def test_a_language_model_replaces_as_many_as_the_threshold_says(model):
    text, places = letters(5000)
    places = [Place(place.start, place.end, words=("나", "다")) for place in places]
    found = model.draw(text, places, np.random.default_rng(0)).split()
    assert found.count("가") / 5000 == pytest.approx(0.6, abs=0.03)
    assert found.count("나") / found.count("다") == pytest.approx(1.0, abs=0.15)


def test_what_the_model_puts_there_is_what_it_finds_likely(model):
    """The likeliest word by the model's own logits is among those chosen from."""
    from gallae.tasks.fill_mask import FillMask

    text = "한국은행, 금리 동결에 상승"
    place = next(model.places([text]))[0]
    ids = model.tokenizer(text)["input_ids"]
    assert model.tokenizer.decode([ids[1]]).strip() == text[: place.end]
    filler = FillMask.__new__(FillMask)
    filler.tokenizer, filler.network, filler.most = model.tokenizer, model.network, model.most
    likely = filler.fill("[MASK]" + text[place.end :], top_k=400)[0]
    allowed = [one["token"] for one in likely if one["id"] in model.surfaces]
    assert list(place.words) == [word for word in allowed if word != text[: place.end]][:15]


def test_copies_of_a_language_model_do_not_depend_on_the_others(model):
    found = model.augment(TEXTS[:12], 3)
    assert any(found) and model.augment(TEXTS[4:6], 3) == found[4:6]


def test_a_checkpoint_without_such_a_head_is_refused(checkpoint):
    with pytest.raises(ModelError, match="no weights for this head"):
        MaskedAugmenter(checkpoint("bert"))
    with pytest.raises(RecipeError, match="threshold 2"):
        MaskedAugmenter(checkpoint("bert"), threshold=2)
