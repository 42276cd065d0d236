"""The history of alpha, after each epoch of a search (alpha.npz)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from darts_tf.config import LIKELY_GENOTYPES, SearchConfig
from darts_tf.config_rules import RELAXED
from darts_tf.errors import InputError, shorten
from darts_tf.run.files import write_atomic
from darts_tf.run.loop import checkpoints
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts import derivation
from darts_tf.strategy.darts.likely_genotypes import likely_genotypes
from darts_tf.strategy.darts.within_targets import Alpha, CostTargets, likely_within
from darts_tf.strategy.diagnostics.other_rules import derive_by_other_rules

TEMPERATURE, RELAXATION = "temperature", "relaxation"


def most_likely(
    space: SearchSpace, state: Alpha, targets: CostTargets | None
) -> list[Genotype]:
    """Returns up to LIKELY_GENOTYPES genotypes of alpha, the most likely first.

    Args:
      space: that was searched.
      state: its alpha.
      targets: that the genotypes are to meet (strategy/darts/within_targets.py);
        None: there are none.
    """
    if targets is not None:
        return likely_within(space, state, LIKELY_GENOTYPES, targets)
    alpha, temperature, relaxation = state
    return likely_genotypes(space, alpha, LIKELY_GENOTYPES, temperature, relaxation)


def derived_genotype(
    strongest: Genotype, likely: Sequence[Genotype], targets: CostTargets | None
) -> Genotype:
    """Returns the genotype that a search derives: the most likely one that it lists.

    Args:
      strongest: of the strongest operations, as DARTS derives (sect. 2.4).
      likely: what `most_likely` returns.
      targets: as given to that.

    Returns:
      `strongest` without targets, or if none is within them; else the first of
      `likely`.
    """
    if targets is None or not any(map(targets.within, likely[:1])):
        return strongest
    return likely[0]


def write_likely(path: Path, genotypes: Iterable[Genotype]) -> None:
    """Writes genotypes as a JSON list."""
    lines = (json.dumps(json.loads(genotype.to_json())) for genotype in genotypes)
    write_atomic(path, "[" + ",\n ".join(lines) + "]\n")


def keep(
    path: Path,
    epoch: int,
    alpha: Mapping[str, np.ndarray],
    temperature: float,
    relaxation: str = "softmax",
) -> None:
    """Writes the state after `epoch` (from 1); later ones are dropped.

    For each cell an array [epochs so far, edges, candidates] (with
    `partial_channels` one more column, beta), and the softmax's temperatures
    [epochs so far], on which the ranking of edges depends; with another
    relaxation its name, once an epoch. Candidates that a search in stages has
    dropped are minus infinity.
    """
    state = {**alpha, TEMPERATURE: np.asarray(temperature, np.float64)}
    if relaxation != "softmax":
        state[RELAXATION] = np.asarray(relaxation)
    history = _earlier(path, epoch - 1, state)
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {n: np.array([*history[n], state[n]]) for n in state}
    np.savez(buffer, **arrays)
    write_atomic(path, buffer.getvalue())


def _earlier(
    path: Path, epochs: int, state: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Returns the history of so many epochs, NaN where it is lost."""
    lost = {n: np.full((epochs, *a.shape), np.nan, a.dtype) for n, a in state.items()}
    if not epochs:
        return lost
    try:
        arrays = checkpoints.read_archive(path)
        history = {n: arrays[n][:epochs] for n in state}
    except (checkpoints.Damaged, KeyError) as error:
        logging.warning(
            "%s cannot be read (%s); alpha of the epochs up to %d is lost, the search "
            "goes on.",
            shorten(str(path)),
            error,
            epochs,
        )
        return lost
    fits = all(history[n].shape[1:] == a.shape[1:] for n, a in lost.items())
    if not fits or any(len(a) < epochs for a in history.values()):
        logging.warning("%s lacks epochs, which are lost.", shorten(str(path)))
    if not fits:
        return lost
    return {n: np.concatenate([a, lost[n][len(a) :]]) for n, a in history.items()}


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


def _no_history(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} holds no history of alpha ({shorten(reason, 100)}); give the "
        "`workdir` of a search with at least one finished epoch"
    )


class AlphaHistory:
    """The history that `keep` has written.

    Args:
      path: of alpha.npz.
      space: that was searched.

    Attributes:
      space: that was searched.
      epochs: how many there are.
      relaxation: of the search.

    Raises:
      InputError: there is no such history.
    """

    def __init__(self, path: Path, space: SearchSpace):
        self.space = space
        try:
            arrays = checkpoints.read_archive(path)
            self._alpha = {s.name: arrays[s.name] for s in space.cells}
            self.epochs = len(next(iter(self._alpha.values())))
            # Searches from before there was one have none.
            usual = np.ones(self.epochs)
            self._temperature = arrays.get(TEMPERATURE, usual)
            self.relaxation = str(arrays.get(RELAXATION, ["softmax"])[-1])
        except (checkpoints.Damaged, KeyError, TypeError) as error:
            raise _no_history(path, str(error)) from None
        if not self._fits():
            raise _no_history(path, f"other shapes than space {space.name!r} has")

    def _fits(self) -> bool:
        """Returns True for numbers of the space's shape in every epoch."""
        arrays = [self._temperature]
        for spec in self.space.cells:
            rows = self._alpha[spec.name]
            edges, candidates = spec.alpha_shape
            shapes = [(edges, candidates), (edges, candidates + 1)]
            if rows.ndim != 3 or rows.shape[1:] not in shapes:
                return False
            arrays.append(rows)
        floats = all(array.dtype.kind == "f" for array in arrays)
        return floats and {len(array) for array in arrays} == {max(1, self.epochs)}

    def genotype(self, epoch: int) -> Genotype:
        """Returns the genotype derived after an epoch (from 1; 0: the last).

        Raises:
          InputError: the search has no such epoch.
        """
        return derivation.derive(self.space, *self.after(epoch))

    def by_other_rules(self, epoch: int) -> dict[str, Genotype]:
        """Returns the genotypes of an epoch by strategy/diagnostics/other_rules.py."""
        return derive_by_other_rules(self.space, *self.after(epoch))

    def after(self, epoch: int) -> Alpha:
        """Returns (alpha, temperature, relaxation) after an epoch; 0: the last.

        Raises:
          InputError: the search has no such epoch, or its alpha is lost.
        """
        if epoch > self.epochs:
            raise InputError(f"`epoch={epoch}`: the search has {self.epochs}")
        alpha = [rows[epoch - 1] for rows in self._alpha.values()]
        if not all(np.isfinite(rows.max(-1)).all() for rows in alpha):
            raise InputError(
                f"`epoch={epoch}`: alpha of that epoch is lost or not finite; give "
                "another epoch"
            )
        return alpha, float(self._temperature[epoch - 1]), self.relaxation

    def alpha(self) -> dict[str, np.ndarray]:
        """Returns alpha after the last epoch by cell, [edges, candidates]."""
        return {
            spec.name: spec.parted(self._alpha[spec.name][-1])[0]
            for spec in self.space.cells
        }

    def mixing_weights(self) -> dict[str, np.ndarray]:
        """Returns the mean mixing weights by cell, [epochs, edges, candidates]."""
        mean = derivation.MEANS[self.relaxation]
        temperature = self._temperature[:, np.newaxis, np.newaxis]
        return {
            spec.name: mean(spec.parted(self._alpha[spec.name])[0], temperature)
            for spec in self.space.cells
        }
