"""An experiment with several cost targets: its tasks, results and refusals."""

from __future__ import annotations

import json

import pytest

from darts_tf.errors import InputError
from darts_tf.protocol import comparison, folder, front_comparison, stages
from darts_tf.protocol.plan import selected
from darts_tf.run.process.children import Parent
from tests.protocol.running import claim, done, write
from tests.protocol.stub import searched, trained

TARGETS = ("40M", "80M")


@pytest.fixture
def targets(values, stub):
    """Two targets and two seeds; each search has a cell of its own."""
    write(values, "search_flags", "--dataset=digits\n--cost=multiply_adds\n")
    for place, target in enumerate(TARGETS):
        for seed in range(2):
            derived = (35 + 40 * place + (10, 2)[place] * seed) * 10**6
            cost = {
                "multiply_adds": {"derived": derived, "target": float(target[:2]) * 1e6}
            }
            files = searched(2 * place + seed, cost=cost)
            words = f"--cost_target={target}", f"--seed={seed}"
            stub.rule("train.search", *words, files=files)
    return values | {"cost_targets": TARGETS, "search_seeds": 2, "evaluate_seeds": 1}


def test_each_target_has_its_searches_selection_and_trainings(targets, stub):
    claim(targets)
    plan = folder.make_plan(targets)
    with Parent() as parent:  # as array jobs: seeds alternate between the targets
        for number in range(4):
            stages.run_task(plan, "search", number, parent)
    places = [part.search(seed).path for _, part, seed in plan.numbered(range(2))]
    names = [str(place.relative_to(plan.root)) for place in places]
    assert names == [f"search/{t}/seed_{s}" for s in range(2) for t in TARGETS]
    called = [c for c in stub.calls("train.search") if "check" not in c]
    assert ["--cost_target=80M" in words for words in called] == [False, True] * 2
    for place, part in enumerate(plan.parts):
        for seed, valid in enumerate((0.3, 0.2)):
            stub.rule(f"/short/{part.cell_key(seed)}", files=trained(valid))
        files = trained(test=0.3 - 0.1 * place)
        result = json.loads(files["result.json"]) | {"multiply_adds": 100 + place}
        best = part.cell_key(place)
        stub.rule(f"/full/{best}", files={"result.json": json.dumps(result)})
    results = done(plan)
    # The better one of the first target by validation costs more than it.
    assert [selected(p) for p in plan.parts] == [
        part.cell_key(place) for place, part in enumerate(plan.parts)
    ]
    assert results == json.loads((plan.root / "results.json").read_text())
    assert not results["missing"]
    of = results["cost_targets"]
    assert [of[t]["test"]["mean"] for t in TARGETS] == pytest.approx([0.3, 0.2])
    assert len(stub.calls("/full/")) == 2
    text = (plan.root / "table.md").read_text()
    assert "| darts (finite_difference), 40M multiply-adds |" in text
    assert "35,000,000, 45,000,000; 1 of 2 within 40,000,000." in text
    assert "Fronts: test error, % against multiply-adds" in text
    assert (plan.root / "front.png").exists() and (
        plan.root / "progress_80M.png"
    ).exists()
    page = (plan.root / "report.html").read_text()
    assert "Front of the targets" in page and "Selected cell, target 80M" in page
    rows, _ = comparison.read(str(plan.root))
    assert [row.test for row in rows] == pytest.approx([0.3, 0.2])
    (series,) = front_comparison.read([str(plan.root)])
    assert [p["multiply_adds"] for p in series.points] == [100, 101]


def test_more_seeds_only_append_tasks(targets, stub):
    fewer = folder.make_plan(targets | {"search_seeds": 1}).numbered(range(1))
    numbered = folder.make_plan(targets).numbered(range(2))
    assert [(n, p.target, s) for n, p, s in numbered[:2]] == [
        (n, p.target, s) for n, p, s in fewer
    ]


def test_a_cell_that_two_targets_select_is_trained_once(targets, stub):
    for target in TARGETS:
        stub.rule("train.search", f"--cost_target={target}", files=searched(0))
    plan = folder.make_plan(targets)
    assert not done(plan)["missing"]
    assert len(stub.calls("/full/")) == len(stub.calls("/short/")) == 1
    assert len(front_comparison.experiment_points(plan)) == 2


def test_what_a_target_lacks_is_said_of_it_alone(targets, stub):
    words = "error: --cost_target=80M: no network is that cheap"
    stub.rule("train.search", "--cost_target=80M", code=2, says=words)
    results = done(folder.make_plan(targets))
    of = results["cost_targets"]
    assert not of["40M"]["missing"]
    assert "no network is that cheap" in "".join(of["80M"]["missing"])
    assert of["80M"]["missing"] == results["missing"]


@pytest.mark.parametrize(
    "text, words",
    [
        ("--strategy=evolution\n", "strategy=evolution"),
        ("--space=darts_recurrent\n", "same parameters"),
        ("", "cost=multiply_adds"),
        ("--cost=parameters,multiply_adds\n", "one cost"),
        ("--cost=parameters\n--cost_target=3M\n", "no `cost_target`"),
    ],
)
def test_searches_without_such_a_cost_are_refused(targets, stub, text, words):
    for name in ("search_flags", "short_flags", "evaluate_flags"):
        space = text if "space" in text else "--valid_fraction=0.5\n"
        write(targets, name, text if name == "search_flags" else space)
    with pytest.raises(InputError, match=words):
        folder.make_plan(targets)


@pytest.mark.parametrize(
    "texts, words",
    [(("8ms",), "cost_targets=8ms.*unit k, M or G"), (("40M", "40000k"), "twice")],
)
def test_targets_have_units_and_differ(targets, stub, texts, words):
    with pytest.raises(InputError, match=words):
        folder.make_plan(targets | {"cost_targets": texts})


def test_targets_stay_and_older_experiments_go_on(targets, values, stub):
    claim(targets, alone=True)
    assert stub.calls("--cost_target=40M")  # the flagfile is checked with a target
    with pytest.raises(InputError, match="cost_targets"):
        claim(targets | {"cost_targets": ("40M", "90M")}, alone=True)
    older = {n: v for n, v in values.items() if n != "cost_targets"}
    older["workdir"] += "_older"
    claim(older, alone=True)
    claim(older | {"cost_targets": None}, alone=True)
