"""A search that ends early, as a user starts it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from darts_tf.run.loop.metrics import read_metrics
from darts_tf.space.published import load_genotype

RULE = (
    "--early_stop=skip_connections",
    "--early_stop_skips=1",
    "--early_stop_first=2",
    "--epochs=40",
)


@pytest.fixture(scope="module")
def stopped(programs, tmp_path_factory):
    """(flags, folder, what was printed) of a search that ended early."""
    folder = tmp_path_factory.mktemp("runs") / "stopped"
    flags = (*programs.search, *RULE, f"--workdir={folder}")
    return flags, folder, programs.run("search", *flags)


def result(folder) -> dict:
    """Without its times."""
    found = json.loads((folder / "result.json").read_text())
    return {n: v for n, v in found.items() if not n.endswith("seconds")}


def summary(output: str) -> list[str]:
    """Returns the summary without the time."""
    said = output[output.index("Search finished") :].splitlines()
    return [said[0].split(" in ")[0], *said[1:]]


def test_it_ends_after_the_epoch_that_met_the_rule(stopped):
    _, folder, output = stopped
    found = result(folder)
    stop = found["early_stop"]
    assert 2 <= stop["epoch"] == stop["taken"] < 40
    assert found["steps"] == 12 * stop["epoch"]
    assert found["skip_connections"]["normal"] >= 1
    epochs = [r for r in read_metrics(folder / "metrics.jsonl") if r["kind"] == "epoch"]
    assert len(epochs) == stop["epoch"]
    for record in epochs[1:-1]:
        assert record["skip_connections/normal"] == 0
    assert epochs[-1]["skip_connections/normal"] >= 1
    assert "Stopped by --early_stop=skip_connections after epoch " in output
    with np.load(folder / "alpha.npz", allow_pickle=False) as history:
        assert len(history["normal"]) == stop["epoch"]


def test_started_again_it_returns_at_once_with_the_same(programs, stopped):
    flags, folder, output = stopped
    before, records = result(folder), (folder / "metrics.jsonl").read_bytes()
    assert summary(programs.run("search", *flags)) == summary(output)
    assert result(folder) == before
    assert (folder / "metrics.jsonl").read_bytes() == records


def test_derive_takes_the_epoch_that_the_search_went_back_to(programs, stopped):
    """As if the rule had gone back to the first one."""
    _, folder, _ = stopped
    found = result(folder)
    found["early_stop"]["taken"] = 1
    (folder / "result.json").write_text(json.dumps(found))
    programs.run("derive", f"--workdir={folder}")
    first = load_genotype(str(folder / "genotypes" / "epoch_0001.json"), "small")
    assert load_genotype(str(folder / "genotype.json"), "small") == first
