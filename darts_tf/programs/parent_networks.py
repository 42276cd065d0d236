"""Trained networks of a search from which a new one may start."""

from __future__ import annotations

from pathlib import Path

from darts_tf.errors import InputError
from darts_tf.programs import setup
from darts_tf.programs.evaluation_log import FOLDER
from darts_tf.run.workdir import Workdir, read_flags
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name

KEPT = "network"
"""Folder of an evaluation with the weights that later ones may take."""


def stored_flags(flags) -> setup.StoredFlags:
    """The flags of the search that --parents names, checked.

    Raises:
      InputError: it is no search that keeps its networks, or in another
        space.
    """
    try:
        stored = read_flags(flags.parents)
    except InputError as error:
        raise InputError(f"--parents: {error}") from error
    if stored.get("inherit_from") != "parent":
        raise InputError(
            f"--parents={flags.parents} keeps no networks; give the folder of "
            f"a search with --estimator=inherit --inherit_from=parent"
        )
    if stored["space"] != flags.space:
        raise InputError(
            f"--parents={flags.parents} searched space '{stored['space']}', "
            f"and --space={flags.space}; give the parents of one and the same "
            f"space"
        )
    return setup.StoredFlags(stored)


def relative(genotype: Genotype, folder: Path) -> Path | None:
    """The newest evaluation before this one that differs in one edge.

    Args:
      genotype: whose relative is looked for.
      folder: of its evaluation, beside those of the others.
    """
    for other in _newest_first(folder.parent):
        if other.name < folder.name and _distance(genotype, other) == 1:
            return other
    return None


def ancestor(genotype: Genotype, path: Path) -> Path | None:
    """Of another search the newest evaluation of the same genotype.

    Or, if there is none, the newest that differs in one edge.

    Args:
      genotype: whose ancestor is looked for.
      path: the folder of the search.
    """
    found = {}
    for other in _newest_first(path / FOLDER):
        found.setdefault(_distance(genotype, other), other)
    return found.get(0, found.get(1))


def genotype_of(folder: Path) -> Genotype:
    """Of an evaluation."""
    return Genotype.from_json(Workdir(folder).genotype.read_text("utf-8"))


def _newest_first(folder: Path) -> list[Path]:
    """Evaluations that have kept their network."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((x for x in found if (x / KEPT).is_dir()), reverse=True)


def _distance(genotype: Genotype, folder: Path) -> int:
    """How many edges another one has not."""
    return len(_edges(genotype) - _edges(genotype_of(folder)))


def _edges(genotype: Genotype) -> set[tuple]:
    """(cell, source, target, operation) of every edge."""
    space, found = space_by_name(genotype.space), set()
    for name, cell in genotype.cells.items():
        targets = space.cell(name).entered(len(cell.edges))
        for target, (operation, source) in zip(targets, cell.edges):
            found.add((name, source, target, operation))
    return found
