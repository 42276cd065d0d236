"""The notebook: executed from top to bottom, and stored without outputs."""

from __future__ import annotations

import math
import pathlib
import re

import pytest

nbformat = pytest.importorskip("nbformat")
ROOT = pathlib.Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "digits.ipynb"


SMALLER = (
    ("epochs=8", "epochs=3"),
    ("alpha_learning_rate=0.05", "alpha_learning_rate=0.15"),
    ("10 * 45", "5 * 45"),
    ("epochs=10", "epochs=5"),
)
"""Replacements in the code, old to new, so that it takes half as long."""


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(cell, kind: str) -> list[str]:
    """Returns what a cell gave of one MIME type, printed text as text/plain."""
    data = [o.get("data") or {"text/plain": o.get("text", "")} for o in cell.outputs]
    return [each[kind] for each in data if kind in each]


def test_outputs_are_stripped():
    for cell in code_cells(nbformat.read(NOTEBOOK, 4)):
        assert not cell.outputs and cell.execution_count is None and not cell.metadata


@pytest.fixture
def executed(tmp_path, monkeypatch):
    """The notebook, smaller, executed by this Python in an empty folder."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    # Without folders of kernels, python3 is the running interpreter.
    specs = KernelSpecManager(kernel_dirs=[])
    kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs)
    notebook = nbformat.read(NOTEBOOK, 4)
    for usual, smaller in SMALLER:
        (cell,) = [cell for cell in code_cells(notebook) if usual in cell.source]
        cell.source = cell.source.replace(usual, smaller)
    folder = tmp_path / "empty"
    folder.mkdir()
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(
        notebook, km=kernel, timeout=600, resources=resources
    ).execute()
    assert not list(folder.iterdir())
    return notebook


@pytest.mark.slow
@pytest.mark.program
def test_it_shows_alpha_the_cell_and_the_accuracy(executed):
    cells = {cell.source.split("(")[0]: cell for cell in code_cells(executed)}
    for name in ("outcome.plot", "dt.draw_genotype"):
        assert outputs(cells[name], "image/png"), name
    printed = "".join(
        text for cell in code_cells(executed) for text in outputs(cell, "text/plain")
    )
    accuracy = re.search(r"test accuracy: (\d+\.\d)%", printed)
    assert accuracy and float(accuracy[1]) > 90
    listed = re.search(r"\[((?:[\d.]+, )+[\d.]+)\]", printed)
    entropy = [float(x) for x in listed[1].split(", ")] if listed else []
    assert len(entropy) == 3 and entropy[-1] < 0.9 * math.log(4)
