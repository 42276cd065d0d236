"""Python scripts in processes of their own, for other devices or threads."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

from tests import forked


def ended(*arguments: str, **how) -> tuple[int, str]:
    """Returns (exit code, output) of a fork, made as `how` says (forked.run)."""
    with tempfile.NamedTemporaryFile(suffix=".log") as file:
        path = pathlib.Path(file.name)
        code = forked.run(path, *arguments, **how)
        return code, path.read_text(errors="replace")


def output_of(*arguments: str, **how) -> str:
    """Returns what a fork printed that has ended well."""
    code, output = ended(*arguments, **how)
    assert code == 0, output[-5000:]
    return output


def check_says(
    script: str, word: str, devices: int | None = None, **environment: str
) -> None:
    """Fails, with all that the script printed, unless it prints the word.

    With a number of devices, TensorFlow is imported already (tests/forked.py).
    """
    if devices is not None:
        output = output_of(script=script, devices=devices, environment=environment)
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
