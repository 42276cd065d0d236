"""Checks what an export says about its images, and how its example reads a file."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from darts_tf.data.images import decode_and_crop
from darts_tf.data.images.folder import load_folder
from darts_tf.errors import InputError
from darts_tf.run.export.image_input import ImageInput, input_of


def read(takes: ImageInput) -> np.ndarray:
    """Runs the example's lines that read a file."""
    names: dict = {}
    opening = "import numpy as np\nimport tensorflow as tf\n"
    exec(opening + "from PIL import Image, ImageOps\n" + takes.reading(), names)
    return np.asarray(names["images"])


def photo(path, height, width, mode="RGB"):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return str(path)


def test_a_file_is_read_as_the_folder_is(tmp_path):
    """Also one that lies on its side (EXIF), and grey ones."""
    for mode, channels in (("RGB", 3), ("L", 1)):
        root = tmp_path / mode
        for name in ("a", "b"):
            (root / "train" / name).mkdir(parents=True)
            (root / "test" / name).mkdir(parents=True)
            photo(root / "train" / name / "1.png", 9, 7, mode)
            photo(root / "test" / name / "1.png", 12, 9, mode)
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.open(root / "test/a/1.png").save(root / "test/a/1.png", exif=exif)
        data = load_folder(str(root), 6)
        assert (data.scaling, data.image_shape) == ("whole", (6, 6, channels))
        zeros = [0.0] * channels
        takes = ImageInput(
            data.image_shape, zeros, [1.0] * channels, data.scaling, data.example_file
        )
        np.testing.assert_array_equal(read(takes)[0], data.load_test().images[0])


def test_a_file_is_read_as_a_streamed_set_is(tmp_path):
    path = photo(tmp_path / "a.png", 41, 30)
    wanted = decode_and_crop.read_image(
        tf.io.read_file(path), decode_and_crop.centre, (16, 16, 3)
    )
    takes = ImageInput((16, 16, 3), [0.0] * 3, [1.0] * 3, "centre", path)
    np.testing.assert_array_equal(read(takes)[0], wanted)


def test_without_scaling_a_file_is_read_as_it_is(tmp_path):
    path = photo(tmp_path / "a.png", 8, 6, "L")
    takes = ImageInput((8, 6, 1), [0.0], [1.0], "none", path)
    assert read(takes).shape == (1, 8, 6, 1)
    assert "grey" in takes.description() and "[batch, 8, 6, 1]" in takes.description()
    nothing = ImageInput((8, 6, 1), [0.0], [1.0])
    assert "'image.png')  # yours" in nothing.reading()
    odd = ImageInput((2, 2, 5), [0.0] * 5, [1.0] * 5)
    assert read(odd).shape == (1, 2, 2, 5) and odd.colour == "5 channels"


@pytest.mark.parametrize(
    "flags, scaling",
    [
        ({"image_size": None, "stream": False}, "none"),
        ({"image_size": 32, "stream": False}, "whole"),
        ({"image_size": 32, "stream": True}, "centre"),
    ],
)
def test_older_results_scale_as_their_flags_say(flags, scaling):
    data = {"image_shape": [2, 2, 1], "mean": [0.0], "std": [1.0]}
    assert input_of(data, flags, None).scaling == scaling
    assert input_of(data | {"scaling": "none"}, flags, None).scaling == "none"


def test_values_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="C means"):
        ImageInput((2, 2, 3), [0.0], [1.0])
    with pytest.raises(InputError, match="positive"):
        ImageInput((2, 2, 1), [0.0], [0.0])
