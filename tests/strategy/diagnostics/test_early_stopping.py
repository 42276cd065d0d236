"""The end of a search by each rule, and the epoch whose cells it returns."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.config import SearchConfig
from darts_tf.errors import InputError
from darts_tf.programs.diagnostics import early_stopping
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.diagnostics.early_stopping import (
    EarlyStopping,
    EarlyStoppingSettings,
)
from tests.strategy.small_space import SMALL


def genotype(skips: int, epoch: int = 0) -> Genotype:
    """Returns a genotype whose reduction cell tells its epoch."""
    names = ["skip_connect"] * skips + ["sep_conv_3x3"] * (2 - skips)
    normal = CellGenotype(tuple(zip(names, (0, 1))), (2,))
    numbers = [SMALL.operations[1:][n] for n in divmod(epoch, 7)]
    reduce = CellGenotype(tuple(zip(numbers, (0, 1))), (2,))
    return Genotype(SMALL.name, {"normal": normal, "reduce": reduce})


def run(rule: str, values, **settings):
    """Returns (the rule, the number of epochs it let pass), values an epoch each."""
    settings = EarlyStoppingSettings(rule, **settings)
    stopping = EarlyStopping(settings, SMALL)
    for epoch, value in enumerate(values, start=1):
        record = {"eigenvalue/dominant": value}
        skips = value if rule == "skip_connections" else 2
        stopping.end_epoch(epoch, genotype(skips, epoch), record)
        if stopping.stop:
            return stopping, epoch
    return stopping, len(values)


def test_eigenvalue_that_stays_stops_nothing():
    stopping, epochs = run("eigenvalue", [0.1] * 50)
    assert stopping.stop is None and epochs == 50


def test_eigenvalue_by_hand_with_the_papers_constants():
    """1 for 20 epochs, then 3: means of 5 are 1, then 1.4 (1 of 5 is 3).

    1 / 1.4 < 0.75 at once, in epoch 21; the mean is that around epoch 19,
    and 5 before it is epoch 14.
    """
    stopping, epochs = run("eigenvalue", [1.0] * 20 + [3.0] * 20)
    assert epochs == 21 and stopping.stop.epoch == 21
    assert stopping.stop.taken == 14
    assert "1 to 1.4" in stopping.stop.reason
    assert stopping.genotype() == genotype(2, 14)


def test_eigenvalue_that_rises_slowly_stops_nothing():
    """Within 5 epochs by 5 % each, 1 / 1.28 = 0.78."""
    assert run("eigenvalue", 1.05 ** np.arange(50))[0].stop is None
    assert run("eigenvalue", 1.06 ** np.arange(50))[0].stop is not None


def test_no_cells_from_before_the_first_epoch_allowed():
    """Steep from the start: the first that may be taken is taken."""
    stopping, epochs = run("eigenvalue", 2.0 ** np.arange(50))
    assert (stopping.stop.taken, epochs) == (11, 18)
    stopping, epochs = run("eigenvalue", 2.0 ** np.arange(50), first=1)
    assert (stopping.stop.taken, epochs) == (3, 10)  # two windows are full


def test_window_of_one_epoch():
    stopping, epochs = run("eigenvalue", [1, 1.1, 2.2, 9], window=1, ratio=0.6, first=1)
    assert (epochs, stopping.stop.taken) == (3, 2)


def test_what_is_not_positive_stops_nothing():
    assert run("eigenvalue", [-1.0] * 20 + [3.0] * 3)[0].stop is None
    assert run("eigenvalue", [1.0] * 20 + [-3.0] * 9)[0].stop is None


def test_skip_connections_of_the_normal_cell_end_it_at_once():
    stopping, epochs = run("skip_connections", [2, 0, 1, 1, 2, 0], first=2)
    assert epochs == 5
    assert (stopping.stop.epoch, stopping.stop.taken) == (5, 5)
    assert "2 skip connections" in stopping.stop.reason
    assert run("skip_connections", [1, 1], first=1, skips=1)[1] == 1
    assert run("skip_connections", [2] * 20)[1] == 11


@pytest.mark.parametrize("rule", ["eigenvalue", "skip_connections"])
def test_state_comes_back(rule):
    values = {"eigenvalue": 2.0 ** np.arange(18), "skip_connections": [1] * 10 + [2]}[
        rule
    ]
    one, epochs = run(rule, values)
    other = EarlyStopping(one.settings, SMALL)
    other.restore(one.state())
    assert one.stop and other.stop == one.stop
    assert other.genotype() == one.genotype()
    other.restore(run(rule, values[:3])[0].state())  # forgets the rest
    assert other.stop is None and len(other.state()["seen"]) == 3


def test_state_before_the_first_epoch():
    one, _ = run("eigenvalue", [])
    one.restore(one.state())
    assert one.stop is None


def test_an_epoch_again_replaces_itself():
    """A run that was killed between an epoch's end and its checkpoint."""
    one, _ = run("eigenvalue", [1.0, 2.0, 3.0])
    one.end_epoch(3, genotype(0), {"eigenvalue/dominant": 4.0})
    state = one.state()
    assert state["seen"].tolist() == [1, 2, 4]
    assert state["genotypes"].shape == (3,)


def test_a_state_of_another_search_is_refused():
    one, _ = run("eigenvalue", [1.0, 2.0])
    state = one.state()
    with pytest.raises(InputError, match="seen"):
        one.restore({})
    with pytest.raises(InputError, match="genotypes"):
        one.restore(state | {"genotypes": state["genotypes"][:1]})


@pytest.mark.parametrize(
    "settings",
    [
        {"rule": "eigenvalue"},
        {"rule": "eigenvalue", "window": 2, "first": 1},
        {"rule": "eigenvalue", "window": 4, "first": 1},
        {"rule": "skip_connections"},
        {"rule": "skip_connections", "first": 1},
    ],
)
def test_the_earliest_epoch_is_that_of_values_that_stop_at_once(settings):
    """Eigenvalues double from epoch to epoch; the cell always has two skips."""
    rule, epochs = settings["rule"], range(40)
    values = [2.0**n if rule == "eigenvalue" else 2 for n in epochs]
    _, stopped = run(values=values, **settings)
    assert stopped == EarlyStoppingSettings(**settings).earliest < 40


def test_a_search_that_a_rule_cannot_end_is_told_so_at_its_start(capsys):
    space = space_by_name("darts_conv")
    early_stopping(SearchConfig(early_stop="eigenvalue", epochs=17), space)
    warning = capsys.readouterr().err
    assert "cannot end this search before epoch 18, and --epochs=17" in warning
    assert "--early_stop_window or --early_stop_first" in warning
    early_stopping(SearchConfig(early_stop="eigenvalue", epochs=18), space)
    early_stopping(SearchConfig(early_stop="skip_connections", epochs=11), space)
    assert not capsys.readouterr().err
