"""Trained networks of a search, from which a new one may start."""

from __future__ import annotations

from pathlib import Path

from darts_tf.config import SearchConfig
from darts_tf.errors import InputError
from darts_tf.programs.evaluation_log import FOLDER
from darts_tf.run.workdir import Workdir, read_settings
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name

NETWORK = "network"
"""Folder of an evaluation with the weights that later ones may take."""


def stored_config(config: SearchConfig) -> SearchConfig:
    """Returns the settings of the search that `parents` names, checked.

    Raises:
      InputError: it is no search that keeps its networks, or in another
        space.
    """
    try:
        stored = SearchConfig.from_stored(read_settings(config.parents or ""))
    except InputError as error:
        raise InputError(f"`parents`: {error}") from error
    if stored.inherit_from != "parent":
        raise InputError(
            f"`parents={config.parents}` keeps no networks; give the folder of a "
            "search with `estimator=inherit` and `inherit_from=parent`"
        )
    if stored.space != config.space:
        raise InputError(
            f"`parents={config.parents}` searched space '{stored.space}', and "
            f"`space={config.space}`; give the parents of one and the same space"
        )
    return stored


def relative(genotype: Genotype, folder: Path) -> Path | None:
    """Returns the newest evaluation before this one that differs in one edge.

    Args:
      genotype: whose relative is looked for.
      folder: of its evaluation, beside those of the others.
    """
    for other in _newest_first(folder.parent):
        if other.name < folder.name and _distance(genotype, other) == 1:
            return other
    return None


def ancestor(genotype: Genotype, path: Path) -> Path | None:
    """Returns another search's newest evaluation of the same genotype.

    Or, if there is none, the newest that differs in one edge.

    Args:
      genotype: whose ancestor is looked for.
      path: the folder of the search.
    """
    by_distance: dict[int, Path] = {}
    for other in _newest_first(path / FOLDER):
        by_distance.setdefault(_distance(genotype, other), other)
    return by_distance.get(0, by_distance.get(1))


def genotype_of(folder: Path) -> Genotype:
    """Returns the genotype of an evaluation."""
    return Workdir(folder).read_genotype()


def _newest_first(folder: Path) -> list[Path]:
    """Returns the evaluations that have kept their network."""
    every = folder.iterdir() if folder.is_dir() else ()
    return sorted((x for x in every if (x / NETWORK).is_dir()), reverse=True)


def _distance(genotype: Genotype, folder: Path) -> int:
    """Returns the number of edges that the genotype in `folder` does not have."""
    return len(_edges(genotype) - _edges(genotype_of(folder)))


def _edges(genotype: Genotype) -> set[tuple]:
    """Returns (cell, source, target, operation) of every edge."""
    space, edges = space_by_name(genotype.space), set()
    for name, cell in genotype.cells.items():
        targets = space.cell(name).entered(len(cell.edges))
        for target, (operation, source) in zip(targets, cell.edges):
            edges.add((name, source, target, operation))
    return edges
