"""Python scripts in processes of their own, for other devices or threads."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys


def check_says(script: str, word: str, **environment: str) -> None:
    """Fails, with all that the script printed, unless it prints the word."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(__file__).parents[1],
        env=os.environ | environment,
    )
    assert word in done.stdout, done.stdout + done.stderr[-3000:]
