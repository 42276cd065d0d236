"""Random search with weight sharing, then its supernet asked: processes."""

from __future__ import annotations

import json

from darts_tf.space.published import load_genotype

SHARING = (
    "--strategy=random_weight_sharing",
    "--space=nasbench201",
    "--dataset=digits",
    "--examples=200",
    "--channels=2",
    "--layers=3",
    "--batch_size=16",
    "--epochs=2",
    "--final_evaluations=5",
    "--measured_batches=2",
    "--report_every=5",
    "--deterministic",
)


def lines(folder) -> list[dict]:
    return [json.loads(x) for x in (folder / "evaluations.jsonl").open()]


def test_what_is_left_and_asked_by_another_search(programs, tmp_path):
    folder, asking = tmp_path / "sharing", tmp_path / "asking"
    given = (*SHARING, f"--workdir={folder}")
    output = programs.run("search", *given)
    assert "12 steps with shared weights and 5 evaluations" in output
    assert output.count("memory: about ") == 1
    ranked = lines(folder)
    best = max(ranked, key=lambda line: line["worth"])
    genotype = json.loads((folder / "genotype.json").read_text())
    assert genotype == best["genotype"]
    result = json.loads((folder / "result.json").read_text())
    assert result["worth"] == best["worth"] and result["steps"] == 17
    assert "alpha_learning_rate" not in result["flags"]
    assert load_genotype(str(folder / "genotype.json"), "nasbench201")
    programs.run(
        "search",
        "--strategy=random",
        "--space=nasbench201",
        "--seed=7",
        "--estimator=one_shot",
        f"--supernet={folder}",
        "--budget_evaluations=2",
        f"--workdir={asking}",
    )
    for line in lines(asking):
        assert line["valid"]["supernet_step"] == 17
        assert line["valid"]["images"] == 96 and 0 <= line["worth"] <= 1
