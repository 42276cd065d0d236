"""Comparisons of runs that know costs: the front in all files, or none."""

from __future__ import annotations

import json

import pytest

from darts_tf.config import ComparisonConfig
from darts_tf.errors import InputError
from darts_tf.programs import compare
from darts_tf.run.workdir import open_workdir
from tests.protocol.test_fronts import evaluation


def test_the_front_is_drawn_where_costs_are_known(tmp_path, capsys):
    paths = [
        evaluation(tmp_path / "a", 0.1, parameters=40_000, multiply_adds=400),
        evaluation(tmp_path / "b", 0.2, parameters=20_000, multiply_adds=400),
    ]
    out = tmp_path / "out"
    chosen = ("accuracy", "parameters")
    compare.run(ComparisonConfig(experiments=paths, out=str(out), front=chosen))
    text = (out / "compare.md").read_text()
    assert (
        "| evaluations | 2 | 2 | " in text and text.strip() in capsys.readouterr().out
    )
    assert "Fronts: test error, % against parameters" in text
    assert (out / "front.png").read_bytes().startswith(b"\x89PNG")
    page = (out / "report.html").read_text()
    assert "<td>evaluations</td>" in page and "1.1 times the largest" in page
    compare.run(ComparisonConfig(experiments=paths, out=str(out)))
    text = (out / "compare.md").read_text()  # of equal costs the better one alone
    assert "against multiply-adds" in text and "| evaluations | 2 | 1 | " in text
    with pytest.raises(InputError, match="no run of"):
        chosen = ("accuracy", "latency")
        compare.run(ComparisonConfig(experiments=paths, out=str(out), front=chosen))
    alone = tmp_path / "alone"
    compare.run(ComparisonConfig(experiments=paths[:1], out=str(alone)))
    assert not (alone / "front.png").exists()


def test_nothing_to_compare_and_a_file_in_the_way(tmp_path):
    with pytest.raises(InputError, match="`experiments` names no folder"):
        compare.run(ComparisonConfig(experiments=(), out=str(tmp_path)))
    path = tmp_path / "file"
    path.write_text("mine")
    config = ComparisonConfig(experiments=(), published="cifar10", out=str(path))
    with pytest.raises(InputError, match="`out=.*file` cannot be written: a file is"):
        compare.run(config)
    assert path.read_text() == "mine"


def test_runs_on_other_photographs_do_not_compare(tmp_path):
    paths = []
    for name, mark in (("a", "x"), ("b", None), ("c", "x"), ("d", "y")):
        stored = {"space": "darts_conv", "genotype": "g.json", "dataset": "folder"}
        stored |= {"fingerprint": mark} if mark else {}
        open_workdir(tmp_path / name, stored, "").close()
        result = {"test": {"error": 0.1}, "seconds": 1.0}
        (tmp_path / name / "result.json").write_text(json.dumps(result))
        paths.append(str(tmp_path / name))
    out = str(tmp_path / "out")
    compare.run(ComparisonConfig(experiments=paths[:3], out=out))
    with pytest.raises(InputError, match=r"\(folder\) of .*/d are not those of .*/a"):
        compare.run(ComparisonConfig(experiments=paths, out=out))
