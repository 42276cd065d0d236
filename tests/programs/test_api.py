"""The verbs of a notebook, on tiny data in this process."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import darts_tf as dt
from darts_tf.programs import api
from darts_tf.run.loop.metrics import MetricsLog
from darts_tf.space import registry
from darts_tf.strategy.black_box.random_choice import random_genotype

ROOT = Path(__file__).parents[2]
SEARCH = dt.SearchConfig(
    space="tiny",
    method="first_order",
    channels=1,
    layers=3,
    epochs=2,
    batch_size=8,
    crop_padding=0,
    flip=False,
    learning_rate=0.1,
    alpha_learning_rate=0.1,
    instruments=(),
)
TRAINING = dt.TrainingConfig(
    channels=2,
    layers=3,
    epochs=1,
    batch_size=8,
    crop_padding=0,
    flip=False,
    auxiliary_weight=0.0,
    valid_fraction=0.25,
)


@pytest.fixture(scope="module", autouse=True)
def tiny_space():
    """Registers a space that is quickly traced."""
    dt.cell_space("tiny", nodes=1, operations=["skip_connect", "sep_conv_3x3"])
    yield
    del registry.SPACES["tiny"]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, (60, 8, 8, 1), np.uint8)
    return dt.data.from_arrays(x, np.arange(60) % 3)


@pytest.fixture(scope="module")
def searched(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "search"
    return dt.search(data, SEARCH, folder), folder


def genotype(operation: str) -> dt.Genotype:
    """Returns the cells of one operation in the tiny space."""
    edges = [[operation, 0], [operation, 1]]
    cells = {"normal": edges, "reduce": edges}
    concats = {"normal_concat": [2], "reduce_concat": [2]}
    return dt.Genotype.from_json(json.dumps({"space": "tiny"} | cells | concats))


@pytest.mark.slow
def test_a_search_says_all_that_it_found(searched, capsys):
    outcome, folder = searched
    assert outcome.workdir == folder
    assert outcome.genotype.space == "tiny"
    assert outcome.alpha["normal"].shape[0] == 2
    assert [record["epoch"] for record in outcome.history] == [1, 2]
    assert outcome.result["seed"] == 0
    assert outcome.plot().axes
    assert dt.derive(folder) == outcome.genotype
    assert dt.derive(folder, epoch=1).space == "tiny"


@pytest.mark.slow
def test_its_settings_are_stored_with_the_data(searched, data):
    _, folder = searched
    stored = json.loads((folder / "config.json").read_text())
    assert stored["program"] == "search"
    assert stored["config"]["fingerprint"] == data.fingerprint
    assert stored["config"]["dataset"] == "arrays"


@pytest.mark.slow
def test_the_same_call_returns_the_same_and_other_data_are_refused(searched, data):
    outcome, folder = searched
    assert dt.search(data, SEARCH, folder).genotype == outcome.genotype
    x = np.zeros((60, 8, 8, 1), np.uint8)
    other = dt.data.from_arrays(x, np.arange(60) % 3)
    with pytest.raises(dt.InputError, match="holds a run on other data"):
        dt.search(other, SEARCH, folder)
    with pytest.raises(dt.InputError, match="`epochs`: the run has 2, given 3"):
        dt.search(data, SEARCH.replace(epochs=3), folder)


@pytest.mark.slow
def test_without_a_folder_nothing_is_written(data, tmp_path, monkeypatch):
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    outcome = dt.evaluate(genotype("skip_connect"), data, TRAINING)
    assert not list(here.iterdir()) and not list(temporary.glob("darts_tf*"))
    assert outcome.workdir is None and len(outcome.history) == 1
    assert 0 <= outcome.result["test"]["error"] <= 1


@pytest.mark.slow
def test_an_evaluation_of_a_genotype_and_its_export(searched, data, tmp_path):
    cells = searched[0].genotype
    outcome = dt.evaluate(cells, data, TRAINING, tmp_path / "run")
    assert outcome.genotype == cells
    stored = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert stored["space"] == "tiny"
    assert dt.load_genotype(stored["genotype"], "tiny") == cells
    assert (dt.export(tmp_path / "run") / "saved_model.pb").exists()
    other = dt.load_genotype("DARTS_V2")
    with pytest.raises(dt.InputError, match="given darts_conv"):
        dt.evaluate(other, data, TRAINING, tmp_path / "run")
    with pytest.raises(dt.InputError, match="holds a run of another genotype"):
        both = genotype("skip_connect"), genotype("sep_conv_3x3")
        dt.evaluate(both[cells == both[0]], data, TRAINING, tmp_path / "run")


@pytest.mark.slow
def test_strategies_that_ask_have_no_alpha(data):
    config = dt.SearchConfig(
        space="nasbench201",
        strategy="random",
        budget_evaluations=1,
        channels=1,
        layers=3,
        epochs=1,
        batch_size=8,
        crop_padding=0,
    )
    outcome = dt.search(data, config)
    assert outcome.alpha == {} and outcome.result["evaluations"] == 1
    with pytest.raises(dt.InputError, match="without alpha"):
        outcome.plot()


@pytest.mark.slow
def test_data_are_no_setting_that_was_given(data):
    """Or an estimator that reads none would refuse them."""
    config, same = api._with_data(dt.SearchConfig(epochs=3), data)
    assert same is data and config.dataset == "arrays"
    assert config.given == {"epochs"}
    config, nothing = api._with_data(dt.SearchConfig(), "digits")
    assert nothing is None and config.dataset == "digits" and not config.given


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda data: dt.search([1, 2], SEARCH), "made by darts_tf.data"),
        (lambda data: dt.search(data, {"epochs": 1}), "must be a SearchConfig"),
        (lambda data: dt.search(data, TRAINING), "received TrainingConfig"),
        (lambda data: dt.evaluate("DARTS_V2", data, SEARCH), "received SearchConfig"),
        (lambda data: dt.search(data, SEARCH, workdir=3), "`workdir` must name"),
        (lambda data: dt.search(data, SEARCH, workdir=""), "`workdir` must name"),
        (lambda data: dt.derive(None), "`workdir` must name"),
        (lambda data: dt.export(3), "`workdir` must name"),
        (lambda data: dt.draw_genotype("DARTS_V9"), "did you mean DARTS_V2"),
        (lambda data: dt.load_genotype(3), "received 3"),
        (lambda data: dt.load_genotype(" "), "received ' '"),
        (
            lambda data: dt.search(data, SEARCH.replace(space="darts_recurrent")),
            "`data` is images",
        ),
        (lambda data: dt.search(data, SEARCH.replace(hidden_size=3)), "`hidden_size`"),
        (lambda data: dt.evaluate("DARTS_V9", data, TRAINING), "DARTS_V"),
        (lambda data: dt.export("missing", format="zip"), "`format=zip`"),
        (lambda data: dt.export("missing"), "is no folder of a run"),
        (lambda data: dt.derive("missing"), "is no folder of a run"),
    ],
)
def test_bad_input_is_refused_in_the_words_of_arguments(data, call, words):
    with pytest.raises(dt.InputError, match=words) as error:
        call(data)
    assert "--" not in str(error.value)


@pytest.mark.slow
def test_signals_and_threads_of_the_caller_stay_its_own(data):
    """Also in a thread, where Python takes no handlers."""
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    found = []
    thread = threading.Thread(
        target=lambda: found.append(
            dt.evaluate(genotype("skip_connect"), data, TRAINING)
        )
    )
    thread.start()
    thread.join()
    assert found and len(found[0].history) == 1
    assert handlers == (signal.getsignal(signal.SIGINT), signal.getsignal(15))


@pytest.mark.slow
def test_a_stop_is_a_keyboard_interrupt_and_the_call_goes_on(
    data, tmp_path, monkeypatch
):
    config, cells = TRAINING.replace(epochs=3), genotype("sep_conv_3x3")
    append = MetricsLog.append

    def stopping(log, record):
        append(log, record)
        if record["kind"] == "epoch" and record["epoch"] == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(MetricsLog, "append", stopping)
        with pytest.raises(KeyboardInterrupt, match="goes on"):
            dt.evaluate(cells, data, config, tmp_path)
    assert len(dt.evaluate(cells, data, config, tmp_path).history) == 3


def test_importing_the_package_is_cheap():
    script = (
        "import sys, time\nstart = time.process_time()\nimport darts_tf as dt\n"
        "seconds = time.process_time() - start\n"
        "assert dt.SearchConfig(channels=3).channels == 3\n"
        "assert set(dt.__all__) <= set(dir(dt)) and dt.__version__\n"
        "assert dt.data.__name__ == 'darts_tf.data'\n"
        "assert not {'tensorflow', 'keras', 'absl'} & sys.modules.keys()\n"
        "print(seconds)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.3


def test_every_public_name_is_there():
    for name in dt.__all__:
        if importlib.util.find_spec(dt._HOMES.get(name, "darts_tf")) is None:
            pytest.skip(f"{name} has no module yet")
        assert getattr(dt, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'serach'"):
        dt.__getattr__("serach")


def test_a_published_name_can_be_drawn():
    assert dt.draw_genotype("DARTS_V2").axes


def test_the_front_of_a_search_has_genotypes():
    genotype = random_genotype(registry.space_by_name("nasbench201"), 0)
    row = {"genotype": json.loads(genotype.to_json()), "accuracy": 0.5}
    outcome = api.SearchOutcome(genotype, {}, [], {"front": [row]}, None, {})
    assert outcome.front == [{"genotype": genotype, "accuracy": 0.5}]
    assert api.SearchOutcome(genotype, {}, [], {}, None, {}).front == []
