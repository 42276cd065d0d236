"""The public constructors: by name, from arrays, folders, datasets and text."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import darts_tf.data as data_sets
from darts_tf.data import available_memory
from darts_tf.data.images.dataset import split_off_test
from tests.data.refusal import refusal

LABELS = np.arange(30) % 3
IMAGES = np.random.default_rng(0).integers(0, 256, (30, 4, 5, 3), np.uint8)


def test_importing_loads_no_tensorflow_and_text_needs_none(tmp_path):
    for part in ("train", "valid", "test"):
        (tmp_path / f"{part}.txt").write_text("a b\n")
    script = (
        "import sys, darts_tf.data as d\n"
        f"print(d.from_text({str(tmp_path)!r}), d.TextData.__name__)\n"
        "assert set(d.__all__) <= set(dir(d))\n"
        "assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "TextData('text_folder', 3 training and 3 validation words, vocabulary of 4) "
        "TextData\n"
    )


def test_an_unknown_attribute_is_no_constructor():
    with pytest.raises(AttributeError, match="from_nowhere"):
        _ = data_sets.from_nowhere


def test_sets_by_name():
    digits = data_sets.load("digits", image_size=6)
    assert repr(digits) == "ImageData('digits', 1,438 images 6x6x1, 10 classes)"
    assert repr(digits.train) == "Part(1,438 images 6x6x1)"
    assert isinstance(digits, data_sets.ImageData) and digits.fingerprint is None
    topics = data_sets.load("python_topics")
    assert isinstance(topics, data_sets.TextData) and topics.fingerprint is None


def test_a_folder_of_images_by_path_and_by_name(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(5):
            Image.fromarray(IMAGES[i]).save(tmp_path / name / f"{i}.png")
    first = data_sets.from_folder(tmp_path)
    again = data_sets.load("folder", data_dir=tmp_path)
    assert first.class_names == again.class_names == ("cat", "dog")
    np.testing.assert_array_equal(first.train.images, again.train.images)
    assert data_sets.from_folder(tmp_path, image_size=2).image_shape == (2, 2, 3)


def test_arrays_are_split_as_folders_are():
    data = data_sets.from_arrays(IMAGES, LABELS)
    train, test = split_off_test(LABELS)
    np.testing.assert_array_equal(data.train.images, IMAGES[train])
    np.testing.assert_array_equal(data.load_test().images, IMAGES[test])
    np.testing.assert_array_equal(data.load_test().labels, LABELS[test])
    assert data.class_names == ("0", "1", "2") and data.image_shape == (4, 5, 3)
    assert repr(data) == "ImageData('arrays', 24 images 4x5x3, 3 classes)"


def test_a_given_test_part_is_taken_and_all_others_train():
    names = ["a", "b", "c"]
    data = data_sets.from_arrays(
        IMAGES, LABELS[:, np.newaxis], test=(IMAGES[:2], [2, 2]), class_names=names
    )
    np.testing.assert_array_equal(data.train.images, IMAGES)
    np.testing.assert_array_equal(data.train.labels, LABELS)
    np.testing.assert_array_equal(data.load_test().labels, [2, 2])
    assert data.class_names == ("a", "b", "c")
    assert data.train.labels.dtype == np.int32


def test_arrays_are_copied():
    images = IMAGES.copy()
    data = data_sets.from_arrays(images, LABELS, test=(images, LABELS))
    images[:] = 0
    np.testing.assert_array_equal(data.train.images, IMAGES)


@pytest.mark.parametrize(
    "x",
    [
        IMAGES.astype(np.int64),
        IMAGES / 255,
        (IMAGES / 255).astype(np.float32),
        (IMAGES / 255).astype(np.float16),
        tf.constant(IMAGES),
        IMAGES.tolist(),
    ],
    ids=["int64", "float64", "float32", "float16", "tensor", "lists"],
)
def test_pixels_of_other_types_become_the_same_bytes(x):
    data = data_sets.from_arrays(x, LABELS)
    plain = data_sets.from_arrays(IMAGES, LABELS)
    np.testing.assert_array_equal(data.train.images, plain.train.images)
    assert data.train.images.dtype == np.uint8
    assert data.fingerprint == plain.fingerprint


def test_grey_images_get_a_channel():
    data = data_sets.from_arrays(IMAGES[..., 0], LABELS)
    assert data.image_shape == (4, 5, 1)


def test_the_fingerprint_changes_with_every_part_of_the_contents():
    def fingerprint(x=IMAGES, y=LABELS, test=(IMAGES, LABELS), names=("a", "b", "c")):
        return data_sets.from_arrays(x, y, test=test, class_names=names).fingerprint

    other, order = IMAGES.copy(), LABELS.copy()
    other[3, 2, 1, 0] ^= 1
    order[[0, 1]] = order[[1, 0]]
    different = [
        fingerprint(),
        fingerprint(x=other),
        fingerprint(y=order),
        fingerprint(test=(other, LABELS)),
        fingerprint(test=(IMAGES, order)),
        fingerprint(names=("a", "b", "d")),
        fingerprint(
            x=IMAGES.reshape(30, 5, 4, 3), test=(IMAGES.reshape(30, 5, 4, 3), LABELS)
        ),
    ]
    assert len(set(different)) == len(different)
    assert fingerprint() == different[0]


def changed(value) -> np.ndarray:
    """Images as floats in [0, 1], one of their values replaced."""
    x = IMAGES / 255
    x[7, 1, 2, 0] = value
    return x


@pytest.mark.parametrize(
    "x, words",
    [
        (changed(np.nan), "`x` has values that are NaN or infinite"),
        (changed(np.inf), "NaN or infinite"),
        (changed(-0.1), "floats from -0.1 to 1"),
        (IMAGES.astype(np.float32), "divide by 255"),
        (IMAGES.astype(int) + 1, "whole numbers from 1 to 256; give pixels 0 to 255"),
        (IMAGES.astype(int) - 1, "from -1 to 254"),
        (IMAGES > 3, "received bool"),
        (IMAGES * 1j, "received complex128"),
        (np.full((30, 4, 5, 3), "a"), "from_text"),
        ([["words"]] * 30, "must have shape"),
        ([IMAGES[0], IMAGES[1, 1:]], "`x` is no array"),
        (IMAGES[0, 0], "[N, H, W, C]"),
        (IMAGES[np.newaxis], "received [1, 30, 4, 5, 3]"),
        (IMAGES[:0], "`x` is empty"),
        (IMAGES[:, :0], "`x` is empty"),
        (IMAGES[:29], "29 images and `y` 30 labels"),
        (np.moveaxis(IMAGES, -1, 1).repeat(2, 3), "channels before height and width"),
        (IMAGES[:, None, :, :4, 0].repeat(2, 3).repeat(2, 2), "numpy.moveaxis"),
        (IMAGES / 255 / 255, "divided by 255 twice?"),
        ((image for image in IMAGES), "`x` is no array (generator)"),
        (None, "`x` is no array (NoneType)"),
        ({"x": IMAGES}, "`x` is no array (dict)"),
        (np.ma.masked_greater(IMAGES, 100), "masked values"),
    ],
)
def test_bad_images_are_refused_in_one_line(x, words):
    assert words in refusal(lambda: data_sets.from_arrays(x, LABELS))


@pytest.mark.parametrize(
    "y, words",
    [
        (LABELS.astype(float), "`y` must hold class numbers"),
        (LABELS > 1, "received bool"),
        (LABELS.astype(str), "return_inverse=True"),
        (iter(LABELS), "`y` is no array"),
        (LABELS - 1, "labels from -1 to 1; number the classes from 0"),
        (LABELS + 1, "no image has label 0"),
        (LABELS * 10**6, "no image has label 1;"),
        (LABELS * 2**40, "number the classes from 0"),
        (LABELS * 0, "all labels are 0; classification needs at least two"),
        (np.eye(3, dtype=int)[LABELS], "y.argmax(1)"),
        (LABELS[:, None, None], "[N] or [N, 1]"),
        (LABELS[:20], "30 images and `y` 20 labels"),
        (LABELS[:0], "0 labels"),
        (np.minimum(np.arange(30), 1), "class '0' has 1 examples, too few to cut"),
    ],
)
def test_bad_labels_are_refused_in_one_line(y, words):
    assert words in refusal(lambda: data_sets.from_arrays(IMAGES, y))


@pytest.mark.parametrize(
    "more, words",
    [
        ({"class_names": ["a", "b"]}, "`class_names` has 2; labels must be 0 to 1"),
        ({"class_names": ["a", "b", "a"]}, "a name twice"),
        ({"class_names": "abc"}, "one string a class"),
        ({"class_names": 3}, "one string a class"),
        ({"class_names": [0, 1, 2]}, "one string a class"),
        ({"class_names": ["a", "b", "\x1b[31m"]}, "cannot be printed"),
        ({"class_names": ["a", "b", " "]}, "is blank"),
        ({"test": IMAGES}, "`test` must be a pair (x, y)"),
        ({"test": (IMAGES, LABELS, 1)}, "`test` must be a pair (x, y)"),
        ({"test": (IMAGES[:, 1:], LABELS)}, "images of [3, 5, 3]"),
        ({"test": (IMAGES, LABELS + 1)}, "`test` has label 3, but there are 3"),
        ({"test": (IMAGES[:0], LABELS[:0])}, "test `x` is empty"),
        ({"test": (IMAGES, LABELS[:4])}, "test `y` 4 labels"),
        ({"test": (IMAGES / 9, LABELS)}, "test `x` has floats"),
    ],
)
def test_bad_names_and_test_parts_are_refused_in_one_line(more, words):
    assert words in refusal(lambda: data_sets.from_arrays(IMAGES, LABELS, **more))


def test_signals_of_one_row_are_no_channels():
    assert (
        data_sets.from_arrays(IMAGES.reshape(30, 1, 6, 10), LABELS).image_shape[0] == 1
    )


def test_copies_and_classes_without_a_test_are_said(caplog):
    x = np.concatenate([IMAGES, IMAGES[:6]])
    y = np.concatenate([LABELS, LABELS[1:7]])
    rows = [0, 3, 3]
    changed = np.array([1, 0, 0], np.uint8)[:, None, None, None]
    data_sets.from_arrays(x, y, test=(IMAGES[rows] ^ changed, LABELS[rows]))
    said = [record.getMessage() for record in caplog.records]
    assert [line.split(";")[0] for line in said] == [
        "test images with the pixels of a training image: 2 of 3",
        "images that are there in several classes: 6",
        "the test part has no image of class '1', '2'",
    ]
    caplog.clear()
    data_sets.from_arrays(IMAGES, LABELS)
    assert not caplog.records


def test_names_may_be_of_classes_that_no_image_has():
    data = data_sets.from_arrays(IMAGES, LABELS * 2, class_names=list("abcde"))
    assert data.num_classes == 5


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: data_sets.load(IMAGES), "received ndarray (arrays: from_arrays"),
        (
            lambda: data_sets.load("python_topics", stream=True),
            "`stream` is for images",
        ),
        (lambda: data_sets.load("text_folder", image_size=8), "`image_size`"),
        (lambda: data_sets.load("digits", image_size=8.0), "whole number"),
        (lambda: data_sets.load("digits", image_size=True), "whole number"),
        (lambda: data_sets.from_tfds("python_topics"), "give it to load()"),
        (lambda: data_sets.load("digits", stream="no"), "`stream` must be True or"),
        (lambda: data_sets.from_tfds("mnist", download="no"), "`download` must be"),
        (lambda: data_sets.load("python_topic"), "closest: python_topics"),
        (lambda: data_sets.from_tfds("digits"), "give it to load()"),
        (lambda: data_sets.from_tfds(None), "received NoneType"),
        (lambda: data_sets.load("digits", image_size="8"), "received '8'"),
        (lambda: data_sets.from_folder("nowhere"), "`path=nowhere` is no folder"),
        (lambda: data_sets.from_folder(__file__), "is no folder (unpack it first)"),
        (lambda: data_sets.from_folder(IMAGES), "from_arrays"),
        (lambda: data_sets.from_text("nowhere"), "`path=nowhere` is no folder"),
    ],
)
def test_bad_calls_are_refused_in_one_line(call, words):
    assert words in refusal(call)


def test_text_given_as_images_and_images_given_as_text(tmp_path):
    for part in ("train", "valid", "test"):
        (tmp_path / f"{part}.txt").write_text("a b\n")
    assert "from_text" in refusal(lambda: data_sets.from_folder(tmp_path))
    (tmp_path / "train.txt").unlink()
    assert "train.txt" in refusal(lambda: data_sets.from_text(tmp_path))


PAIRS = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS))
PLAIN = data_sets.from_arrays(IMAGES, LABELS)


@pytest.mark.parametrize(
    "dataset",
    [
        PAIRS,
        PAIRS.batch(7),
        PAIRS.batch(10, drop_remainder=True),
        PAIRS.batch(40),
        PAIRS.batch(4).map(lambda x, y: (tf.cast(x, tf.float32) / 255, y[:, None])),
        PAIRS.map(lambda x, y: (x, tf.cast(y, tf.uint8)[None])),
        PAIRS.filter(lambda x, y: True).apply(
            tf.data.experimental.assert_cardinality(30)
        ),
        tf.data.Dataset.from_generator(
            lambda: iter(zip(IMAGES, LABELS)),
            output_signature=(
                tf.TensorSpec([4, 5, 3], tf.uint8),
                tf.TensorSpec([], tf.int64),
            ),
        ).apply(tf.data.experimental.assert_cardinality(30)),
    ],
    ids=str,
)
def test_datasets_give_what_arrays_give(dataset):
    data = data_sets.from_dataset(dataset)
    assert data.fingerprint == PLAIN.fingerprint and data.name == "dataset"
    np.testing.assert_array_equal(data.train.images, PLAIN.train.images)
    np.testing.assert_array_equal(data.train.labels, PLAIN.train.labels)
    assert data.load_test().size == 6


@pytest.mark.parametrize("batch_size", [None, 7, 4])
def test_grey_datasets_get_a_channel(batch_size):
    dataset = PAIRS.map(lambda x, y: (x[..., 0], y))
    if batch_size:
        dataset = dataset.batch(batch_size, drop_remainder=batch_size == 4)
    data = data_sets.from_dataset(dataset, test=PAIRS.map(lambda x, y: (x[..., :1], y)))
    assert data.image_shape == (4, 5, 1)
    expected = IMAGES[: data.train.size, ..., :1]
    np.testing.assert_array_equal(data.train.images, expected)


def failing():
    """A Dataset whose third element is an error."""

    def check(x, y):
        with tf.control_dependencies(
            [tf.debugging.assert_less(y, tf.constant(2, tf.int64))]
        ):
            return tf.identity(x), y

    return PAIRS.map(check)


def unknown_rank():
    """A Dataset whose images have no static rank."""
    signature = tf.TensorSpec(None, tf.uint8), tf.TensorSpec([], tf.int64)
    pairs = tf.data.Dataset.from_generator(
        lambda: iter(zip(IMAGES, LABELS)), output_signature=signature
    )
    return pairs.apply(tf.data.experimental.assert_cardinality(30))


@pytest.mark.parametrize(
    "dataset, words",
    [
        (PAIRS.filter(lambda x, y: True), "assert_cardinality(n)"),
        (PAIRS.repeat(), "leave out repeat()"),
        (PAIRS.take(0), "`train` is empty"),
        (PAIRS.apply(tf.data.experimental.assert_cardinality(31)), "cannot be read"),
        (failing(), "`train` cannot be read"),
        (unknown_rank(), "tf.ensure_shape"),
        (PAIRS.map(lambda x, y: (x[: tf.cast(y, tf.int32) + 1], y)), "tf.ensure_shape"),
        (PAIRS.map(lambda x, y: (x[0, 0], y)), "received shapes (3,) and ()"),
        (PAIRS.map(lambda x, y: x), "received TensorSpec"),
        (PAIRS.map(lambda x, y: (x, y, y)), "received a tuple of 3"),
        (
            PAIRS.map(lambda x, y: {"image": x, "label": y}),
            "a dict of 'image', 'label'",
        ),
        (PAIRS.map(lambda x, y: (tf.strings.as_string(x), y)), "gives text"),
        (PAIRS.map(lambda x, y: (x, tf.one_hot(y, 3, dtype=tf.int32))), "argmax(1)"),
        (PAIRS.map(lambda x, y: (x, tf.one_hot(y, 4, dtype=tf.int32))), "argmax(1)"),
        (PAIRS.map(lambda x, y: (x, tf.cast(y, tf.float32))), "received float32"),
        (PAIRS.map(lambda x, y: (tf.cast(x, tf.float32), y)), "divide by 255"),
        (PAIRS.map(lambda x, y: (x, y - 1)), "labels from -1"),
        (PAIRS.map(lambda x, y: (x, y * 0)), "all labels are 0"),
        (IMAGES, "received ndarray (arrays: from_arrays)"),
    ],
)
def test_bad_datasets_are_refused_in_one_line(dataset, words):
    assert words in refusal(lambda: data_sets.from_dataset(dataset))


def test_a_bad_test_dataset_is_refused_before_training_data_are_read():
    read = []

    def count(x, y):
        tf.py_function(lambda: read.append(1), [], [])
        return x, y

    message = refusal(
        lambda: data_sets.from_dataset(PAIRS.map(count), test=PAIRS.repeat())
    )
    assert message.startswith("`test` never ends") and not read


def test_what_does_not_fit_in_memory_is_refused(monkeypatch):
    monkeypatch.setattr(available_memory, "available_memory", lambda: 2500)
    for call in (
        lambda: data_sets.from_arrays(IMAGES, LABELS),
        lambda: data_sets.from_dataset(PAIRS),
        lambda: data_sets.from_dataset(PAIRS.batch(7)),
    ):
        message = refusal(call)
        assert "images of 4x5x3" in message and "fewer or smaller images" in message
