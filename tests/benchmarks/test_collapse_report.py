"""The report on several searches, as a user starts it."""

from __future__ import annotations

import json
import pathlib

import pytest
from matplotlib.image import imread

from darts_tf.space.genotype import CellGenotype, Genotype
from tests.scripts import ended

STOP = {"epoch": 3, "taken": 1, "reason": "it rose"}


def report(folder, *runs) -> tuple[int, str]:
    """Returns (exit code, output)."""
    flags = f"--runs={','.join(runs)}", f"--out={folder}"
    return ended(*flags, module="benchmarks.studies.collapse_report", drawn=True)


def genotype(skips: int) -> Genotype:
    names = ["skip_connect"] * skips + ["sep_conv_3x3"] * (8 - skips)
    cell = CellGenotype(tuple((name, 0) for name in names), (2, 3, 4, 5))
    return Genotype("darts_conv", {"normal": cell, "reduce": cell})


def write(folder, skips, result=None, **more) -> pathlib.Path:
    """Writes the files of a search of so many epochs; the instrument saw one only."""
    (folder / "genotypes").mkdir(parents=True)
    (folder / "flags.json").write_text("{}")
    lines = []
    for epoch, count in enumerate(skips, 1):
        lines.append({"kind": "steps", "step": epoch, "epoch": epoch})
        shown = {"skip_connections/normal": count} if epoch == 1 else {}
        lines.append({"kind": "epoch", "step": epoch, "epoch": epoch, **shown, **more})
        path = folder / "genotypes" / f"epoch_{epoch:04d}.json"
        path.write_text(genotype(count).to_json())
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "metrics.jsonl").write_text(text)
    if result is not None:
        found = json.loads(genotype(result.pop("skips")).to_json())
        result |= {"genotype": found}
        (folder / "result.json").write_text(json.dumps(result))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("runs")
    return [
        write(tmp / "a", [1, 2, 5], {"skips": 5}),
        write(
            tmp / "b",
            [0, 1, 5],
            {"skips": 0, "early_stop": STOP},
            **{"eigenvalue/dominant": 0.25},
        ),
        write(tmp / "c", [2], **{"eigenvalue/dominant": "nan"}),
        write(tmp / "empty", []),
    ]


@pytest.mark.slow
def test_table_and_picture(folders, tmp_path):
    a, b, c, _ = folders
    code, output = report(tmp_path, f"DARTS={a}", f"ours={b}", str(c))
    assert code == 0, output
    text = (tmp_path / "collapse.md").read_text()
    assert text in output
    head, _, *rows = text.splitlines()
    assert head == (
        "| run | epochs | skip connections in the cell | dominant eigenvalue "
        "in alpha | collapsed |"
    )
    assert rows == [
        "| DARTS | 3 | 5 |  | 5 of the 8 edges of the normal cell are skip "
        "connections |",
        "| ours | 3 | 5 | 0.25 | no; stopped early, cells of epoch 1 |",
        "| c | 1 | 2 | nan | no (not finished) |",
    ]
    assert imread(tmp_path / "collapse.png").std() > 0


@pytest.mark.slow
def test_what_is_no_search_is_refused(folders, tmp_path):
    for run in (str(folders[3]), str(tmp_path / "nowhere")):
        code, output = report(tmp_path / "out", run)
        assert code == 2 and output.startswith("error: ")
        assert len(output.splitlines()) == 1
    assert not (tmp_path / "out").exists()
