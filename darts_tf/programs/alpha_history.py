"""The history of alpha, after each epoch of a search (alpha.npz)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.config_rules import RELAXED
from darts_tf.errors import InputError
from darts_tf.run.files import write_atomic
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts import derivation

TEMPERATURE = "temperature"


def keep(
    path: Path, epoch: int, alpha: Mapping[str, np.ndarray], temperature: float
) -> None:
    """Writes the state after `epoch` (from 1); later ones are dropped.

    For each cell an array [epochs so far, edges, candidates] (with
    `partial_channels` one more column, beta), and the softmax's temperatures
    [epochs so far], on which the ranking of edges depends.
    """
    state = {**alpha, TEMPERATURE: np.float64(temperature)}
    history = {name: [] for name in state}
    if path.exists():
        with np.load(path, allow_pickle=False) as arrays:
            history = {n: list(arrays[n][: epoch - 1]) for n in state}
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {n: np.array([*history[n], state[n]]) for n in state}
    np.savez(buffer, **arrays)
    write_atomic(path, buffer.getvalue())


def check_has_alpha(config: SearchConfig, path: Path) -> None:
    """Refuses the folder of a search that had no alpha.

    Args:
      config: of the search.
      path: the search's folder.

    Raises:
      InputError: its strategy asks for worths.
    """
    if config.strategy not in RELAXED:
        raise InputError(
            f"`workdir={path}` is a search with `strategy={config.strategy}`, "
            "which has no alpha to derive from; what it found is its genotype.json"
        )


class AlphaHistory:
    """The history that `keep` has written.

    Args:
      path: of alpha.npz.
      space: that was searched.

    Attributes:
      space: that was searched.
      epochs: how many there are.

    Raises:
      InputError: there is no such history.
    """

    def __init__(self, path: Path, space: SearchSpace):
        self.space = space
        try:
            with np.load(path, allow_pickle=False) as arrays:
                self._alpha = {s.name: arrays[s.name] for s in space.cells}
                self.epochs = len(next(iter(self._alpha.values())))
                # Searches from before there was one have none.
                usual = np.ones(self.epochs)
                self._temperature = arrays.get(TEMPERATURE, usual)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{path} holds no history of alpha ({error}); give the "
                "`workdir` of a search with at least one finished epoch"
            ) from None

    def genotype(self, epoch: int) -> Genotype:
        """Returns the genotype derived after an epoch (from 1; 0: the last).

        Raises:
          InputError: the search has no such epoch.
        """
        if epoch > self.epochs:
            raise InputError(f"`epoch={epoch}`: the search has {self.epochs}")
        alpha = [rows[epoch - 1] for rows in self._alpha.values()]
        temperature = float(self._temperature[epoch - 1])
        return derivation.derive(self.space, alpha, temperature)

    def alpha(self) -> dict[str, np.ndarray]:
        """Returns alpha after the last epoch by cell, [edges, candidates]."""
        return {
            spec.name: spec.parted(self._alpha[spec.name][-1])[0]
            for spec in self.space.cells
        }

    def mixing_weights(self) -> dict[str, np.ndarray]:
        """Returns the mixing weights by cell, [epochs, edges, candidates]."""
        temperature = self._temperature[:, np.newaxis, np.newaxis]
        return {
            spec.name: derivation.softmax(
                spec.parted(self._alpha[spec.name])[0], temperature
            )
            for spec in self.space.cells
        }
