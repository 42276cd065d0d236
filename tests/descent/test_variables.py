from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.variables import load, named
from darts_tf.errors import InputError


def groups():
    return {"w": [tf.Variable([1.0, 2.0]), tf.Variable(3.0)]}


def test_round_trip():
    arrays = named(groups(), 7)
    other = {"w": [tf.Variable([0.0, 0.0]), tf.Variable(0.0)]}
    assert load(other, arrays) == 7
    np.testing.assert_array_equal(other["w"][0], [1, 2])


@pytest.mark.parametrize("spoil", ["missing", "extra", "shape", "step"])
def test_what_does_not_fit_is_refused_whole(spoil):
    arrays = {k: np.zeros_like(v) for k, v in named(groups(), 7).items()}
    if spoil == "missing":
        del arrays["w/00001"]
    elif spoil == "extra":
        arrays["x/00000"] = np.zeros(1)
    elif spoil == "shape":
        arrays["w/00001"] = np.zeros(5)
    else:
        del arrays["step"]
    mine = groups()
    with pytest.raises(InputError, match="does not fit"):
        load(mine, arrays)
    np.testing.assert_array_equal(mine["w"][0], [1, 2])
