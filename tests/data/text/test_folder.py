"""A user's folder of text, and what is wrong with it."""

from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pytest

from darts_tf.data.text import folder
from darts_tf.data.text.folder import load_text_folder
from darts_tf.data.text.vocabulary import EOS, UNKNOWN, Vocabulary
from tests.data.refusal import refusal

TRAIN = "the cat sat\nthe dog\n\n"
VALID = "the cow sat\n"
TEST = "a dog <unk> the\n"


def write(root, **parts):
    """Files of a text; bytes as they are."""
    parts = {"train": TRAIN, "valid": VALID, "test": TEST, **parts}
    for name, text in parts.items():
        data = text if isinstance(text, bytes) else text.encode()
        (root / f"{name}.txt").write_bytes(data)
    return root


def load(root):
    return load_text_folder(str(root))


def spelled(data, tokens):
    return " ".join(data.vocabulary.words[token] for token in tokens)


def test_a_folder(tmp_path):
    data = load(write(tmp_path))
    words = ("the", "cat", "sat", EOS, "dog", UNKNOWN)
    assert data.vocabulary == Vocabulary(words)
    np.testing.assert_array_equal(data.train, [0, 1, 2, 3, 0, 4, 3, 3])
    assert spelled(data, data.valid) == "the <unk> sat <eos>"
    assert data.unknown == {"valid": 1}
    test, unknown = data.load_test()
    assert spelled(data, test) == "<unk> dog <unk> the <eos>"
    assert unknown == 1  # the one written in the text is none
    assert data.train.dtype == data.valid.dtype == test.dtype == np.int32


def test_words_of_the_other_parts_are_not_learnt(tmp_path):
    data = load(write(tmp_path, valid="zebra\n", test="yak\n"))
    assert "zebra" not in data.vocabulary and "yak" not in data.vocabulary


def test_a_written_unknown_word_keeps_its_place(tmp_path):
    data = load(write(tmp_path, train="a <unk> b\n"))
    assert data.vocabulary.words == ("a", UNKNOWN, "b", EOS)


def test_the_test_part_is_tried_at_the_start_and_read_when_it_is_asked_for(tmp_path):
    write(tmp_path, test=b"\xff broken")
    assert "test.txt, line 1" in refusal(lambda: load(tmp_path))
    data = load(write(tmp_path))
    write(tmp_path, test="cat\n")
    assert spelled(data, data.load_test()[0]) == "cat <eos>"


@pytest.mark.parametrize(
    "train",
    [
        b"the cat sat\r\nthe dog\r\n\r\n",  # Windows
        b"\xef\xbb\xbfthe cat sat\nthe dog\n\n",  # byte order mark
        b"  the\tcat   sat \nthe dog\n \n",
        "the\u00a0cat\u2003sat\nthe dog\n\n".encode(),
    ],
)
def test_line_ends_marks_and_spaces_make_no_difference(tmp_path, train):
    data = load(write(tmp_path, train=train))
    plain = load(write(tmp_path, train=TRAIN))
    assert data.vocabulary == plain.vocabulary
    np.testing.assert_array_equal(data.train, plain.train)


def test_the_last_line_may_lack_its_end(tmp_path):
    data = load(write(tmp_path, train="the cat sat\nthe dog"))
    assert spelled(data, data.train).endswith("<eos> the dog <eos>")


def test_no_folder(tmp_path):
    assert "needs `data_dir`" in refusal(lambda: load_text_folder(None))
    assert "is no folder" in refusal(lambda: load(tmp_path / "missing"))
    write(tmp_path)
    assert "is no folder" in refusal(lambda: load(tmp_path / "train.txt"))


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_a_missing_file_is_named(tmp_path, part):
    (write(tmp_path) / f"{part}.txt").unlink()
    message = refusal(lambda: load(tmp_path))
    assert message.startswith(f"{tmp_path / part}.txt is missing")
    (tmp_path / f"{part}.txt").mkdir()
    assert f"{part}.txt is missing or no file" in refusal(lambda: load(tmp_path))


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_an_empty_file_is_named(tmp_path, part):
    write(tmp_path, **{part: ""})
    assert f"{part}.txt has no words" in refusal(lambda: load(tmp_path))


@pytest.mark.parametrize("blank", ["\n\n \n", b"\xef\xbb\xbf"])
def test_a_file_of_blank_lines_is_named(tmp_path, blank):
    for part in ("train", "valid", "test"):
        write(tmp_path, **{part: blank})
        assert f"{part}.txt has no words" in refusal(lambda: load(tmp_path))


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_what_is_no_utf_8_is_named_with_its_line(tmp_path, part):
    write(tmp_path, **{part: b"good words\nmore\nbad \xe9t\xe9\nx\n"})
    message = refusal(lambda: load(tmp_path))
    assert f"{part}.txt, line 3: no valid UTF-8" in message
    assert "at its byte 5" in message and "save" in message


def test_a_line_of_the_limit_is_read_and_a_longer_one_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "LINE_LIMIT", 12)
    for end in (b"\n", b""):
        write(tmp_path, train=b"short\nword another" + end, test="cat\n")
        assert load(tmp_path).train.size == 5
        write(tmp_path, train=b"short\nword anothers" + end, test="cat\n")
        message = refusal(lambda: load(tmp_path))
        assert "train.txt, line 2: longer than 12 bytes" in message
        assert "break the text into lines" in message


def test_a_huge_line_is_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "LINE_LIMIT", 1000)
    write(tmp_path)
    with (tmp_path / "train.txt").open("wb") as file:
        file.truncate(2**26)  # 64 MiB of nothing that take no room on disk
    tracemalloc.start()
    try:
        message = refusal(lambda: load(tmp_path))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "line 1: longer than 1,000" in message
    assert most < 2**24


@pytest.mark.parametrize("train", ["word word\nword\n", "word <unk> <eos>\n"])
def test_one_word_is_no_vocabulary(tmp_path, train):
    write(tmp_path, train=train)
    message = refusal(lambda: load(tmp_path))
    assert "at least 2 different words" in message and "received 1" in message


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may all"
)
def test_a_file_without_leave_to_read(tmp_path):
    (write(tmp_path) / "test.txt").chmod(0)
    assert "test.txt cannot be read" in refusal(lambda: load(tmp_path))


def test_a_file_that_goes_away(tmp_path):
    data = load(write(tmp_path))
    (tmp_path / "test.txt").unlink()
    assert "test.txt cannot be read: No such" in refusal(data.load_test)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused_by_name(tmp_path, encoding):
    write(tmp_path, valid="good words\nmore\n".encode(encoding))
    message = refusal(lambda: load(tmp_path))
    assert "valid.txt" in message and "UTF-16" in message and "as UTF-8" in message


def test_nul_is_refused_with_its_line(tmp_path):
    write(tmp_path, train=b"a b\nc \0d\n")
    assert "train.txt, line 2: NUL at its byte 3" in refusal(lambda: load(tmp_path))


def test_lines_that_end_in_carriage_returns_alone(tmp_path):
    write(tmp_path, train=b"a b\rc d\re f\r")
    message = refusal(lambda: load(tmp_path))
    assert "line 1: lines end in carriage returns alone" in message
    write(tmp_path, train=b"a b\r\nc d\r\n")
    assert load(tmp_path).train.size == 6


def test_ends_of_lines_that_are_read_as_blanks_are_said(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(
        "absl.logging.warning", lambda text, *args: said.append(text % args)
    )
    train = "a b\nc\u2028d\u2028e\x85f\n\ufeffg\n"
    write(tmp_path, train=train, valid="a b\n", test="b\n")
    data = load(tmp_path)
    assert data.vocabulary.words[:3] == ("a", "b", "<eos>")
    assert "\ufeffg" in data.vocabulary and data.train.size == 10
    (line,) = said
    assert "train.txt: inside of lines are 2 U+2028 (first in line 2), 1 U+0085" in line
    assert "1 U+FEFF (first in line 3)" in line
    data.load_test()
    assert len(said) == 1


@pytest.mark.parametrize(
    "parts, words",
    [
        ({"valid": TRAIN}, "valid.txt has the words of train.txt"),
        ({"test": VALID}, "test.txt has the words of valid.txt"),
        ({"test": TRAIN}, "test.txt has the words of train.txt"),
        ({"valid": "a big cow\n"}, "valid.txt: 3 of 4 words are not in train.txt"),
        ({"test": "a big cow\n"}, "test.txt: 3 of 4 words are not in train.txt"),
        ({"train": f"the cow <eos>\nsat {EOS}\na dog\n"}, "a written <eos>: 2."),
    ],
)
def test_parts_that_make_a_perplexity_mean_less_are_said(
    tmp_path, monkeypatch, parts, words
):
    said = []
    monkeypatch.setattr(
        "absl.logging.warning", lambda text, *args: said.append(text % args)
    )
    load(write(tmp_path)).load_test()
    assert not said
    load(write(tmp_path, **parts)).load_test()
    (line,) = said
    assert words in line


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_the_fingerprint_changes_with_every_part(tmp_path, part):
    first = load(write(tmp_path)).fingerprint
    assert first == load(write(tmp_path)).fingerprint and len(first) == 16
    assert load(write(tmp_path, **{part: "the cat cat\n"})).fingerprint != first
