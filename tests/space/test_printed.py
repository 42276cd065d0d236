"""Genotypes in the forms of other projects, read and never run."""

from __future__ import annotations

import pytest

from darts_tf.errors import InputError
from darts_tf.space import printed
from darts_tf.space.architecture_string import to_string
from darts_tf.space.published import any_genotype, load_genotype

V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', "
    "0), ('dil_conv_3x3', 2)], normal_concat=range(2, 6), reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', "
    "0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], "
    "reduce_concat=[2, 3, 4, 5])"
)
OTHER = V2.replace("dil_conv_3x3", "dil_conv_5x5")
RECURRENT = (
    "Genotype(recurrent=[('sigmoid', 0), ('relu', 1), ('relu', 1), ('identity', 1), "
    "('tanh', 2), ('sigmoid', 5), ('tanh', 3), ('relu', 5)], concat=range(1, 9))"
)
STRING = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|"
NODES = (
    "(('nor_conv_3x3', 0),), (('none', 0), ('skip_connect', 1)), "
    "(('none', 0), ('none', 1), ('nor_conv_1x1', 2))"
)
NAMES = ["nor_conv_3x3", "none", "skip_connect", "none", "none", "nor_conv_1x1"]
ENDS = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
ARROWS = {f"{t}<-{s}": name for (s, t), name in zip(ENDS, NAMES)}


@pytest.mark.parametrize(
    "text",
    [
        V2,
        f"  {V2}\n",
        f"\ufeff{V2}",
        V2.replace("range(2, 6)", "tuple(range(2, 6))"),
        V2.replace("[2, 3, 4, 5]", "array([2, 3, 4, 5], dtype=int32)"),
        V2.replace("', 1)", "', np.int64(1))").replace("', 0)", "', tensor(0))"),
        V2.replace("'dil_conv_3x3'", "np.str_('dil_conv_3x3')"),
        f"DARTS_V2 = {V2}",
        f"07/30 01:02:03 PM genotype = {V2}",
        f"07/30 (epoch 3) {V2} param size = 3.3MB",
        f"{V2}\n07/30 again: {V2}",
        f"# Genotype(normal) of epoch 3, as Genotype() printed it\n{V2}",
        f"# the last Genotype(see below:\n{V2}\n# end of Genotype(...)",
        V2.replace("'", '"'),
        V2.replace("])", "], connectN=None, connects=None)"),
        V2.replace("range(2, 6)", "list(range(2, 6))"),
    ],
)
def test_a_named_tuple_anywhere_in_a_text(text, tmp_path):
    assert any_genotype(text) == load_genotype("DARTS_V2")
    (tmp_path / "log.txt").write_text(text)
    assert load_genotype(str(tmp_path / "log.txt")) == load_genotype("DARTS_V2")


def test_a_dictionary_and_edges_with_weights_in_a_tuple_for_each_node():
    fields = V2[len("Genotype(") : -1].replace("range(2, 6)", "(2, 3, 4, 5)")
    for name in ("normal_concat", "reduce_concat", "normal", "reduce"):
        fields = fields.replace(f"{name}=", f"'{name}': ")
    assert any_genotype(f"{{{fields}}}") == load_genotype("DARTS_V2")
    gdas = load_genotype("GDAS_V1")
    rows = {
        kind: [(name, source, 0.129) for name, source in cell.edges]
        for kind, cell in gdas.cells.items()
    }
    pairs = {kind: [*zip(row[::2], row[1::2])] for kind, row in rows.items()}
    for cells in (rows, pairs):
        fields = [f"{k}={v}, {k}_concat=range(2, 6)" for k, v in cells.items()]
        assert any_genotype(f"Genotype({', '.join(fields)})") == gdas


def fair(edges: str) -> str:
    """Returns a text with this normal cell: targets stand before predecessors."""
    return (
        f"Genotype(normal=[{edges}], normal_concat=range(2, 6), "
        "reduce=[('max_pool_3x3', 2, 0), ('sep_conv_5x5', 2, 1), ('avg_pool_3x3', 3, "
        "0), ('dil_conv_5x5', 3, 2), ('dil_conv_3x3', 4, 3), ('avg_pool_3x3', 4, 0), "
        "('avg_pool_3x3', 5, 0), ('skip_connect', 5, 3)], reduce_concat=range(2, 6))"
    )


def test_edges_with_targets():
    edges = (
        "('sep_conv_3x3', 2, 0), ('sep_conv_5x5', 2, 1), ('dil_conv_3x3', 3, 1), "
        "('max_pool_3x3', 3, 0), ('dil_conv_3x3', 4, 0), ('dil_conv_3x3', 4, 1), "
        "('sep_conv_3x3', 5, 0), ('dil_conv_5x5', 5, 1)"
    )
    cells = any_genotype(fair(edges)).cells
    assert cells["normal"].edges[2:4] == (("dil_conv_3x3", 1), ("max_pool_3x3", 0))
    assert cells["reduce"].edges[-1] == ("skip_connect", 3)
    one = fair("('sep_conv_3x3', 2, 0), ('sep_conv_5x5', 4, 1)")
    assert "enter the nodes [2, 4], and every node has to have 2" in refused(one)


def test_a_recurrent_cell():
    found = any_genotype(f"INFO - {RECURRENT}")
    assert found == load_genotype("DARTS_V2", "darts_recurrent")


@pytest.mark.parametrize(
    "text",
    [
        STRING,
        f"epoch 3: Structure(4 nodes with {STRING})",
        f"{{'arch': '{STRING}', 'accuracy': 93.1}}",
        f"# Genotype(of NAS-Bench-201)\n{STRING}",
        f"[{NODES}]",
        f"arch = ({NODES})",
        repr(ARROWS),
        repr(dict(zip(ENDS, NAMES))),
    ],
)
def test_nasbench201(text):
    assert to_string(any_genotype(text)) == STRING
    assert load_genotype(text, "nasbench201").space == "nasbench201"


def refused(text: str, space: str = "darts_conv") -> str:
    with pytest.raises(InputError) as caught:
        load_genotype(text, space)
    (line,) = str(caught.value).splitlines()
    assert len(line) < 800
    return line


def test_none_or_several_are_refused(tmp_path):
    assert "holds 2 genotypes" in refused(f"{V2} then {OTHER}")
    assert "holds 2 genotypes" in refused(f"# Genotype(normal)\n{V2}\n{OTHER}")
    assert "holds 2 genotypes" in refused(
        f"{STRING} {STRING.replace('nor_conv_1x1', 'none')}", "nasbench201"
    )
    line = refused("07/30 01:02:03 PM epoch 3 lr 2.5e-02")
    assert "Genotype(normal=" in line and "give a JSON file" in line
    log = tmp_path / "log.txt"
    log.write_text("07/30 01:02:03 PM epoch 3 lr 2.5e-02\n" * 3)
    assert str(log) in refused(str(log))


@pytest.mark.parametrize(
    "text",
    [
        "Genotype(normal=[('sep_conv_3x3', 1)",
        "Genotype()",
        "Genotype(1, 2)",
        "# Genotype(normal)",
        f"{V2}\n{V2[:60]}",
        V2.replace("reduce=", "reduced="),
        V2.replace("range(2, 6)", "range(10**30)"),
        V2.replace("range(2, 6)", "__import__('os').system('true')"),
        V2.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 2.5)"),
        V2.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', True)"),
        V2.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3',)"),
        V2.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 5, 2)"),
        V2.replace("('dil_conv_3x3', 2)", "'dil_conv_3x3'"),
        f"{V2[:-1]}, more={{}})",
        "(((((",
        "[" * 5000 + "]" * 5000,
        f"[{NODES}, (('none', 0),)]",
        f"[{NODES.replace('2))', '1))')}]",
        repr(ARROWS | {"3<-4": "none"}),
        repr({k: v for k, v in ARROWS.items() if k != "3<-2"}),
        "{'a': 1}",
        "[1, 2]",
        "|nor_conv_3x3~0|",
    ],
)
def test_other_forms_are_refused_in_one_line(text):
    refused(text)


@pytest.mark.parametrize(
    "text, words",
    [
        (f"{V2[:-1]}, normal=[('skip_connect', 0)])", "has normal twice"),
        (f"{repr(ARROWS)[:-1]}, '1<-0': 'none'}}", "has '1<-0' twice"),
        (V2.partition(", reduce=")[0] + ")", "missing: reduce, reduce_concat"),
        (f"{V2[:-1]}, more=3)", "unknown: more"),
    ],
)
def test_fields_that_are_there_twice_or_not_at_all(text, words):
    assert words in refused(text)


def test_unknown_operations_are_named():
    assert "'dil_conv_3x4'" in refused(V2.replace("dil_conv_3x3", "dil_conv_3x4"))
    assert "'conv'" in refused(repr(ARROWS | {"3<-2": "conv"}), "nasbench201")


def test_a_file_comes_before_a_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "(v2)").write_text(V2)
    assert load_genotype("(v2)") == load_genotype("DARTS_V2")


def test_what_is_meant_as_a_text():
    for text in (V2, STRING, repr(ARROWS), f"x = [{NODES}]"):
        assert printed.is_printed(text)
    for path in ("runs/search/genotype.json", "DARTS_V2", "a b.json"):
        assert not printed.is_printed(path)


def test_damaged_numbers_are_one_line(recwarn):
    refused(V2.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 2or 3)"))
    assert not recwarn.list
