"""What the networks of convolutional cells have in common."""

from __future__ import annotations

import pytest

from darts_tf.errors import InputError
from darts_tf.networks.conv import EvaluationNetwork, Supernet
from darts_tf.networks.trunk import STEM_MULTIPLIER
from darts_tf.space import conv
from darts_tf.space.published import CONVOLUTIONAL

V2 = CONVOLUTIONAL["DARTS_V2"]


@pytest.mark.parametrize(
    "channels, layers, classes, word",
    [(0, 8, 10, "channels"), (4, 2, 10, "layers"), (4, 3, 1, "classes")],
)
def test_impossible_sizes(channels, layers, classes, word):
    for build in (
        lambda: Supernet(conv.SPACE, channels, layers, classes),
        lambda: EvaluationNetwork(V2, channels, layers, classes),
    ):
        with pytest.raises(InputError, match=word):
            build()


def test_reductions_stand_at_a_third_and_two_thirds_and_double_the_channels():
    model = EvaluationNetwork(V2, 4, 8, 10, auxiliary=False)
    assert [n for n, k in enumerate(model.kinds) if k == "reduce"] == [2, 5]
    widths = [cell.inputs_to_states[1].layers[0].channels
              for cell in model.cells]  # fmt: skip
    assert widths == [4, 4, 8, 8, 8, 16, 16, 16]
    assert model.stems[0].layers[0].channels == STEM_MULTIPLIER * 4
