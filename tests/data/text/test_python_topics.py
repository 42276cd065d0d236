"""Python's own help as text: its size, its parts, and what they share."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from darts_tf.data.text import python_topics
from darts_tf.data.text.loading import UNKNOWN, load_text
from tests.data.refusal import refusal


@pytest.fixture(scope="module")
def topics():
    return load_text("python_topics")


def test_python_topics(topics):
    test, unknown = topics.load_test()
    size = topics.vocabulary.size
    assert 1500 < size < 4000
    assert 50_000 < topics.train.size
    whole = topics.train.size + topics.valid.size + test.size
    for tokens in (topics.valid, test):
        assert 0.08 < tokens.size / whole < 0.13
    for tokens in (topics.train, topics.valid, test):
        assert tokens.dtype == np.int32
        assert 0 <= tokens.min() and tokens.max() < size
    number = topics.vocabulary.index(UNKNOWN)
    assert topics.unknown == {"valid": np.sum(topics.valid == number)}
    assert unknown == np.sum(test == number)
    assert np.all(np.delete(np.bincount(topics.train), number) >= 2)


def test_python_topics_are_the_same_each_time(topics):
    again = load_text("python_topics")
    assert again.vocabulary == topics.vocabulary
    np.testing.assert_array_equal(again.train, topics.train)
    np.testing.assert_array_equal(again.valid, topics.valid)


def test_parts_of_python_topics_share_no_line():
    lines = python_topics.distinct_lines(python_topics._topics())
    parts = python_topics.divide(lines)
    whole = [line for part in parts.values() for line in part]
    assert len(set(whole)) == len(whole) == sum(map(len, lines.values()))
    assert sorted(parts) == ["test", "train", "valid"] and all(parts.values())


def test_a_line_stays_in_the_shortest_topic_that_has_it():
    quoted = "Title\n*****\n\nSee  A.b(x)[...] now.\nAnd\nmore."
    found = python_topics.distinct_lines(
        {"all": f"{quoted}\n\nNot quoted.", "one": quoted}
    )
    assert list(found) == ["one", "all"]
    assert [" ".join(line) for line in found["one"]] == [
        "title",
        "see a . b ( x ) [ ... ] now .",
        "and more .",
    ]
    assert found["all"] == [("not", "quoted", ".")]


def test_python_topics_read_no_folder(tmp_path):
    message = refusal(lambda: load_text("python_topics", str(tmp_path)))
    assert "leave `data_dir` out" in message


def test_a_python_without_topics(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    message = refusal(lambda: load_text("python_topics"))
    assert "installed without" in message
