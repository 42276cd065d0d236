"""Costs of a search's derived networks, counted or looked up before its first step."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.config_rules import COST_TITLES as TITLES
from darts_tf.config_rules import cost_targets, settle
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.networks.build import build_network
from darts_tf.networks.footprint import counts
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.networks.footprint.latency_table import read_latency_table
from darts_tf.networks.footprint.part import Part
from darts_tf.networks.footprint.parts import NetworkParts
from darts_tf.programs import derived_costs
from darts_tf.programs.derived_costs import exact, short
from darts_tf.reading import expanded, read_bytes
from darts_tf.run.files import write_atomic
from darts_tf.run.workdir import Workdir
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import is_chain, space_by_name
from darts_tf.strategy.darts.cost_penalty import CostPenalty, Costs
from darts_tf.strategy.darts.derivation import derive

LATENCY_FILE = "latency.csv"
"""Copy of a search's latency table in its folder."""

Shape = tuple[int, int, int]


def penalty(
    config: SearchConfig,
    images,
    replicas: Replicas,
    stage: SearchSpace | None = None,
) -> CostPenalty | None:
    """Returns the costs' part in alpha's loss; None where there is none.

    Counting builds networks, after which the run's random numbers start anew.
    The chief prints for which network the costs are and between which bounds
    they lie.

    Args:
      config: settled settings of the search.
      images: its ImageData.
      replicas: where it runs.
      stage: space of a later stage, of which nothing is checked or printed; None:
        all of `config.space`.

    Raises:
      InputError: a target that no network meets, or that every network meets.
    """
    if not config.cost:
        return None
    tables = tables_of(config, images.image_shape, images.num_classes, space=stage)
    keras.utils.set_random_seed(config.seed)
    targets = cost_targets(config)
    for index, table in enumerate(() if stage else tables):
        if targets is not None:
            _check_target(table, targets[index], network_of(config))
        if replicas.chief:
            print(bounds_line(table, network_of(config)), flush=True)
    rate = config.cost_weight_rate or 0.0
    costs = Costs(tables, targets, config.relaxation)
    return CostPenalty(costs, config.cost_weight, rate, replicas)


def network_of(config: SearchConfig) -> TrainingConfig:
    """Returns the settings of the network for which the costs of a search are."""
    if is_chain(config.space):
        width = config.width_multiplier
        return settle(TrainingConfig(space=config.space, width_multiplier=width))
    chosen = {"channels": config.cost_channels, "layers": config.cost_layers}
    given: dict[str, Any] = {n: v for n, v in chosen.items() if v is not None}
    if config.cost_network != "cifar":
        given["network"] = config.cost_network
    return settle(TrainingConfig(space=config.space, **given))


def tables_of(
    config: SearchConfig,
    image_shape: Shape,
    classes: int,
    names: Sequence[str] | None = None,
    space: SearchSpace | None = None,
) -> tuple[CostTable, ...]:
    """Returns the costs of a search, one table for each name.

    Args:
      config: settled settings of the search.
      image_shape: [H, W, C] of its images.
      classes: number of its classes.
      names: of the costs; None: those of `config.cost`.
      space: of the cells; None: all of `config.space`.

    Raises:
      InputError: a size that makes no network, or a latency table that cannot
        be used or lacks parts of these networks.
    """
    settings, size = network_of(config), config.cost_image_size
    height, width, channels = image_shape
    shape = (size or height, size or width, channels)
    build = functools.partial(
        build_from, settings, image_shape=shape, classes=config.cost_classes or classes
    )
    space = space or space_by_name(config.space)
    names = config.cost if names is None else names
    return count(space, build, shape, names, config.latency_table)


def build_from(
    settings: TrainingConfig, genotype: Genotype, image_shape: Shape, classes: int
):
    """Returns the built network of a genotype, without an auxiliary head.

    Args:
      settings: its sizes.
      genotype: its cells.
      image_shape: [H, W, C].
      classes: number of classes.
    """
    if is_chain(genotype.space):
        return build_network(
            genotype,
            num_classes=classes,
            image_shape=image_shape,
            width_multiplier=settings.width_multiplier,
        )
    return build_network(
        genotype,
        channels=settings.channels,
        layers=settings.layers,
        num_classes=classes,
        image_shape=image_shape,
        network=settings.network,
    )


def first_genotype(space: SearchSpace) -> Genotype:
    """Returns the genotype that is derived where all weights are alike."""
    return derive(space, [np.zeros(spec.alpha_shape) for spec in space.cells])


def count(
    space: SearchSpace,
    build: Callable,
    image_shape: Shape,
    names,
    latency_table: str | None = None,
) -> tuple[CostTable, ...]:
    """Counts the costs of all networks of a space; looks latencies up.

    One whole network is counted, for the constant, and each part once at each
    shape that the network uses.

    Args:
      space: of the cells; of a later stage with fewer candidates.
      build: makes the built network of a genotype.
      image_shape: [H, W, C].
      names: of the costs.
      latency_table: path of measured latencies, for the cost "latency".

    Raises:
      InputError: the latency table cannot be used.
    """
    latencies = None
    if "latency" in names:  # before seconds of counting
        latencies = read_latency_table(latency_table or "", space.name)
    genotype = first_genotype(space)
    network = build(genotype)
    parts, tables = network.parts().restricted(space), []
    for name in names:
        if name == "latency":
            assert latencies is not None
            tables.append(latencies.costs(space, parts))
            continue
        costs = _edge_costs(parts, COUNTERS[name])
        known = CostTable(name, space, 0, costs).of(genotype)
        total = COUNTERS[name](network, image_shape)
        tables.append(CostTable(name, space, total - known, costs))
    return tuple(tables)


def _edge_costs(parts: NetworkParts, counter: Callable) -> dict[str, np.ndarray]:
    """Returns [edges, candidates] by kind: sums over the network's cells."""

    @functools.cache
    def of(part: Part) -> int:
        return counter(parts.makers[part](), part.input_shape)

    def total(row) -> int:
        return sum(map(of, row))

    return {
        kind: np.array([[total(row) for row in edge] for edge in edges], np.int64)
        for kind, edges in parts.candidates.items()
    }


def _parameters(model, image_shape: Shape) -> int:
    del image_shape
    return counts.parameters(model)


COUNTERS = {
    "multiply_adds": counts.multiply_adds,
    "parameters": _parameters,
    "activation_memory": counts.activation_memory,
}
"""The counters of a built network (model, [H, W, C]), by the names of costs."""


def _check_target(table: CostTable, target: float, network: TrainingConfig) -> None:
    least, most = table.bounds()
    if least <= target < most:
        return
    which = "no network is that cheap" if target < least else "every network is cheaper"
    _refuse(f"cost_target={short(target, table.name)}", which, table, network)


def check_limit(table: CostTable, limit: float, network: TrainingConfig) -> None:
    """Refuses a hard limit that no network of the space is within.

    Args:
      table: of the cost.
      limit: the largest cost that is allowed.
      network: the settings of the network that is meant.

    Raises:
      InputError: the cheapest network is above it.
    """
    if limit < table.bounds()[0]:
        which = "no network is that cheap"
        _refuse(f"max_{table.name}={short(limit, table.name)}", which, table, network)


def _refuse(given: str, which: str, table: CostTable, network: TrainingConfig) -> None:
    least, most = table.bounds()
    chain = is_chain(network.space)
    sizes = "`width_multiplier`" if chain else "`cost_channels`, `cost_layers`"
    raise InputError(
        f"`{given}`: {which}; networks of space '{table.space.name}' of "
        f"{_size(network)} have {exact(least)} to {exact(most)} {TITLES[table.name]}: "
        f"give a number in between, or another size by {sizes} and `cost_image_size`"
    )


def bounds_line(table: CostTable, network: TrainingConfig) -> str:
    """Returns a line with the cheapest and the dearest network's cost."""
    least, most = table.bounds()
    return (
        f"cost: derived networks of {_size(network)} have {short(least)} to "
        f"{short(most)} {TITLES[table.name]}"
    )


def _size(network: TrainingConfig) -> str:
    """Returns the size of a network in words."""
    if is_chain(network.space):
        return f"width multiplier {network.width_multiplier:g}"
    return f"{network.channels} channels and {network.layers} cells"


def keep(config: SearchConfig, penalty: CostPenalty | None, workdir: Workdir) -> None:
    """Writes the costs of a search into its folder, and a copy of its latency table.

    Raises:
      InputError: the search was begun with another latency table.
    """
    keep_latency_table(config, workdir)
    if penalty is not None:
        derived_costs.write(workdir.path, penalty.costs.tables)


def keep_latency_table(config: SearchConfig, workdir: Workdir) -> None:
    """Copies the latency table into a search's folder, or compares it with the copy.

    Raises:
      InputError: the search was begun with another table.
    """
    if config.latency_table is None:
        return
    content = read_bytes(expanded(config.latency_table))
    copy = workdir.path / LATENCY_FILE
    if copy.exists() and copy.read_bytes() != content:
        raise InputError(
            f"`latency_table={config.latency_table}` is not the one with which the "
            f"search in `workdir={workdir.path}` was begun; give its copy, "
            f"`latency_table={copy}`, or another `workdir`"
        )
    write_atomic(copy, content)
