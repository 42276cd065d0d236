"""Rules that end a search before its cells collapse.

- eigenvalue, DARTS-ES of Zela et al. 2020 (arXiv 1909.09656, sect. 4): the
  dominant eigenvalue of the Hessian of L_val in alpha, smoothed over a window
  of k epochs around each epoch, is watched. Where the smoothed value of k
  epochs before, divided by the present one, falls below a ratio, it has risen
  too fast: the search ends and returns the cells of k epochs before. The
  paper has k = 5 and the ratio 0.75 (its code: 4 and 1/1.3).
- skip_connections, the first criterion of DARTS+ (Liang et al. 2019, arXiv
  1909.06035): the search ends, and returns its present cells, where the
  normal cell has two or more skip connections.

Departures: the last smoothed value is that of the epoch half a window ago,
as in the code of Zela et al., so that "k epochs before" counts from there.
A value that is not positive stops nothing. No cells from before the epoch
`first` are returned: early ones are noise. Zela et al.'s code does the same
(from epoch 10, counted from 0), the paper of DARTS+ says nothing of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from darts_tf.config import EarlyStop, names
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts.tasks import checkpoint_array
from darts_tf.strategy.diagnostics.collapse import main_cell

RULES = names(EarlyStop)
EIGENVALUE = "eigenvalue/dominant"
"""The scalar of an epoch's record that the rule of that name reads."""


@dataclasses.dataclass(frozen=True)
class Stop:
    """The end of a search, with the reason.

    Attributes:
      epoch: after which finished epoch it ended.
      taken: the finished epoch whose cells it returns.
      reason: a clause.
    """

    epoch: int
    taken: int
    reason: str


@dataclasses.dataclass(frozen=True)
class EarlyStoppingSettings:
    """The settings of one rule.

    Attributes:
      rule: one of RULES, not "none".
      window: k in epochs: what is averaged over, and how far back it goes.
      ratio: of the smoothed eigenvalues, k epochs before to present.
      skips: so many skip connections in the normal cell end the search.
      first: the earliest epoch, counted from 1, whose cells are returned.
    """

    rule: str
    window: int = 5
    ratio: float = 0.75
    skips: int = 2
    first: int = 11

    @property
    def earliest(self) -> int:
        """Returns the first epoch, counted from 1, after which the rule may stop."""
        if self.rule == "eigenvalue":
            k = self.window
            return max(2 * k, self.first + k // 2 + k)
        return max(1, self.first)


class EarlyStopping:
    """Applies a rule to the epochs of one search.

    The watched numbers and genotypes are its whole state; `stop` follows from
    them.

    Args:
      settings: the rule.
      space: the space of the search.
    """

    def __init__(self, settings: EarlyStoppingSettings, space: SearchSpace):
        self.settings, self._space = settings, space
        self._seen: list[float] = []  # a number for each epoch
        self._genotypes: list[Genotype] = []

    def end_epoch(
        self, epoch: int, genotype: Genotype, record: Mapping[str, float]
    ) -> None:
        """Takes in an epoch; a repeated epoch replaces the earlier record.

        Args:
          epoch: its number, counted from 1.
          genotype: what would be derived after it.
          record: what was measured.
        """
        if self.settings.rule == "eigenvalue":
            value = record[EIGENVALUE]
        else:
            name = main_cell(self._space).name
            value = genotype.count(self._space.identity, name)
        self._seen[epoch - 1 :] = [float(value)]
        self._genotypes[epoch - 1 :] = [genotype]

    @property
    def stop(self) -> Stop | None:
        """The end of the search with its reason; None while it goes on."""
        if self.settings.rule == "eigenvalue":
            return self._by_eigenvalue()
        return self._by_skip_connections()

    def genotype(self) -> Genotype:
        """Returns the genotype of the epoch that a stopped search returns."""
        stop = self.stop
        if stop is None:
            raise ValueError("the search goes on")
        return self._genotypes[stop.taken - 1]

    def _by_eigenvalue(self) -> Stop | None:
        k, epoch = self.settings.window, len(self._seen)
        back = epoch - k // 2 - k
        if epoch < 2 * k or back < self.settings.first:
            return None
        before = np.mean(self._seen[epoch - 2 * k : epoch - k])
        present = np.mean(self._seen[epoch - k :])
        if before <= 0 or before >= self.settings.ratio * present:
            return None
        return Stop(
            epoch,
            back,
            f"the dominant eigenvalue rose from {before:.3g} to "
            f"{present:.3g} within {k} epochs (means of {k})",
        )

    def _by_skip_connections(self) -> Stop | None:
        epoch, limit = len(self._seen), self.settings.skips
        if epoch < max(1, self.settings.first) or self._seen[-1] < limit:
            return None
        return Stop(
            epoch,
            epoch,
            f"the {main_cell(self._space).name} cell has "
            f"{self._seen[-1]:.0f} skip connections, {limit} end the search",
        )

    def state(self) -> dict[str, np.ndarray]:
        """Returns the watched numbers and the genotypes (JSON) of all epochs."""
        texts = [genotype.to_json() for genotype in self._genotypes]
        return {
            "seen": np.array(self._seen, np.float64),
            "genotypes": np.array(texts, np.str_),
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restores what `state` returned.

        Raises:
          InputError: it is of another search.
        """
        epochs = len(arrays.get("seen", ()))
        seen = checkpoint_array(arrays, "seen", (epochs,))
        texts = checkpoint_array(arrays, "genotypes", (epochs,))
        self._genotypes = [Genotype.from_json(str(text)) for text in texts]
        self._seen = seen.tolist()
