"""Decisions against made-up accuracies whose answer is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.space.cell import ZERO, CellSpec, SearchSpace
from darts_tf.space.conv import SPACE
from darts_tf.strategy.one_shot import perturbation
from darts_tf.strategy.one_shot.perturbation import CellSelection, Selection

SEED = 3


def worths(seed=0) -> dict[str, np.ndarray]:
    """The contribution of every operation to the accuracy, all different."""
    random = np.random.default_rng(seed)
    return {
        spec.name: random.permutation(14 * 8).reshape(14, 8) / 112
        for spec in SPACE.cells
    }


def trained(seed=1) -> dict[str, np.ndarray]:
    """Mixing weights, which say nothing about the worth."""
    random = np.random.default_rng(seed)
    return {s.name: random.dirichlet(np.ones(8), 14) for s in SPACE.cells}


class Supernet:
    """Its accuracy is the sum of the worths of what it has; counts calls."""

    def __init__(self):
        self.worths, self.seen, self.tuned = worths(), [], 0

    def accuracy(self, weights) -> float:
        assert all(w.shape == (14, 8) for w in weights.values())
        self.seen.append({n: w.copy() for n, w in weights.items()})
        return float(
            sum(
                (self.worths[name] * (rows > 0)).sum() for name, rows in weights.items()
            )
        )

    def tune(self) -> None:
        self.tuned += 1


def derived(selection, supernet):
    """Algorithm 1; the loop does the same with steps."""
    for number in range(selection.rounds):
        selection.decide(number, supernet.accuracy)
        supernet.tune()
    return selection.genotype()


def expected_edges(spec, worth) -> list[tuple[str, int]]:
    """Selects by hand the worthiest non-zero operation and the worthiest two edges."""
    edges, start = [], 0
    for node in range(2, 6):
        best = []
        for source in range(node):
            row = worth[start + source].copy()
            row[0] = -1  # none
            best.append((row.max(), int(row.argmax()), source))
        strongest = sorted(sorted(best)[-2:], key=lambda item: item[2])
        names = spec.candidates[0]
        edges += [(names[column], source) for _, column, source in strongest]
        start += node
    return edges


def test_finds_what_the_supernet_cannot_do_without():
    supernet = Supernet()
    genotype = derived(Selection(SPACE, trained(), SEED), supernet)
    for spec in SPACE.cells:
        wanted = expected_edges(spec, supernet.worths[spec.name])
        assert list(genotype.cells[spec.name].edges) == wanted
        assert genotype.cells[spec.name].concat == (2, 3, 4, 5)
    # An edge a round, then nodes 3 to 5, which more than two edges enter.
    assert supernet.tuned == 14 + 3
    assert len(supernet.seen) == 2 * (14 * 7 + 3 + 4 + 5)


def test_magnitude_would_have_chosen_otherwise():
    one = Selection(SPACE, trained(), SEED).genotype()
    assert one != derived(Selection(SPACE, trained(), SEED), Supernet())


def test_one_operation_is_left_out_and_the_rest_stays_as_it_was():
    supernet, before = Supernet(), trained()
    selection = Selection(SPACE, before, SEED)
    selection.decide(0, supernet.accuracy)
    for place, weights in enumerate(supernet.seen):
        name, other = ("normal", "reduce") if place < 7 else ("reduce", "normal")
        (row,), (column,) = np.nonzero(weights[name] != before[name])
        assert weights[name][row, column] == 0 and column == 1 + place % 7
        same = place < 7  # the second cell sees the first one's decision
        assert np.array_equal(weights[other], before[other]) == same


def test_decided_edges_are_one_hot_and_dropped_ones_zero():
    selection = Selection(SPACE, trained(), SEED)
    supernet = Supernet()
    for number in range(selection.rounds):
        selection.decide(number, supernet.accuracy)
        for rows in selection.weights().values():
            hot = (rows == 1).any(-1)
            if number < 14:
                assert hot.sum() == number + 1
                np.testing.assert_array_equal(rows[hot].sum(-1), 1)
    for rows in selection.weights().values():
        assert sorted(rows.sum(-1)) == [0] * 6 + [1] * 8


def test_the_order_is_random_and_the_seeds():
    def order(seed):
        records = Selection(SPACE, trained(), seed)
        derived(records, Supernet())
        return [d.get("edge", d.get("node")) for d in records.all_records()]

    assert order(1) == order(1) != order(2)
    edges = [tuple(edge) for edge in order(1)[:28:2]]
    assert sorted(edges) == sorted(SPACE.cells[0].edges)
    assert edges != list(SPACE.cells[0].edges)
    assert edges != [tuple(edge) for edge in order(1)[1:28:2]]  # reduce's


def one_cell(**changes) -> SearchSpace:
    """One cell like NAS-Bench-201's: all edges strongest, zero among them."""
    settings = {
        "name": "normal",
        "inputs": 1,
        "nodes": 2,
        "candidates": ((ZERO, "skip_connect", "sep_conv_3x3"),) * 3,
        "predecessors": None,
        "concat": (2,),
        "zero_kept": True,
    }
    spec = CellSpec(**settings | changes)
    return SearchSpace("one", (spec,), spec.candidates[0])


def chosen(space, worth) -> list[str]:
    """The operations on the edges, in their order."""
    weights = np.full(space.cells[0].alpha_shape, 1 / 3)
    selection = Selection(space, {"normal": weights}, SEED)
    for number in range(selection.rounds):
        selection.decide(number, lambda w: float((worth * (w["normal"] > 0)).sum()))
    names = space.cells[0].candidates[0]
    rows = selection.weights()["normal"]
    return [names[row.argmax()] if row.any() else "-" for row in rows]


def test_zero_is_chosen_only_where_it_is_kept():
    worth = np.array([[9, 1, 2], [3, 2, 1], [1, 2, 3.0]])
    assert chosen(one_cell(), worth) == [ZERO, ZERO, "sep_conv_3x3"]
    assert chosen(one_cell(zero_kept=False), worth) == [
        "sep_conv_3x3",
        "skip_connect",
        "sep_conv_3x3",
    ]


def test_a_space_that_keeps_all_edges_has_no_second_stage():
    spec = one_cell().cells[0]
    weights = {"normal": np.full(spec.alpha_shape, 1 / 3)}
    assert Selection(one_cell(), weights, SEED).rounds == 3
    assert perturbation.contested(spec) == []
    narrow = one_cell(predecessors=1)
    assert Selection(narrow, weights, SEED).rounds == 3 + 1
    worth = np.array([[0, 2, 1], [0, 1, 3], [0, 2, 1.0]])
    assert chosen(narrow, worth) == ["skip_connect", "sep_conv_3x3", "-"]


def test_a_single_candidate_needs_no_measurement():
    space = one_cell(candidates=((ZERO, "skip_connect"),) * 3, zero_kept=False)
    selection = Selection(space, {"normal": np.full((3, 2), 0.5)}, SEED)
    for number in range(3):
        selection.decide(number, lambda _: pytest.fail("measured"))
    assert [d["chosen"] for d in selection.all_records()] == ["skip_connect"] * 3


def test_among_equals_the_earlier_one():
    assert chosen(one_cell(), np.ones((3, 3))) == [ZERO] * 3


def test_what_is_told_is_what_was_measured():
    supernet = Supernet()
    selection = Selection(SPACE, trained(), SEED)
    derived(selection, supernet)
    records = selection.all_records()
    assert json.loads(json.dumps(records)) == records  # plain
    assert len(records) == 2 * 17
    measured = [v for d in records for v in d["accuracy_without"].values()]
    assert measured == [supernet.accuracy(w) for w in supernet.seen[:]]
    for decision in records:
        values = decision["accuracy_without"]
        if "edge" in decision:
            assert decision["chosen"] == min(values, key=values.get)
            assert ZERO not in values
        else:
            strongest = sorted(values, key=values.get)[:2]
            assert decision["chosen"] == sorted(map(int, strongest))


@pytest.mark.parametrize("stop", [1, 13, 14, 16])
def test_resumed_it_decides_the_same(stop):
    alone = Selection(SPACE, trained(), SEED)
    derived(alone, Supernet())
    first = Selection(SPACE, trained(), SEED)
    for number in range(stop):
        first.decide(number, Supernet().accuracy)
    # Its trained weights come from the state, too.
    second = Selection(SPACE, trained(99), SEED)
    second.restore(first.state())
    for number in range(stop, second.rounds):
        second.decide(number, Supernet().accuracy)
    for name, array in alone.state().items():
        np.testing.assert_array_equal(array, second.state()[name])
    assert second.genotype() == alone.genotype()


def test_a_state_of_another_size_is_refused():
    cell = CellSelection(SPACE.cells[0], trained()["normal"], np.random.default_rng(0))
    state = cell.state() | {"kept": np.ones(3, bool)}
    with pytest.raises(InputError, match="'kept' of cell 'normal'"):
        cell.restore(state)
