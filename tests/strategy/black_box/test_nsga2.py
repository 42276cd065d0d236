"""NSGA-II: what it learns, what it remembers, and limits that draw again."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.protocol.fronts import hypervolume
from darts_tf.space.decisions import decided
from darts_tf.space.registry import SPACES
from darts_tf.strategy.black_box.evaluation_loop import Budget, EvaluationLoop
from darts_tf.strategy.black_box.strategies import STRATEGIES, strategy_by_name
from tests.strategy.black_box.test_evaluation_loop import Estimator, finished
from tests.strategy.black_box.test_strategies import SMALL

NB201 = SPACES["nasbench201"]


def cost(genotype) -> float:
    """Counts the last options among the choices."""
    return float(sum(choice == 4 for choice in decided(genotype).values()))


def worth(genotype) -> float:
    """Counts the last options, weighed by the edge: at odds with the cost."""
    choices = decided(genotype).values()
    return float(sum(n * (c == 4) + (c == 2) for n, c in enumerate(choices)))


def volume(name: str, seed: int, **settings) -> float:
    strategy, points = strategy_by_name(name, NB201, seed, **settings), []
    for _ in range(90):
        genotype = strategy.propose()
        strategy.tell(genotype, worth(genotype))
        points.append((cost(genotype), 20 - worth(genotype)))
    return hypervolume(points, (7, 20))


def test_it_comes_nearer_to_the_front_than_random_search():
    settings = {"costs": [cost], "population": 10}
    asked = [volume("nsga2", seed, **settings) for seed in range(2)]
    random = [volume("random", seed) for seed in range(20)]
    assert np.mean(asked) > np.mean(random) + np.std(random)


def test_genes_of_edges_that_are_not_kept_are_remembered():
    """A restored search has all genes of the first one, in a space with such edges."""
    space, settings = SPACES["darts_conv"], {"costs": [cost], "population": 3}
    first, again = (strategy_by_name("nsga2", space, 0, **settings) for _ in range(2))
    for number in range(8):
        genotype = first.propose()
        assert number % 2 or first.propose() == genotype  # asking twice changes nothing
        first.tell(genotype, worth(genotype))
        again.tell(genotype, worth(genotype))
    genes, same = ([t.params for t in s._study.trials] for s in (first, again))
    assert genes == same and len(genes) == 8
    assert len(genes[0]) > len(decided(genotype))  # some are of edges that are not kept
    assert first.propose() == again.propose()


def loop(name: str, budget: int) -> EvaluationLoop:
    settings = {**SMALL.get(name, {})}
    strategy = strategy_by_name(name, NB201, 0, **settings)
    limited = Budget(evaluations=budget)
    return EvaluationLoop(NB201, strategy, Estimator(), limited, allowed=allowed)


def allowed(genotype) -> bool:
    return cost(genotype) <= 1


@pytest.mark.parametrize("name", STRATEGIES)
def test_limits_draw_again_and_a_restored_search_goes_on_exactly(name):
    whole = finished(loop(name, 12))
    assert all(allowed(e.genotype) for e in whole.evaluations)
    assert whole.refused == sum(e.refused for e in whole.evaluations) > 0
    assert whole.end_epoch()["refused"] == whole.refused
    half = finished(loop(name, 7))
    other = loop(name, 12)
    other.restore(half.state())
    assert other.refused == half.refused
    finished(other)
    for one, same in zip(whole.evaluations, other.evaluations, strict=True):
        assert (one.genotype, one.refused) == (same.genotype, same.refused)


def test_limits_that_nothing_meets_end_the_search():
    strategy, budget = strategy_by_name("random", NB201, 0), Budget(evaluations=1)
    nothing = EvaluationLoop(
        NB201, strategy, Estimator(), budget, allowed=lambda genotype: False
    )
    with pytest.raises(InputError, match="1,000 proposals in a row"):
        nothing.advance()


def test_checkpoints_from_before_there_were_limits():
    whole = finished(loop("random", 3))
    state = {n: a for n, a in whole.state().items() if n != "refused"}
    other = loop("random", 3)
    other.restore(state)
    assert other.step == 3 and other.refused == 0


@pytest.mark.parametrize(
    "settings", [{"costs": []}, {"population": 1, "costs": [cost]}]
)
def test_refused(settings):
    with pytest.raises(InputError, match="nsga2_population"):
        strategy_by_name("nsga2", NB201, 0, **settings)
