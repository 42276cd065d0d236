"""Finds the examples of TFRecord files and their labels, without the images.

A TFRecord is the length of its example (8 bytes), a checksum (4), the example
and another checksum (4). The example is a protobuf message tf.train.Example:
a map from names to values, all of them preceded by their lengths, so that the
bytes of an image are passed over and not read. With its place known an
example can be read in any order. Checksums are left to whoever reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

HEAD, TAIL = 12, 4  # bytes before and after an example
LOOK = 512  # bytes that are read at once: the end of one, the next one's start
THREADS = 16  # they wait for the disk, one a file

FEATURES, ENTRY, NAME, VALUE, INTEGERS, ELEMENT = 1, 1, 1, 2, 3, 1
"""Field numbers: Example.features, Features.feature and of its entries the
key and the value, Feature.int64_list, Int64List.value."""

VARINT, BYTES = 0, 2  # wire types


def find_examples(
    paths: Sequence[str], key: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Finds the examples of all files, in the order of the files.

    Args:
      paths: F files on a local disk.
      key: of a feature that is one whole number.

    Returns:
      (file int32 [N], 0 to F - 1; place of its record in the file, int64
      [N], in bytes; its number int64 [N]).

    Raises:
      ValueError: no such number in an example, or a file that is cut off.
      OSError: a file cannot be read.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        scans = list(pool.map(lambda path: _scan(path, key), paths))
    files = [np.full(len(rows), i, np.int32) for i, rows in enumerate(scans)]
    rows = np.concatenate([np.empty((0, 2), np.int64), *scans])
    return np.concatenate([np.empty(0, np.int32), *files]), *rows.T


def _scan(path: str, key: str) -> np.ndarray:
    """Returns the places and numbers of one file, int64 [N, 2]."""
    with open(path, "rb", buffering=0) as file:
        data = _Bytes(file.fileno())
        rows, place = [], 0
        while place < data.size:
            start = place + HEAD
            stop = start + int.from_bytes(data.at(place, 8), "little")
            if stop + TAIL > data.size:
                raise ValueError(f"{path} ends in the middle of an example")
            number = _number(data, start, stop, key.encode())
            if number is None:
                raise ValueError(f"{path}: an example has no number {key!r}")
            rows.append((place, number))
            place = stop + TAIL
    return np.array(rows, np.int64).reshape(-1, 2)


class _Bytes:
    """Reads a file at any place, LOOK bytes at once."""

    def __init__(self, descriptor: int):
        self._descriptor, self._start, self._buffer = descriptor, 0, b""
        self.size = os.fstat(descriptor).st_size

    def at(self, start: int, count: int) -> bytes:
        """Returns `count` bytes from `start` on; fewer at the file's end."""
        first = start - self._start
        if first < 0 or first + count > len(self._buffer):
            wanted = max(count, LOOK)
            self._buffer = os.pread(self._descriptor, wanted, start)
            self._start, first = start, 0
        return self._buffer[first : first + count]


def _number(data: _Bytes, start: int, stop: int, key: bytes) -> int | None:
    """Returns the first element of an example's int64 feature."""
    for _, first, last in _fields(data, start, stop, FEATURES):
        for _, begin, end in _fields(data, first, last, ENTRY):
            parts = {n: (a, b) for n, a, b in _fields(data, begin, end)}
            name = parts.get(NAME, (0, 0))
            same = name[1] - name[0] == len(key)
            if same and data.at(name[0], len(key)) == key:
                return _first(data, *parts.get(VALUE, (0, 0)))
    return None


def _first(data: _Bytes, start: int, stop: int) -> int | None:
    """Returns the first element of a Feature that is an Int64List."""
    for _, first, last in _fields(data, start, stop, INTEGERS):
        for _, begin, end in _fields(data, first, last, ELEMENT):
            if begin < end:
                value, _ = _varint(data, begin)
                return value - 2**64 if value >= 2**63 else value
    return None


def _fields(
    data: _Bytes, start: int, stop: int, only: int | None = None
) -> Iterator[tuple[int, int, int]]:
    """Yields (number, start, stop) of a message's fields, of one number or all."""
    place = start
    while place < stop:
        tag, place = _varint(data, place)
        number, kind = tag >> 3, tag & 7
        if kind == BYTES:
            length, place = _varint(data, place)
            end = place + length
        elif kind == VARINT:
            _, end = _varint(data, place)
        else:
            raise ValueError("an example is no tf.train.Example")
        if only is None or number == only:
            yield number, place, end
        place = end


def _varint(data: _Bytes, place: int) -> tuple[int, int]:
    """Returns a whole number, stored in seven bits a byte, and its end."""
    value = shift = 0
    while True:
        byte = data.at(place, 1)
        if not byte or shift > 63:
            raise ValueError("an example is no tf.train.Example")
        value |= (byte[0] & 127) << shift
        place, shift = place + 1, shift + 7
        if byte[0] < 128:
            return value, place
