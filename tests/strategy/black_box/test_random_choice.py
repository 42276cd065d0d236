from __future__ import annotations

from darts_tf.space.cell import ZERO
from darts_tf.space.conv import CANDIDATES, SPACE
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.black_box.random_choice import random_genotype

MANY = [random_genotype(SPACE, seed) for seed in range(60)]


def test_valid_with_distinct_predecessors():
    for genotype in MANY:
        assert Genotype.from_json(genotype.to_json()) == genotype
        for cell in genotype.cells.values():
            sources = [node for _, node in cell.edges]
            assert len(sources) == 8
            for first, second in zip(sources[::2], sources[1::2]):
                assert first != second


def test_seeded():
    assert random_genotype(SPACE, 7) == MANY[7]
    assert len(set(MANY)) == len(MANY)
    assert any(g.cells["normal"] != g.cells["reduce"] for g in MANY)


def test_every_candidate_but_zero_and_every_edge_occurs():
    cells = [g.cells["normal"] for g in MANY]
    names = {name for cell in cells for name, _ in cell.edges}
    assert names == set(CANDIDATES) - {ZERO}
    last = {node for cell in cells for _, node in cell.edges[6:]}
    assert last == {0, 1, 2, 3, 4}
