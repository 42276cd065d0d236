"""The check of a GPU's gradients, on a CPU and of a small loss."""

import pytest

from tests.scripts import check_says

SMALL = """
import numpy as np, tensorflow as tf
from benchmarks.speed import gpu_check
gpu_check.FLAGS(["gpu_check", "--device=cpu", "--batch_size=2"])
factor = 1.0
def network():
    w, alpha = [tf.constant([0.5, -1.0, 2.0])], [tf.constant([0.3, 0.2])]
    def loss(w, alpha, batch, seed):
        means = tf.reduce_mean(batch[0], [1, 2]) + 1.0
        p = tf.nn.softmax(alpha[0])
        mixed = p[0] * tf.tanh(means * w[0]) + p[1] * tf.sin(means + w[0])
        inside = 1.0 if tf.executing_eagerly() else factor
        return inside * tf.reduce_mean(mixed ** 2), {}
    return w, alpha, loss, True
gpu_check.network = network
assert gpu_check.main(None) == 0
factor = 1.1
assert gpu_check.main(None) == 1
print("CHECKED")
"""


@pytest.mark.slow
def test_it_compares_all_gradients_and_fails_where_one_differs():
    check_says(SMALL, "CHECKED", devices=1)
