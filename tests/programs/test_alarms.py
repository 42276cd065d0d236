"""Warnings in the summary of a search, and the remedies that it proposes."""

from __future__ import annotations

import types

import pytest

from darts_tf.config import SearchConfig
from darts_tf.programs import alarms
from darts_tf.space import nasbench201
from darts_tf.space.architecture_string import from_string
from darts_tf.space.conv import SPACE
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.published import CONVOLUTIONAL
from darts_tf.strategy.diagnostics.early_stopping import Stop

GOOD = CONVOLUTIONAL["DARTS_V2"]
SKIPS = CellGenotype((("skip_connect", 0), ("skip_connect", 1)) * 4, (5,))
COLLAPSED = Genotype(SPACE.name, {**GOOD.cells, "normal": SKIPS})
STOP = Stop(9, 2, "the dominant eigenvalue rose")


def warning(genotype=GOOD, stop=None, **changes) -> str:
    loop = types.SimpleNamespace(space=SPACE, stop=stop)
    outcome = alarms.outcome(loop, genotype)
    return alarms.format_outcome(outcome, SearchConfig(**changes))


def test_nothing_to_warn_of():
    loop = types.SimpleNamespace(space=SPACE, stop=None)
    assert alarms.outcome(loop, GOOD) == {"collapsed": None, "early_stop": None}
    assert warning() == ""


def test_collapsed_cells_raise_the_alarm_and_it_says_what_to_try():
    text = warning(COLLAPSED, lambda_regularizer="none")
    words = " ".join(text.split())
    assert "ALARM" in text and "the normal cell has no operation" in text
    for remedy in (
        "--lambda_regularizer=cosine --lambda_gradient=exact",
        "--early_stop=eigenvalue",
        "--weight_decay",
        "docs/collapse.md",
    ):
        assert remedy in words
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_zero_cell_is_not_called_a_collapse():
    zero = from_string("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    loop = types.SimpleNamespace(space=nasbench201.SPACE, stop=None)
    outcome = alarms.outcome(loop, zero)
    text = alarms.format_outcome(outcome, SearchConfig(space="nasbench201"))
    words = " ".join(text.split())
    assert "ends at a zero cell: the cell hands nothing on" in words
    assert "collapsed" not in words
    assert "cell with zero excluded" in words


def test_what_was_used_already_is_not_proposed():
    text = warning(COLLAPSED, STOP, lambda_regularizer="sign", early_stop="eigenvalue")
    assert "--lambda_regularizer" not in text
    assert text.count("--early_stop") == 1  # that it stopped the search


def test_that_and_why_it_stopped():
    text = warning(stop=STOP, early_stop="eigenvalue")
    words = " ".join(text.split())
    assert words == (
        "Stopped by --early_stop=eigenvalue after epoch 9 of 50: the dominant "
        "eigenvalue rose. The genotype is that of epoch 2."
    )


@pytest.mark.parametrize("stop", [None, STOP])
def test_outcome_is_what_result_json_holds(stop):
    loop = types.SimpleNamespace(space=SPACE, stop=stop)
    found = alarms.outcome(loop, COLLAPSED)
    assert found["collapsed"].startswith("the normal cell")
    assert (found["early_stop"] is None) == (stop is None)
    if stop:
        assert found["early_stop"]["taken"] == 2
