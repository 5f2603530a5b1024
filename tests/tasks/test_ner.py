"""Named entities: learnt, given back in characters of the raw text, whatever windows, batch and tokenizer."""

import itertools
import json
import logging

import numpy as np
import pytest
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2

from gallae.errors import DataError, RecipeError
from gallae.tasks import Ner
from gallae.tasks.bio import Span, character_tags, spans_of_tags
from gallae.tasks.ner_decoding import best_path, transitions
from gallae.tasks.ner_dictionary import find_names, learn_names
from gallae.tasks.ner_metrics import entity_figures
from gallae.tasks.ner_reading import Sentence, parse_marked
from gallae.tasks.ner_replacing import with_replaced
from gallae.tasks.ner_windows import reachable, units_of, windows

PEOPLE, PLACES = ["한석규", "홍길동", "김영희", "박철수"], ["서울", "부산", "대전", "제주도"]
TEMPLATES = [
    "<{0}:PS>가 <{1}:LC>에 왔다.",
    "<{1}:LC>의 <{0}:PS>는 배우다.",
    "오늘 <{0}:PS>와 <{1}:LC>로 간다.",
]
SCRATCH = {
    "checkpoint": "scratch",
    "scratch": {"layers": 1, "hidden": 32, "heads": 2, "tokenizer": "char"},
    "training": {"epochs": 15, "batch_size": 8, "learning_rate": 1e-2},
}
LONG = " ".join("한석규가 서울에 왔다." for _ in range(12))


def marked(*lines):
    return [Sentence(*parse_marked(line)) for line in lines]


def sentences():
    made = [template.format(*names) for names in itertools.product(PEOPLE, PLACES) for template in TEMPLATES]
    return marked(*made, "비가 온다.", "오늘 왔다.")


def plain(prediction):
    return [(one["start"], one["end"], one["type"]) for one in prediction["spans"]]


@pytest.fixture(scope="module")
def fitted():
    return Ner(**SCRATCH).fit(sentences())


def test_it_learns_to_part_names_from_their_particles(fitted):
    figures = fitted.evaluate(sentences())
    assert figures["f1"] == figures["macro_f1"] == figures["reachable_f1"] == 1
    assert figures["per_type"]["PS"]["support"] == 48
    (prediction,) = fitted.predict([Sentence("오늘 홍길동와 부산로 간다.")])
    assert [(one["text"], one["type"]) for one in prediction["spans"]] == [("홍길동", "PS"), ("부산", "LC")]
    assert all(0.5 < one["score"] <= 1 for one in prediction["spans"])


def test_spans_are_characters_of_the_raw_text(fitted):
    texts = [
        "  한석규가\t서울에   왔다. ",
        "\u3000부산의 박철수는 배우다.\n",
        "",
        "   ",
        "뷁 쀍😀 a\u0301 서울에 왔다.",
    ]
    predictions = fitted.predict([Sentence(text) for text in texts])
    for text, prediction in zip(texts, predictions, strict=True):
        for one in prediction["spans"]:
            assert text[one["start"] : one["end"]] == one["text"] == one["text"].strip() != ""
    assert [one["text"] for one in predictions[0]["spans"]] == ["한석규", "서울"]
    assert predictions[2]["spans"] == predictions[3]["spans"] == []


def test_alone_in_a_batch_or_padded_on_the_left_is_the_same(fitted):
    examples = [*sentences()[:6], Sentence(LONG), Sentence("비")]
    together = fitted.predict(examples)
    alone = [fitted.predict([example])[0] for example in examples]
    fitted.tokenizer.padding_side = "left"
    try:
        left = fitted.predict(examples)
    finally:
        fitted.tokenizer.padding_side = "right"
    for one, other, third in zip(together, alone, left, strict=True):
        assert plain(one) == plain(other) == plain(third)
        scores = [[span["score"] for span in side["spans"]] for side in (one, other, third)]
        assert np.allclose(scores[0], scores[1], atol=1e-5) and np.allclose(scores[0], scores[2], atol=1e-5)


def test_a_saved_model_says_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    again = Ner.load(tmp_path / "model")
    assert again.predict(sentences()[:4]) == fitted.predict(sentences()[:4])
    assert again.evaluate(sentences()) == fitted.evaluate(sentences())


def test_windows_of_a_long_text_hold_each_subword_once_with_its_tags(fitted):
    whole = windows(fitted.tokenizer, [LONG], 512, 0)
    parts = windows(fitted.tokenizer, [LONG, "비"], 16, 6)
    assert len(whole) == 1 and len(parts) > 10
    (expected,), units = units_of(whole, 1), units_of(parts, 2)
    assert units[0].characters == expected.characters
    assert "".join(LONG[start:end] for start, end in expected.characters) == LONG.replace(" ", "")
    # Inside, a sub-word is read where tokens stand on both sides of it.
    assert units[0].token[20:-20].min() >= 3 and units[0].token[20:-20].max() <= 12


def test_windows_find_what_one_window_finds(fitted):
    gold = [(at + start, at + end, kind) for at in range(0, len(LONG), 13)
            for start, end, kind in ((0, 3, "PS"), (5, 7, "LC"))]  # fmt: skip
    narrow = Ner(**SCRATCH, max_length=24, stride=8)
    narrow.tokenizer, narrow.model = fitted.tokenizer, fitted.model
    assert plain(narrow.predict([Sentence(LONG)])[0]) == gold
    assert narrow.predict(sentences()[:5]) == fitted.predict(sentences()[:5])


def test_a_window_that_cannot_move_is_refused(fitted):
    with pytest.raises(RecipeError, match="stride"):
        windows(fitted.tokenizer, ["비가 온다."], 8, 6)


def test_training_on_windows_goes_on_inside_an_entity(fitted):
    long = Sentence("한" * 40, (Span(0, 40, "PS"),))
    narrow = Ner(**SCRATCH, max_length=16, stride=4, replaced=0)
    narrow.tokenizer, narrow.model = fitted.tokenizer, fitted.model
    features = narrow.encode([long], True)
    tags = [[fitted.labels[n] for n in feature["labels"] if n >= 0] for feature in features]
    assert tags[0][0] == "B-PS" and {tag for window in tags for tag in window[1:]} == {"I-PS"}
    assert all(window[0] == "I-PS" for window in tags[1:])


def test_every_family_learns_two_steps_and_keeps_to_its_text(checkpoint, families):
    lines = ["<손흥민:PS>, 결승골로 승리", "<류현진:PS>, 부상 복귀전 완승", "<美 의회:OG>, 정상회담 제안"] * 2
    for family in families:
        task = Ner(checkpoint=str(checkpoint(family)), max_length=64, training={"epochs": 1, "batch_size": 3})
        task.fit(marked(*lines))
        for example, prediction in zip(marked(*lines), task.predict(marked(*lines)), strict=True):
            assert all(example.text[s["start"] : s["end"]] == s["text"] for s in prediction["spans"]), family
        (units,) = units_of(windows(task.tokenizer, ["손흥민,  결승골로\t승리 뷁"], 64, 0), 1)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(units.characters)), family


def test_entities_that_begin_inside_a_subword_are_counted(checkpoint, caplog):
    examples = marked("<손흥:PS>민, 결승골로 승리", "<류현진:PS>, 부상 복귀전 완승")
    task = Ner(checkpoint=str(checkpoint("bert")), max_length=64, training={"epochs": 1})
    with caplog.at_level(logging.WARNING):
        task.fit(examples)
    assert "50.0 % of the entities begin or end inside a sub-word" in caplog.text
    figures = task.evaluate(examples)
    assert figures["split_entities"] == 1 and figures["reachable_f1"] == 0.5


def test_characters_of_several_bytes_are_one_unit(checkpoint):
    from gallae.pretrained.tokenizing import load_tokenizer

    tokenizer = load_tokenizer(checkpoint("roberta"))
    text = "뷁쀍 왔다"
    (units,) = units_of(windows(tokenizer, [text], 64, 0), 1)
    assert "".join(text[start:end] for start, end in units.characters) == text.replace(" ", "")
    assert list(reachable([units], [[Span(0, 1, "PS"), Span(1, 2, "LC")]])) == [
        [Span(0, 1, "PS"), Span(1, 2, "LC")]
    ]


def test_the_path_is_the_best_of_all_valid_ones():
    tags = ["O", "B-PS", "I-PS", "B-LC", "I-LC"]
    begin, step = transitions(tags)
    rng = np.random.default_rng(3)
    for _ in range(30):
        scores = rng.normal(size=(4, 5))
        valid = [
            path
            for path in itertools.product(range(5), repeat=4)
            if all(tags[b][0] != "I" or tags[a][2:] == tags[b][2:] for a, b in itertools.pairwise((0, *path)))
        ]
        best = max(valid, key=lambda path: sum(scores[at, tag] for at, tag in enumerate(path)))
        assert tuple(best_path(scores, begin, step)) == best


def random_spans(rng, length):
    tags = ["O", "B-PS", "I-PS", "B-LC", "I-LC"]
    begin, step = transitions(tags)
    path = best_path(rng.normal(size=(length, 5)), begin, step)
    return spans_of_tags([tags[number] for number in path], [(at, at + 1) for at in range(length)])


def test_figures_are_seqevals():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 12, size=80).tolist()
    gold = [random_spans(rng, length) for length in lengths]
    said = [
        spans if rng.random() < 0.5 else random_spans(rng, len_)
        for spans, len_ in zip(gold, lengths, strict=True)
    ]
    tags = [[character_tags(s, n) for s, n in zip(side, lengths, strict=True)] for side in (gold, said)]
    report = classification_report(*tags, mode="strict", scheme=IOB2, output_dict=True)
    figures = entity_figures(lengths, gold, said)
    assert figures["f1"] == pytest.approx(report["micro avg"]["f1-score"])
    assert figures["precision"] == pytest.approx(report["micro avg"]["precision"])
    assert figures["recall"] == pytest.approx(report["micro avg"]["recall"])
    assert figures["macro_f1"] == pytest.approx(report["macro avg"]["f1-score"])
    for kind in ("PS", "LC"):
        assert figures["per_type"][kind]["f1"] == pytest.approx(report[kind]["f1-score"])
        assert figures["per_type"][kind]["support"] == report[kind]["support"]
    low, high = figures["f1_interval"]
    assert low < figures["f1"] < high < low + 0.3


def test_figures_without_any_entity_are_0():
    figures = entity_figures([3, 0], [(), ()], [(), ()])
    assert figures["f1"] == figures["macro_f1"] == 0 and figures["per_type"] == {}
    assert entity_figures([3], [(Span(0, 2, "PS"),)], [()])["f1"] == 0


def test_the_dictionary_takes_the_longest_name_at_a_words_beginning():
    names, doubtful = learn_names(
        marked(
            "<서울:LC>에 갔다",
            "<서울대:OG>에 갔다",
            "<이:PS>가 왔다",
            "이 사람",
            "이 집",
            "<서울:OG> 승리",
            "<서울:LC>",
        )
    )
    assert names == {"서울": "LC", "서울대": "OG", "이": "PS"} and doubtful == ["이"]
    text = '"서울대"와 서울, 새서울'
    assert find_names(text, names, 3) == [Span(1, 4, "OG"), Span(7, 9, "LC")]


def test_data_that_does_not_fit_is_refused(fitted):
    with pytest.raises(DataError, match=r"types of entities that the model does not know: OG.*LC, PS"):
        fitted.evaluate(marked("<한국은행:OG>이 왔다."))
    with pytest.raises(DataError, match="no entity in any of the 2 sentences"):
        Ner(**SCRATCH).fit(marked("비가 온다.") * 2)


def test_rows_of_a_predictions_file(fitted):
    examples = sentences()[:1]
    (row,) = fitted.rows(examples, fitted.predict(examples))
    assert row["text"] == "한석규가 서울에 왔다." and row["gold"][0] == {"start": 0, "end": 3, "type": "PS"}
    assert row["spans"][1]["text"] == "서울"
    (line,) = fitted.rows(examples, fitted.predict(examples), inline=True)
    assert line == {"text": "<한석규:PS>가 <서울:LC>에 왔다."}


def test_copies_have_other_names_of_the_same_types_at_their_places():
    lines = marked("<한석규:PS>가 <서울:LC>에 왔다.", "비가 온다.", "<홍길동:PS>의 집", "<제주도:LC>")
    grown = with_replaced(lines, 12, seed=1)
    assert grown[:4] == lines and len(grown) == 4 + 3 * 12
    assert grown == with_replaced(lines, 12, seed=1) != with_replaced(lines, 12, seed=2)
    names = {"PS": {"한석규", "홍길동"}, "LC": {"서울", "제주도"}}
    for sentence in grown[4:]:
        assert all(sentence.text[start:end] in names[kind] for start, end, kind in sentence.spans)
    firsts = [sentence for sentence in grown[4:] if sentence.text.endswith("에 왔다.")]
    assert {sentence.spans[0].end for sentence in firsts} == {3}
    assert {sentence.text[:3] for sentence in firsts} == names["PS"]
    assert {sentence.text[5 : sentence.spans[1].end] for sentence in firsts} == names["LC"]


def test_the_command_line_does_what_python_does(gallae_cli, tmp_path):
    data = tmp_path / "ner.conll"
    rows = [zip(s.text, character_tags(s.spans, len(s.text)), strict=True) for s in sentences()]
    data.write_text(
        "\n\n".join("\n".join(f"{character}\t{tag}" for character, tag in row) for row in rows),
        encoding="utf-8",
    )
    assert Ner.read(data) == sentences()
    settings = {"scratch.layers": 1, "scratch.hidden": 32, "scratch.heads": 2, "training.epochs": 2}
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    run = tmp_path / "run"
    done = gallae_cli(
        "tasks", "ner", "train", data, "--checkpoint", "scratch", *options, "--valid", data, "-o", run
    )
    assert done.code == 0 and "F1 of entities" in done.out, done.err
    assert f"(file {data.name})" in done.out  # how it was split is not overwritten by a figure
    scratch = {"layers": 1, "hidden": 32, "heads": 2}
    task = Ner(checkpoint="scratch", scratch=scratch, training={"epochs": 2}).fit(sentences())
    figures = task.evaluate(sentences())
    shown = gallae_cli("tasks", "ner", "evaluate", run, data, "--format", "conll", "--json")
    found = json.loads(shown.out)
    assert {key: found[key] for key in task.figures} == {key: figures[key] for key in task.figures}
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(s.text for s in sentences()[:5]), encoding="utf-8")
    shown = gallae_cli("tasks", "ner", "predict", run, texts)
    predicted = [json.loads(line) for line in shown.out.splitlines()]
    assert [row["spans"] for row in predicted] == [p["spans"] for p in task.predict(sentences()[:5])]
    inline = gallae_cli("tasks", "ner", "predict", run, texts, "--inline", "-o", tmp_path / "out.csv")
    assert inline.code == 0
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "text" and [parse_marked(line)[0] for line in lines[1:]] == [
        s.text for s in sentences()[:5]
    ]


def test_the_command_line_names_a_broken_line(gallae_cli, tmp_path):
    data = tmp_path / "ner.conll"
    data.write_text("한\tB-PS\n석\tI-LC\n\n비\tO\n서\tI-LC\n", encoding="utf-8")
    arguments = ("tasks", "ner", "train", data, "--checkpoint", "scratch", "-o", tmp_path / "run")
    done = gallae_cli(*arguments)
    assert done.code == 2 and "ner.conll, line 2:" in done.err and "Traceback" not in done.err
    small = ("--set", "scratch.layers=1", "--set", "scratch.min_count=1", "--set", "training.epochs=1")
    assert gallae_cli(*arguments, *small, "--repair").code == 0
    unknown = gallae_cli("tasks", "ner", "evaluate", tmp_path / "run", data, "--format", "iob")
    assert unknown.code == 2 and "Known: kmou" in unknown.err
