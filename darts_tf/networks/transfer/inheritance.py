"""Copies the weights of a trained network into the network of a derived cell.

From a supernet an evaluation network of the same channels and cells takes
the operations that its genotype names, each at its edge, and all that lies
around the cells. With the batch's statistics and the genotype's mixing
weights both then compute the same, but for one thing: in DARTS's spaces a
search has batch norms behind its pools and an evaluation has none. Batch norm
in cells starts with scale 1 and shift 0, as a search's has neither, and with
fresh running statistics: the supernet's are those of a mixture.

From the network of another genotype (a parent) everything that is equal is
taken, statistics too, and two changes of an edge's operation are morphisms,
which leave the function as it was (Chen et al. 2016, Net2Net; Elsken et al.
2018): a larger kernel of the same kind is the smaller one with zeros around
it, and an operation in the place of the zero operation starts with a batch
norm of scale 0. No other replacement of an operation can keep the function;
the new one starts anew then. Nor can a new predecessor.

From a network of the same genotype with fewer channels or cells its function
is taken over (networks/transfer/widening.py, networks/transfer/deepening.py).
"""

from __future__ import annotations

import numpy as np

from darts_tf.errors import InputError
from darts_tf.networks import operations
from darts_tf.networks.transfer import deepening, widening
from darts_tf.space.cell import NOISE, ZERO

NORM = ("gamma", "beta")


def from_supernet(supernet, network) -> None:
    """Gives a network the weights that its operations have in a supernet.

    Args:
      supernet: built, of networks.conv or networks.nasbench201.
      network: the same module's EvaluationNetwork, built, with the same
        channels, cells and classes.

    Raises:
      InputError: it has another number of cells, or other channels.
    """
    if supernet.kinds != network.kinds:
        raise InputError(
            f"a network of {len(network.kinds)} cells cannot take the weights "
            f"of a supernet of {len(supernet.kinds)}; give as many `layers`"
        )
    for source, target in zip(_around(supernet), _around(network)):
        _copy(source, target)
    for searched, derived in zip(supernet.cells, network.cells):
        for source, target in zip(searched.inputs_to_states, derived.inputs_to_states):
            _copy(source, target)
        for mixed, unit in zip(searched.units, derived.units):
            if unit is not None:
                _copy_edges(mixed, unit)


def from_parent(parent, child) -> bool:
    """Copies into a network all weights that it has in common with another one.

    Args:
      parent, child: built evaluation networks of one module, with the same
        channels, cells and classes.

    Returns:
      Whether the child now computes what the parent does.
    """
    around = [*zip(_around(parent), _around(child), strict=True)]
    if getattr(parent, "auxiliary", None) is not None:
        around.append((parent.auxiliary, child.auxiliary))
    for before, after in zip(parent.cells, child.cells, strict=True):
        around += zip(before.inputs_to_states, after.inputs_to_states)
    for source, target in around:
        if source is not None:
            _copy_all(source, target)
    same = True
    for before, after in zip(parent.cells, child.cells):
        units = zip(before.units, after.units, strict=True)
        equal = [_edges_from_parent(*pair) for pair in units]
        same = same and all(equal)
    return same


def from_smaller(parent, child) -> bool:
    """Makes a network compute what one with fewer channels or cells computes.

    Args:
      parent, child: built evaluation networks of one module and genotype,
        with the same classes.

    Returns:
      Whether the child now computes what the parent does. Where the
      genotype's cell cannot be the identity, new cells start anew.

    Raises:
      InputError: the child is smaller, or has more cells in a space where
        that is never possible.
    """
    pairs, added = deepening.placed(parent, child)
    widening.from_narrower(parent, child, pairs)
    genotype = child.genotype
    if added:
        same = deepening.has_identity(genotype)
        for cell in added if same else ():
            deepening.become_identity(cell, genotype)
        return same
    sizes = [net.classifier.kernel.shape[0] for net in (parent, child)]
    names = {n for cell in genotype.cells.values() for n, _ in cell.edges}
    return sizes[0] == sizes[1] or NOISE not in names


def _around(network) -> list:
    """Returns the layers with weights outside of cells, in order."""
    if hasattr(network, "stems"):
        return [*network.stems, network.classifier]
    return [network.stem, *network.blocks, network.last_norm, network.classifier]


def _copy_edges(mixed, unit) -> None:
    """Copies the weights of a node's mixed operations to its discrete ones."""
    places = {target: i for i, (_, target) in enumerate(mixed.edges)}
    for (target, name), operation in zip(unit.edges, unit.operations):
        if operation is None:
            continue
        place = places[target]
        if hasattr(mixed, "convolutions"):  # packed, NAS-Bench-201
            part = slice(place * mixed.channels, (place + 1) * mixed.channels)
            _copy(mixed.convolutions[name], operation, part)
            continue
        row, _ = mixed.edges[place]
        _copy(mixed.operation(row, name), operation)


def _copy(source, target, part: slice = slice(None)) -> None:
    """Copies the weights of a layer, or of a part of its output channels.

    Without scale and shift of batch norms that only the target has.
    """
    if source is None:
        return
    sources = source.trainable_variables
    has_norm = any(v.name in NORM for v in sources)
    targets = [v for v in target.trainable_variables if has_norm or v.name not in NORM]
    pairs = list(zip(sources, targets, strict=True))
    for old, new in pairs:
        if old[..., part].shape != new.shape:
            raise InputError(
                f"a weight of shape {list(new.shape)} cannot be taken from "
                f"one of {list(old.shape)}; give the `channels` of the "
                f"network that it is inherited from"
            )
    for old, new in pairs:
        new.assign(old[..., part])


def _edges_from_parent(before, after) -> bool:
    """Copies one node's discrete operations to another's; returns True if all were."""
    if before is None or after is None:
        return before is after
    old = {
        target: (name, operation)
        for (target, name), operation in zip(before.edges, before.operations)
    }
    same = len(old) == len(after.edges)
    for (target, name), operation in zip(after.edges, after.operations):
        equal = target in old and _operation_from_parent(*old[target], name, operation)
        same = same and equal
    return same


def _operation_from_parent(old_name, old, name, new) -> bool:
    if old_name == name or _grows(old_name, name):
        if new is not None:
            _copy_all(old, new)
        return True
    if old_name == ZERO and new is not None and operations.is_builtin(name):
        scale = operations.last_norm(new).gamma
        scale.assign(np.zeros(scale.shape, np.float32))
        return True
    return False


def _grows(name: str, wider: str) -> bool:
    """Returns True if `wider` is the operation `name` with a larger kernel."""
    if name not in operations.SIZED or wider not in operations.SIZED:
        return False
    (kind, size), (other, larger) = operations.SIZED[name], operations.SIZED[wider]
    return kind is other and size < larger


def _copy_all(old, new) -> None:
    """Copies weights and statistics; kernels go into the middle of larger ones."""
    for source, target in zip(old.weights, new.weights, strict=True):
        value = source.numpy()
        if value.ndim == 4:
            margins = [
                ((big - small) // 2,) * 2
                for small, big in zip(value.shape, target.shape)
            ]
            value = np.pad(value, margins)
        target.assign(value)
