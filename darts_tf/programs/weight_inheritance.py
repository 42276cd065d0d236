"""Trainings that start from inherited weights (--estimator=inherit)."""

from __future__ import annotations

import math
from pathlib import Path

from darts_tf.config import SearchConfig
from darts_tf.config_rules import is_text
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
from darts_tf.programs.images import build_evaluation_network
from darts_tf.programs.parent_networks import NETWORK
from darts_tf.programs.trainings import Full
from darts_tf.reading import expanded
from darts_tf.run.loop import checkpoints
from darts_tf.space.genotype import Genotype

ALIKE = ("dataset", "image_size", "examples", "seed")
"""Names whose values a search shares with the one it inherits from."""

SIZE = ("channels", "layers")
"""Names of sizes in which the child may exceed its parent."""


class Inherit(Full):
    """Trains from inherited weights (inherit); otherwise as Full.

    With `inherit_from=supernet` each network takes the weights of `supernet`
    that its genotype has. Where that was trained on other images than those of
    this search's trainings, it would know images that networks are measured
    on: so both must divide the same data alike.

    With `inherit_from=parent` a network takes the weights that it shares with the
    newest one of this search that differs from it in one edge, as a child of
    `strategy=evolution` does from its parent; networks/transfer/inheritance.py says
    which changes leave the function as it was. Where there is none it is one
    of the earlier search `parents`, if that is given. One without such a
    relative starts from the supernet, if that is given, or anew. The weights
    of a long line have been trained longer than those of a short one: worths
    of different ages are not quite comparable.

    The supernet and `parents` may have fewer channels and, where new cells
    can be the identity, fewer cells. Then a network of their size takes the
    weights, and the one that is trained starts with its function.

    Args:
      config, replicas, data: as of Full.

    Raises:
      InputError: as for Full, or a supernet or parents of other
        data, or of a size that cannot grow into this search's.
    """

    def __init__(self, config: SearchConfig, replicas: Replicas, data=None):
        if is_text(config.space):
            raise InputError(
                "`estimator=inherit` takes weights of networks for images; with "
                f"`space={config.space}` give another one, such as full"
            )
        self._supernet = self._earlier = None
        if config.parents:
            self._earlier = parent_networks.stored_config(config)
            _check_alike(config, self._earlier, "parents")
        if config.supernet:
            _check_alike(config, supernets.stored_config(config), "supernet")
            self._supernet = supernets.trained_supernet(config, replicas, data)
        super().__init__(config, replicas, data)

    def _prepare(self, loop, folder: Path) -> dict:
        source = self._inherit(loop, folder)
        loop.start_from_model()
        return source

    def _inherit(self, loop, folder: Path) -> dict:
        """Gives the loop's network its weights; returns where they are from."""
        if self._config.inherit_from == "parent":
            parent = parent_networks.relative(loop.genotype, folder)
            if parent is not None:
                return self._take_from(parent, self._config, loop)
            if self._earlier is not None:
                path = expanded(self._config.parents or "")
                ancestor = parent_networks.ancestor(loop.genotype, path)
                if ancestor is not None:
                    return self._take_from(ancestor, self._earlier, loop)
        if self._supernet is None:
            return {}
        small = self._network_of(self._supernet.config, loop)
        from_supernet(self._supernet.model, small)
        source: dict = {"supernet_step": self._supernet.step}
        if small is not loop.model:
            source["preserved"] = from_smaller(small, loop.model)
        return source

    def _take_from(self, folder: Path, size: SearchConfig, loop) -> dict:
        parent = self._built(size, parent_networks.genotype_of(folder))
        _, arrays = checkpoints.require_latest(folder / NETWORK, f"the parent {folder}")
        setup.load_network(parent, arrays)
        small = self._network_of(size, loop)
        same = from_parent(parent, small)
        if small is not loop.model:
            same = from_smaller(small, loop.model) and same
        earlier = {} if size is self._config else {"earlier": True}
        return {"parent": int(folder.name), "preserved": same} | earlier

    def _network_of(self, size: SearchConfig, loop):
        """Returns the loop's network, or one like it of another search's size."""
        if all(getattr(size, n) == getattr(self._config, n) for n in SIZE):
            return loop.model
        return self._built(size, loop.genotype)

    def _built(self, size: SearchConfig, genotype: Genotype):
        """Returns a genotype's network of another search's size."""
        config = self._config.replace(channels=size.channels, layers=size.layers)
        images = self._data.images
        return build_evaluation_network(
            config, genotype, images.num_classes, images.image_shape, self._replicas
        )

    def _keep(self, loop, folder: Path) -> None:
        if self._config.inherit_from == "parent":
            groups = "w", "statistics", STEP
            state = loop.state().items()
            network = {n: a for n, a in state if n.split("/")[0] in groups}
            checkpoints.save(folder / NETWORK, loop.step, network)


def _check_alike(config: SearchConfig, stored: SearchConfig, name: str) -> None:
    """Refuses other divisions of data, and sizes that cannot grow.

    Args:
      config: of this search.
      stored: of the search that the argument `name` says.
      name: "supernet" or "parents".
    """
    needs = f"but `{name}={getattr(config, name)}` needs"
    for argument, (here, there) in _shared(config, stored, name).items():
        same = here == there
        if isinstance(here, float):
            same = math.isclose(here, there, abs_tol=1e-9)
        if not same:
            raise InputError(
                f"`estimator=inherit`: `{argument}={here}`, {needs} "
                f"`{argument}={there}`; give that"
            )
    if config.channels < stored.channels:
        raise InputError(
            f"`estimator=inherit`: `channels={config.channels}`, {needs} at least "
            f"`channels={stored.channels}`; give that or more"
        )
    deepening.check(config.space, stored.layers, config.layers)


def _shared(config: SearchConfig, stored: SearchConfig, name: str) -> dict:
    """Returns (value here, value there) of all that has to be the same."""
    of_supernet = name == "supernet"
    names = (*ALIKE, "examples_seed") if config.examples else ALIKE
    pairs = {n: (getattr(config, n), getattr(stored, n)) for n in names}
    held_out = 1 - stored.train_portion if of_supernet else stored.valid_fraction
    pairs["valid_fraction"] = config.valid_fraction, held_out
    if config.space == "nasbench201":
        return pairs
    pairs["network"] = config.network, "cifar" if of_supernet else stored.network
    if not of_supernet:
        # It decides whether there is an auxiliary head.
        weights = config.auxiliary_weight, stored.auxiliary_weight
        pairs["auxiliary_weight"] = weights
    return pairs
