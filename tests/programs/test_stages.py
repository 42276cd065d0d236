"""A search in stages as a program: what it prints, its files, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from darts_tf.config import DerivationConfig, SearchConfig
from darts_tf.errors import InputError
from darts_tf.programs import perturbation, supernets
from darts_tf.programs.alpha_history import AlphaHistory
from darts_tf.space.nasbench201 import SPACE


@pytest.mark.slow
def test_the_second_stage_has_three_candidates_an_edge(programs, tmp_path):
    output = programs.run(
        "search",
        *programs.search,
        "--space=nasbench201",
        "--recipe=robust",
        "--stages=1:3:5,1:6:3",
        f"--workdir={tmp_path}",
    )
    assert "recipe robust: --warmup_epochs=0 --alpha_regularizer=beta_decay" in output
    assert "stage 2 of 2: 1 epochs, 6 cells, 3 candidates an edge" in output
    with np.load(tmp_path / "alpha.npz") as arrays:
        first, second = arrays["cell"]
    assert np.isfinite(first).all()
    assert (np.isfinite(second).sum(1) == 3).all()
    for row in range(6):  # the largest three of the first stage
        stay = np.isfinite(second[row])
        assert first[row][stay].min() > first[row][~stay].max()
    history = AlphaHistory(tmp_path / "alpha.npz", SPACE)
    result = json.loads((tmp_path / "result.json").read_text())
    assert json.loads(history.genotype(0).to_json()) == result["genotype"]
    records = [json.loads(line) for line in (tmp_path / "metrics.jsonl").open()]
    assert [r["epoch"] for r in records if r["kind"] == "epoch"] == [1, 2]
    assert (tmp_path / "report.html").exists()
    with pytest.raises(InputError, match="not built for searches in stages"):
        perturbation.derive(DerivationConfig(method="perturbation"), tmp_path)
    asking = SearchConfig(space="nasbench201", supernet=str(tmp_path))
    with pytest.raises(InputError, match="lacks operations that were dropped"):
        supernets.stored_config(asking)
