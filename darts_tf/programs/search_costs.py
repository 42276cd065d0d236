"""Costs of the derived networks of a search, counted before its first step."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.config_rules import cost_targets, settle
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.networks import operations
from darts_tf.networks.build import build_network
from darts_tf.networks.discrete_edges import DiscreteEdges
from darts_tf.networks.footprint import counts
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.darts.cost_penalty import CostPenalty, Costs
from darts_tf.strategy.darts.derivation import derive

TITLES = {"multiply_adds": "multiply-adds", "parameters": "parameters"}
Shape = tuple[int, int, int]


def penalty(config: SearchConfig, images, replicas: Replicas) -> CostPenalty | None:
    """Returns the costs' part in alpha's loss; None where there is none.

    Counting builds networks, after which the run's random numbers start anew.
    The chief prints for which network the costs are and between which bounds
    they lie.

    Args:
      config: settled settings of the search.
      images: its ImageData.
      replicas: where it runs.

    Raises:
      InputError: a target that no network meets, or that every network meets.
    """
    if not config.cost:
        return None
    tables = tables_of(config, images.image_shape, images.num_classes)
    keras.utils.set_random_seed(config.seed)
    targets = cost_targets(config)
    for index, table in enumerate(tables):
        if targets is not None:
            _check_target(table, targets[index], network_of(config))
        if replicas.chief:
            print(_line(table, network_of(config)), flush=True)
    rate = config.cost_weight_rate or 0.0
    costs = Costs(tables, targets, config.relaxation)
    return CostPenalty(costs, config.cost_weight, rate, replicas)


def network_of(config: SearchConfig) -> TrainingConfig:
    """Returns the settings of the network for which the costs of a search are."""
    chosen = {"channels": config.cost_channels, "layers": config.cost_layers}
    given: dict[str, Any] = {n: v for n, v in chosen.items() if v is not None}
    if config.cost_network != "cifar":
        given["network"] = config.cost_network
    return settle(TrainingConfig(space=config.space, **given))


def tables_of(
    config: SearchConfig, image_shape: Shape, classes: int
) -> tuple[CostTable, ...]:
    """Counts the costs of a search, one table for each of `config.cost`.

    Args:
      config: settled settings of the search.
      image_shape: [H, W, C] of its images.
      classes: number of its classes.

    Raises:
      InputError: a size that makes no network.
    """
    settings, size = network_of(config), config.cost_image_size
    shape = (size, size, image_shape[2]) if size else image_shape

    def build(genotype):
        return build_network(
            genotype,
            channels=settings.channels,
            layers=settings.layers,
            num_classes=config.cost_classes or classes,
            image_shape=shape,
            network=settings.network,
        )

    return count(space_by_name(config.space), build, shape, config.cost)


def count(
    space: SearchSpace, build: Callable, image_shape: Shape, names
) -> tuple[CostTable, ...]:
    """Counts the costs of all networks of a space.

    One whole network is counted, for the constant, and each operation once at
    each shape that the network uses.

    Args:
      space: of the cells.
      build: makes the built network of a genotype.
      image_shape: [H, W, C].
      names: of the costs.
    """
    zeros = [np.zeros(spec.alpha_shape) for spec in space.cells]
    genotype = derive(space, zeros)
    network = build(genotype)
    tables = []
    for name in names:
        costs = _edge_costs(space, network, name)
        known = CostTable(name, space, 0, costs).of(genotype)
        total = COUNTERS[name](network, image_shape)
        tables.append(CostTable(name, space, total - known, costs))
    return tuple(tables)


def _edge_costs(space: SearchSpace, network, name: str) -> dict[str, np.ndarray]:
    """Returns [edges, candidates] by kind: sums over the network's cells."""
    of = functools.cache(functools.partial(_operation_cost, COUNTERS[name]))
    costs = {s.name: np.zeros(s.alpha_shape, np.int64) for s in space.cells}
    for kind, cell in zip(network.kinds, network.cells, strict=True):
        spec = space.cell(kind)
        outer, inner, input_stride = _edge_shapes(spec, cell)
        for row, (source, _) in enumerate(spec.edges):
            at_input = source < spec.inputs
            shape = outer if at_input else inner
            stride = input_stride if at_input else 1
            for column, operation in enumerate(spec.candidates[row]):
                costs[kind][row, column] += of(operation, shape, stride)
    return costs


def _edge_shapes(spec: CellSpec, cell) -> tuple[Shape, Shape, int]:
    """Returns ([H, W, C] of input nodes, of the others, stride between them)."""
    leaving = next(unit for unit in cell.units[: spec.inputs] if unit is not None)
    shape = leaving.get_build_config()["input_shape"]
    behind = leaving.compute_output_shape(shape)
    return tuple(shape[1:]), tuple(behind[1:]), leaving.stride


def _operation_cost(counter: Callable, name: str, shape: Shape, stride: int) -> int:
    """Returns what one operation of a derived cell costs on [H, W, C]."""
    edges = DiscreteEdges([(0, name)], shape[-1], stride, key=0)
    if edges.operations == [None]:  # pools and the like: no weights, no products
        return 0
    operations.build_once(edges, (None, *shape))
    return counter(edges, shape)


def _parameters(model, image_shape: Shape) -> int:
    del image_shape
    return counts.parameters(model)


COUNTERS = {"multiply_adds": counts.multiply_adds, "parameters": _parameters}
"""The counters of a built network (model, [H, W, C]), by the names of costs."""


def _check_target(table: CostTable, target: float, network: TrainingConfig) -> None:
    least, most = table.bounds()
    if least <= target < most:
        return
    which = "no network is that cheap" if target < least else "every network is cheaper"
    raise InputError(
        f"`cost_target={short(target)}`: {which}; networks of space "
        f"'{table.space.name}' with {network.channels} channels and {network.layers} "
        f"cells have {least:,} to {most:,} {TITLES[table.name]}: give a target in "
        "between, or another size by `cost_channels`, `cost_layers` and "
        "`cost_image_size`"
    )


def _line(table: CostTable, network: TrainingConfig) -> str:
    least, most = table.bounds()
    return (
        f"cost: derived networks of {network.channels} channels and "
        f"{network.layers} cells have {short(least)} to {short(most)} "
        f"{TITLES[table.name]}"
    )


def short(value: float) -> str:
    """Returns a count with four digits and a unit, such as 300M or 4.715M."""
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.4g}{unit}"
    return f"{value:.4g}"


def lines(costs: dict) -> str:
    """Returns lines of a search's summary: the derived costs beside their targets.

    Args:
      costs: what CostPenalty.outcome gave.
    """
    text = ""
    for name, row in costs.items():
        text += f"  {TITLES[name]:<13} {row['derived']:,}"
        if "target" in row:
            over = row["derived"] > row["target"]
            verdict = "ABOVE the target of" if over else "within the target of"
            text += f", {verdict} {short(row['target'])}"
        text += "\n"
    return text
