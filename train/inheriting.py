"""--estimator=inherit: trainings that do not start from random weights."""

from __future__ import annotations

import math
from pathlib import Path

from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import STEP
from darts_tf.errors import InputError
from darts_tf.networks.inheritance import from_parent, from_supernet
from darts_tf.run import checkpoints
from darts_tf.run.workdir import Workdir
from darts_tf.space import recurrent
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name
from train import setup, supernets
from train.trainings import Full

KEPT = "network"
"""Folder of an evaluation with the weights that later ones may take."""

ALIKE = ("dataset", "image_size", "examples", "channels", "layers", "seed")
"""What a search by inheritance has in common with its supernet."""


class Inherit(Full):
    """Trainings from weights that something else has learnt.

    With --inherit_from=supernet each network takes from --supernet what its
    genotype has of it. Where that was trained on other images than those of
    this search's trainings, it would know images that networks are measured
    on: so both must divide the same data alike.

    With --inherit_from=parent a network takes what it has in common with the
    newest one of this search that differs from it in one edge, as a child of
    --strategy=evolution does from its parent; networks/inheritance.py says
    which changes leave the function as it was. One without such a relative
    starts from the supernet, if that is given, or anew. The weights of a
    long line have been trained longer than those of a short one: worths of
    different ages are not quite comparable.

    Args:
      flags: of the search.
      replicas: where it runs.

    Raises:
      InputError: as for --estimator=full, or a supernet of other size or
        data.
    """

    def __init__(self, flags, replicas: Replicas):
        if flags.space == recurrent.SPACE.name:
            raise InputError(
                f"--estimator=inherit takes weights of networks for images; "
                f"with --space={flags.space} give another one, such as full"
            )
        self._supernet = None
        if flags.supernet:
            _check_alike(flags, supernets.stored_flags(flags))
            self._supernet = supernets.trained_supernet(flags, replicas)
        super().__init__(flags, replicas)

    def _prepare(self, loop, folder: Path) -> dict:
        if self._flags.inherit_from == "parent":
            parent = relative(loop.genotype, folder)
            if parent is not None:
                return self._take_from(parent, loop)
        if self._supernet is None:
            return {}
        from_supernet(self._supernet.model, loop.model)
        return {"supernet_step": self._supernet.step}

    def _take_from(self, folder: Path, loop) -> dict:
        genotype = _genotype(folder)
        images = self._data.images
        parent = self._kind.build_evaluation_network(
            self._flags, genotype, images.num_classes, images.image_shape,
            self._replicas,
        )  # fmt: skip
        _, arrays = checkpoints.load_latest(folder / KEPT)
        setup.load_network(parent, arrays)
        same = from_parent(parent, loop.model)
        return {"parent": int(folder.name), "preserved": same}

    def _keep(self, loop, folder: Path) -> None:
        if self._flags.inherit_from == "parent":
            groups = "w", "statistics", STEP
            state = loop.state().items()
            kept = {n: a for n, a in state if n.split("/")[0] in groups}
            checkpoints.save(folder / KEPT, loop.step, kept)


def relative(genotype: Genotype, folder: Path) -> Path | None:
    """The newest evaluation before this one that differs in one edge.

    Args:
      genotype: whose relative is looked for.
      folder: of its evaluation, beside those of the others.
    """
    for other in sorted(folder.parent.iterdir(), reverse=True):
        if other.name < folder.name and (other / KEPT).is_dir():
            mine, theirs = _edges(genotype), _edges(_genotype(other))
            if len(mine - theirs) == 1:
                return other
    return None


def _genotype(folder: Path) -> Genotype:
    return Genotype.from_json(Workdir(folder).genotype.read_text("utf-8"))


def _edges(genotype: Genotype) -> set[tuple]:
    """(cell, source, target, operation) of every edge."""
    space, found = space_by_name(genotype.space), set()
    for name, cell in genotype.cells.items():
        targets = space.cell(name).entered(len(cell.edges))
        for target, (operation, source) in zip(targets, cell.edges):
            found.add((name, source, target, operation))
    return found


def _check_alike(flags, stored) -> None:
    """Refuses a supernet of another size or with another division of data."""
    given = {f"--{n}": (flags[n].value, stored[n].value) for n in ALIKE}
    given["--valid_fraction"] = flags.valid_fraction, 1 - stored.train_portion
    if flags.space != "nasbench201":
        given["--network"] = flags.network, "cifar"
    for name, (here, there) in given.items():
        same = here == there
        if isinstance(here, float):
            same = math.isclose(here, there, abs_tol=1e-9)
        if not same:
            raise InputError(
                f"--estimator=inherit: {name}={here}, but the supernet of "
                f"--supernet={flags.supernet} needs {name}={there}; give that"
            )
