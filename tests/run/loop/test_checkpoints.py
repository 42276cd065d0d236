from __future__ import annotations

import errno
import math
import os
import zipfile

import numpy as np
import pytest
from absl import logging

from darts_tf.errors import InputError
from darts_tf.run import settings_files
from darts_tf.run.loop import checkpoints


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {
        "w/0/kernel": generator.normal(size=(3, 4)).astype(np.float32),
        "file": np.asfortranarray(generator.normal(size=(2, 3))),
        "step": np.int64(7),
        "empty": np.zeros((0, 3), np.float16),
        "rng": generator.integers(2**63, size=3, dtype=np.uint64),
        "odd": np.array([np.nan, -0.0, np.inf]),
        "text": np.array("ünï"),
    }


def assert_same(loaded, expected):
    assert loaded.keys() == expected.keys()
    for name, array in expected.items():
        assert loaded[name].dtype == np.asarray(array).dtype
        assert loaded[name].shape == np.shape(array)
        assert loaded[name].tobytes() == np.asarray(array).tobytes(), name


def warnings_of(monkeypatch) -> list[str]:
    said = []
    monkeypatch.setattr(
        logging, "warning", lambda text, *args: said.append(text % args)
    )
    return said


def test_arrays_come_back_bit_for_bit(tmp_path):
    path = checkpoints.save(tmp_path / "new", 123, arrays())
    assert path == tmp_path / "new/step-00000123.npz"
    step, loaded = checkpoints.load_latest(tmp_path / "new")
    assert step == 123
    assert_same(loaded, arrays())
    with np.load(path, allow_pickle=False) as archive:  # plain NumPy reads it
        np.testing.assert_array_equal(archive["rng"], arrays()["rng"])


def test_equal_states_make_equal_files(tmp_path):
    a = checkpoints.save(tmp_path / "a", 1, arrays()).read_bytes()
    assert checkpoints.save(tmp_path / "b", 1, arrays()).read_bytes() == a


def test_nothing_there(tmp_path):
    assert checkpoints.load_latest(tmp_path) is None
    assert checkpoints.load_latest(tmp_path / "missing") is None


def test_the_newest_by_number_and_only_so_many_are_kept(tmp_path):
    for step in (5, 99_999_999, 100_000_000):
        checkpoints.save(tmp_path, step, {"a": np.array(step)})
    (tmp_path / "mine.npz").write_text("")
    (tmp_path / ".step-00000200.npz.1.tmp").write_text("left over")
    assert checkpoints.load_latest(tmp_path)[0] == 100_000_000
    checkpoints.save(tmp_path, 100_000_001, {"a": np.array(1)}, keep=3)
    assert sorted(os.listdir(tmp_path)) == [
        "mine.npz",
        "step-100000000.npz",
        "step-100000001.npz",
        "step-99999999.npz",
    ]


def test_objects_and_unknown_types_are_refused(tmp_path):
    for bad in (np.array([{}]), np.zeros(2, "V2")):
        with pytest.raises(ValueError, match="'bad'"):
            checkpoints.save(tmp_path, 1, {"bad": bad})
    assert os.listdir(tmp_path) == []


def test_the_latest_step_is_that_of_what_would_be_loaded(tmp_path, monkeypatch):
    said = warnings_of(monkeypatch)
    assert checkpoints.latest_step(tmp_path / "missing") == 0
    for step in (3, 20, 100):
        checkpoints.save(tmp_path, step, arrays(step), keep=3)
    assert checkpoints.latest_step(tmp_path) == 100
    newest = checkpoints.checkpoint_path(tmp_path, 100)
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    checkpoints.checkpoint_path(tmp_path, 20).write_bytes(b"")
    assert checkpoints.latest_step(tmp_path) == 3
    assert said == []  # whoever loads says it, once
    assert checkpoints.load_latest(tmp_path)[0] == 3 and len(said) == 2


@pytest.mark.parametrize(
    "array, good",
    [
        (np.array([1.0, np.inf]), False),
        (np.array([[np.nan]]), False),
        (np.array([1j * np.inf]), False),
        (np.array([1.0, -2.0]), True),
        (np.array(np.inf), True),
        (math.inf, True),
        (np.array(["nan"]), True),
        (np.array([1, 2]), True),
        (np.zeros([0]), True),
    ],
)
def test_what_is_worth_keeping(array, good):
    assert checkpoints.is_finite(array) is good


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.99])
def test_a_checkpoint_cut_short_is_passed_over(tmp_path, monkeypatch, part):
    said = warnings_of(monkeypatch)
    checkpoints.save(tmp_path, 1, arrays(1))
    newest = checkpoints.save(tmp_path, 2, arrays(2))
    content = newest.read_bytes()
    newest.write_bytes(content[: int(part * len(content))])
    step, loaded = checkpoints.load_latest(tmp_path)
    assert step == 1
    assert_same(loaded, arrays(1))
    assert len(said) == 1 and newest.name in said[0]


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Returns the content with one flip, cut, hole, repetition or exchange."""
    kind, size = random.integers(5), len(content)
    a, b = sorted(random.integers(0, size, 2))
    if kind == 0:
        return content[:a]
    if kind == 1:
        return content[:a] + content[b:]
    if kind == 2:
        return content[:b] + content[a:]
    if kind == 3:
        length = min(b - a, size - b, 40)
        first, second = content[a : a + length], content[b : b + length]
        rest = content[a + length : b], content[b + length :]
        return content[:a] + second + rest[0] + first + rest[1]
    flipped = bytearray(content)
    flipped[a] ^= 1 << random.integers(8)
    return bytes(flipped)


def test_no_flipped_bit_goes_unnoticed(tmp_path, monkeypatch):
    warnings_of(monkeypatch)
    checkpoints.save(tmp_path, 1, arrays(1))
    newest = checkpoints.save(tmp_path, 2, arrays(2))
    content = newest.read_bytes()
    for place in range(0, len(content), 4):
        flipped = bytearray(content)
        flipped[place] ^= 1 << (place % 8)
        newest.write_bytes(flipped)
        assert checkpoints.load_latest(tmp_path)[0] == 1, place


@pytest.mark.parametrize("sealed", [True, False])
def test_no_damage_is_accepted(tmp_path, monkeypatch, sealed):
    warnings_of(monkeypatch)
    random = np.random.default_rng(sealed)
    path = checkpoints.save(tmp_path, 2, arrays(2) | {"step": np.int64(2)})
    content = path.read_bytes()
    if not sealed:
        content = old_form(content)
        path.write_bytes(content)
        assert checkpoints.load_latest(tmp_path)[0] == 2
    for _ in range(600):
        other = damaged(content, random)
        path.write_bytes(other)
        try:
            _, loaded = checkpoints.load_latest(tmp_path)
        except InputError:
            continue
        # A date or a mode of the old form may differ, which nothing reads.
        assert other == content or not sealed
        assert_same(loaded, arrays(2) | {"step": np.int64(2)})


def old_form(content: bytes) -> bytes:
    """Returns a checkpoint as versions before 0.3.0 wrote it: no comment."""
    place = content.rindex(b"darts_tf checkpoint")
    return content[: place - 2] + b"\0\0"


def test_one_of_another_step_or_run_is_passed_over(tmp_path, monkeypatch):
    said = warnings_of(monkeypatch)
    for run in "ab":
        (tmp_path / run).mkdir()
        settings_files.write(tmp_path / run, "search", {}, run * 16)
        for step in (1, 2):
            checkpoints.save(tmp_path / run / "checkpoints", step, arrays(step))
    here, there = tmp_path / "a/checkpoints", tmp_path / "b/checkpoints"
    newest = checkpoints.checkpoint_path(here, 2)
    newest.write_bytes(checkpoints.checkpoint_path(there, 2).read_bytes())
    assert checkpoints.load_latest(here)[0] == 1
    assert "(it belongs to another run); passing it over" in said.pop()
    newest.write_bytes(checkpoints.checkpoint_path(here, 1).read_bytes())
    assert checkpoints.load_latest(here)[0] == 1
    assert "(it is that of step 1)" in said.pop()
    np.savez(newest, **{n: a for n, a in arrays().items() if n != "file"})
    assert checkpoints.load_latest(here)[0] == 1
    assert "it has no checksum, so it is none of this run's" in said.pop()
    newest.unlink()
    os.mkfifo(newest)
    assert checkpoints.load_latest(here)[0] == 1  # at once
    assert "is a FIFO" in said.pop()


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (10**15,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -1), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3L,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1e400,), }",
        "{'descr': '<f99999999999999999999', 'fortran_order': 1, 'shape': (1,), }",
        "{'descr': (((((",
        "[" * 5000,
    ],
)
def test_headers_that_lie(tmp_path, monkeypatch, header):
    """Their checksums are right: only what they say is wrong."""
    said = warnings_of(monkeypatch)
    checkpoints.save(tmp_path, 1, arrays(1))
    path = checkpoints.checkpoint_path(tmp_path, 2)
    text = header.encode() + b"\n"
    content = b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text + b"1234"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w/0.npy", content)
    assert checkpoints.load_latest(tmp_path)[0] == 1
    assert len(said) == 1 and len(said[0]) < 500


def test_a_compressed_archive_does_not_fill_the_memory(tmp_path, monkeypatch):
    warnings_of(monkeypatch)
    checkpoints.save(tmp_path, 1, arrays(1))
    np.savez_compressed(checkpoints.checkpoint_path(tmp_path, 2), a=np.zeros(10**6))
    assert checkpoints.load_latest(tmp_path)[0] == 1


def test_a_folder_called_as_a_checkpoint_is_left_alone(tmp_path, monkeypatch):
    warnings_of(monkeypatch)
    checkpoints.checkpoint_path(tmp_path, 9).mkdir()
    checkpoints.save(tmp_path, 1, arrays(1))
    assert checkpoints.load_latest(tmp_path)[0] == 1


def test_a_process_without_free_files_loses_no_checkpoint(tmp_path, monkeypatch):
    checkpoints.save(tmp_path, 1, arrays(1))
    checkpoints.save(tmp_path, 2, arrays(2))

    def refuse(path):
        raise OSError(errno.EMFILE, "Too many open files", path)

    monkeypatch.setattr(checkpoints, "open_regular", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        checkpoints.load_latest(tmp_path)


def test_where_one_is_required(tmp_path):
    with pytest.raises(InputError, match="`workdir=a` has no checkpoint in"):
        checkpoints.require_latest(tmp_path, "`workdir=a`")
    checkpoints.save(tmp_path, 1, arrays(1))
    assert checkpoints.require_latest(tmp_path, "x")[0] == 1


def test_all_broken_is_an_error_that_says_so(tmp_path, monkeypatch):
    said = warnings_of(monkeypatch)
    for step in (1, 2):
        path = checkpoints.save(tmp_path, step, arrays())
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError) as error:
        checkpoints.load_latest(tmp_path)
    with pytest.raises(InputError, match="none of the checkpoints"):
        checkpoints.latest_step(tmp_path)
    text = str(error.value)
    assert "step-00000001.npz, step-00000002.npz" in text
    assert "\n" not in text and len(said) == 2


def test_a_broken_later_one_does_not_push_out_good_ones(tmp_path):
    checkpoints.save(tmp_path, 10, arrays())
    (tmp_path / "step-00000020.npz").write_bytes(b"broken")
    checkpoints.save(tmp_path, 15, arrays())
    assert sorted(os.listdir(tmp_path)) == ["step-00000010.npz", "step-00000015.npz"]


def test_tidying_spares_the_newest_and_what_is_later(tmp_path):
    for step in (1, 2, 3):
        (tmp_path / f"step-0000000{step}.npz").write_bytes(b"")
    (tmp_path / ".step-00000003.npz.1.tmp").write_bytes(b"")
    checkpoints.tidy(tmp_path, 2, keep=1)
    assert sorted(os.listdir(tmp_path)) == ["step-00000002.npz", "step-00000003.npz"]
