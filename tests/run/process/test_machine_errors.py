"""Real errors of a full device, by Python's file and by TensorFlow's.

How a program ends with them: test_cli.py.
"""

from __future__ import annotations

import errno
import os
import tempfile

import pytest
import tensorflow as tf

from darts_tf import reading
from darts_tf.run.process import machine_errors

FULL = "/dev/full"


def by_python():
    with open(FULL, "wb") as stream:
        stream.write(b"x")


def by_tensorflow():
    with tf.io.gfile.GFile(FULL, "wb") as stream:
        stream.write(b"x")


@pytest.mark.skipif(not os.path.exists(FULL), reason=f"needs {FULL}")
@pytest.mark.parametrize("write", [by_python, by_tensorflow])
def test_a_full_device(write):
    with pytest.raises((OSError, tf.errors.OpError)) as error:
        write()
    line = machine_errors.line(error.value)
    assert "No space left on device; make room" in line
    assert "memory" not in line and "\n" not in line


@pytest.mark.parametrize("number", [errno.EDQUOT, errno.EROFS, errno.EPERM])
def test_the_file_is_named(number):
    error = OSError(number, os.strerror(number), "/runs/a b.npz")
    line = machine_errors.line(error)
    assert line.startswith(f"/runs/a b.npz: {os.strerror(number)}; ")


def test_no_folder_for_temporary_files(monkeypatch):
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/none"])
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(FileNotFoundError) as raised:
        tempfile.gettempdir()
    line = machine_errors.line(raised.value)
    assert "/proc/none" in line and line.endswith("in which you may write")
    assert "set TMPDIR" in line


def test_want_of_memory_on_an_accelerator_says_how_much():
    error = tf.errors.ResourceExhaustedError(
        None, None, "OOM when allocating tensor with shape[9,9]\nlong list"
    )
    line = machine_errors.line(error)
    assert line.startswith("out of memory; lower the batch size")
    assert "shape[9,9]" in line and "long list" not in line


def records(path):
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"x" * 100)
    return tf.data.TFRecordDataset(str(path))


def test_a_damaged_file_of_a_data_set_and_one_that_is_gone(tmp_path):
    path = tmp_path / "a"
    dataset = records(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(tf.errors.DataLossError) as damaged:
        next(iter(dataset))
    path.unlink()
    with pytest.raises(tf.errors.NotFoundError) as gone:
        next(iter(dataset))
    for error, word in ((damaged, "record at 0"), (gone, str(path))):
        line = machine_errors.line(error.value)
        assert line.startswith("a file of the data set cannot be read (")
        assert word in line and "{{" not in line and "\n" not in line


@pytest.mark.parametrize(
    "error",
    [
        ValueError("No space left on device"),
        OSError("no number"),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
        tf.errors.InvalidArgumentError(None, None, "Permission denied"),
        tf.errors.NotFoundError(None, None, "no such checkpoint"),
    ],
)
def test_other_errors_are_left_to_the_traceback(error):
    assert machine_errors.line(error) is None


@pytest.mark.parametrize(
    "name",
    ["EIO", "ESTALE", "EFBIG", "EMFILE", "ENFILE", "ENOENT", "ENOTDIR", "EEXIST"],
)
def test_what_a_machine_can_refuse_is_one_line_with_a_remedy(name):
    number = getattr(errno, name)
    line = machine_errors.line(OSError(number, os.strerror(number), "/runs/a"))
    assert line.startswith(f"/runs/a: {os.strerror(number)}; ")
    assert line.endswith("then repeat the same command, which keeps what was saved")


def test_a_fifo_in_the_place_of_a_file_is_named(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError) as caught:
        reading.read_bytes(tmp_path / "fifo")
    line = machine_errors.line(caught.value)
    assert "fifo: is a FIFO (named pipe), not a regular file; move it away" in line
