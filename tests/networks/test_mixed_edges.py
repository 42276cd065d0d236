"""The fast mixed edges compute what the plain ones of eq. 2 do, in float64."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.cell import add
from darts_tf.networks.compiled.mixed_edges import MixedEdges as FastEdges
from darts_tf.networks.compiled.packed_edges import PackedEdges
from darts_tf.networks.mixed_edges import MixedEdges
from darts_tf.networks.partial_edges import Joint, PartialEdges
from darts_tf.space import conv, nasbench201
from darts_tf.space.cell import NOISE, CellSpec
from tests.precision import computed_in_float64

NORM = functools.partial(BatchNorm, False, momentum=0.0)
CHANNELS, SEED = 4, tf.constant([5, 6])
CANDIDATES = (*conv.CANDIDATES, "sep_conv_7x7", "conv_7x1_1x7", NOISE)
SPEC = CellSpec("normal", 2, 2, (CANDIDATES,) * 5, 2, (2, 3))
BENCHMARK = nasbench201.SPACE.cells[0]


def input_of(side: int, channels: int = CHANNELS):
    return tf.random.stateless_normal(
        (2, side, side, channels), [1, 2], dtype="float64"
    )


def mixing(spec: CellSpec, columns: int = 0):
    edges, candidates = len(spec.edges), len(spec.candidates[0]) + columns
    size = edges * candidates
    return tf.reshape(tf.cos(tf.range(size, dtype=tf.float64)), (edges, candidates))


def derivatives(edges, w, x, p, join=add) -> list:
    """[terms of each edge, by x, w and p, then those of <grad_w, cos w>]."""
    mapping = list(zip(edges.trainable_variables, w, strict=True))
    sources = [x, p, *w]
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(sources)
        with tf.GradientTape() as inner:
            inner.watch(sources)
            mapping = list(zip(edges.trainable_variables, w, strict=True))
            with keras.StatelessScope(mapping):
                noise = {} if isinstance(edges, PackedEdges) else {"seed": SEED}
                leaving = edges(x, weights=tf.unstack(p), training=True, **noise)
            sums = [join(terms) for _, terms in leaving]
            total = tf.add_n([tf.reduce_sum(tf.sin(y) * y) for y in sums])
        first = inner.gradient(total, sources, unconnected_gradients="zero")
        along = tf.add_n([tf.reduce_sum(g * tf.cos(7 * g)) for g in first])
    second = outer.gradient(along, sources, unconnected_gradients="zero")
    return [*sums, *first, *second]


def close(results, wanted) -> None:
    for one, other in zip(results, wanted, strict=True):
        size = max(np.abs(other).max(), 1e-9)
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9 * size)


def built(edges, side: int, channels: int = CHANNELS):
    edges.build((None, side, side, channels))
    return edges


def values(edges) -> list:
    return [tf.convert_to_tensor(v) for v in edges.trainable_variables]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [6, 5])
def test_all_candidates_of_darts(stride, side):
    with computed_in_float64():
        plain, fast = (
            built(kind(SPEC, 0, CHANNELS, stride, NORM, key=3), side)
            for kind in (MixedEdges, FastEdges)
        )
    w, x, p = values(plain), input_of(side), mixing(SPEC)
    close(derivatives(fast, w, x, p), derivatives(plain, w, x, p))


def test_partial_channels():
    with computed_in_float64():
        plain, fast = (
            built(PartialEdges(kind(SPEC, 0, 2, 2, NORM, key=3), 2, 2), 6)
            for kind in (MixedEdges, FastEdges)
        )
    given = values(plain), input_of(6), mixing(SPEC, 1), Joint(2)
    close(derivatives(fast, *given), derivatives(plain, *given))


def packed(plain: MixedEdges, w: list, name: str):
    """The kernels of all edges as one, [kh, kw, C, edges * C]."""
    places = {id(v): n for n, v in enumerate(plain.trainable_variables)}
    layers = [plain.layers[f"{row}/{name}"] for row, _ in plain.edges]
    kernels = [w[places[id(layer.trainable_variables[0])]] for layer in layers]
    return tf.concat(kernels, -1)


@pytest.mark.parametrize("source", [0, 1, 2])
def test_nasbench201_packs_the_kernels_of_all_edges(source):
    """Values, first and second derivatives by x, the mixing weights and w."""
    with computed_in_float64():
        plain = built(
            MixedEdges(BENCHMARK, source, CHANNELS, 1, NORM, normalize_pools=False), 5
        )
        fast = built(PackedEdges(BENCHMARK, source, CHANNELS, NORM), 5)
    w, x, p = values(plain), input_of(5), mixing(BENCHMARK)
    kernels = [packed(plain, w, name) for name in fast.convolutions]
    ours = derivatives(fast, kernels, x, p)
    wanted = derivatives(plain, w, x, p)
    count = len(plain.edges)
    close(ours[:count], wanted[:count])
    first = count, count
    second = len(ours) - 2 - len(kernels), len(wanted) - 2 - len(w)
    # Those of <g, cos 7g>, whose terms by w are the same elements, packed.
    for at, reference in (first, second):
        close(ours[at : at + 2], wanted[reference : reference + 2])
        by_w = wanted[reference + 2 : reference + 2 + len(w)]
        repacked = [packed(plain, by_w, name) for name in fast.convolutions]
        close(ours[at + 2 : at + 2 + len(kernels)], repacked)
