"""Runs the programs of a study that have not finished."""

from __future__ import annotations

from collections.abc import Iterable

from darts_tf.run.process import children


def run_all(programs: Iterable[children.Child]) -> int:
    """Runs what is not finished, one after another; the first that fails ends it.

    Returns:
      An exit code: 0 once all have finished.
    """
    with children.Parent() as parent:
        for child in programs:
            if child.finished:
                continue
            print(f"\n{child.name}", flush=True)
            ended = parent.run(child)
            if not ended.finished:
                return parent.code(ended)
    return 0
