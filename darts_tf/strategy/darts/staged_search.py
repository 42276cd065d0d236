"""Progressive search: stages with fewer candidates, in deeper networks.

P-DARTS (Chen et al., ICCV 2019, sect. 3.2) and DrNAS (Chen et al., ICLR 2021, sect.
3.4). A stage is a whole search (strategy/darts/search.py) with schedules and warm-up
of its own. At its end each edge keeps the candidates with the largest mean mixing
weights, the zero operation among them; the next stage's space has only these, so that
the others are neither computed nor derived.

w starts afresh in each stage, as in P-DARTS, and so does the optimizer of alpha.

Departures:
- Candidates that stay go on at their alpha, as in DrNAS; in P-DARTS's code alpha
  starts afresh.
- DrNAS widens w from stage to stage so that the network computes the same.
- P-DARTS's dropout on skip connections, and its limit on their number in the derived
  cell, are not built.
"""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from darts_tf.descent.variables import snapshot
from darts_tf.errors import InputError
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.strategy.darts.search_loop import Search
from darts_tf.strategy.darts.tasks import checkpoint_array

PREFIX = "stages/"
"""Prefix of the arrays by which a checkpoint says which stage it is of."""


def strongest(weights: np.ndarray, count: int) -> np.ndarray:
    """Returns the columns of each edge's largest weights, ascending, [edges, count].

    Args:
      weights: mean mixing weights [edges, candidates]; among equals the earlier
        candidate stays.
      count: how many stay.
    """
    order = np.argsort(-weights, axis=1, kind="stable")
    return np.sort(order[:, :count], axis=1)


def restricted(space: SearchSpace, columns: Sequence[np.ndarray]) -> SearchSpace:
    """Returns the space with some candidates of each edge alone; its name stays.

    Args:
      space: the whole one.
      columns: for each of its cells the candidates that stay, [edges, candidates].
    """
    cells = [
        dataclasses.replace(
            spec,
            candidates=tuple(
                tuple(names[column] for column in row)
                for names, row in zip(spec.candidates, rows, strict=True)
            ),
        )
        for spec, rows in zip(space.cells, columns, strict=True)
    ]
    return dataclasses.replace(space, cells=tuple(cells))


class StagedSearch:
    """Searches in stages, as a loop that can stop anywhere and go on exactly there.

    All that is not here is the present stage's search's.

    Args:
      space: with all candidates.
      candidates: candidates of an edge in each stage; the first has all.
      epochs: of each stage.
      build: makes the search of a stage, given its number from 0 and its space. Its
        initial weights and its data must follow from the number alone.

    Attributes:
      space: as given.
      architecture: alpha in the whole space.
    """

    stop = None

    def __init__(
        self,
        space: SearchSpace,
        candidates: Sequence[int],
        epochs: Sequence[int],
        build: Callable[[int, SearchSpace], Search],
    ):
        self.space, self._candidates, self._epochs = space, candidates, epochs
        self._build = build
        every = [np.arange(spec.alpha_shape[1]) for spec in space.cells]
        columns = [
            np.tile(row, (len(spec.edges), 1))
            for row, spec in zip(every, space.cells, strict=True)
        ]
        self._enter(0, columns)

    def __getattr__(self, name: str):
        return getattr(self.__dict__["_search"], name)

    def _enter(self, stage: int, columns: list[np.ndarray]) -> None:
        """Starts a stage in which each edge has the candidates of these columns."""
        self._search: Any = None  # frees the last one before the next is built
        gc.collect()
        self._stage, self._columns = stage, columns
        self._search = self._build(stage, restricted(self.space, columns))
        self.architecture = WholeArchitecture(
            self.space, columns, self._search.architecture
        )

    @property
    def step(self) -> int:
        """Finished steps of all stages."""
        before = sum(self._epochs[: self._stage])
        return before * self._search.steps_per_epoch + self._search.step

    @property
    def total_steps(self) -> int:
        """Steps of all stages together."""
        return sum(self._epochs) * self._search.steps_per_epoch

    @property
    def epoch(self) -> int:
        """The epoch of the next step, counted from 0 over all stages."""
        return self.step // self._search.steps_per_epoch

    def advance(self) -> Mapping[str, object]:
        """Takes a step, in the next stage where the present one is over."""
        if self._search.step == self._search.total_steps:
            self._next_stage()
        return self._search.advance()

    def _next_stage(self) -> None:
        old, stage = self._search.architecture, self._stage + 1
        penalty = self._search.cost_penalty
        carried = None if penalty is None else snapshot([penalty.multipliers])[0]
        columns, alpha = [], []
        for spec, before, rows in zip(
            old.space.cells, self._columns, old.values(), strict=True
        ):
            weights = old.mixing_weights()[spec.name]
            chosen = strongest(weights, self._candidates[stage])
            columns.append(np.take_along_axis(before, chosen, 1))
            kept, beta = spec.parted(rows)
            kept = np.take_along_axis(kept, chosen, 1)
            alpha.append(kept if beta is None else np.column_stack([kept, beta]))
        del old, penalty
        self._enter(stage, columns)
        variables = self._search.architecture.variables
        for variable, rows in zip(variables, alpha, strict=True):
            variable.assign(rows)
        if carried is not None:
            self._search.cost_penalty.multipliers.assign(carried)

    def genotype(self):
        """Returns the genotype that would be derived now."""
        return self._search.genotype()

    def final_genotype(self):
        """Returns the result of a finished search."""
        return self._search.final_genotype()

    def state(self) -> dict[str, np.ndarray]:
        """Returns all that is needed to go on exactly, by name."""
        cells = zip(self.space.cells, self._columns, strict=True)
        columns = {f"{PREFIX}{spec.name}": rows for spec, rows in cells}
        number = {f"{PREFIX}number": np.array(self._stage, np.int64)}
        return {**self._search.state(), **columns, **number}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes up a state; InputError where it does not fit."""
        stage = int(checkpoint_array(arrays, f"{PREFIX}number", ()))
        if not 0 <= stage < len(self._epochs):
            raise InputError(
                f"the checkpoint is of stage {stage + 1}, and the search has "
                f"{len(self._epochs)}; give another `workdir`"
            )
        columns = [self._stored(arrays, spec, stage) for spec in self.space.cells]
        if stage != self._stage:
            self._enter(stage, columns)
        self._search.restore(
            {n: a for n, a in arrays.items() if not n.startswith(PREFIX)}
        )

    def _stored(self, arrays, spec: CellSpec, stage: int) -> np.ndarray:
        edges, most = spec.alpha_shape
        shape = edges, self._candidates[stage]
        columns = checkpoint_array(arrays, f"{PREFIX}{spec.name}", shape)
        if not ((columns >= 0) & (columns < most)).all():
            raise InputError(
                f"the checkpoint names candidates that cell '{spec.name}' has not; "
                "give another `workdir`"
            )
        return columns


class WholeArchitecture:
    """Shows the alpha of a stage in the whole space.

    Candidates that have left have an alpha of minus infinity, and mixing weights of
    exactly 0.

    Args:
      space: the whole one.
      columns: for each cell the candidates of the stage, [edges, candidates].
      stage: the stage's Architecture.
    """

    def __init__(self, space: SearchSpace, columns: Sequence[np.ndarray], stage):
        self.space, self._columns, self._stage = space, columns, stage

    def __getattr__(self, name: str):
        return getattr(self.__dict__["_stage"], name)

    def values(self) -> list[np.ndarray]:
        """Returns alpha, [edges, candidates] or with beta one column more."""
        result = []
        for spec, rows in zip(self._stage.space.cells, self._stage.values()):
            alpha, beta = spec.parted(rows)
            alpha = self._spread(spec.name, alpha, -np.inf)
            result.append(alpha if beta is None else np.column_stack([alpha, beta]))
        return result

    def mixing_weights(self) -> dict[str, np.ndarray]:
        """Returns the present mean mixing weights [edges, candidates] by cell."""
        weights = self._stage.mixing_weights()
        return {name: self._spread(name, rows, 0.0) for name, rows in weights.items()}

    def _spread(self, cell: str, rows: np.ndarray, missing: float) -> np.ndarray:
        names = [spec.name for spec in self.space.cells]
        columns = self._columns[names.index(cell)]
        whole = np.full(self.space.cell(cell).alpha_shape, missing, rows.dtype)
        np.put_along_axis(whole, columns, rows, 1)
        return whole
