"""A budgeted search as a loop: its end and its state."""

from __future__ import annotations

import types

import numpy as np
import pytest

from darts_tf.errors import DivergedError, InputError
from darts_tf.run.loop import protocols as run_loop
from darts_tf.run.loop.driver import drive
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.workdir import open_workdir
from darts_tf.space.decisions import decided
from darts_tf.space.registry import SPACES
from darts_tf.strategy.black_box import evaluation_loop
from darts_tf.strategy.black_box.evaluation_loop import Budget, EvaluationLoop
from darts_tf.strategy.black_box.strategies import strategy_by_name


class Estimator:
    """Returns at once and claims to have needed some seconds."""

    def __init__(self, seconds=1.0):
        self.seconds, self.asked = seconds, []

    def __call__(self, genotype, number):
        self.asked.append(number)
        worth = float(sum(decided(genotype).values()) % 7)
        return types.SimpleNamespace(worth=worth, seconds=self.seconds)


def new(budget, space="darts_conv", estimate=None, **more) -> EvaluationLoop:
    strategy = strategy_by_name("evolution", SPACES[space], 0, population=4, sample=2)
    estimate = estimate or Estimator()
    return EvaluationLoop(SPACES[space], strategy, estimate, budget, **more)


def finished(loop) -> EvaluationLoop:
    while loop.step < loop.total_steps:
        loop.advance()
    return loop


def test_the_budget_in_evaluations_and_what_is_told():
    estimate = Estimator()
    loop = new(Budget(evaluations=9), estimate=estimate)
    scalars = [loop.advance() for _ in range(9)]
    assert loop.step == loop.total_steps == 9
    assert estimate.asked == list(range(1, 10))
    worths = [evaluation.worth for evaluation in loop.evaluations]
    assert [s["worth"] for s in scalars] == worths
    best = np.maximum.accumulate(worths)
    assert [s["incumbent"] for s in scalars] == list(best)
    assert loop.best == worths.index(max(worths))
    assert loop.best_genotype() == loop.evaluations[loop.best].genotype
    genotypes = [evaluation.genotype for evaluation in loop.evaluations]
    assert scalars[-1]["distinct"] == len(set(genotypes))


@pytest.mark.parametrize(
    "budget, steps",
    [
        (Budget(seconds=4.5), 5),  # the fifth one spends the last of them
        (Budget(evaluations=3, seconds=4.5), 3),
        (Budget(evaluations=9, seconds=4.5), 5),
    ],
)
def test_whichever_is_spent_first(budget, steps):
    loop = finished(new(budget))
    assert loop.step == steps
    assert loop.seconds == pytest.approx(steps, abs=0.4)


@pytest.mark.parametrize(
    "limits", [{}, {"evaluations": -1, "seconds": 1.0}, {"seconds": 0.0}]
)
def test_no_budget_is_refused(limits):
    with pytest.raises(InputError, match="must be above 0"):
        Budget(**limits)


@pytest.mark.parametrize("space", SPACES)
def test_a_restored_loop_goes_on_exactly(space):
    whole = finished(new(Budget(evaluations=10), space))
    half = new(Budget(evaluations=10), space)
    for _ in range(6):
        half.advance()
    other = new(Budget(evaluations=10), space)
    other.restore(half.state())
    assert other.step == 6 and other.best == half.best
    assert other.seconds == pytest.approx(half.seconds)
    evaluation = [(e.genotype, e.worth) for e in finished(other).evaluations]
    assert evaluation == [(e.genotype, e.worth) for e in whole.evaluations]
    for name, array in other.state().items():
        if name != "seconds":
            np.testing.assert_array_equal(array, whole.state()[name])


def test_a_checkpoint_of_something_else_is_refused():
    state = finished(new(Budget(evaluations=2), "nasbench201")).state()
    for arrays in ({"w": np.zeros(3)}, state):
        with pytest.raises(InputError, match="another `workdir`"):
            new(Budget(evaluations=2)).restore(arrays)


@pytest.mark.parametrize(
    "limits, after",
    [
        ({"evaluations": 3}, 3),
        ({"seconds": 1.5}, 2),
        ({"evaluations": 9, "seconds": 0.5}, 1),
    ],
)
def test_a_budget_that_was_spent_before_is_refused(limits, after):
    state = finished(new(Budget(evaluations=4))).state()
    words = f"would have ended this search after {after} of the 4 evaluations"
    with pytest.raises(InputError, match=words):
        new(Budget(**limits)).restore(state)


@pytest.mark.parametrize("limits", [{"evaluations": 4}, {"seconds": 3.5}])
def test_the_budget_that_was_just_spent_is_not_refused(limits):
    loop = finished(new(Budget(**limits)))
    again = new(Budget(**limits))
    again.restore(loop.state())
    assert again.step == again.total_steps == 4


def driven(folder, loop) -> str:
    with open_workdir(folder, {}, "") as workdir:
        drive(loop, workdir, report_every=1, checkpoint_every=0)


def test_the_driver_ends_with_the_seconds(tmp_path, capsys):
    loop = new(Budget(seconds=6.7), steps_per_epoch=3)
    driven(tmp_path, loop)
    assert loop.step == 7
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "evaluation 3",
        "evaluation 6",
        "evaluation 7",
    ]
    records = read_metrics(tmp_path / "metrics.jsonl")
    incumbents = [r["incumbent"] for r in records if r["kind"] == "steps"]
    assert len(incumbents) == 7 and incumbents == sorted(incumbents)
    again = new(Budget(seconds=6.7), steps_per_epoch=3)
    driven(tmp_path, again)  # nothing is left to do
    assert again.step == 7 and again.best_genotype() == loop.best_genotype()


def test_a_worth_that_is_no_number_ends_the_run(tmp_path):
    def nothing(genotype, number):
        return types.SimpleNamespace(worth=np.nan, seconds=0.0)

    with pytest.raises(DivergedError, match="worth"):
        driven(tmp_path, new(Budget(evaluations=2), estimate=nothing))


def test_endless_is_the_drivers():
    assert evaluation_loop.ENDLESS == run_loop.ENDLESS
