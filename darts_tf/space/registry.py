"""The search spaces by name: built in, registered, or carried by a genotype."""

from __future__ import annotations

from collections.abc import Sequence

from darts_tf.errors import InputError, closest, require_bool
from darts_tf.space import (
    chain,
    conv,
    nasbench201,
    operation_names,
    recurrent,
    robust,
)
from darts_tf.space.cell import IDENTITY, CellSpec, SearchSpace

SPACES = {
    space.name: space
    for space in (
        conv.SPACE,
        *robust.SPACES,
        nasbench201.SPACE,
        *chain.SPACES,
        recurrent.SPACE,
    )
}
"""All spaces of this process by name; `register_space` adds to them."""

BUILTIN = frozenset(SPACES)

MOST_NODES = 100
"""Nodes of the largest cell; each has an edge from every node before it."""

_carried: dict[str, SearchSpace] = {}
"""Spaces known from the definition in a genotype only (space/genotype.py)."""


def space_by_name(name: str) -> SearchSpace:
    """Returns the space called `name`.

    Raises:
      InputError: there is none.
    """
    for spaces in (SPACES, _carried):
        if isinstance(name, str) and name in spaces:
            return spaces[name]
    raise InputError(
        f"unknown space {name!r}{closest(name, SPACES)}; the spaces are "
        f"{', '.join(sorted(SPACES))}; register another by darts_tf.cell_space, "
        f"or name the file that does so by `plugin`"
    )


def is_chain(name: str) -> bool:
    """Returns whether the space called `name` is one of chains (space/chain.py)."""
    return isinstance(SPACES.get(name), chain.ChainSpace)


def register_space(space: SearchSpace, *, replace: bool = False) -> SearchSpace:
    """Makes a space of convolutional cells known by its name.

    Args:
      space: with the cells "normal" and "reduce" of two inputs each; its
        operations are built in, or registered before.
      replace: whether it may take the place of a registered one.

    Returns:
      The space.

    Raises:
      InputError: another space has the name, the cells are others, or an
        operation is not registered.
    """
    operation_names.check_name(space.name, "space")
    require_bool("replace", replace)
    known = SPACES.get(space.name)
    if known is not None and known != space:
        if space.name in BUILTIN or not replace:
            hint = "" if space.name in BUILTIN else ", or `replace=True`"
            raise InputError(
                f"a space called {space.name!r} exists already; give another name{hint}"
            )
    cells = [(spec.name, spec.inputs) for spec in space.cells]
    if cells != [("normal", 2), ("reduce", 2)]:
        raise InputError(
            f"space {space.name!r} must have the cells 'normal' and 'reduce' of 2 "
            f"inputs each; received {cells}"
        )
    candidates = [n for spec in space.cells for row in spec.candidates for n in row]
    every = [*space.operations, *candidates]
    operation_names.check_registered(every, f"space {space.name!r}")
    _check_for_images(space, every)
    SPACES[space.name] = space
    return space


def cell_space(
    name: str, *, nodes: int, operations: Sequence[str], replace: bool = False
) -> SearchSpace:
    """Registers a space like that of DARTS sect. 3.1.1 with other candidates.

    Normal and reduction cells have two inputs and `nodes` intermediate nodes,
    each of which keeps two incoming edges; every edge has the same candidates.

    Args:
      name: of the space; genotypes carry it.
      nodes: intermediate nodes of a cell, at least 1 (DARTS: 4).
      operations: names of the candidates in the order of alpha's columns,
        built in or registered; "none" is the zero operation, which carries
        nothing and is never derived.
      replace: whether it may take the place of a registered space.

    Returns:
      The space, registered.

    Raises:
      InputError: the name exists or is malformed, no nodes, no or doubled
        operations, only "none", or an operation that is not registered.
    """
    return register_space(_cell_space(name, nodes, operations), replace=replace)


def definition(space: SearchSpace) -> dict | None:
    """Returns the arguments of `cell_space` that give this space, else None."""
    spec = space.cells[0]
    if space.name in BUILTIN or not spec.candidates:
        return None
    arguments = {"nodes": spec.nodes, "operations": list(spec.candidates[0])}
    return arguments if space == _cell_space(space.name, **arguments) else None


def space_from_definition(name: str, arguments: object) -> SearchSpace:
    """Returns a registered space, or else that of a genotype's definition.

    Args:
      name: of the space.
      arguments: what `definition` gave when the genotype was written.

    Raises:
      InputError: there is no such space and the definition is malformed.
    """
    if isinstance(name, str) and name in SPACES:
        return SPACES[name]
    if not isinstance(arguments, dict) or set(arguments) != {"nodes", "operations"}:
        raise InputError(
            f"the definition of space {name!r} must hold nodes and operations; "
            f"received {arguments!r}"
        )
    _carried[name] = _cell_space(name, **arguments)
    return _carried[name]


def _cell_space(name: str, nodes: int, operations: Sequence[str]) -> SearchSpace:
    operation_names.check_name(name, "space")
    whole = isinstance(nodes, int) and not isinstance(nodes, bool)
    if not whole or not 1 <= nodes <= MOST_NODES:
        raise InputError(
            f"`nodes` must be an integer from 1 to {MOST_NODES}; received {nodes!r}"
        )
    listed = isinstance(operations, Sequence) and not isinstance(operations, str)
    if not listed or not all(isinstance(name, str) for name in operations):
        raise InputError(
            f"`operations` must be a list of names; received {operations!r}"
        )
    names = tuple(operations)
    edges = sum(2 + node for node in range(nodes))
    concat = tuple(range(2, 2 + nodes))
    cells = tuple(
        CellSpec(kind, 2, nodes, (names,) * edges, 2, concat)
        for kind in ("normal", "reduce")
    )
    return SearchSpace(name, cells, names)


def _check_for_images(space: SearchSpace, names: Sequence[str]) -> None:
    """Refuses activations of the recurrent cell, and blocks of chains, in a cell."""
    others = set(operation_names.BUILTIN) - set(operation_names.IMAGE_OPERATIONS)
    wrong = sorted(others & set(names))
    if wrong:
        raise InputError(
            f"space {space.name!r}: {', '.join(wrong)} are operations of recurrent "
            f"cells or of chains; cells of images use '{IDENTITY}', convolutions, "
            f"pools or registered operations"
        )
