"""Programs go on where nobody reads their output, or it cannot be written."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
from darts_tf.run.process import output
output.tolerate()
for _ in range(3):
    print("x" * 100_000, flush=True)
    print("y", file=sys.stderr, flush=True)
with open(sys.argv[1], "w") as file:  # its number is not that of an output
    file.write(f"{file.fileno() > 2} {output.lost()}")
"""


@pytest.mark.parametrize(
    "shell, said",
    [
        ("| head -c 1", "None"),
        (">&-", "None"),
        ("2>&-", "None"),
        (">&- 2>&- <&-", "None"),
        (">/dev/full", "No space left on device"),
        (">/dev/full 2>/dev/full", "No space left on device"),
    ],
)
def test_what_cannot_be_written_ends_nothing(tmp_path, shell, said):
    path = tmp_path / "done"
    command = f'set -o pipefail; "$0" -c "$1" "$2" {shell}'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, PROGRAM, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0 and "Error" not in done.stderr, done
    assert path.read_text() == f"True {said}"
