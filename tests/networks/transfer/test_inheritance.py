"""An heir computes what its supernet, or its parent, computes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import conv, nasbench201
from darts_tf.networks.derived import separate
from darts_tf.networks.transfer.inheritance import from_parent, from_supernet
from darts_tf.space.architecture_string import from_string
from darts_tf.space.conv import SPACE as CONV
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.nasbench201 import SPACE as NB201

IMAGES = tf.random.stateless_normal((3, 8, 8, 1), (1, 2))
FIRST = (
    ("sep_conv_3x3", 0),
    ("dil_conv_3x3", 1),
    ("skip_connect", 0),
    ("sep_conv_5x5", 2),
    ("skip_connect", 1),
    ("dil_conv_5x5", 3),
    ("sep_conv_3x3", 2),
    ("skip_connect", 4),
)
STRING = (
    "|nor_conv_1x1~0|+|skip_connect~0|none~1|+"
    "|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_1x1~2|"
)


def cells(edges=FIRST, reduce=FIRST) -> Genotype:
    found = {"normal": edges, "reduce": reduce}
    return Genotype(
        CONV.name,
        {n: CellGenotype(tuple(e), (2, 3, 4, 5)) for n, e in found.items()},
    )


def network(genotype, seed=0, **more):
    """Built, with statistics that are not those of the start."""
    keras.utils.set_random_seed(seed)
    module = nasbench201 if genotype.space == NB201.name else conv
    net = module.EvaluationNetwork(genotype, 2, 3, 4, **more)
    net(tf.random.normal((4, 8, 8, 1)), training=True)
    return net  # the auxiliary head is built, too


def mixing(space, genotype) -> dict:
    """One-hot mixing weights, written down anew, by cell."""
    tables = {}
    for spec in space.cells:
        table = np.zeros(spec.alpha_shape, np.float32)
        targets = [
            node
            for node in range(spec.inputs, spec.inputs + spec.nodes)
            for _ in range(spec.predecessors or node)
        ]
        for target, (name, source) in zip(
            targets, genotype.cells[spec.name].edges, strict=True
        ):
            row = spec.edges.index((source, target))
            table[row, spec.candidates[row].index(name)] = 1
        tables[spec.name] = tf.constant(table)
    return tables


@pytest.mark.slow
@pytest.mark.parametrize(
    "genotype", [cells(), from_string(STRING)], ids=["conv", "nasbench201"]
)
def test_an_heir_of_a_supernet_computes_what_that_does(genotype):
    space, module = (CONV, conv) if "normal" in genotype.cells else (NB201, nasbench201)
    keras.utils.set_random_seed(1)
    supernet = module.Supernet(space, 2, 3, 4)
    tables = mixing(space, genotype)
    weights = [tables[kind] for kind in supernet.kinds]
    expected = supernet(IMAGES, weights, training=True).numpy()
    heir = network(genotype)
    before = separate(heir(IMAGES, training=True))[0].numpy()
    from_supernet(supernet, heir)
    found = separate(heir(IMAGES, training=True))[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(before - expected).max() > 0.1


def test_a_supernet_of_another_size_is_refused():
    supernet = nasbench201.Supernet(NB201, 3, 3, 4)
    rows = tf.ones(NB201.cells[0].alpha_shape)
    supernet(IMAGES, [rows] * 3)
    heir = network(from_string(STRING))
    with pytest.raises(InputError, match="`channels`"):
        from_supernet(supernet, heir)
    supernet = nasbench201.Supernet(NB201, 2, 6, 4)
    with pytest.raises(InputError, match="`layers`"):
        from_supernet(supernet, heir)


def replaced(changes: dict, edges=FIRST):
    """The edges with other operations at some places."""
    return tuple(
        (changes.get(place, name), source) for place, (name, source) in enumerate(edges)
    )


def nasbench(old: str, new: str) -> Genotype:
    """The cell of STRING with another operation."""
    assert STRING.count(old) == 1
    return from_string(STRING.replace(old, new))


GROWN = replaced({0: "sep_conv_5x5", 1: "dil_conv_5x5"})
PRESERVING = {
    "kernels grow, with both strides": cells(GROWN, GROWN),
    "nor_conv grows": nasbench("nor_conv_1x1~2", "nor_conv_3x3~2"),
    "a convolution for nothing": nasbench("none~1", "nor_conv_3x3~1"),
}
OTHERS = {
    "smaller kernels": cells(replaced({3: "sep_conv_3x3"})),
    "another predecessor": cells((*FIRST[:7], ("skip_connect", 3))),
    "a pool for a convolution": nasbench("nor_conv_1x1~2", "avg_pool_3x3~2"),
    "a skip for nothing": nasbench("none~1", "skip_connect~1"),
}


@pytest.fixture(scope="module")
def parents():
    found = {g.space: network(g, 1) for g in (cells(), from_string(STRING))}
    return lambda child: found[child.space]


def logits(net, training) -> np.ndarray:
    return separate(net(IMAGES, training=training))[0].numpy()


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESERVING)
def test_a_morphism_leaves_the_function_as_it_was(parents, name):
    parent, child = parents(PRESERVING[name]), network(PRESERVING[name], 2)
    expected = logits(parent, False)
    assert np.abs(logits(child, False) - expected).max() > 1e-3
    assert from_parent(parent, child)
    np.testing.assert_allclose(logits(child, False), expected, atol=1e-6)
    np.testing.assert_allclose(logits(child, True), logits(parent, True), atol=1e-6)


@pytest.mark.parametrize("name", OTHERS)
def test_other_changes_are_told_apart_and_the_rest_is_kept(parents, name):
    parent, child = parents(OTHERS[name]), network(OTHERS[name], 2)
    assert not from_parent(parent, child)
    difference = np.abs(logits(child, False) - logits(parent, False))
    assert difference.max() > 1e-5
    pairs = zip(child.classifier.weights, parent.classifier.weights)
    for mine, theirs in pairs:
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


def test_a_gated_operation_learns(parents):
    """A scale of 0 stops no gradient of that scale."""
    child = network(PRESERVING["a convolution for nothing"], 2)
    from_parent(parents(child.genotype), child)
    unit = child.cells[0].units[1]
    ((_, operation),) = [
        (edge, layer)
        for edge, layer in zip(unit.edges, unit.operations)
        if edge == (2, "nor_conv_3x3")
    ]
    with tf.GradientTape() as tape:
        found = separate(child(IMAGES, training=True))[0]
        value = tf.reduce_sum(found[:, 0])
    gradient = tape.gradient(value, operation.layers[-1].gamma.value)
    assert np.abs(gradient.numpy()).max() > 1e-6
