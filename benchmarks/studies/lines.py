"""Reads and writes the files of studies that have a JSON object a line."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence

from darts_tf.run.files import write_atomic


def read_lines(path: pathlib.Path) -> list[dict]:
    """Returns the lines of a file; none if there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def write_lines(path: pathlib.Path, lines: Sequence[dict]) -> None:
    """Writes one JSON object a line."""
    write_atomic(path, "".join(json.dumps(line) + "\n" for line in lines))
