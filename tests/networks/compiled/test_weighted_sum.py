"""Maps that edges share, as rows, summed at each edge's weights."""

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.compiled.weighted_sum import as_map, as_rows, mixtures

NAMES = [("pool", "none", "skip"), ("skip", "conv", "pool"), ("conv",) * 3]


def given(dtype=np.float32):
    """Weights of three edges, with one more (beta), and two maps."""
    generator = np.random.default_rng(0)
    rows = generator.random((3, 4)).astype(dtype)
    maps = generator.standard_normal((2, 5, 4, 3, 2)).astype(dtype)
    return rows, dict(zip(("pool", "skip"), maps))


def mixed(rows, maps, names=NAMES):
    """Returns the mixed feature map of each edge."""
    like = next(iter(maps.values()))
    found = mixtures(rows, names, maps, as_rows(list(maps.values())))
    return [as_map(row, like) for row in found]


def test_each_edge_takes_its_own_weights():
    rows, maps = given()
    found = mixed(tf.constant(rows), maps)
    pool, skip = maps.values()
    wanted = [
        rows[0, 0] * pool + rows[0, 2] * skip,
        rows[1, 2] * pool + rows[1, 0] * skip,
        np.zeros_like(pool),
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_edges_with_the_same_candidates():
    rows, maps = given()
    found = mixed(tf.constant(rows), maps, names=[NAMES[1]] * 3)
    pool, skip = maps.values()
    wanted = [row[2] * pool + row[0] * skip for row in rows]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_a_batch_of_unknown_size():
    rows, maps = given()
    compiled = tf.function(
        lambda y: mixed(tf.constant(rows), {"pool": y})[0],
        input_signature=[tf.TensorSpec([None, 4, 3, 2])],
    )
    wanted = rows[0, 0] * maps["pool"]
    np.testing.assert_allclose(compiled(maps["pool"]), wanted, rtol=1e-5)


def test_gradients_of_weights_and_of_weights_and_maps_together():
    rows, maps = given(np.float64)
    weights, pool = tf.constant(rows), tf.constant(maps["pool"])
    with tf.GradientTape() as outer:
        outer.watch(pool)
        with tf.GradientTape() as tape:
            tape.watch(weights)
            found = mixed(weights, {"pool": pool})
            total = tf.add_n([tf.reduce_sum(y**2) for y in found])
        by_weights = tape.gradient(total, weights)
        first = by_weights[0, 0]
    squares = float(tf.reduce_sum(pool**2))
    wanted = np.zeros((3, 4))
    wanted[0, 0] = 2 * rows[0, 0] * squares
    wanted[1, 2] = 2 * rows[1, 2] * squares
    np.testing.assert_allclose(by_weights, wanted, rtol=1e-12)
    np.testing.assert_allclose(
        outer.gradient(first, pool), 4 * rows[0, 0] * pool, rtol=1e-12
    )


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_sums_are_as_wide_as_weights_and_maps_as_narrow_as_maps(dtype):
    rows, maps = given()
    narrow = tf.cast(maps["pool"], dtype)
    wide = as_rows([narrow])
    assert wide.dtype == tf.float32
    found = mixtures(tf.constant(rows), NAMES, ["pool"], wide)
    assert found[0].dtype == tf.float32
    assert as_map(found[0], narrow).dtype == dtype


def test_without_maps_there_is_nothing():
    rows, _ = given()
    found = mixtures(tf.constant(rows), NAMES, [], as_rows([]))
    assert found == [None, None, None]
