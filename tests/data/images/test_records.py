"""Places and labels of examples, against TensorFlow's own reading."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.images.records import LOOK, find_examples
from darts_tf.data.images.streamed import record_at


def example(label, size, packed=True) -> bytes:
    """A tf.train.Example with `size` bytes of an image."""
    feature = {
        "image": tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[b"\x0a" * size])
        ),
        "score": tf.train.Feature(float_list=tf.train.FloatList(value=[0.5, 1.5])),
        "size": tf.train.Feature(int64_list=tf.train.Int64List(value=[7, 8, 9])),
        "none": tf.train.Feature(int64_list=tf.train.Int64List()),
    }
    if packed:
        feature["label"] = tf.train.Feature(
            int64_list=tf.train.Int64List(value=[label])
        )
        return tf.train.Example(
            features=tf.train.Features(feature=feature)
        ).SerializeToString()
    # As other writers may have it, by hand: the last field, not packed.
    entry = b"\x0a\x05label\x12\x04\x1a\x02\x08" + bytes([label])
    return b"\x0a" + bytes([len(entry) + 2]) + b"\x0a" + bytes([len(entry)]) + entry


def written(path, examples) -> str:
    with tf.io.TFRecordWriter(str(path)) as writer:
        for serialized in examples:
            writer.write(serialized)
    return str(path)


def test_every_example_of_several_files(tmp_path):
    sizes = [0, 1, LOOK - 40, LOOK, 3 * LOOK, 200_000, 130]
    labels = [0, 1, 127, 128, 999, -1, 2**40]
    found = [example(*row) for row in zip(labels, sizes)]
    paths = [
        written(tmp_path / "a", found[:3]),
        written(tmp_path / "empty", []),
        written(tmp_path / "b", found[3:]),
    ]
    files, places, numbers = find_examples(paths, "label")
    np.testing.assert_array_equal(files, [0, 0, 0, 2, 2, 2, 2])
    np.testing.assert_array_equal(numbers, labels)
    for file, place, expected in zip(files, places, found):
        record = record_at(tf.constant(paths[file]), tf.constant(place, tf.int64))
        assert record.numpy() == expected


def test_numbers_that_are_not_packed(tmp_path):
    path = written(tmp_path / "a", [example(5, 0, packed=False)] * 2)
    np.testing.assert_array_equal(find_examples([path], "label")[2], [5, 5])


@pytest.mark.parametrize("key", ["labels", "image", "score", "none"])
def test_a_number_that_is_not_there(tmp_path, key):
    path = written(tmp_path / "a", [example(5, 3)])
    with pytest.raises(ValueError, match=f"no number '{key}'"):
        find_examples([path], key)


@pytest.mark.parametrize("left", [-1, -5, -300, 5, 20])
def test_a_file_that_is_cut_off(tmp_path, left):
    path = tmp_path / "a"
    written(path, [example(1, 1000), example(2, 1000)])
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(ValueError, match="ends in the middle"):
        find_examples([str(path)], "label")


def test_what_is_no_example(tmp_path):
    path = written(tmp_path / "a", [b"\xff" * 40])
    with pytest.raises(ValueError, match="no tf.train.Example"):
        find_examples([path], "label")


def test_what_changed_since_is_noticed(tmp_path):
    path = tmp_path / "a"
    written(path, [example(1, 1000)])
    data = bytearray(path.read_bytes())
    data[500] ^= 1
    path.write_bytes(data)
    with pytest.raises(tf.errors.DataLossError):
        record_at(tf.constant(str(path)), tf.constant(0, tf.int64))
