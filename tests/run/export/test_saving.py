"""An export is put in place as a whole, or the old one stays."""

from __future__ import annotations

import os

import pytest
from absl import logging

from darts_tf.errors import InputError
from darts_tf.run.export import saving


def writes(word):
    """Returns a writer of an export that holds a word."""

    def write(scratch, new):
        assert scratch.is_dir() and new.parent == scratch
        (new / "assets").mkdir(parents=True)
        (new / "saved_model.pb").write_text(word)
        (new / "assets" / "metadata.json").write_text("{}")

    return write


def fails(scratch, new):
    """Fails in the middle of an export."""
    new.mkdir()
    (new / "saved_model.pb").write_text("a half")
    raise KeyError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_later_export_takes_the_place_of_an_earlier_one(tmp_path):
    folder = tmp_path / "runs" / "export"
    for word in ("first", "second"):
        assert saving.place(folder, writes(word)) == folder
        assert (folder / "saved_model.pb").read_text() == word
        assert names(folder.parent) == ["export"]


def test_what_fails_leaves_everything_as_it_was(tmp_path):
    folder = tmp_path / "export"
    with pytest.raises(KeyError):
        saving.place(folder, fails)
    assert names(tmp_path) == []
    saving.place(folder, writes("first"))
    with pytest.raises(KeyError):
        saving.place(folder, fails)
    assert names(tmp_path) == ["export"]
    assert (folder / "saved_model.pb").read_text() == "first"


def test_a_disk_that_refuses_a_write_names_the_folder(tmp_path):
    """OSError of a write has no file's name."""

    def write(scratch, new):
        os.write(full, b"a")

    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(OSError, match=r"No space left on device: '.*/export'"):
            saving.place(tmp_path / "export", write)
    finally:
        os.close(full)
    assert names(tmp_path) == []


def test_what_is_no_export_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(InputError, match="is no export; give another folder"):
        saving.place(tmp_path, writes("first"))
    assert names(tmp_path) == ["thesis.txt"]


def test_an_empty_folder_is_taken_and_a_file_is_not(tmp_path):
    (tmp_path / "empty").mkdir()
    saving.place(tmp_path / "empty", writes("first"))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is no export"):
        saving.place(tmp_path / "file", writes("first"))


def test_metadata_is_json_or_one_line():
    assert saving.as_json({"b": 1, "a": [None]}).startswith('{\n "a"')
    for wrong in (float("nan"), {1, 2}):
        with pytest.raises(InputError, match="what JSON can hold"):
            saving.as_json({"a": wrong})


def test_loggers_are_as_before_also_after_an_error():
    before = logging.get_verbosity()
    with pytest.raises(KeyError), saving.quiet_loggers():
        assert logging.get_verbosity() <= logging.WARNING
        raise KeyError
    assert logging.get_verbosity() == before
