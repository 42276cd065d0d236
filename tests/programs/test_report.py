"""report.html of finished, running and earlier runs; without TensorFlow."""

from __future__ import annotations

import html.parser
import json
import re

import numpy as np
import pytest

from darts_tf.config import ComparisonConfig, SearchConfig, TrainingConfig
from darts_tf.config_rules import applicable
from darts_tf.errors import InputError
from darts_tf.programs import alpha_history, compare, report
from darts_tf.run import time_budget
from darts_tf.run.files import write_json_atomic
from darts_tf.run.loop.metrics import MetricsLog
from darts_tf.run.settings_files import as_flagfile
from darts_tf.run.workdir import Workdir, open_workdir
from darts_tf.space.published import load_genotype
from darts_tf.space.registry import space_by_name

NASTY = '<script>alert("1")</script>'
RESULT = {
    "seed": 0,
    "versions": {"tensorflow": "2.x"},
    "seconds": 75.0,
    "first_step_seconds": 4.5,
    "steps": 20,
    "devices": 1,
    "peak_memory": {"process": 3 * 2**29},
}


class Reader(html.parser.HTMLParser):
    """Collects a page's text, its tags and what it loads."""

    def __init__(self, page: str):
        super().__init__()
        self.text, self.tags, self.loads, self.open = "", [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.loads += [v for n, v in attrs if n in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text += data


def read(path) -> Reader:
    """Reads a page, which must need nothing else and close all of its tags."""
    page = path.read_text("utf-8")
    reader = Reader(page)
    assert not reader.open and "script" not in reader.tags
    assert all(x.startswith(("data:image/png", "#")) for x in reader.loads)
    assert "url(" not in page and "@import" not in page
    return reader


def make(path, config, records=(), result=None) -> Workdir:
    """Makes the folder of a run."""
    program = "search" if isinstance(config, SearchConfig) else "evaluate"
    values = applicable(config)
    workdir = open_workdir(path, values, as_flagfile(values), program=program)
    workdir.close()
    log = MetricsLog(workdir.metrics)
    for record in records:
        log.append(record)
    if result is not None:
        write_json_atomic(workdir.result, result)
    return workdir


def search(path, space="darts_conv", finished=True, **settings) -> Workdir:
    """Makes the folder of a search of two epochs."""
    records = [
        {
            "kind": "epoch",
            "step": 10 * epoch,
            "epoch": epoch,
            "train/loss": 2.0 / epoch,
            "valid/accuracy": 0.3 * epoch,
        }
        | {f"entropy/{spec.name}": 1.5 for spec in space_by_name(space).cells}
        for epoch in (1, 2)
    ]
    config = SearchConfig(space=space, **settings)
    result = RESULT | {"collapsed": "eight skips", "skip_connections": {"normal": 8}}
    workdir = make(path, config, records, result if finished else None)
    name = {"nasbench201": "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"}
    genotype = load_genotype(name.get(space, "DARTS_V2"), space)
    if finished:
        workdir.genotype.write_text(genotype.to_json())
    (workdir.genotypes / "epoch_0001.json").write_text(genotype.to_json())
    for epoch in (1, 2):
        alpha = {
            spec.name: epoch * np.eye(*spec.alpha_shape)
            for spec in space_by_name(space).cells
        }
        alpha_history.keep(workdir.alpha, epoch, alpha, 1.0)
    return workdir


def evaluation(path, classes: int = 3, seed: int = 0, **settings) -> Workdir:
    """Makes the folder of a finished training on images."""
    records = [
        {"kind": "epoch", "step": 10, "epoch": 1, "valid/accuracy": 0.5},
        {"kind": "epoch", "step": 20, "epoch": 2, "valid/accuracy": 0.75},
    ]
    names = [NASTY, *(f"class {k}" for k in range(1, classes))]
    result = RESULT | {
        "test": {"error": 0.25, "images": 8},
        "valid": {"error": 0.2},
        "parameters": 12_345,
        "multiply_adds": 67_890,
        "data": {"class_names": names},
    }
    config = TrainingConfig(genotype="DARTS_V2", seed=seed, **settings)
    workdir = make(path, config, records, result)
    counts = np.eye(classes, dtype=np.int64) * 4
    np.savez(workdir.confusion, test=counts)
    workdir.genotype.write_text(load_genotype("DARTS_V2", "darts_conv").to_json())
    return workdir


@pytest.mark.slow
@pytest.mark.parametrize(
    "space, pictures", [("darts_conv", 7), ("nasbench201", 5), ("darts_recurrent", 5)]
)
def test_a_search(tmp_path, space, pictures):
    """A heat map and a picture of curves for each cell; entropies, cells, losses."""
    workdir = search(tmp_path, space)
    page = read(report.write(tmp_path))
    assert workdir.report == tmp_path / "report.html"
    assert page.tags.count("img") == pictures
    assert page.tags.count("h1") == 1
    for text in (
        f"Search by darts in {space}",
        "20 steps in 0:01:15 h",
        "collapsed: eight skips",
        "1.5 GiB",
        f"--flagfile={tmp_path}/flags.txt",
        "alpha_learning_rate",
        "tensorflow 2.x",
    ):
        assert text in page.text, text
    assert workdir.report.stat().st_size < 1_500_000
    assert not list(tmp_path.glob("*.tmp"))


def test_a_search_that_has_not_finished(tmp_path):
    search(tmp_path, "nasbench201", finished=False)
    page = read(report.write(tmp_path))
    assert "Not finished: 20 steps so far" in page.text
    assert page.tags.count("img") == 5  # the cell is that of the last epoch


def test_a_run_that_has_only_begun(tmp_path):
    make(tmp_path, SearchConfig())
    page = read(report.write(tmp_path))
    assert "Not finished: 0 steps" in page.text and "img" not in page.tags


@pytest.mark.slow
def test_an_evaluation(tmp_path):
    evaluation(tmp_path, dataset="folder", data_dir=NASTY)
    page = read(report.write(tmp_path))
    for text in (
        "Evaluation of DARTS_V2 on folder",
        "25.00%",
        "12,345",
        "67,890",
        "Confusion matrix",
        "class 2",
        NASTY,
    ):
        assert text in page.text, text
    assert page.text.count(NASTY) >= 4  # twice as a class, twice as a folder


@pytest.mark.slow
def test_a_thousand_classes_stay_small(tmp_path):
    evaluation(tmp_path, classes=1000)
    path = report.write(tmp_path)
    assert path.stat().st_size < 600_000
    assert "lowest accuracy, of 1,000" in read(path).text


def test_language_shows_perplexities_and_what_it_writes(tmp_path):
    records = [{"kind": "epoch", "step": 9, "epoch": 1, "valid/perplexity": 90.0}]
    config = TrainingConfig(
        space="darts_recurrent", dataset="text_folder", genotype="DARTS_V2"
    )
    result = RESULT | {
        "test": {"perplexity": 80.25, "words": 1000},
        "valid": {"perplexity": 90.0},
        "parameters": 5,
        "sample": ["a <b> c"],
        "data": {"words": ["a"]},
    }
    make(tmp_path, config, records, result)
    page = read(report.write(tmp_path))
    assert "80.25" in page.text and "a <b> c" in page.text
    assert page.tags.count("img") == 1


def test_evaluations_of_a_strategy_with_an_estimator(tmp_path):
    config = SearchConfig(strategy="random", budget_evaluations=2)
    result = RESULT | {"worth": 0.75, "evaluations": 2}
    workdir = make(tmp_path, config, (), result)
    log = MetricsLog(workdir.evaluations)
    for step, worth in enumerate((0.5, 0.75), 1):
        log.append({"step": step, "worth": worth})
    page = read(report.write(tmp_path))
    assert "75.00%" in page.text and page.tags.count("img") == 1


def test_data_of_a_python_program(tmp_path):
    values = applicable(SearchConfig(dataset="arrays")) | {"fingerprint": "abc"}
    open_workdir(tmp_path, values, "").close()
    page = read(report.write(tmp_path))
    assert "came from a Python program" in page.text
    assert "--fingerprint" not in page.text


def test_no_folder_of_a_run(tmp_path):
    with pytest.raises(InputError, match="is no folder of a run"):
        report.write(tmp_path)


def test_a_run_of_half_a_minute_has_a_report_before_its_end(tmp_path, monkeypatch):
    now, written = [0.0], []
    monkeypatch.setattr(time_budget.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(report, "write", lambda path: written.append(now[0]))
    reports = report.EpochReports(Workdir(tmp_path))
    for now[0] in (10.0, 29.0, 31.0):
        reports.on_epoch()
    assert written == [31.0]


@pytest.mark.slow
def test_a_comparison_of_plain_runs(tmp_path, capsys):
    one = evaluation(tmp_path / "a" / "evaluate", seed=1)
    other = evaluation(tmp_path / "b" / "evaluate", seed=2, epochs=3)
    found = search(tmp_path / "a" / "search")
    paths = [str(w.path) for w in (one, other, found)]
    compare.run(ComparisonConfig(experiments=paths, out=str(tmp_path / "out")))
    printed = capsys.readouterr().out
    assert "a/evaluate: DARTS_V2, seed 1" in printed
    page = read(tmp_path / "out" / "report.html")
    head = "Params (K)", "Multiply-adds (K)", "Training cost (device-minutes)"
    for text in (*head, "a/search: darts (finite_difference), seed 0", "12.3"):
        assert text in page.text, text
    differing = page.text.partition("Settings that differ")[2]
    assert re.search(r"epochs\s*600\s*3", differing), differing[:800]
    assert json.loads(one.result.read_text())["parameters"] == 12_345
