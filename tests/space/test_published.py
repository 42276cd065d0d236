from __future__ import annotations

import pytest

from darts_tf.errors import InputError
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
    assert "irectory" in refused(str(tmp_path))
    for name in ("", "a\0b", "x" * 5000):
        refused(name)


def test_bad_file_is_named(tmp_path):
    path = tmp_path / "bad.json"
    path.write_text('{"space": ')
    assert "bad.json" in refused(str(path))
    path.write_bytes(b"\xff\xfe\x00")
    assert "not a text file" in refused(str(path))
