"""Detects collapsed cells and gives the reason.

DARTS often ends in cells full of skip connections, which cost the supernet
nothing and train fast, and which make bad networks (Zela et al. 2020; Liang
et al. 2019; Movahedi et al. 2023). Here a cell has collapsed where

- it keeps a part of its edges (as in DARTS) and at least half of those kept
  carry what computes nothing: skip connections, or the noise of space S4; or
- no operation with weights lies on a path from its inputs to its output. In
  a space that keeps all edges (NAS-Bench-201) only this counts: there skip
  connections beside convolutions are what good cells have.

Looked at is the normal cell, or the only one of its space. Reduction cells
are left out: those published with the best results consist of pools and skip
connections. So are recurrent cells, every edge of which has weights, and
chains, in which skipped layers are how depth is searched.
"""

from __future__ import annotations

from darts_tf.space.cell import ZERO, CellSpec, SearchSpace
from darts_tf.space.genotype import CellGenotype, Genotype

NORMAL = "normal"
NOISE = "noise"
POOL = "_pool_"
NOTHING = "hands nothing on: zero is on every path from its inputs to its output"
"""The reason of a cell that is called a zero cell and not a collapsed one."""

WEIGHTLESS_IDENTITY = "skip_connect"


def main_cell(space: SearchSpace) -> CellSpec:
    """Returns the specification of the normal cell, or else of the last one."""
    names = [spec.name for spec in space.cells]
    return space.cell(NORMAL if NORMAL in names else names[-1])


def collapse(space: SearchSpace, genotype: Genotype) -> str:
    """Returns the reason why the main cell has collapsed, or "".

    Args:
      space: the space of the genotype.
      genotype: what would be derived.

    Returns:
      A clause that names the cell: "5 of the 8 edges of the normal cell are
      skip connections".
    """
    spec = main_cell(space)
    if space.identity != WEIGHTLESS_IDENTITY or spec.links:
        return ""
    cell = genotype.cells[spec.name]
    named = f"the {spec.name} cell" if len(space.cells) > 1 else "the cell"
    if spec.zero_kept and not working(spec, cell):
        return f"{named} {NOTHING}"
    if not any(_has_weights(name) for name in working(spec, cell)):
        return (
            f"{named} has no operation with weights between its inputs and its output"
        )
    if spec.predecessors is None:
        return ""
    idle = [n for n, _ in cell.edges if n in (WEIGHTLESS_IDENTITY, NOISE)]
    if 2 * len(idle) < len(cell.edges):
        return ""
    kinds = {WEIGHTLESS_IDENTITY: "skip connections", NOISE: "noise"}
    what = " or ".join(text for name, text in kinds.items() if name in idle)
    return f"{len(idle)} of the {len(cell.edges)} edges of {named} are {what}"


def counts(space: SearchSpace, genotype: Genotype) -> dict[str, float]:
    """Counts skip connections by cell; and noise, if the space has it.

    1 of "collapsed/..." says that `collapse` gives a reason.
    """
    counted = {"skip_connections": space.identity}
    if NOISE in space.operations:
        counted["noise"] = NOISE
    numbers = {
        f"{name}/{spec.name}": genotype.count(operation, spec.name)
        for name, operation in counted.items()
        for spec in space.cells
    }
    collapsed = bool(collapse(space, genotype))
    return numbers | {f"collapsed/{main_cell(space).name}": float(collapsed)}


def working(spec: CellSpec, cell: CellGenotype) -> list[str]:
    """Returns the operations on paths from an input of the cell to its output.

    The zero operation and noise hand nothing on.
    """
    targets = spec.entered(len(cell.edges))
    edges = [
        (source, target, name)
        for target, (name, source) in zip(targets, cell.edges, strict=True)
        if name not in (ZERO, NOISE)
    ]
    reached, wanted = set(range(spec.inputs)), set(cell.concat)
    for source, target, _ in edges:  # targets rise
        if source in reached:
            reached.add(target)
    for source, target, _ in reversed(edges):
        if target in wanted:
            wanted.add(source)
    return [n for s, t, n in edges if s in reached and t in wanted]


def _has_weights(operation: str) -> bool:
    return operation != WEIGHTLESS_IDENTITY and POOL not in operation
