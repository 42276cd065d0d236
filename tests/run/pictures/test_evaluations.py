"""The picture of a search by evaluations."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.run.pictures.evaluations import draw_evaluations
from darts_tf.run.pictures.genotypes import figure_to_array


def drawn(worths):
    """y values by label, the axes."""
    axes = draw_evaluations(worths, "worth of it").axes[0]
    return {line.get_label(): line.get_ydata() for line in axes.lines}, axes


def test_hopeless_ones_do_not_flatten_the_rest():
    worths = [0.82, 0.1, 0.80, 0.84, 0.81, 0.83]
    lines, axes = drawn(worths)
    assert list(lines["incumbent"]) == [0.82] * 3 + [0.84] * 3
    assert list(lines["worth"]) == [0.82, 0.80, 0.84, 0.81, 0.83]
    assert len(lines["worth, below the picture"]) == 1
    assert axes.get_ylim()[0] > 0.7
    assert axes.get_ylabel() == "worth of it"


@pytest.mark.parametrize("worths", [[0.5], [0.5, 0.5], [-4.2, -4.0, -3.9]])
def test_all_are_shown_where_none_is_hopeless(worths):
    lines, axes = drawn(worths)
    assert list(lines) == ["worth", "incumbent"]
    assert list(lines["worth"]) == worths
    low, high = axes.get_ylim()
    assert low <= min(worths) and max(worths) <= high
    assert np.ptp(figure_to_array(axes.figure)) > 0
