from __future__ import annotations

import pytest

from darts_tf.errors import InputError
from darts_tf.space import published_later
from darts_tf.space.genotype import Genotype
from darts_tf.space.published import CONVOLUTIONAL, load_genotype


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_loads_by_name_and_from_its_file(name, tmp_path):
    genotype = load_genotype(name)
    path = tmp_path / "genotype.json"
    path.write_text(genotype.to_json())
    assert load_genotype(str(path)) == genotype
    assert Genotype.from_json(genotype.to_json()) == genotype


def test_nasnet_and_amoebanet_are_as_published():
    for name in ("NASNet", "AmoebaNet"):
        for cell in CONVOLUTIONAL[name].cells.values():
            assert len(cell.edges) == 10  # five nodes
    repeated = CONVOLUTIONAL["NASNet"].cells["normal"].edges[6:8]
    assert repeated == (("avg_pool_3x3", 0), ("avg_pool_3x3", 0))
    assert CONVOLUTIONAL["AmoebaNet"].cells["reduce"].concat == (3, 4, 6)


def refused(name: str) -> str:
    with pytest.raises(InputError) as caught:
        load_genotype(name)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_unknown_name_or_path():
    message = refused("DARTS_V3")
    assert "mean DARTS_V" in message and "AmoebaNet" in message
    assert "no/such.json" in refused("no/such.json")


def test_folder_empty_and_odd_names(tmp_path):
    assert "is a folder" in refused(str(tmp_path))
    for name in ("", "a\0b", "x" * 5000):
        refused(name)


def test_bad_file_is_named(tmp_path):
    path = tmp_path / "bad.json"
    path.write_text('{"space": ')
    assert "bad.json" in refused(str(path))
    path.write_bytes(b"\xff\xfe\x00")
    assert "not a text file" in refused(str(path))


def parameters(genotype, channels=36, layers=20, classes=10) -> int:
    """Counts the parameters of the network for CIFAR-10 by hand, without its head."""

    def weights(operation: str, c: int, stride: int) -> int:
        if operation == "skip_connect":
            return c * c + 2 * c if stride == 2 else 0
        if "pool" in operation:
            return 0
        size = int(operation[-1])
        once = size * size * c + c * c + 2 * c  # depthwise, pointwise, batch norm
        return 2 * once if operation.startswith("sep") else once

    def cell(kind: str, c: int) -> int:
        return sum(
            weights(name, c, 2 if kind == "reduce" and source < 2 else 1)
            for name, source in genotype.cells[kind].edges
        )

    c, before, last = channels, 3 * channels, 3 * channels
    total = 27 * last + 2 * last
    for layer in range(layers):
        kind = "reduce" if layer in (layers // 3, 2 * layers // 3) else "normal"
        c *= 2 if kind == "reduce" else 1
        total += before * c + 2 * c + last * c + 2 * c + cell(kind, c)
        before, last = last, len(genotype.cells[kind].concat) * c
    return total + last * classes + classes


PARAMETERS = {
    "DARTS_V2": 3.3,
    "PC_DARTS_CIFAR": 3.6,
    "P_DARTS": 3.4,
    "DRNAS_CIFAR": 4.1,
    "GDAS_V1": 3.4,
    "SDARTS_RS": 3.61,
    "SDARTS_ADV": 3.34,
}
"""Millions, as published."""


@pytest.mark.parametrize("name", PARAMETERS)
def test_later_cells_have_the_published_number_of_parameters(name):
    decimals = len(str(PARAMETERS[name]).split(".")[1])
    count = parameters(load_genotype(name)) / 1e6
    assert round(count, decimals) == PARAMETERS[name], count


def test_the_count_by_hand_is_that_of_the_authors_code():
    assert parameters(load_genotype("DARTS_V2")) == 3_349_342


def test_all_later_cells_load_by_name():
    for name in published_later.CELLS:
        assert load_genotype(name).space == "darts_conv"


@pytest.mark.parametrize(
    "name, space, words",
    [
        ("ENAS", "darts_conv", "published in darts_recurrent, and this run is in"),
        ("NASNet", "nasbench201", "give `space=darts_conv`"),
    ],
)
def test_a_name_of_another_space(name, space, words):
    with pytest.raises(InputError, match=words):
        load_genotype(name, space)
