"""Searches in which numbers stop being finite: the step and the last good checkpoint.

A toy supernet, whose batches, rates or weights are spoilt at a step, in each kind of
search. Of images and text, whole programs: tests/programs/test_bad_runs.py.
"""

from __future__ import annotations

import math

import pytest
import tensorflow as tf

from darts_tf.errors import DivergedError
from darts_tf.run.loop import checkpoints
from darts_tf.run.loop.driver import drive
from darts_tf.run.workdir import open_workdir
from darts_tf.strategy.darts.joint import AlternatingSearch, SimultaneousSearch
from darts_tf.strategy.darts.search_loop import Search
from tests.strategy.toy_search import RelaxedToy, Toy, build

KINDS = {
    "softmax": (Search, Toy, {}),
    "exact": (Search, Toy, {"method": "exact"}),
    "dirichlet": (Search, RelaxedToy, {"relaxation": "dirichlet"}),
    "sigmoid": (Search, RelaxedToy, {"relaxation": "sigmoid"}),
    "gumbel": (Search, RelaxedToy, {"relaxation": "gumbel"}),
    "alternating": (AlternatingSearch, Toy, {}),
    "simultaneous": (SimultaneousSearch, Toy, {}),
}
BAD_STEP = 3


def spoilt(task: type, place: int) -> type:
    """Returns a task whose batch of w (0) or of alpha (1) is spoilt at BAD_STEP."""

    class Spoilt(task):
        def batches(self, step):
            both = list(super().batches(step))
            if step + 1 == BAD_STEP:
                both[place] = tf.fill(both[place].shape, math.nan)
            return tuple(both)

    return Spoilt


@pytest.mark.parametrize(
    "name, place",
    [
        (name, place)
        for name in KINDS
        for place in (0, 1)
        if (name, place) != ("simultaneous", 1)  # both descend on the first one
    ],
)
def test_a_batch_that_is_not_finite(tmp_path, name, place):
    kind, task, settings = KINDS[name]
    search = build(kind=kind, task=spoilt(task, place), **settings)
    epochs = []
    with open_workdir(tmp_path / "run", {"a": 1}, "--a=1\n") as workdir:
        with pytest.raises(DivergedError) as caught:
            drive(
                search,
                workdir,
                report_every=1,
                checkpoint_every=1,
                on_epoch=lambda epoch, loop, record: epochs.append(epoch),
            )
    text = str(caught.value)
    assert f"step {BAD_STEP}" in text and "the run diverged" in text
    good = checkpoints.checkpoint_path(workdir.checkpoints, BAD_STEP - 1)
    assert f"the last good checkpoint is {good};" in text
    assert checkpoints.latest_step(workdir.checkpoints) == BAD_STEP - 1
    assert epochs == [1]
