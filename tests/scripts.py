"""Python scripts in processes of their own, for other devices or threads."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

from tests import forked


def check_says(
    script: str, word: str, devices: int | None = None, **environment: str
) -> None:
    """Fails, with all that the script printed, unless it prints the word.

    With a number of devices, TensorFlow is imported already (tests/forked.py).
    """
    if devices is not None:
        with tempfile.NamedTemporaryFile(suffix=".log") as file:
            path = pathlib.Path(file.name)
            forked.run(path, script=script, devices=devices)
            output = path.read_text(errors="replace")
        assert word in output, output[-5000:]
        return
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(__file__).parents[1],
        env=os.environ | environment,
    )
    assert word in done.stdout, done.stdout + done.stderr[-3000:]
