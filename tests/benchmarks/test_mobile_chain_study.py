"""The study of chains within latency targets: its choices, and what it repeats."""

from __future__ import annotations

import json
import pathlib
import time
import types

import numpy as np
import pytest
from absl import flags

from benchmarks.studies.mobile_chain import chains, measure, report
from darts_tf.errors import InputError
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.space.chain import SPACE
from darts_tf.space.published import load_genotype


@pytest.fixture(name="table")
def fixture_table() -> CostTable:
    """Costs that differ between layers and candidates; skipping costs nothing."""
    costs = {}
    for spec in SPACE.cells:
        rows = np.arange(1, len(spec.candidates) + 1)[:, None]
        each = np.array([1.0, 2.0, 2.0, 4.0, 9.0, 20.0, 0.0])
        costs[spec.name] = rows * each[: len(spec.candidates[0])] * 0.01
    return CostTable("latency", SPACE, 0.5, costs)


DEFAULTS = {
    flag.name: flag.default
    for flag in flags.FLAGS.flags_by_module_dict()[measure.__name__]
}
"""The study's flags, which later files of tests forget."""


@pytest.fixture(name="settings")
def fixture_settings(monkeypatch):
    """The study's flags at their defaults."""
    settings = types.SimpleNamespace(**DEFAULTS | {"runs": "unused"})
    monkeypatch.setattr(measure, "FLAGS", settings)
    return settings


def test_random_chains_have_the_wanted_cost_and_differ(table):
    least, most = table.bounds()
    for share in (0.1, 0.5, 0.9):
        target = least + share * (most - least)
        drawn = [chains.random_chain(table, target, 0.05, seed) for seed in range(8)]
        assert len(set(drawn)) == 8
        assert all(abs(table.of(chain) / target - 1) <= 0.05 for chain in drawn)
    assert chains.random_chain(table, target, 0.05, 0) == drawn[0]


def test_no_random_chain_is_nearer_than_the_draws_come(table, monkeypatch):
    monkeypatch.setattr(chains, "DRAWS", 20)
    with pytest.raises(ValueError, match="no chain within 0% of 3"):
        chains.random_chain(table, 3.00001, 1e-9, 0)


def test_the_width_is_the_largest_within_the_target():
    widths = [0.25, 0.5, 0.75, 1.0]
    chosen = [chains.width_within(lambda w: 2 * w, t, widths) for t in (1.6, 9, 0.1)]
    assert chosen == [0.75, 1.0, 0.25]


def test_targets_outside_the_space_are_refused(table, settings):
    for text in ("0.01", "1000", "fast"):
        settings.targets = ["1.5", text]
        with pytest.raises(InputError, match=f"{text} is no number of milliseconds"):
            measure.check_targets(table)


def finished(runs: pathlib.Path, name: str, width: float, accuracy: float) -> None:
    result = {
        "flags": {"width_multiplier": width},
        "test": {"error": 1 - accuracy},
        "parameters": 2000,
        "multiply_adds": 3_000_000,
        "genotype": json.loads(load_genotype("MobileNetV2", SPACE.name).to_json()),
    }
    (runs / name).mkdir(parents=True)
    (runs / name / "result.json").write_text(json.dumps(result))


@pytest.fixture(name="clock")
def fixture_clock(monkeypatch):
    """Times networks by a list of the widths that it was asked for."""
    asked: list[float] = []

    class Together:
        def __init__(self, config):
            self.width = config.width_multiplier

        def measure(self, genotype) -> tuple[float, float]:
            del genotype
            asked.append(self.width)
            return self.width, 2 * self.width

    monkeypatch.setattr(measure, "Together", Together)
    return asked


def write_widths(runs: pathlib.Path, monkeypatch) -> None:
    """Chooses widths as if a network took as many milliseconds as it is wide."""
    from darts_tf.programs import latency

    def timed_network(config, genotype):
        assert genotype == load_genotype("MobileNetV2", SPACE.name)
        return types.SimpleNamespace(run=config.width_multiplier)

    with monkeypatch.context() as patch:
        patch.setattr(latency, "timed_network", timed_network)
        patch.setattr(measure, "processor_milliseconds", lambda run: run)
        measure.write_widths(runs)


def test_processor_time_is_that_of_a_run():
    def run():
        end = time.thread_time() + 2e-3
        while time.thread_time() < end:
            pass

    assert 2 <= measure.processor_milliseconds(run) < 4


def test_networks_are_timed_once_and_all_of_them_again(
    table, settings, clock, tmp_path, monkeypatch
):
    settings.targets, settings.random_chains, settings.rounds = ["1.5"], 1, 2
    monkeypatch.setattr(measure, "predictions", lambda path: table)
    write_widths(tmp_path, monkeypatch)
    assert json.loads((tmp_path / "widths.json").read_text()) == {"1.5": 1.5}
    finished(tmp_path, "1.5ms/MobileNetV2", 1.5, 0.5)
    finished(tmp_path, "1.5ms/random_0", 0.25, 0.4)
    for again, timed in ((False, 4), (False, 0), (True, 4)):
        clock.clear()
        measure.time_networks(tmp_path, table, again)
        assert len(clock) == timed
    assert not (tmp_path / "timing_again.jsonl").exists()
    published, random = measure.outcomes(tmp_path)
    assert (published["measured_ms"], published["predicted_ms"]) == (1.5, None)
    assert published["rounds_ms"] == [1.5, 1.5]
    assert published["to_parts"] == random["to_parts"] == 0.5
    assert (random["test_accuracy"], random["width_multiplier"]) == (40, 0.25)
    text = report.markdown([published, random])
    assert "| 1.5 | searched | not run |" in text
    assert "| 1.5 | MobileNetV2 | 1.5 |  | 1.500 |  | 3.0 | 2 | 50.00 |" in text
    assert "1 predictions: mean absolute error" in text
    assert report.draw([published, random]).axes[0].get_xscale() == "log"


def test_the_time_of_a_network_is_the_median_of_its_rounds():
    same = {"target": "1.5", "predicted_ms": None}
    lines = [
        same
        | {"round": number, "kind": kind, "measured_ms": ms, "load": number}
        | {"parts_ms": ms * 2 ** (number - 1)}
        for number, (slow, fast) in enumerate([(9.0, 1.0), (5.0, 3.0), (6.0, 2.0)])
        for kind, ms in (("searched", slow), ("random_0", fast))
    ]
    slow, fast = measure.medians(lines)
    assert (slow["kind"], slow["measured_ms"], slow["load"]) == ("searched", 6, 2)
    assert fast["rounds_ms"] == [1, 3, 2] and fast["measured_ms"] == 2
    assert fast["to_parts"] == 1


def test_a_killed_timing_goes_on(table, settings, clock, tmp_path, monkeypatch):
    settings.targets, settings.random_chains, settings.rounds = ["1.5"], 2, 1
    monkeypatch.setattr(measure, "predictions", lambda path: table)
    for number in range(2):
        finished(tmp_path, f"1.5ms/random_{number}", 0.25, 0.4)
    first = {"round": 0, "target": "1.5", "kind": "random_0", "measured_ms": 7.0}
    first["parts_ms"] = 7.0
    measure.write_lines(tmp_path / "timing_again.jsonl", [first])
    measure.time_networks(tmp_path, table, again=True)
    times = [x["measured_ms"] for x in measure.read_lines(tmp_path / "timing.jsonl")]
    assert times == [7.0, 0.25] and len(clock) == 1


def test_children_are_given_the_flags_of_the_study(table, settings, tmp_path):
    settings.targets, settings.data_dir = ["1.5"], "DIR"
    settings.more_search, settings.more_training = ["--epochs=1"], ["--epochs=2"]
    (search,) = measure.searches(tmp_path)
    assert {"--cost_target=1.5ms", "--data_dir=DIR", "--epochs=1"} < {*search.command}
    *_, network = measure.networks(tmp_path, table)
    child = measure.training(tmp_path, network)
    assert {"--width_multiplier=0.25", "--epochs=2"} < {*child.command}
    assert (tmp_path / "1.5ms" / "random_2.json").exists() and not child.finished
