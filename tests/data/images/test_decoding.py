"""Pixels as a viewer shows them, and files that are none; no TensorFlow."""

from __future__ import annotations

import os
import signal
import socket
import warnings

import numpy as np
import pytest
from PIL import Image

from darts_tf.data.images import decoding
from darts_tf.data.images.decoding import UnreadableImage, read_header, read_pixels

COLOURS = np.random.default_rng(0).integers(0, 256, (5, 7, 4), np.uint8)


@pytest.fixture(autouse=True)
def in_time():
    """Fails where something waits."""
    signal.alarm(20)
    yield
    signal.alarm(0)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
def test_transparency_is_laid_over_white(tmp_path, mode, ending):
    if (mode, ending) == ("LA", "webp"):
        pytest.skip("WebP knows no grey")
    image = Image.fromarray(COLOURS, "RGBA").convert(mode)
    path = tmp_path / f"a.{ending}"
    image.save(path, **({"lossless": True, "exact": True} if ending == "webp" else {}))
    rgba = np.asarray(image.convert("RGBA")).astype(float)
    alpha = rgba[..., 3:] / 255
    expected = rgba[..., :3] * alpha + 255 * (1 - alpha)
    pixels = read_pixels(path, 3)
    assert np.abs(pixels - expected).max() <= 1
    assert read_header(path).transparent
    assert read_header(path).grey == (mode == "LA")


def test_a_transparent_colour_of_a_palette_and_of_deep_grey(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.save(tmp_path / "a.png", transparency=1)
    assert read_pixels(tmp_path / "a.png", 3).tolist() == [[[10, 20, 30], [255] * 3]]
    deep = Image.fromarray(np.array([[256, 512]], np.uint16))
    deep.save(tmp_path / "b.png", transparency=512)
    assert read_pixels(tmp_path / "b.png", 1)[0, 0, 0] == 1


def test_cmyk_and_palettes_are_colours(tmp_path):
    image = Image.fromarray(COLOURS[..., :3])
    image.convert("CMYK").save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.tif", 3), COLOURS[..., :3])
    image.quantize(64).save(tmp_path / "a.gif")
    assert read_pixels(tmp_path / "a.gif", 3).shape == (5, 7, 3)
    assert not read_header(tmp_path / "a.gif").grey


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_upright(tmp_path, ending, orientation):
    dark = np.zeros((16, 32), np.uint8)
    dark[:8, :16] = 255  # the top left
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{ending}"
    Image.fromarray(dark).convert("RGB").save(path, exif=exif)
    pixels, header = read_pixels(path, 3), read_header(path)
    assert pixels.shape[:2] == (header.height, header.width)
    assert header.height == (16 if orientation < 5 else 32)
    row, column = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "tl", 6: "tr", 7: "br"}.get(
        orientation, "bl"
    )
    height, width = header.height // 2, header.width // 2
    corner = pixels[
        slice(0, height) if row == "t" else slice(height, None),
        slice(0, width) if column == "l" else slice(width, None),
    ]
    assert corner.mean() > 200 and pixels.mean() < 80


def test_damaged_exif_is_passed_over(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("RGB", (6, 4)).save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read_header(path).height == 4 and read_pixels(path, 3).shape == (4, 6, 3)


def test_deep_images_by_the_range_that_they_use(tmp_path):
    values = np.array([[0, 2048, 4095]], np.uint16)
    path = tmp_path / "a.tif"
    Image.fromarray(values).save(path)
    assert read_header(path).deep and decoding.largest_value(path) == 4095
    assert read_pixels(path, 1)[..., 0].tolist() == [[0, 8, 15]]
    assert read_pixels(path, 1, bits=12)[..., 0].tolist() == [[0, 128, 255]]
    assert read_pixels(path, 1, bits=8)[..., 0].tolist() == [[0, 255, 255]]


def test_floats_and_more_than_16_bits_are_refused(tmp_path):
    Image.fromarray(np.full((2, 2), 0.5, np.float32)).save(tmp_path / "f.tif")
    Image.fromarray(np.full((2, 2), 70_000, np.int32)).save(tmp_path / "i.tif")
    with pytest.raises(UnreadableImage, match="floats"):
        read_pixels(tmp_path / "f.tif", 1)
    with pytest.raises(UnreadableImage, match="beyond 16 bits"):
        read_pixels(tmp_path / "i.tif", 1)


def test_the_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (6, 4), (value, 0, 0)) for value in (255, 0)]
    for ending in ("gif", "webp", "png", "tif"):
        path = tmp_path / f"a.{ending}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        assert read_header(path).animated
        assert read_pixels(path, 3)[0, 0, 0] > 200


def test_special_files_are_refused_at_once(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "fifo.png")
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    (tmp_path / "gone.png").symlink_to("nowhere")
    for name, reason in {
        "fifo": "FIFO",
        "socket": "socket",
        "loop": "symbolic links",
        "device": "device",
        "gone": "No such file",
    }.items():
        for read in (read_header, lambda path: read_pixels(path, 3)):
            with pytest.raises(UnreadableImage, match=reason):
                read(tmp_path / f"{name}.png")


def test_a_decompression_bomb_is_refused_with_its_size(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.new("L", (40, 30)).save(path)
    for limit in (1000, 100):  # Pillow only warns below twice the limit
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with decoding.bombs_refused():
            with pytest.raises(UnreadableImage, match=r"1200 pixels"):
                read_header(path)


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "webp", "tif", "bmp"])
def test_damage_is_one_kind_of_error(tmp_path, ending):
    random = np.random.default_rng(1)
    path = tmp_path / f"a.{ending}"
    Image.fromarray(COLOURS[..., :3]).save(path)
    content = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(60):
            damaged = bytearray(content)
            for place in random.integers(0, len(damaged), 3):
                damaged[place] = random.integers(256)
            path.write_bytes(damaged[: random.integers(1, len(damaged) + 1)])
            try:
                read_header(path)
                read_pixels(path, 3)
            except UnreadableImage as error:
                assert str(error)


def test_programs_are_never_started_for_a_file(tmp_path):
    assert not {".eps", ".ps", ".pdf", ".wmf", ".mpg"} & {*decoding.SUFFIXES}
    path = tmp_path / "a.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n")
    with pytest.raises(UnreadableImage, match="no image that Pillow knows"):
        read_header(path)
