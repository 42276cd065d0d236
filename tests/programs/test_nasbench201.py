"""NAS-Bench-201 from search to export, with ground truth: real processes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from darts_tf.data.nasbench201_table import ACCURACIES, RANKED
from darts_tf.space.architecture_string import every_string, to_string
from darts_tf.space.published import load_genotype
from darts_tf.strategy.diagnostics.other_rules import RULES

SPACE = "--space=nasbench201"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Accuracy falls from 100 by 1/200 with every cell of the enumeration."""
    path = tmp_path_factory.mktemp("table") / "table.csv"
    rows = [",".join(("architecture", *ACCURACIES))]
    for index, string in enumerate(every_string()):
        rows.append(f"{string}{',50' * 6},{100 - index / 200}")
    path.write_text("\n".join(rows))
    return path


def place(path) -> int:
    """The place of a genotype's file in the enumeration."""
    genotype = load_genotype(str(path), "nasbench201")
    return list(every_string()).index(to_string(genotype))


@pytest.fixture(scope="module")
def found(programs, table, tmp_path_factory):
    """(folder, what was printed) of a search."""
    folder = tmp_path_factory.mktemp("runs") / "search"
    output = programs.run(
        "search",
        *programs.search,
        SPACE,
        f"--nasbench201_table={table}",
        f"--workdir={folder}",
        drawn=True,
    )
    return folder, output


def test_each_epoch_has_the_true_accuracy_of_its_cell(found):
    folder, _ = found
    records = map(json.loads, (folder / "metrics.jsonl").open())
    epochs = [r for r in records if r["kind"] == "epoch"]
    assert len(epochs) == 2
    for record in epochs:
        name = f"epoch_{record['epoch']:04d}.json"
        index = place(folder / "genotypes" / name)
        assert record[f"true/{RANKED}"] == pytest.approx(100 - index / 200)
        assert record["true/rank"] == index + 1


def test_each_epoch_and_the_result_have_the_cells_by_other_rules(found):
    folder, output = found
    result = json.loads((folder / "result.json").read_text())
    records = map(json.loads, (folder / "metrics.jsonl").open())
    last = [r for r in records if r["kind"] == "epoch"][-1]
    strings = list(every_string())
    assert result["other_rules"].keys() == RULES.keys()
    for rule, row in result["other_rules"].items():
        index = strings.index(row["architecture"])
        assert row["true"][RANKED] == last[f"true/{rule}"]
        assert last[f"true/{rule}"] == pytest.approx(100 - index / 200)
        assert row["true"]["rank"] == last[f"true/{rule}_rank"] == index + 1
        assert RULES[rule] in output and row["architecture"] in output
        assert ("none" in row["architecture"]) <= (rule == "negated_alpha")


def test_the_summary_tells_it_and_what_to_type_next(found):
    folder, output = found
    index = place(folder / "genotype.json")
    assert f"rank {index + 1:,} of 15,625" in output
    assert "configs/nasbench201/evaluate.flags --dataset=digits" in output
    result = json.loads((folder / "result.json").read_text())["true"]
    assert result["rank"] == index + 1 and result["cells"] == 15_625
    assert result[RANKED] == pytest.approx(100 - index / 200)
    with np.load(folder / "alpha.npz", allow_pickle=False) as history:
        assert history["cell"].shape == (2, 6, 5)


def test_derive_tells_it(programs, found, table):
    folder, _ = found
    before = (folder / "genotype.json").read_text()
    output = programs.run(
        "derive", f"--workdir={folder}", f"--nasbench201_table={table}"
    )
    assert (folder / "genotype.json").read_text() == before
    index = place(folder / "genotype.json")
    assert f"  true accuracy {100 - index / 200:.2f} %" in output


def test_an_architecture_is_evaluated_and_exported(programs, tmp_path):
    string = "|nor_conv_1x1~0|+|none~0|avg_pool_3x3~1|+|none~0|none~1|skip_connect~2|"
    flags = (
        *programs.tiny,
        SPACE,
        "--batch_size=32",
        "--epochs=2",
        "--valid_fraction=0.2",
        f"--genotype={string}",
        f"--workdir={tmp_path}",
    )
    output = programs.run("evaluate", *flags, "--stop_after_epochs=1")
    assert "Stopped after 1 of 2 epochs" in output
    part = json.loads((tmp_path / "after_1_epochs.json").read_text())
    assert 0 <= part["valid"]["error"] <= 1 and part["devices"] == 1
    assert not (tmp_path / "result.json").exists()
    output = programs.run("evaluate", *flags)
    assert "test error" in output
    flags = (tmp_path / "flags.txt").read_text()
    assert "--drop_path=0.0" in flags and "auxiliary" not in flags
    programs.run("export", f"--workdir={tmp_path}")
    assert (tmp_path / "export" / "saved_model.pb").stat().st_size


def test_derivation_by_perturbation_tells_it(programs, found, table, tmp_path):
    output = programs.run(
        "derive",
        f"--workdir={found[0]}",
        f"--out={tmp_path}",
        "--method=perturbation",
        "--tune_epochs=0",
        "--measured_batches=1",
        f"--nasbench201_table={table}",
    )
    rank = place(tmp_path / "genotype.json") + 1
    assert f"rank {rank:,} of 15,625" in output
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["true"]["rank"] == rank
