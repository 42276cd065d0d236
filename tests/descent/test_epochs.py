"""Steps and epochs agree with each other from the first to the last."""

from __future__ import annotations

import types

from darts_tf.descent.epochs import Epochs, FirstEpochs


def test_counts_follow_the_settings():
    settings = types.SimpleNamespace(epochs=3, steps_per_epoch=4, batch_size=32)
    loop = Epochs(settings)
    assert loop.step == loop.epoch == 0
    assert (loop.steps_per_epoch, loop.total_steps) == (4, 12)
    assert loop.units_per_step == 32


def test_a_steps_epoch_is_that_of_the_step_to_come():
    loop = Epochs(types.SimpleNamespace(epochs=2, steps_per_epoch=3))
    epochs = []
    for step in range(loop.total_steps):
        loop.step = step
        epochs.append(loop.epoch)
    assert epochs == [0, 0, 0, 1, 1, 1]


def test_the_beginning_of_a_loop_is_over_sooner():
    loop = Epochs(types.SimpleNamespace(epochs=3, steps_per_epoch=4))
    first = FirstEpochs(loop, 2)
    assert (first.steps_per_epoch, first.total_steps) == (4, 8)
    loop.step = 5
    assert (first.step, first.epoch) == (5, 1)
    assert FirstEpochs(loop, 9).total_steps == 12
