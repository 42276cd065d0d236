"""The table beside PyTorch, and what its program refuses."""

from __future__ import annotations

import importlib.util

import pytest

from benchmarks.speed.beside_table import as_table, ratio
from tests.scripts import ended


def measured(step):
    return {"step": step, "step_cpu": 2.0, "first_step": 9.0, "peak_gb": 1.5}


COLUMNS = {
    "ours": measured(0.5),
    "pytorch": measured(3.0),
    "pytorch_channels_last": measured(2.0),
    "pytorch_alpha_only": measured(1.0),
    "pytorch_compile": {"not_supported": "no compiler"},
}


def test_the_ratio_is_pytorch_over_ours():
    found = [ratio(COLUMNS, column) for column in COLUMNS]
    assert found == [4.0, 6.0, 4.0, 2.0, None]


@pytest.mark.parametrize(
    "columns",
    [
        {"ours": measured(1.0)},
        {"pytorch": measured(1.0)},
        {"ours": {"not_supported": "x"}, "pytorch": measured(1.0)},
    ],
)
def test_no_ratio_where_one_of_both_is_missing(columns):
    assert [ratio(columns, c) for c in columns] == [None] * len(columns)


def test_every_line_has_as_many_cells():
    lines = as_table({"exact": COLUMNS}).splitlines()
    assert {line.count("|") for line in lines} == {8}
    assert lines[2] == "| exact | ours | 0.50 | 2.00 | 9.0 | 1.50 | 4.00 |"
    assert "| not supported: no compiler |" in lines[6]


@pytest.mark.slow
@pytest.mark.parametrize(
    "given, word",
    [
        (["--columns=ours,theirs"], "theirs"),
        (["--methods="], "none"),
        (["--threads=1,x"], "x"),
        (["--space=darts_recurrent", "--columns=pytorch_channels_last"], "ours"),
        (["--space=darts_recurrent", "--channels=4"], "--channels"),
        (["--words=100"], "--space=darts_recurrent"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(tmp_path, given, word):
    refused(tmp_path / "out", given, word)


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("torch") is not None, reason="PyTorch is here"
)
def test_columns_of_pytorch_need_it(tmp_path):
    refused(tmp_path / "out", [], "pip install torch")


def refused(out, given, word):
    """Says it in one line, and writes nothing."""
    module = "benchmarks.speed.beside_pytorch"
    code, output = ended(*given, f"--out={out}", module=module)
    assert code == 2
    assert word in output and len(output.splitlines()) == 1
    assert not out.exists()
