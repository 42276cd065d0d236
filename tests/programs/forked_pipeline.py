"""The pipeline in this process; its stages are forks (tests/forked.py)."""

from __future__ import annotations

import contextlib
import io
import pathlib
import tempfile

import pytest

from darts_tf.config import PipelineConfig
from darts_tf.programs import pipeline
from darts_tf.run.process import children
from tests import forked


def run(workdir: pathlib.Path, **settings) -> tuple[int, str]:
    """Returns (exit code, all that the pipeline and its stages printed)."""

    def stage(self, child, gpus=None):
        with tempfile.NamedTemporaryFile(suffix=".log") as file:
            log = pathlib.Path(file.name)
            code = forked.run(log, *child.command[2:], module=child.command[1])
            print(log.read_text(errors="replace"))
        return children.ChildExit(child, code, 0.0)

    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(io.StringIO()) as printed,
    ):
        patch.setattr(children.Parent, "run", stage)
        code = pipeline.run(PipelineConfig(**settings), workdir)
    return code, printed.getvalue()
