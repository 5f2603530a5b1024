"""Every format of vector files: read back equal, and told when damaged."""

import gzip
import struct

import numpy as np
import pytest

from gallae.errors import OutputError, TextError
from gallae.text.vectors import FastTextVectors, Vectors, load_vectors
from gallae.text.vectors.ngrams import NgramTable

TOKENS = ["은행", "bank", "금리/NNG", "//SP", "7", "é🧿"]


@pytest.fixture
def vectors():
    return Vectors(TOKENS, np.random.default_rng(3).normal(size=(6, 5)).astype(np.float32))


@pytest.fixture
def fast():
    random = np.random.default_rng(4)
    rows, grams = (random.normal(size=(n, 5)).astype(np.float32) for n in (6, 13))
    return FastTextVectors(TOKENS, rows, NgramTable(grams, 2, 4), [9, 8, 7, 6, 5, 4])


def same(mine, other):
    return mine.tokens == other.tokens and np.array_equal(mine.matrix, other.matrix)


def assert_alike(theirs, ours):
    """Some versions of fastText bring vectors to unit length."""
    lengths = np.maximum(np.linalg.norm(ours, axis=1, keepdims=True), 1e-9)
    expected = ours if np.allclose(theirs, ours, atol=1e-6) else ours / lengths
    assert np.allclose(theirs, expected, atol=1e-5)


def glove_lines(vectors):
    rows = zip(vectors.tokens, vectors.matrix.tolist(), strict=True)
    return [f"{token} {' '.join(map(repr, row))}" for token, row in rows]


@pytest.mark.parametrize("name", ["a.vec", "a.txt", "a.bin"])
def test_what_is_written_reads_back_equal(tmp_path, vectors, name):
    vectors.save(tmp_path / name)
    assert same(load_vectors(tmp_path / name), vectors)
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert same(load_vectors(packed), vectors)
    with pytest.raises(OutputError, match="exists already"):
        vectors.save(tmp_path / name)
    vectors.save(tmp_path / name, force=True)


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n"])
def test_glove(tmp_path, vectors, end):
    path = tmp_path / "glove.txt"
    path.write_bytes((end.join(glove_lines(vectors)) + end).encode())
    assert same(load_vectors(path), vectors)
    path.write_bytes(b"\xef\xbb\xbf" + end.join(glove_lines(vectors)).encode())
    assert same(load_vectors(path), vectors)


@pytest.mark.parametrize("binary", [False, True])
def test_gensims_word2vec_files(tmp_path, vectors, binary):
    keyed = pytest.importorskip("gensim.models").KeyedVectors(5)
    keyed.add_vectors(vectors.tokens, vectors.matrix)
    keyed.save_word2vec_format(str(tmp_path / "theirs"), binary=binary)
    assert same(load_vectors(tmp_path / "theirs"), vectors)
    vectors.save(tmp_path / ("ours.bin" if binary else "ours.vec"))
    again = type(keyed).load_word2vec_format(str(next(tmp_path.glob("ours*"))), binary=binary)
    assert again.index_to_key == vectors.tokens and np.array_equal(again.vectors, vectors.matrix)


def test_fasttexts_own_format(tmp_path, fast):
    path = tmp_path / "a.bin"
    fast.save(path)
    again = load_vectors(path)
    assert isinstance(again, FastTextVectors) and again.counts == fast.counts
    assert same(again, fast)
    words = ["은행장", "unseen", "은행"]
    assert np.array_equal(again.lookup(words)[1], fast.lookup(words)[1])
    again.save(tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == path.read_bytes()
    again.save(tmp_path / "plain.vec")
    assert same(load_vectors(tmp_path / "plain.vec"), fast)


def test_fasttext_and_gensim_load_what_we_write(tmp_path, fast):
    fast.save(tmp_path / "a.bin")
    words = [*TOKENS, "은행장", "unseen"]
    ours = fast.lookup(words)[1]
    theirs = pytest.importorskip("fasttext").load_model(str(tmp_path / "a.bin"))
    assert theirs.get_words() == TOKENS
    assert_alike([theirs.get_word_vector(word) for word in words], ours)
    assert np.array_equal(theirs.get_input_matrix(), np.concatenate([fast.rows, fast.ngrams.rows]))
    gensim = pytest.importorskip("gensim.models.fasttext")
    theirs = gensim.load_facebook_vectors(str(tmp_path / "a.bin"))
    assert np.allclose([theirs[word] for word in words], ours, atol=1e-6)


@pytest.mark.parametrize("kind", ["skipgram", "supervised"])
def test_models_that_fasttext_trained(tmp_path, kind):
    fasttext = pytest.importorskip("fasttext")
    lines = ["금리 동결 은행 대출", "축구 대표팀 승리 골", "은행 금리 인상"] * 20
    if kind == "supervised":
        lines = [f"__label__{number % 3} {line}" for number, line in enumerate(lines)]
    (tmp_path / "text").write_text("\n".join(lines), encoding="utf-8")
    made = {"dim": 6, "minn": 1, "maxn": 3, "bucket": 300, "minCount": 1, "thread": 1, "verbose": 0}
    train = fasttext.train_supervised if kind == "supervised" else fasttext.train_unsupervised
    model = train(str(tmp_path / "text"), **made)
    model.save_model(str(tmp_path / "a.bin"))
    ours = load_vectors(tmp_path / "a.bin")
    assert ours.tokens == model.get_words() and "</s>" in ours
    for word in (*ours.tokens, "은행원", "x"):
        numbers = model.get_subwords(word)[1]
        rows = [model.get_input_vector(int(number)) for number in numbers] or [np.zeros(6)]
        found = ours.lookup([word])[1]
        assert np.allclose(found[0], np.mean(rows, axis=0), atol=1e-6)
        assert_alike([model.get_word_vector(word)], found)
    if kind == "supervised":
        model.quantize(str(tmp_path / "text"), qnorm=False, dsub=2, verbose=0)
        model.save_model(str(tmp_path / "a.ftz"))
        with pytest.raises(TextError, match="compressed model"):
            load_vectors(tmp_path / "a.ftz")


@pytest.mark.parametrize("name", ["a.vec", "a.bin"])
def test_only_some_words(tmp_path, vectors, name):
    vectors.save(tmp_path / name)
    some = load_vectors(tmp_path / name, only={"7", "bank", "유령"})
    assert some.tokens == ["bank", "7"]
    assert np.array_equal(some.matrix, vectors.matrix[[1, 4]])
    none = load_vectors(tmp_path / name, only=())
    assert len(none) == 0 and none.dim == 5


def test_words_with_spaces(tmp_path):
    vectors = Vectors([" ", ". . .", "a b", "\u3000", "1 2"], np.arange(10).reshape(5, 2) + 0.5)
    vectors.save(tmp_path / "a.vec")
    assert same(load_vectors(tmp_path / "a.vec"), vectors)


@pytest.mark.parametrize(("name", "kept"), [("a.vec", ["가", "나 다"]), ("a.bin", ["가"])])
def test_words_that_a_file_cannot_hold_are_left_out(tmp_path, caplog, name, kept):
    vectors = Vectors(["가", "\n", "\ud800", "나 다"], np.eye(4))
    vectors.save(tmp_path / name)
    assert load_vectors(tmp_path / name).tokens == kept
    assert f"{4 - len(kept)} words are left out" in caplog.text


def test_repeated_words_and_damaged_ones(tmp_path, caplog):
    path = tmp_path / "a.txt"
    lines = [f"w{number} {number}.5 1" for number in range(20)]
    path.write_bytes("\n".join([*lines, "w3 9 9"]).encode() + "\n은".encode()[:3] + b" 1 2\n")
    found = load_vectors(path)
    assert found.tokens[-1] == "\ufffd" and found.lookup(["w3"])[1].tolist() == [[3.5, 1]]
    assert "1 words come again" in caplog.text and "1 words are not UTF-8" in caplog.text
    path.write_bytes("은행 1 2\n금리 3 4\n".encode("cp949"))
    with pytest.raises(TextError, match="2 of 2 words are not UTF-8"):
        load_vectors(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("0 5\n", "holds no vector"),
        ("은행 금리\n", "not a file of vectors: its first line"),
        ("index,title,topic_idx\n0,제목,4\n", "not a file of vectors: its first line"),
        ('{"a": [1, 2]}', "not a file of vectors: its first line"),
        ("a" * (2 << 20), "longer than 1 MiB"),
        ("은행 1 2 3\n금리 1 2\n", "line 2 has 2 numbers, not the 3"),
        ("은행 1 2 3\n금리 1 2 3\n대출 1.5 2.5 3.5 4.5\n", "line 3 has 4 numbers, not the 3"),
        ("2 3\n은행 1 2 3\n금리 1 2\n", "line 3 has 2 numbers, not the 3"),
        ("2 3\n은행 1 2\n금리 1 2\n", "line 2 has 2 numbers, not the 3"),
        ("은행 1 2 3\n금리 1 2 x\n", "line 2 holds 'x' in place"),
        ("은행 1 2 3\n금리 x 1 2 x\n", "line 2 has 0 numbers, not the 3"),
        ("은행 1 2 3\n금리 1 x 3\n", "line 2 holds 'x' in place of a finite number"),
        ("은행 1 2 3\n금리 1 1_0 3\n", "line 2 holds '1_0'"),
        ("은행 1 2 3\n금리 1 nan 3\n", "line 2 holds 'nan'"),
        ("은행 1 2 3\n금리 1 2 1e99\n", "line 2 holds '1e99'"),
        ("은행 1 2 3\n 1 2 3\n", "line 2 has numbers, but no word"),
        ("3 2\n은행 1 2\n금리 1 2\n", "announces 3 words, but 2 follow; it was cut off"),
        ("1 2\n은행 1 2\n금리 1 2\n", "announces 1 words, but 2 follow; its first line is wrong"),
    ],
)
def test_damaged_text(tmp_path, content, message):
    path = tmp_path / "a.vec"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TextError, match=message):
        load_vectors(path)
    path.write_bytes(gzip.compress(content.encode()))
    with pytest.raises(TextError, match=message):
        load_vectors(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04....", "a zip archive; unpack it"),
        (b"\x80\x04\x95...", "a pickle"),
        (b"\x93NUMPY\x01", "an array without words"),
        (b"\xff\xfe1\x00 \x003\x00\n\x00", "not a file of vectors"),
    ],
)
def test_other_files(tmp_path, content, message):
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(TextError, match=message):
        load_vectors(path)


def test_missing_files(tmp_path):
    with pytest.raises(TextError, match="cannot be read: No such file"):
        load_vectors(tmp_path / "missing.vec")
    with pytest.raises(TextError, match="cannot be read: Is a directory"):
        load_vectors(tmp_path)


@pytest.mark.parametrize("packed", [False, True])
def test_word2vec_cut_off_anywhere(tmp_path, vectors, packed):
    vectors.save(tmp_path / "a.bin")
    whole = (tmp_path / "a.bin").read_bytes()
    path = tmp_path / "cut"
    for length in range(0, len(whole) - 1):
        content = whole[:length]
        path.write_bytes(gzip.compress(content) if packed else content)
        with pytest.raises(TextError):
            load_vectors(path)
    path.write_bytes(whole + b"more")
    with pytest.raises(TextError, match="goes on after its 6 words"):
        load_vectors(path)
    path.write_bytes(whole.replace(vectors.matrix[2].tobytes(), b"\xff" * 20))
    with pytest.raises(TextError, match="damaged at word 3 of 6"):
        load_vectors(path)
    path.write_bytes(b"999999999 300\nabc \x00\x01")
    with pytest.raises(TextError, match="is cut off: it announces 999,999,999 words of 300 dimensions"):
        load_vectors(path)


def test_gzip_cut_off(tmp_path, vectors):
    vectors.save(tmp_path / "a.vec")
    whole = gzip.compress((tmp_path / "a.vec").read_bytes())
    for content in (whole[: len(whole) // 2], whole[:20] + b"\xff" * 20 + whole[40:]):
        (tmp_path / "a.gz").write_bytes(content)
        with pytest.raises(TextError):
            load_vectors(tmp_path / "a.gz")


def test_fasttext_cut_off_anywhere(tmp_path, fast):
    fast.save(tmp_path / "a.bin")
    whole = (tmp_path / "a.bin").read_bytes()
    needed = len(whole) - (1 + 16 + 6 * 5 * 4)  # the output layer is not looked at
    path = tmp_path / "cut.bin"
    for length in range(4, needed):
        path.write_bytes(whole[:length])
        with pytest.raises(TextError, match="damaged"):
            load_vectors(path)
    path.write_bytes(whole[:needed])
    assert same(load_vectors(path), fast)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [(4, 99, "unknown version"), (8, 0, "damaged"), (8, 6, "do not fit"), (68, -1, "damaged")],
)
def test_fasttext_damaged(tmp_path, fast, place, value, message):
    path = tmp_path / "a.bin"
    fast.save(path)
    content = bytearray(path.read_bytes())
    content[place : place + 4] = struct.pack("<i", value)
    path.write_bytes(bytes(content))
    with pytest.raises(TextError, match=message):
        load_vectors(path)


def test_packed_fasttext_is_told(tmp_path, fast):
    fast.save(tmp_path / "a.bin")
    (tmp_path / "a.bin.gz").write_bytes(gzip.compress((tmp_path / "a.bin").read_bytes()))
    with pytest.raises(TextError, match="unpack it first"):
        load_vectors(tmp_path / "a.bin.gz")
