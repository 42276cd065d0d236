"""Deepens a network by cells that start as the identity (Net2DeeperNet).

A new cell must be the identity to begin with (Chen et al. 2016, Net2DeeperNet;
Wei et al. 2016), with the operations that the genotype gives it. Behind a
ReLU no convolution is one, for what was negative is lost: a convolution can
only be made to give nothing, by a scale and a shift of 0 in its last batch
norm, and an identity can only be had from skip connections.

So in NAS-Bench-201, whose cells take the output of the one before as it is, a
new cell is the identity where exactly one path of skip connections leads from
its input to its output, and none with pools and skip connections alone: in
2,718 of the 15,625 cells. New cells stand at the end of each stage.

In DARTS's spaces no cell can be: it reads ReLUs of both its inputs, the last
one's negative part reaches no node, and the cell behind it would find its
inputs moved by one.
"""

from __future__ import annotations

import collections

import numpy as np

from darts_tf.errors import InputError
from darts_tf.networks import operations
from darts_tf.networks.pools import POOLS
from darts_tf.space.cell import IDENTITY
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name


def check(space_name: str, parent_cells: int, child_cells: int) -> None:
    """Refuses a child that is shallower, or a space where none can be deeper.

    Args:
      space_name: of the network's space.
      parent_cells, child_cells: numbers of cells.

    Raises:
      InputError: it is so.
    """
    if child_cells < parent_cells:
        raise InputError(
            f"a network of {child_cells} cells cannot compute what one of "
            f"{parent_cells} does; give at least `layers={parent_cells}`"
        )
    cells = space_by_name(space_name).cells
    if child_cells > parent_cells and any(cell.inputs > 1 for cell in cells):
        raise InputError(
            f"in the space {space_name} a network of {child_cells} cells cannot "
            f"start as one of {parent_cells}, for its cells read ReLUs of their "
            f"inputs and none can be the identity; give `layers={parent_cells}`"
        )


def placed(parent, child) -> tuple[list[tuple], list]:
    """Pairs the parent's cells with those at their places in the child.

    Returns:
      (pairs (parent's cell, child's cell) in the parent's order, the cells
      that only the child has).

    Raises:
      InputError: as `check`.
    """
    old, new = parent.cells, child.cells
    check(child.genotype.space, len(old), len(new))
    if len(old) == len(new):
        return [*zip(old, new)], []
    few, many = parent.cells_a_stage, child.cells_a_stage
    places = [place // few * many + place % few for place in range(len(old))]
    added = [cell for place, cell in enumerate(new) if place not in places]
    return [(cell, new[place]) for cell, place in zip(old, places)], added


def has_identity(genotype: Genotype) -> bool:
    """Returns True if a cell of one input can start as the identity."""
    edges, out = _edges(genotype)
    skipping, pooling = collections.Counter({0: 1}), collections.Counter()
    for target, name, source in edges:
        if name == IDENTITY:
            skipping[target] += skipping[source]
            pooling[target] += pooling[source]
        elif name in POOLS:
            pooling[target] += pooling[source] + skipping[source]
    return skipping[out] == 1 and not pooling[out]


def become_identity(cell, genotype: Genotype) -> None:
    """Makes a cell the identity: only skip connections reach its output.

    Only those convolutions are silenced after which nothing else could be:
    of two in a row that both give nothing neither would ever learn.

    Args:
      cell: a new one, of a genotype with `has_identity`.
      genotype: its.
    """
    exact = _exact_nodes(genotype)
    for unit in cell.units:
        edges = zip(unit.edges, unit.operations) if unit is not None else ()
        for (target, _), operation in edges:
            if operation is not None and target in exact:
                norm = operations.last_norm(operation)
                for variable in (norm.gamma, norm.beta):
                    variable.assign(np.zeros(variable.shape, np.float32))


def _edges(genotype: Genotype) -> tuple[list[tuple], int]:
    """Returns ([(target, operation, source)], output) of a cell of one input."""
    (spec,) = space_by_name(genotype.space).cells
    edges = genotype.cells[spec.name].edges
    (out,) = spec.concat
    targets = spec.entered(len(edges))
    return [(t, name, s) for t, (name, s) in zip(targets, edges)], out


def _exact_nodes(genotype: Genotype) -> set[int]:
    """Returns the output and the nodes that reach it by skip connections and pools.

    All other nodes may hold anything.
    """
    edges, out = _edges(genotype)
    exact = {out}
    for target, name, source in reversed(edges):
        if target in exact and name in (IDENTITY, *POOLS):
            exact.add(source)
    return exact
