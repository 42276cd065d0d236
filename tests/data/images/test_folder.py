"""A user's own folder, in both layouts, and everything wrong with it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from darts_tf.data import available_memory
from darts_tf.data.images import decoding
from darts_tf.data.images.loading import load_images, without_content
from darts_tf.errors import InputError


def save(path, value, size=(6, 4), mode="RGB"):
    """One image of one colour, size (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = value if mode in ("L", "I;16") else (value, value // 2, 255)
    Image.new(mode, size, colour).save(path)


@pytest.fixture
def root(tmp_path):
    """Ten images of each of two classes; the brightness tells them apart."""
    for i in range(10):
        save(tmp_path / "night" / f"{i}.png", i)
        save(tmp_path / "day" / f"{i}.png", 200 + i)
    return tmp_path


def load(root, **more):
    return load_images("folder", data_dir=str(root), **more)


def refusal(root, **more) -> str:
    with pytest.raises(InputError) as caught:
        load(root, **more)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_class_folders_give_a_stratified_test_part(root):
    data = load(root)
    test = data.load_test()
    assert data.class_names == ("day", "night")
    assert data.image_shape == (4, 6, 3)
    np.testing.assert_array_equal(np.bincount(data.train.labels), [8, 8])
    np.testing.assert_array_equal(np.bincount(test.labels), [2, 2])
    values = {
        int(image[0, 0, 0]) for part in (data.train, test) for image in part.images
    }
    assert values == {*range(10), *range(200, 210)}  # disjoint, all there
    for part in (data.train, test):
        day = part.images[:, 0, 0, 0] >= 200
        np.testing.assert_array_equal(part.labels, np.where(day, 0, 1))


def test_the_test_part_is_the_same_each_time(root):
    first, again = load(root).load_test(), load(root).load_test()
    np.testing.assert_array_equal(first.images, again.images)


def test_train_and_test_folders_are_taken_as_they_are(tmp_path):
    for kind, count in (("train", 3), ("test", 2)):
        for name in "ab":
            for i in range(count):
                save(tmp_path / kind / name / f"{i}.bmp", i)
    data = load(tmp_path)
    assert data.train.size == 6 and data.load_test().size == 4


def test_test_pixels_are_tried_at_the_start_and_read_at_the_end(root, monkeypatch):
    opened = []
    monkeypatch.setattr(
        decoding,
        "read_pixels",
        lambda path, *more, real=decoding.read_pixels: (
            opened.append(path) or real(path, *more)
        ),
    )
    data = load(root)
    assert len(opened) == len(set(opened)) == 20
    data.load_test()
    assert len(opened) == 24 and len(set(opened)) == 20


def test_all_formats_and_capital_endings(tmp_path):
    endings = ("png", "jpg", "jfif", "bmp", "gif", "webp", "tif", "tiff", "PNG")
    for name, value in (("a", 0), ("b", 250)):
        for i, ending in enumerate(endings):
            save(tmp_path / name / f"{i}.{ending}", value, mode="L")
        (tmp_path / name / "notes.txt").write_text("not an image")
        (tmp_path / name / ".hidden.png").write_text("nor this")
    data = load(tmp_path)
    assert data.image_shape == (4, 6, 3)  # WebP knows no grey
    assert data.train.size + data.load_test().size == 18
    bright = data.train.images.mean(axis=(1, 2, 3)) > 125
    np.testing.assert_array_equal(bright, data.train.labels == 1)


def test_one_coloured_image_makes_three_channels(root):
    save(root / "day" / "grey.png", 77, mode="L")
    data = load(root)
    assert data.image_shape == (4, 6, 3)


def test_sixteen_bit_grey_keeps_its_high_bits(tmp_path):
    for i in range(5):
        save(tmp_path / "a" / f"{i}.png", 0x1234, mode="I;16")
        save(tmp_path / "b" / f"{i}.png", 0xABCD, mode="I;16")
    data = load(tmp_path)
    assert data.image_shape == (4, 6, 1)
    expected = np.where(data.train.labels == 0, 0x12, 0xAB)
    np.testing.assert_array_equal(data.train.images[:, 0, 0, 0], expected)


def test_a_turned_photograph_is_set_upright(tmp_path):
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, :3] = 255  # the left half is bright
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: left becomes top
    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(5):
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png", exif=exif)
    image = load(tmp_path).train.images[0]
    assert image.shape == (6, 4, 3)
    assert image[:3].min() == 255 and image[3:].max() == 0


def test_sizes_that_differ_are_scaled_or_refused(root):
    save(root / "day" / "wide.png", 3, size=(30, 4))
    message = refusal(root)
    assert "2 sizes" in message and "4x30" in message
    assert "`image_size`" in message
    data = load(root, image_size=8)
    assert data.image_shape == data.load_test().images.shape[1:] == (8, 8, 3)
    values = set(data.train.images[:, 0, 0, 0]) | {3}
    assert values <= {*range(10), *range(200, 210)}  # colours are kept


def test_no_folder_and_empty_folder(tmp_path):
    message = refusal(tmp_path / "missing")
    assert f"`data_dir={tmp_path / 'missing'}` is no folder" in message
    assert "no class folders" in refusal(tmp_path)


def test_one_class_is_not_enough(tmp_path):
    save(tmp_path / "only" / "0.png", 1)
    assert "one class only, 'only'" in refusal(tmp_path)


def test_an_empty_class_is_named(root):
    (root / "dusk").mkdir()
    message = refusal(root)
    assert str(root / "dusk") in message and "no images" in message


def test_too_few_images_for_a_test_part(tmp_path):
    for i in range(5):
        save(tmp_path / "a" / f"{i}.png", 1)
    save(tmp_path / "b" / "0.png", 1)
    message = refusal(tmp_path)
    assert "class 'b' has 1 examples, too few" in message


def test_unreadable_files_are_counted_and_named(root):
    for i in range(5):
        (root / "day" / f"bad{i}.png").write_bytes(b"no image at all")
    message = refusal(root)
    assert "5 unreadable" in message and "bad0.png" in message
    assert "and 4 more" in message and "bad4.png" not in message


def test_a_file_cut_in_half_is_named(tmp_path):
    random = np.random.default_rng(0)
    for kind in ("train", "test"):
        for name in "ab":
            path = tmp_path / kind / name / "0.png"
            path.parent.mkdir(parents=True)
            noise = random.integers(0, 256, (40, 40, 3), np.uint8)
            Image.fromarray(noise).save(path)
    broken = tmp_path / "train" / "a" / "0.png"
    broken.write_bytes(broken.read_bytes()[:2000])
    message = refusal(tmp_path)
    assert "1 unreadable image file:" in message and str(broken) in message


def test_train_and_test_must_have_the_same_classes(tmp_path):
    for kind, names in (("train", "ab"), ("test", "abz")):
        for name in names:
            save(tmp_path / kind / name / "0.png", 1)
    message = refusal(tmp_path)
    assert "same classes" in message and message.endswith("z")


def test_more_than_memory_holds_is_refused_before_reading(root, monkeypatch):
    monkeypatch.setattr(available_memory, "available_memory", lambda: 1000)
    monkeypatch.setattr(decoding, "read_pixels", lambda *_: pytest.fail("read"))
    assert "16 images of 4x6x3" in refusal(root)


def test_unreadable_test_images_are_found_before_training(root):
    data = load(root)
    kept = {image.tobytes() for image in data.load_test().images}
    (victim,) = [
        path
        for path in (root / "day").iterdir()
        if np.asarray(Image.open(path)).tobytes() in kept
    ][:1]
    victim.write_bytes(victim.read_bytes()[:-20])
    assert str(victim) in refusal(root)


def test_what_is_lost_is_said(root, caplog, monkeypatch):
    said = []
    monkeypatch.setattr(
        "absl.logging.warning", lambda text, *args: said.append(text % args)
    )
    save(root / "day" / "a.png", 100, mode="RGBA")
    Image.new("I;16", (6, 4), 4000).save(root / "day" / "deep.png")
    (root / "day" / "notes.txt").write_text("")
    load(root)
    assert len(said) == 3
    assert said[0] == f"{root}: 1 file is left out (day 1 .txt)"
    assert "1 images may be transparent: laid over white" in said[1]
    assert "16 bits" in said[2]


def test_classes_with_nothing_to_learn_are_named(root):
    for i in range(10):
        save(root / "night" / f"{i}.png", 7)
    data = load(root)
    first, second = without_content(data.train, data.class_names)
    assert first == "all training images of class 'night' are equal"
    assert second == "all training images of class 'day', 'night' have one colour only"


def test_copies_in_both_parts_and_in_two_classes_are_said(root, caplog):
    save(root / "night" / "copy.png", 201)
    load(root)
    assert [r.getMessage().split(": ", 1)[1] for r in caplog.records][-1].startswith(
        "images that are there in several classes: 1"
    )
    for part in ("train", "test"):
        for i in range(3):
            save(root / "parts" / part / "a" / f"{i}.png", i)
            save(root / "parts" / part / "b" / f"{i}.png", 9 + i + 9 * (part == "test"))
    caplog.clear()
    load(root / "parts")
    (said,) = caplog.records
    assert "with the pixels of a training image: 3 of 6" in said.getMessage()


def test_a_home_folder_may_be_written_short(root, monkeypatch):
    monkeypatch.setenv("HOME", str(root.parent))
    assert load(f"~/{root.name}").num_classes == 2


def test_the_fingerprint_changes_with_every_part_of_the_contents(root):
    first = load(root).fingerprint
    assert first == load(root).fingerprint and len(first) == 16
    (root / "night").rename(root / "evening")
    names = load(root).fingerprint
    (root / "day" / "0.png").rename(root / "evening" / "x.png")
    labels = load(root).fingerprint
    save(root / "day" / "1.png", 100)
    assert len({first, names, labels, load(root).fingerprint}) == 4
