"""Writes and reads metrics.jsonl: one JSON object a line.

JSON has no NaN and no infinity. They are written as the strings "nan",
"inf" and "-inf", so that every line is JSON for every reader; Python's
float() takes numbers and these strings alike.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from darts_tf.errors import InputError, shorten
from darts_tf.reading import NotRegularError, open_regular, parse_json
from darts_tf.run import files


class MetricsLog:
    """Appends records to a file; each has an integer "step"."""

    def __init__(self, path: str | os.PathLike) -> None:
        self._path = Path(path)

    def append(self, record: dict) -> None:
        """Writes one line, which survives the end of this process, even by a kill.

        Raises TypeError for values that JSON cannot hold.
        """
        line = json.dumps(_plain(record), allow_nan=False) + "\n"
        with files.open_to_append(self._path) as stream:
            stream.write(line.encode("utf-8"))

    def sync(self) -> None:
        """Forces the lines to the disk, so that they outlive the machine."""
        if self._path.exists():
            with files.open_to_append(self._path) as stream:
                os.fsync(stream.fileno())

    def truncate_after(self, step: int) -> None:
        """Drops records of later steps and lines that are not records.

        A run that goes on from the checkpoint of `step` writes the later
        ones again. A last line that was only half written goes as well. The
        file is replaced in one move; the remaining lines keep their bytes.
        """
        content = _content(self._path)
        lines = content.splitlines(keepends=True)
        valid_lines, dropped = [], []
        for number, line in enumerate(lines, start=1):
            record = _parsed(line)
            if record is None and number < len(lines):
                dropped.append(number)
            if record is not None and record["step"] <= step:
                valid_lines.append(line)
        self._warn(dropped)
        if b"".join(valid_lines) != content:
            files.write_atomic(self._path, b"".join(valid_lines))

    def _warn(self, dropped: list[int]) -> None:
        if dropped:
            logging.warning(
                "%s: %d lines are no records and are dropped, the first one is line "
                "%d.",
                shorten(str(self._path)),
                len(dropped),
                dropped[0],
            )

    def warn_if_lost(self, step: int) -> None:
        """Says that records are lost; `step` is the last one that had a record."""
        if step > 0 and not _content(self._path):
            logging.warning(
                "%s is lost: records up to step %d are missing; the run goes on.",
                shorten(str(self._path)),
                step,
            )


def as_number(value: Any) -> Any:
    """Converts tensors and NumPy numbers to Python numbers; text stays as it is."""
    if isinstance(value, (str, bool, int, float)) or value is None:
        return value
    if hasattr(value, "__float__") and np.ndim(value) == 0:
        return float(value)
    return value


def read_metrics(path: str | os.PathLike) -> list[dict]:
    """Returns the records of the file, in order; an empty list without a file.

    A half-written last line is passed over. Raises InputError, which names
    the line, where any other is no record.
    """
    path = Path(path)
    lines = _content(path).splitlines(keepends=True)
    records = []
    for number, line in enumerate(lines, start=1):
        record = _parsed(line)
        if record is not None:
            records.append(record)
        elif number < len(lines):
            raise InputError(
                f"{path}, line {number} is no record; mend or delete the line"
            )
    return records


def _content(path: Path) -> bytes:
    """Returns the file's bytes; none without a file."""
    try:
        with open_regular(path) as file:
            return file.read()
    except FileNotFoundError:
        return b""
    except NotRegularError as error:
        raise InputError(f"{path} {error.strerror}; move it away") from error


def _parsed(line: bytes) -> dict | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = parse_json(line)
    except ValueError:
        return None
    whole = isinstance(record, dict) and type(record.get("step")) is int
    return record if whole else None


def _plain(value: object) -> object:
    """Converts a value to types of JSON."""
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
