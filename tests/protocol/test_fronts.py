"""Fronts and hypervolumes, by hand and by brute force; runs on common fronts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.protocol import front_comparison, fronts
from darts_tf.run.loop.metrics import MetricsLog
from darts_tf.run.pictures.genotypes import figure_to_array
from darts_tf.run.workdir import open_workdir
from tests.protocol.test_comparison import asked, search


def dominates(one, other) -> bool:
    return bool((one <= other).all() and (one < other).any())


@pytest.mark.parametrize("objectives", [2, 3])
def test_the_front_is_what_nothing_dominates(objectives):
    points = np.random.default_rng(0).integers(0, 7, (60, objectives))
    places = fronts.non_dominated(points)
    free = [i for i, p in enumerate(points) if not any(dominates(q, p) for q in points)]
    assert {tuple(points[i]) for i in places} == {tuple(points[i]) for i in free}
    assert len({tuple(points[i]) for i in places}) == len(places)  # the earliest alone
    assert all(i == [*map(tuple, points)].index(tuple(points[i])) for i in places)
    assert [points[i][0] for i in places] == sorted(points[i][0] for i in places)
    assert fronts.non_dominated([]) == []


def test_the_hypervolume_is_the_area():
    assert fronts.hypervolume([(1, 2), (2, 1), (2, 2)], (3, 3)) == 3
    assert fronts.hypervolume([(1, 4), (4, 1), (3, 3)], (3, 3)) == 0
    assert fronts.hypervolume([], (3, 3)) == 0
    points = np.random.default_rng(1).integers(0, 12, (9, 2))
    cells = np.stack(np.meshgrid(range(10), range(8), indexing="ij"), -1).reshape(-1, 2)
    covered = [(points <= cell).all(axis=1).any() for cell in cells]
    assert fronts.hypervolume(points, (10, 8)) == sum(covered)


def evaluation(path, error, **costs) -> str:
    stored = {"space": "darts_conv", "genotype": "g.json", "dataset": "digits"}
    open_workdir(path, stored, "").close()
    result = {"test": {"error": error}, "seconds": 1.0, **costs}
    (path / "result.json").write_text(json.dumps(result))
    return str(path)


def test_errors_of_one_origin_share_a_panel(tmp_path):
    paths = [
        evaluation(tmp_path / "a", 0.1, parameters=10, multiply_adds=400),
        evaluation(tmp_path / "b", 0.2, parameters=20, multiply_adds=200),
        evaluation(tmp_path / "c", 0.3, parameters=30, multiply_adds=300),
        search(tmp_path / "s", asked()),
        search(
            tmp_path / "d",
            {"cost": {"multiply_adds": {"derived": 50}}, "true": TRUE},
            strategy="darts",
        ),
    ]
    log = MetricsLog(tmp_path / "s" / "evaluations.jsonl")
    for worth, count in ((0.5, 100), (0.75, 200)):
        log.append({"step": 1, "worth": worth, "costs": {"multiply_adds": count}})
    series = front_comparison.read(paths)
    pair = front_comparison.objectives(series, None)
    assert pair == ("multiply_adds", "accuracy")
    test, estimated = front_comparison.panels(series, pair)  # one true error is none
    assert [*test.series] == ["evaluations"]
    points, front = test.series["evaluations"]
    assert len(points) == 3
    np.testing.assert_allclose(front, [(200, 20), (400, 10)])
    np.testing.assert_allclose(test.reference, (440, 22))
    area = (440 - 200) * (22 - 20) + (440 - 400) * (20 - 10)
    assert test.share("evaluations") == pytest.approx(area / (440 * 22))
    text = front_comparison.markdown(test)
    assert (
        f"| evaluations | 3 | 2 | {area / 440 / 22:.4f} | 200 to 400 | 10 to 20 |"
        in text
    )
    assert "(440 and 22: 1.1 times the largest" in text
    assert estimated.title == "validation error"
    assert len(estimated.series[f"{tmp_path.name}/s"][1]) == 2
    assert np.ptp(figure_to_array(front_comparison.draw([test, estimated]))) > 0
    pair = front_comparison.objectives(series, ("multiply_adds", "parameters"))
    (sizes,) = front_comparison.panels(series, pair)
    np.testing.assert_allclose(sizes.series["evaluations"][1], [(200, 20), (400, 10)])


def test_the_latency_of_a_training_is_the_measured_one(tmp_path):
    exports = {"export_litert": {"measured": 3.5, "predicted": 3.0}, "export": {}}
    paths = [
        evaluation(tmp_path / "a", 0.1, latency=exports),
        evaluation(
            tmp_path / "b", 0.2, latency={"export_litert_int8": {"measured": 1}}
        ),
        evaluation(tmp_path / "c", 0.3, latency={"export_litert": {"measured": 2.5}}),
    ]
    series = front_comparison.read(paths)
    pair = front_comparison.objectives(series, ("accuracy", "latency"))
    (panel,) = front_comparison.panels(series, pair)
    assert panel.labels == ("ms (measured)", "test error, %")
    np.testing.assert_allclose(panel.series["evaluations"][1], [(2.5, 30), (3.5, 10)])


TRUE = {"cifar10_test_200ep": 94.0, "rank": 9}


def test_runs_without_costs_have_no_front(tmp_path):
    series = front_comparison.read([search(tmp_path / "s", asked())])
    assert front_comparison.objectives(series, None) is None
    with pytest.raises(InputError, match="front=accuracy,parameters.: no run"):
        front_comparison.objectives(series, ("accuracy", "parameters"))


def test_the_picture_of_a_search_has_a_panel_for_each_cost():
    records = [
        {"worth": 0.5, "costs": {"multiply_adds": 3, "parameters": 9}},
        {"worth": 0.7, "costs": {"multiply_adds": 4, "parameters": 8}},
    ]
    chosen = ("accuracy", "multiply_adds", "parameters")
    figure = front_comparison.draw_search(records, chosen)
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "multiply-adds",
        "parameters",
    ]
    assert front_comparison.draw_search([{"worth": 0.5}], chosen) is None
    assert front_comparison.draw_search(records, ()) is None


def test_runs_without_errors_have_no_hypervolume():
    points = np.array([[440.0, 0.0], [220.0, 0.0]])
    series = {"evaluations": (points, points[1:])}
    labels = ("multiply-adds", "test error, %")
    panel = front_comparison.Panel("test error", labels, series, np.array([484.0, 0.0]))
    ((_, _, _, volume, *_),) = front_comparison.rows(panel)
    assert volume == "–"
    assert np.ptp(figure_to_array(front_comparison.draw([panel]))) > 0
