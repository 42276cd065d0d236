"""ASHA promotes the best of each rung, in the order of the paper's algorithm 2."""

from __future__ import annotations

import types

import pytest

from darts_tf.errors import InputError
from darts_tf.space.registry import SPACES
from darts_tf.strategy.black_box.asha import Asha
from darts_tf.strategy.black_box.evaluation_loop import Budget, EvaluationLoop

SPACE = SPACES["nasbench201"]


def run(worths, **settings) -> list[tuple[int, int]]:
    """Returns (number of the genotype, rung) of evaluations of these worths."""
    strategy, numbers, steps = Asha(SPACE, 0, **settings), {}, []
    for worth in worths:
        genotype, rung = strategy.propose(), strategy.rung
        number = numbers.setdefault(genotype, len(numbers))
        steps.append((number, rung))
        strategy.tell(genotype, worth)
    return steps


def test_by_hand():
    """One of two goes on; of a rung's best half those that are not yet above."""
    worths = [0.1, 0.2, 0.5, 0.4, 0.3, 0.6, 0.3, 0.7]
    assert run(worths, reduction=2, rungs=3) == [
        (0, 0),
        (1, 0),
        (1, 1),  # the better one of two
        (2, 0),  # half of three is one, which is above already: a new one
        (2, 1),  # that is now the best of three
        (1, 2),  # of two on rung 1 the better one, 0.5 against 0.3
        (3, 0),
        (3, 1),  # the best two of four are 2, which is above, and this one
    ]


def test_it_goes_up_before_it_draws_and_the_top_is_the_end():
    steps = run([1.0] * 30, reduction=2, rungs=3)
    rungs = [rung for _, rung in steps]
    assert max(rungs) == 2
    assert len(set(steps)) == 30  # nobody twice on one rung
    for above, below in ((1, 0), (2, 1)):
        assert 0 <= rungs.count(below) // 2 - rungs.count(above) <= 1
    promoted = {number for number, rung in steps if rung == 1}
    assert promoted <= {number for number, rung in steps if rung == 0}


def test_equal_worths_go_in_their_order():
    assert run([1.0] * 9, reduction=4, rungs=2)[4] == (0, 1)


@pytest.mark.parametrize("settings", [{"rungs": 1}, {"reduction": 1}])
def test_one_rung_is_refused(settings):
    with pytest.raises(InputError, match="must be at least 2"):
        Asha(SPACE, 0, **settings)


class Estimator:
    """Gives more on a higher rung to every second one."""

    def __init__(self, strategy):
        self.strategy, self.asked = strategy, []

    def __call__(self, genotype, number):
        self.asked.append(self.strategy.rung)
        worth = (hash(str(genotype)) % 97) / 97 - 0.5 * self.strategy.rung
        return types.SimpleNamespace(worth=worth, seconds=1.0)


def loop(budget: int) -> EvaluationLoop:
    strategy = Asha(SPACE, 3, reduction=2, rungs=3)
    return EvaluationLoop(SPACE, strategy, Estimator(strategy), Budget(budget))


def test_the_best_is_on_the_highest_rung_and_a_search_goes_on_exactly():
    whole, first, again = loop(20), loop(9), loop(20)
    for search in (whole, first):
        while search.step < search.total_steps:
            search.advance()
    again.restore(first.state())
    while again.step < again.total_steps:
        again.advance()
    assert again.evaluations == whole.evaluations
    assert again.best == whole.best
    rungs = [evaluation.rung for evaluation in whole.evaluations]
    assert whole.evaluations[whole.best].rung == max(rungs) == 2
    assert whole.evaluations[whole.best].worth == max(
        e.worth for e in whole.evaluations if e.rung == 2
    )
