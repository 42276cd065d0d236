"""Layouts of folders, and the count of what is left out; no pixel is read."""

from __future__ import annotations

import os

import pytest

from darts_tf.data.images import class_folders
from darts_tf.errors import InputError


def fill(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")
    return root


def images(*folders, count=1):
    return [f"{folder}/{i}.png" for folder in folders for i in range(count)]


def refusal(root) -> str:
    with pytest.raises(InputError) as caught:
        class_folders.find(root)
    return str(caught.value)


def remark(root) -> str:
    """Returns the one line about what is left out."""
    (line,) = [x for x in class_folders.find(root).remarks if "left out" in x]
    return line


@pytest.mark.parametrize("valid", ["val", "valid", "validation", "Val"])
def test_val_is_the_test_part_where_there_is_no_other(tmp_path, valid):
    fill(tmp_path, *images("train/a", "train/b", count=3))
    fill(tmp_path, *images(f"{valid}/a", f"{valid}/b"))
    layout = class_folders.find(tmp_path)
    assert layout.class_names == ("a", "b")
    assert len(layout.train.paths) == 6 and len(layout.test.paths) == 2
    assert layout.remarks == (
        f"{tmp_path}: {valid}/ is the test part; there is no test/",
    )


def test_train_val_and_test_say_that_val_is_not_read(tmp_path):
    fill(tmp_path, *images("train/a", "train/b", "val/a", "val/b", "test/a", "test/b"))
    layout = class_folders.find(tmp_path)
    assert {path.parts[-3] for path in layout.test.paths} == {"test"}
    assert "val/ is not read" in layout.remarks[0]
    assert "2 files are left out (val/ (not used) 2 files)" in layout.remarks[1]


def test_train_alone_is_cut(tmp_path):
    fill(tmp_path, *images("train/a", "train/b"))
    layout = class_folders.find(tmp_path)
    assert layout.class_names == ("a", "b") and layout.test is None
    assert "no test/ with class folders" in layout.remarks[0]


def test_a_test_folder_without_classes_is_left_out_and_said(tmp_path):
    fill(tmp_path, *images("train/a", "train/b", "test", count=2))
    assert class_folders.find(tmp_path).test is None
    assert "2 files are left out (test/ (not used) 2 files)" in remark(tmp_path)


@pytest.mark.parametrize("split", ["test", "val", "train", "Validation"])
def test_a_split_is_never_taken_for_a_class(tmp_path, split):
    fill(tmp_path, *images("cats", "dogs", split))
    assert f"{split} has the name of a split" in refusal(tmp_path)


@pytest.mark.parametrize(
    "paths",
    [
        images("test/a", "test/b"),
        images("val/a", "test/a"),
        images("train", "test"),
        images("train"),
    ],
)
def test_splits_without_a_train_folder_of_classes(tmp_path, paths):
    assert "no train/ with one folder for each class" in refusal(fill(tmp_path, *paths))


def test_two_folders_for_one_part(tmp_path):
    fill(tmp_path, *images("train/a", "train/b", "val/a", "validation/a"))
    assert "val/ and validation/, which mean the same" in refusal(tmp_path)


def test_splits_inside_of_classes(tmp_path):
    fill(tmp_path, *images("cats/train", "cats/test", "dogs/train", "dogs/test"))
    assert "put splits above classes" in refusal(tmp_path)


def test_every_file_is_read_or_counted(tmp_path):
    fill(tmp_path, *images("cats", "dogs", count=2))
    fill(
        tmp_path, "cats/a.txt", "cats/b.txt", "cats/c.svg", "cats/photo", "cats/.x.png"
    )
    fill(tmp_path, "dogs/Thumbs.db", "stray.jpg", "labels.csv")
    fill(tmp_path, "__MACOSX/cats/._0.png", ".ipynb_checkpoints/x.ipynb")
    fill(tmp_path, "dogs/.ipynb_checkpoints/0.png")
    line = remark(tmp_path)
    assert line.startswith(f"{tmp_path}: 11 files are left out (")
    for part in (
        "beside the class folders 1 in .ipynb_checkpoints, 1 in __MACOSX",
        "1 .csv, 1 .jpg",
        "cats 2 .txt, 1 hidden, 1 .svg, 1 without an ending",
        "dogs 1 in .ipynb_checkpoints, 1 .db",
    ):
        assert part in line
    assert len(class_folders.find(tmp_path).train.paths) == 4


def test_nested_folders_are_read(tmp_path):
    fill(tmp_path, "cats/2020/b.png", "cats/2020/may/c.jpg", "cats/a.png", "dogs/a.png")
    layout = class_folders.find(tmp_path)
    shown = [str(path.relative_to(tmp_path)) for path in layout.train.paths]
    assert shown[:3] == ["cats/2020/b.png", "cats/2020/may/c.jpg", "cats/a.png"]
    assert layout.train.labels.tolist() == [0, 0, 0, 1] and layout.remarks == ()


def test_one_level_too_high(tmp_path):
    fill(tmp_path, *images("images/cats", "images/dogs", "masks/cats", "masks/dogs"))
    assert "give the one of them whose folders are the classes" in refusal(tmp_path)


def test_an_unpacked_archive_with_one_folder(tmp_path):
    fill(tmp_path, *images("photos/cats", "photos/dogs"), "__MACOSX/._photos")
    message = refusal(tmp_path)
    assert "one class only, 'photos'" in message
    assert (
        f"if cats, dogs are the classes, give `data_dir={tmp_path}/photos`" in message
    )


def test_links_that_loop_end(tmp_path):
    fill(tmp_path, *images("cats", "dogs"))
    (tmp_path / "cats/again").symlink_to(tmp_path / "cats")
    (tmp_path / "dogs/self").symlink_to("self")
    line = remark(tmp_path)
    assert "1 links to a folder that is read already" in line
    assert "dogs 1 without an ending" in line


def test_a_class_may_be_a_link(tmp_path):
    fill(tmp_path / "far", *images("x"))
    (tmp_path / "here").mkdir()
    fill(tmp_path / "here", *images("dogs"))
    (tmp_path / "here/cats").symlink_to(tmp_path / "far/x")
    assert class_folders.find(tmp_path / "here").class_names == ("cats", "dogs")


@pytest.mark.parametrize("name", ["new\nline", "esc\x1b[31m", b"\xff\xfe"])
def test_names_that_cannot_be_printed(tmp_path, name):
    fill(tmp_path, *images("dogs"))
    path = os.path.join(os.fsencode(tmp_path), os.fsencode(name))
    os.mkdir(path)
    with open(os.path.join(path, b"0.png"), "wb"):
        pass
    message = refusal(tmp_path)
    assert "cannot be printed" in message and message.isprintable()


def test_the_line_stays_short(tmp_path):
    for i in range(60):
        fill(tmp_path, f"class{i}/a.png", f"class{i}/a.ending{i}")
    line = remark(tmp_path)
    assert "60 files are left out" in line and len(line) < 500


@pytest.mark.skipif(os.geteuid() == 0, reason="root may all")
def test_a_folder_without_leave_to_read(tmp_path):
    fill(tmp_path, *images("cats", "dogs"))
    (tmp_path / "cats").chmod(0)
    assert "cats cannot be read: Permission denied" in refusal(tmp_path)


def test_a_class_that_only_one_part_has_is_named(tmp_path):
    fill(tmp_path, *images("train/a", "train/b", "test/a"))
    assert "only one of them has: b" in refusal(tmp_path)


def test_parts_one_folder_deeper_are_no_classes(tmp_path):
    fill(tmp_path, *images("photos/train/a", "photos/train/b", "photos/test/a"))
    assert f"its folders are parts: give `data_dir={tmp_path}/photos`" in refusal(
        tmp_path
    )


@pytest.mark.parametrize(
    "names", [("Cat", "cat"), ("cat", "cat "), ("caf\u00e9", "cafe\u0301")]
)
def test_names_that_look_alike_are_said(tmp_path, names):
    fill(tmp_path, *images(*names, "dog"))
    layout = class_folders.find(tmp_path)
    assert len(layout.class_names) == 3
    (line,) = layout.remarks
    assert "different classes" in line and "dog" not in line


def test_numbers_in_the_order_of_text_are_said(tmp_path):
    fill(tmp_path / "a", *images(*"0123456789"))
    assert not class_folders.find(tmp_path / "a").remarks
    fill(tmp_path / "b", *images("1", "2", "10"))
    (line,) = class_folders.find(tmp_path / "b").remarks
    assert "sorted as text: class 1 is the folder '10'" in line
