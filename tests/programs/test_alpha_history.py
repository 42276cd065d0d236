"""alpha.npz: what is kept gives each epoch's genotype back."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.programs import alpha_history
from darts_tf.space.conv import SPACE
from darts_tf.strategy.darts import derivation
from darts_tf.strategy.darts.within_targets import CostTargets


def rows() -> dict[str, np.ndarray]:
    """alpha for which the ranking of edges depends on the temperature.

    Of the edges into node 3, (0, 3) beats (1, 3) while the softmax is warm,
    not when it is cold: a second candidate is near its best one.
    """
    alpha = {n: np.zeros((14, 8), np.float32) for n in ("normal", "reduce")}
    alpha["normal"][2] = [0, 2.0, 1.9, -9, -9, -9, -9, -9]
    alpha["normal"][3] = [0, 1.9, 0, 0, 0, 0, 0, 0]
    alpha["normal"][4] = [0, 0, 0, 9, 0, 0, 0, 0]
    return alpha


def write(path, temperatures):
    for epoch, temperature in enumerate(temperatures, 1):
        alpha_history.keep(path, epoch, rows(), temperature)
    return alpha_history.AlphaHistory(path, SPACE)


def test_every_epoch_is_derived_at_its_temperature(tmp_path):
    history = write(tmp_path / "alpha.npz", [1.0, 0.05])
    warm, cold = history.genotype(1), history.genotype(2)
    assert warm == derivation.derive(SPACE, list(rows().values()))
    assert cold == derivation.derive(SPACE, list(rows().values()), 0.05)
    assert [s for _, s in warm.cells["normal"].edges[2:4]] == [2, 0]
    assert [s for _, s in cold.cells["normal"].edges[2:4]] == [2, 1]
    assert history.genotype(0) == cold
    weights = history.mixing_weights()["normal"]
    assert weights.shape == (2, 14, 8)
    for epoch, temperature in enumerate([1.0, 0.05]):
        expected = derivation.softmax(rows()["normal"], temperature)
        np.testing.assert_array_equal(weights[epoch], expected)


def test_an_epoch_done_again_replaces_it_and_later_ones(tmp_path):
    write(tmp_path / "alpha.npz", [1.0, 0.05, 0.01])
    alpha_history.keep(tmp_path / "alpha.npz", 2, rows(), 1.0)
    history = alpha_history.AlphaHistory(tmp_path / "alpha.npz", SPACE)
    assert history.epochs == 2
    assert history.genotype(2) == history.genotype(1)


def test_a_history_without_temperatures_has_been_warm(tmp_path):
    np.savez(tmp_path / "old.npz", **{n: [a] for n, a in rows().items()})
    history = alpha_history.AlphaHistory(tmp_path / "old.npz", SPACE)
    expected = derivation.derive(SPACE, list(rows().values()))
    assert history.genotype(0) == expected


def test_what_is_not_there_is_refused(tmp_path):
    history = write(tmp_path / "alpha.npz", [1.0])
    with pytest.raises(InputError, match="`epoch=2`: the search has 1"):
        history.genotype(2)
    with pytest.raises(InputError, match="no history of alpha"):
        alpha_history.AlphaHistory(tmp_path / "none.npz", SPACE)


@pytest.mark.parametrize("content", [None, b"", b"PK", "cut", "flipped", "short"])
def test_a_search_goes_on_without_a_damaged_history(tmp_path, content):
    path = tmp_path / "alpha.npz"
    write(path, [1.0, 1.0])
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    known = {"cut": whole[:200], "flipped": bytes(flipped)}
    path.unlink()
    if content == "short":
        write(path, [1.0])
    elif content is not None:
        path.write_bytes(known.get(content, content))
    alpha_history.keep(path, 3, rows(), 1.0)
    history = alpha_history.AlphaHistory(path, SPACE)
    assert history.epochs == 3
    assert history.genotype(3) == derivation.derive(SPACE, list(rows().values()))
    with pytest.raises(InputError, match="is lost or not finite"):
        history.genotype(2)


@pytest.mark.parametrize(
    "arrays",
    [
        {"normal": np.zeros((2, 14, 8))},
        {n: np.zeros((2, 3, 8)) for n in ("normal", "reduce")},
        {n: np.zeros((2, 14, 8), int) for n in ("normal", "reduce")},
        {n: np.zeros((0, 14, 8)) for n in ("normal", "reduce")},
        {n: np.array("text") for n in ("normal", "reduce")},
        {"normal": np.zeros((2, 14, 8)), "reduce": np.zeros((3, 14, 8))},
    ],
)
def test_what_is_no_history_is_one_line(tmp_path, arrays):
    np.savez(tmp_path / "alpha.npz", **arrays)
    with pytest.raises(InputError, match="holds no history of alpha"):
        alpha_history.AlphaHistory(tmp_path / "alpha.npz", SPACE)


def reduction_pools(most: float, floor: float = 0.0) -> CostTargets:
    """Returns a target for the number of max pools in the reduction cell."""
    costs = {spec.name: np.zeros(spec.alpha_shape, int) for spec in SPACE.cells}
    costs["reduce"][:, SPACE.cells[0].candidates[0].index("max_pool_3x3")] = 1
    table = CostTable("parameters", SPACE, 0, costs)
    return CostTargets((table,), (most,), floor)


def test_likely_genotypes_are_those_within_the_targets_unless_none_is():
    generator = np.random.default_rng(0)
    alpha = [a + generator.normal(0, 0.1, a.shape) for a in rows().values()]
    state = alpha, 1.0, "softmax"
    every = alpha_history.most_likely(SPACE, state, None)
    strongest, targets = every[0], reduction_pools(1)
    (table,) = targets.tables
    assert len(every) == 64 and table.of(strongest) > 1
    listed = alpha_history.most_likely(SPACE, state, targets)
    assert {table.of(genotype) for genotype in listed} <= {0, 1}
    assert alpha_history.derived_genotype(strongest, listed, targets) == listed[0]
    full = alpha_history.most_likely(SPACE, state, reduction_pools(1, 1.0))
    assert table.of(full[0]) == 1 and {table.of(g) for g in full} <= {0, 1}
    table.costs["reduce"][:] += 2
    listed = alpha_history.most_likely(SPACE, state, targets)
    assert listed == every  # none is within
    assert alpha_history.derived_genotype(strongest, listed, targets) == strongest


def test_the_strongest_operations_stay_where_nothing_speaks_against_them():
    state = list(rows().values()), 1.0, "softmax"
    strongest = derivation.derive(SPACE, *state)
    for targets in (None, reduction_pools(8)):
        listed = alpha_history.most_likely(SPACE, state, targets)
        chosen = alpha_history.derived_genotype(strongest, listed, targets)
        assert chosen == strongest
    targets = reduction_pools(8)
    assert alpha_history.derived_genotype(strongest, [], targets) == strongest
