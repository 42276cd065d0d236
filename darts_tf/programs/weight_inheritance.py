"""--estimator=inherit: trainings that do not start from random weights."""

from __future__ import annotations

import math
from pathlib import Path

from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import STEP
from darts_tf.errors import InputError
from darts_tf.networks.transfer import deepening
from darts_tf.networks.transfer.inheritance import (
    from_parent,
    from_smaller,
    from_supernet,
)
from darts_tf.programs import parent_networks, setup, supernets
from darts_tf.programs.parent_networks import KEPT
from darts_tf.programs.trainings import Full
from darts_tf.run.loop import checkpoints
from darts_tf.space import recurrent
from darts_tf.space.genotype import Genotype

ALIKE = ("dataset", "image_size", "examples", "seed")
"""What a search by inheritance has in common with what it inherits from."""

SIZE = ("channels", "layers")
"""Of what it may have more."""


class Inherit(Full):
    """Trainings from weights that something else has learnt.

    With --inherit_from=supernet each network takes from --supernet what its
    genotype has of it. Where that was trained on other images than those of
    this search's trainings, it would know images that networks are measured
    on: so both must divide the same data alike.

    With --inherit_from=parent a network takes what it has in common with the
    newest one of this search that differs from it in one edge, as a child of
    --strategy=evolution does from its parent; networks/transfer/inheritance.py says
    which changes leave the function as it was. Where there is none it is one
    of the earlier search --parents, if that is given. One without such a
    relative starts from the supernet, if that is given, or anew. The weights
    of a long line have been trained longer than those of a short one: worths
    of different ages are not quite comparable.

    The supernet and --parents may have fewer channels and, where new cells
    can be the identity, fewer cells. Then a network of their size takes the
    weights, and the one that is trained starts with its function.

    Args:
      flags: of the search.
      replicas: where it runs.

    Raises:
      InputError: as for --estimator=full, or a supernet or parents of other
        data, or of a size that cannot grow into this search's.
    """

    def __init__(self, flags, replicas: Replicas):
        if flags.space == recurrent.SPACE.name:
            raise InputError(
                f"--estimator=inherit takes weights of networks for images; "
                f"with --space={flags.space} give another one, such as full"
            )
        self._supernet = self._earlier = None
        if flags.parents:
            self._earlier = parent_networks.stored_flags(flags)
            _check_alike(flags, self._earlier, "parents")
        if flags.supernet:
            _check_alike(flags, supernets.stored_flags(flags), "supernet")
            self._supernet = supernets.trained_supernet(flags, replicas)
        super().__init__(flags, replicas)

    def _prepare(self, loop, folder: Path) -> dict:
        told = self._inherit(loop, folder)
        loop.start_from_model()
        return told

    def _inherit(self, loop, folder: Path) -> dict:
        if self._flags.inherit_from == "parent":
            own = parent_networks.relative(loop.genotype, folder)
            if own is not None:
                return self._take_from(own, self._flags, loop)
            if self._earlier is not None:
                path = Path(self._flags.parents).expanduser()
                found = parent_networks.ancestor(loop.genotype, path)
                if found is not None:
                    return self._take_from(found, self._earlier, loop)
        if self._supernet is None:
            return {}
        size = self._supernet.flags
        small = self._network_of(size, loop)
        from_supernet(self._supernet.model, small)
        told = {"supernet_step": self._supernet.step}
        if small is not loop.model:
            told["preserved"] = from_smaller(small, loop.model)
        return told

    def _take_from(self, folder: Path, size, loop) -> dict:
        parent = self._built(size, parent_networks.genotype_of(folder))
        _, arrays = checkpoints.load_latest(folder / KEPT)
        setup.load_network(parent, arrays)
        small = self._network_of(size, loop)
        same = from_parent(parent, small)
        if small is not loop.model:
            same = from_smaller(small, loop.model) and same
        earlier = {} if size is self._flags else {"earlier": True}
        return {"parent": int(folder.name), "preserved": same} | earlier

    def _network_of(self, size, loop):
        """The loop's network, or one like it of the size of other flags."""
        if all(size[n].value == self._flags[n].value for n in SIZE):
            return loop.model
        return self._built(size, loop.genotype)

    def _built(self, size, genotype: Genotype):
        """A genotype's network of the size of some flags."""
        flags = setup.changed(self._flags, **{name: size[name].value for name in SIZE})
        images = self._data.images
        return self._kind.build_evaluation_network(
            flags,
            genotype,
            images.num_classes,
            images.image_shape,
            self._replicas,
        )

    def _keep(self, loop, folder: Path) -> None:
        if self._flags.inherit_from == "parent":
            groups = "w", "statistics", STEP
            state = loop.state().items()
            kept = {n: a for n, a in state if n.split("/")[0] in groups}
            checkpoints.save(folder / KEPT, loop.step, kept)


def _check_alike(flags, stored, name: str) -> None:
    """Refuses other divisions of data, and sizes that cannot grow.

    Args:
      flags: of this search.
      stored: of the search that --`name` says.
      name: "supernet" or "parents".
    """
    needs = f"but --{name}={flags[name].value} needs"
    given = {f"--{n}": (flags[n].value, stored[n].value) for n in ALIKE}
    of_supernet = name == "supernet"
    given["--valid_fraction"] = (
        flags.valid_fraction,
        1 - stored.train_portion if of_supernet else stored.valid_fraction,
    )
    if flags.space != "nasbench201":
        network = "cifar" if of_supernet else stored.network
        given["--network"] = flags.network, network
    if flags.space != "nasbench201" and not of_supernet:
        # It decides whether there is an auxiliary head.
        weights = flags.auxiliary_weight, stored.auxiliary_weight
        given["--auxiliary_weight"] = weights
    for flag, (here, there) in given.items():
        same = here == there
        if isinstance(here, float):
            same = math.isclose(here, there, abs_tol=1e-9)
        if not same:
            raise InputError(
                f"--estimator=inherit: {flag}={here}, {needs} {flag}={there}; give that"
            )
    if flags.channels < stored.channels:
        raise InputError(
            f"--estimator=inherit: --channels={flags.channels}, {needs} at "
            f"least --channels={stored.channels}; give that or more"
        )
    deepening.check(flags.space, stored.layers, flags.layers)
