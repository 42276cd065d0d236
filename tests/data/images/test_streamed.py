"""Sets whose images stay in TFDS's files: what is found, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.data import available_memory
from darts_tf.data.images import splits
from darts_tf.data.images.loading import load_images
from darts_tf.data.images.streamed import StreamedPart
from darts_tf.errors import InputError
from tests import imagenet

pytest.importorskip("tensorflow_datasets")
pytestmark = pytest.mark.usefixtures("offline")


def load(folder, **more):
    return load_images(
        "imagenet2012",
        data_dir=str(folder),
        stream=True,
        **{"image_size": 8} | more,
    )


def refusal(*arguments, **more) -> str:
    with pytest.raises(InputError) as caught:
        load(*arguments, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """20 and 9 images, and 5 whose labels are hidden."""
    counts = {"train": 20, "validation": 9, "test": 5}
    return imagenet.prepare(tmp_path_factory.mktemp("imagenet"), counts)


def test_the_test_part_is_the_split_that_has_labels(folder):
    data = load(folder)
    test = data.load_test()
    assert data.image_shape == (8, 8, 3) and data.num_classes == 1000
    for part, count in ((data.train, 20), (test, 9)):
        assert isinstance(part, StreamedPart) and part.size == count
        assert len(part.paths) == 3 and set(part.files) == {0, 1, 2}
        expected = imagenet.label_of(np.arange(count))
        assert sorted(part.labels) == list(expected)
        assert part.labels.dtype == np.int32
    assert not set(data.train.paths) & set(test.paths)


def test_a_set_without_a_test_part_keeps_a_fifth_for_it(tmp_path):
    """A class has one image here, which cannot be divided."""
    folder = imagenet.prepare(tmp_path, {"train": 20})
    assert "too few for parts of 0.8, 0.2" in refusal(folder)


def test_it_need_not_fit_in_memory(folder, monkeypatch):
    monkeypatch.setattr(available_memory, "available_memory", lambda: 100)
    data = load(folder)
    assert data.train.nbytes == 20 * 16  # nothing that grows with images
    with pytest.raises(InputError, match="or `stream` to read") as caught:
        load_images("imagenet2012", data_dir=folder, image_size=8)
    assert "20 images of 8x8x3" in str(caught.value)


def test_parts_of_it_are_in_the_same_files(folder):
    whole = load(folder).train
    some, others = (whole.take(np.arange(k, 20, 2)) for k in (0, 1))
    both = some.concatenate(others)
    order = np.argsort(both.labels)
    np.testing.assert_array_equal(both.labels[order], np.sort(whole.labels))
    same = np.argsort(whole.labels)
    for name in ("files", "places"):
        np.testing.assert_array_equal(
            getattr(both, name)[order], getattr(whole, name)[same]
        )
    assert both.image_shape == whole.image_shape and both.crop


def test_images_of_several_sizes_need_an_image_size(folder):
    message = refusal(folder, image_size=None)
    assert "several sizes" in message and "`image_size`" in message


def test_what_is_held_in_memory_is_not_streamed():
    for name in ("digits", "folder", "imagenet16_120"):
        with pytest.raises(InputError, match="`stream` is for the sets of"):
            load_images(name, stream=True)


def test_a_file_that_is_cut_off_is_refused_at_the_start(tmp_path):
    folder = imagenet.prepare(tmp_path, {"train": 6, "validation": 3})
    file = next(tmp_path.glob("*/*/*-validation.*-00001-of-00003"))
    file.write_bytes(file.read_bytes()[:-9])
    message = refusal(folder)
    assert "'validation' cannot be read" in message
    assert "prepare the set again" in message
    file.unlink()
    assert "'validation' cannot be read" in refusal(folder)


def test_training_labels_that_are_hidden_are_refused(folder, monkeypatch):
    monkeypatch.setattr(
        splits.Streamed, "labelled", lambda self, split: split == "test"
    )
    assert "without a label" in refusal(folder)


def test_another_format_of_files_is_refused(folder, monkeypatch):
    import tensorflow_datasets as tfds

    monkeypatch.setattr(
        tfds.core.DatasetInfo,
        "file_format",
        property(lambda self: tfds.core.FileFormat.ARRAY_RECORD),
    )
    assert "prepared as array_record; prepare it as tfrecord" in refusal(folder)
