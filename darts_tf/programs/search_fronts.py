"""The costs and the front of a search by a strategy that asks an estimator."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure

from darts_tf.config import SearchConfig
from darts_tf.config_rules import ACCURACY, counted_costs, limits
from darts_tf.config_rules import COST_TITLES as TITLES
from darts_tf.data.images.loading import describe_images
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.programs import search_costs, supernets
from darts_tf.programs.derived_costs import short
from darts_tf.protocol.fronts import non_dominated
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures import genotypes
from darts_tf.run.workdir import Workdir
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.black_box.evaluation_loop import EvaluationLoop

NASBENCH201_IMAGES = (32, 32, 3), 10
"""Shape and classes of the images on which the table was made."""

ROWS = 8
"""Genotypes of a front in a summary, which then has at most ten lines."""

PICTURE = "front.png"


class GenotypeCosts:
    """Counts the costs that a search needs of its genotypes, and knows its limits.

    Counting builds networks. The bounds of each cost are printed.

    Args:
      config: settled settings of the search.
      data: ImageData; described by its name where None.

    Raises:
      InputError: a limit that no network is within, or there is no such data set.
    """

    def __init__(self, config: SearchConfig, data=None):
        self._limits = limits(config)
        self.tables: dict[str, CostTable] = {}
        names = counted_costs(config)
        if not names:
            return
        shape, classes = _images(config, data)
        network = search_costs.network_of(config)
        for table in search_costs.tables_of(config, shape, classes, names):
            search_costs.check_limit(
                table, self._limits.get(table.name, np.inf), network
            )
            print(search_costs.bounds_line(table, network), flush=True)
            self.tables[table.name] = table
        keras.utils.set_random_seed(config.seed)

    def __call__(self, genotype: Genotype) -> dict[str, float]:
        """Returns the costs of a genotype's network, by name."""
        return {name: table.of(genotype) for name, table in self.tables.items()}

    @property
    def limited(self) -> bool:
        """True if there are limits."""
        return bool(self._limits)

    def allowed(self, genotype: Genotype) -> bool:
        """Returns True for a genotype within all limits."""
        tables = self.tables
        return all(tables[n].of(genotype) <= most for n, most in self._limits.items())


def _images(config: SearchConfig, data) -> tuple[tuple[int, int, int], int]:
    """Returns ([H, W, C], number of classes) of the images that networks see."""
    if data is not None:
        return data.image_shape, data.num_classes
    if config.estimator == "table":
        return NASBENCH201_IMAGES
    if config.estimator == "one_shot":
        config = supernets.stored_config(config)
    return describe_images(
        config.dataset, data_dir=config.data_dir, image_size=config.image_size
    )


def front_of(loop: EvaluationLoop, config: SearchConfig, costs: GenotypeCosts) -> list:
    """Returns the front of a search, a dict for each genotype, the cheapest first.

    Args:
      loop: with at least one evaluation.
      config: of the search, with objectives.
      costs: of its genotypes.

    Returns:
      {"evaluation", "genotype", "accuracy", and each cost by its name}, by the first
      cost that is an objective.
    """
    names = [name for name in config.objectives if name != ACCURACY]
    rows = [
        {"evaluation": number, "genotype": e.genotype, ACCURACY: e.worth}
        | costs(e.genotype)
        for number, e in enumerate(loop.evaluations, 1)
    ]
    points = [[*(row[name] for name in names), 1 - row[ACCURACY]] for row in rows]
    return [rows[place] for place in non_dominated(points)]


def write(workdir: Workdir, front: Sequence[Mapping]) -> list[dict]:
    """Writes genotypes/front_01.json and on; returns the rows of result.json.

    Files of an earlier, longer front are removed.
    """
    rows = []
    for number, row in enumerate(front, 1):
        name = f"front_{number:02d}.json"
        text = row["genotype"].to_json()
        write_atomic(workdir.genotypes / name, text)
        file = f"{workdir.genotypes.name}/{name}"
        rows.append({"file": file, **row, "genotype": json.loads(text)})
    names = {Path(row["file"]).name for row in rows}
    for path in workdir.genotypes.glob("front_*.json"):
        if path.name not in names:
            path.unlink()
    return rows


def table(rows: Sequence[Mapping], costs: Sequence[str]) -> str:
    """Returns the front as lines of a summary, at most ROWS of its genotypes."""
    places = np.unique(np.linspace(0, len(rows) - 1, ROWS).round().astype(int))
    titles = [TITLES[name] for name in costs]
    lines = ["    " + "  ".join(["accuracy", *(f"{t:>13}" for t in titles), "file"])]
    for place in places:
        row = rows[place]
        cells = [f"{row[ACCURACY]:8.2%}", *(f"{short(row[n], n):>13}" for n in costs)]
        lines.append("    " + "  ".join([*cells, row["file"]]))
    if len(rows) > len(places):
        lines.append(f"    ({len(places)} of {len(rows)} are shown)")
    return "\n".join(lines)


def write_picture(workdir: Workdir, figure: Figure) -> Path:
    """Writes front.png and returns its path."""
    path = workdir.path / PICTURE
    write_atomic(path, genotypes.figure_to_png(figure))
    return path
