"""The line about memory, its warning, and what it is printed for."""

from __future__ import annotations

import types

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data.text.loading import EOS, UNKNOWN, TextData, Vocabulary
from darts_tf.descent.replicas import Replicas
from darts_tf.networks import conv
from darts_tf.networks.footprint.memory import GB, Memory
from darts_tf.networks.language import LanguageModel
from darts_tf.networks.recurrent import MixedCell
from darts_tf.programs import memory_report
from darts_tf.programs.memory_report import estimates
from darts_tf.space import recurrent
from darts_tf.space.published import CONVOLUTIONAL
from darts_tf.space.registry import space_by_name

ONE = Replicas("one_device")
FIRST = "first_order"
FOUND = Memory(5.7 * GB, 0.04 * GB, 1.6 * GB)
PART = types.SimpleNamespace(nbytes=10**9)
IMAGES = types.SimpleNamespace(images=types.SimpleNamespace(train=PART), parts=[PART])
SEARCH = SearchConfig(batch_size=64)


@pytest.fixture(scope="module")
def supernet():
    model = conv.Supernet(space_by_name("darts_conv"), 4, 3, 3)
    model.build((None, 16, 16, 3))
    return model


@pytest.fixture(scope="module")
def derived():
    model = conv.EvaluationNetwork(CONVOLUTIONAL["DARTS_V2"], 4, 3, 3)
    model.build((None, 16, 16, 3))
    return model


@pytest.fixture(scope="module")
def language():
    model = LanguageModel(MixedCell(recurrent.SPACE, 8), 40)
    weights = tf.ones(model.cell.spec.alpha_shape)
    model(tf.zeros((1, 1), tf.int32), tf.zeros((1, 8)), weights=weights)
    return model


def test_the_line():
    savings = {
        "--recompute": Memory(1.26 * GB, 0, 1.6 * GB),
        "--micro_batches=4": Memory(5.69 * GB, 0.04 * GB, 1.6 * GB),
    }
    line = memory_report.line({"": FOUND, **savings}, 15.2 * GB, "main memory")
    assert line == (
        "memory: about 7.3 GB of main memory (activations 5.7, weights 0.0, "
        "program 1.6); free: 15.2 GB; with --recompute about 2.9"
    )
    assert memory_report.line({"": FOUND}, None, "a GPU").endswith("program 1.6)")


@pytest.mark.parametrize("available, warnings", [(1e15, 0), (0, 1)])
def test_it_warns_only_where_it_does_not_fit(
    monkeypatch, capsys, supernet, available, warnings
):
    monkeypatch.setattr(memory_report, "available_memory", lambda: available)
    process = types.SimpleNamespace(memory_info=lambda: types.SimpleNamespace(rss=0))
    monkeypatch.setattr(memory_report.psutil, "Process", lambda: process)
    state = tf.random.get_global_generator().state.numpy()
    memory_report.report(supernet, FIRST, SEARCH, IMAGES, ONE)
    assert (tf.random.get_global_generator().state.numpy() == state).all()
    printed = capsys.readouterr()
    (line,), errors = printed.out.splitlines(), printed.err.splitlines()
    assert line.startswith("memory: about ") and "data 2.0" in line
    assert len(errors) == warnings
    assert all(line.startswith("warning: this run takes ") for line in errors)


def test_only_the_chief_prints(capsys, supernet):
    worker = types.SimpleNamespace(chief=False)
    memory_report.report(supernet, FIRST, SEARCH, IMAGES, worker)
    printed = capsys.readouterr()
    assert not printed.out and not printed.err


@pytest.mark.parametrize("model, method", [(None, FIRST), ("supernet", "unheard of")])
def test_a_forecast_that_fails_stops_nothing(capsys, request, model, method):
    network = request.getfixturevalue(model) if model else None
    memory_report.report(network, method, SEARCH, IMAGES, ONE)
    assert capsys.readouterr().out.startswith("memory: unknown (")


def test_unknown_data_stop_nothing(capsys, supernet):
    data = types.SimpleNamespace()
    memory_report.report(supernet, FIRST, SEARCH, data, ONE)
    assert capsys.readouterr().out.startswith("memory: unknown (AttributeError")


def test_activations_are_those_of_one_replicas_micro_batch(supernet, language):
    for model in (supernet, language):
        whole = estimates(model, FIRST, SEARCH, 1)[""]
        halves = estimates(model, FIRST, SEARCH.replace(micro_batches=2), 1)[""]
        assert halves == estimates(model, FIRST, SEARCH, 2)[""]
        assert halves.activations == pytest.approx(whole.activations / 2)
        assert halves[1:] == whole[1:]
        sliced = estimates(model, FIRST, SEARCH, 1)["--micro_batches=4"]
        assert sliced.activations == pytest.approx(whole.activations / 4)
        odd = estimates(model, FIRST, SearchConfig(batch_size=30), 1)
        assert "--micro_batches=4" not in odd


def test_recomputed_cells_keep_less_and_take_more_graphs(supernet):
    plain = estimates(supernet, FIRST, SEARCH, 1)
    again = estimates(supernet, FIRST, SEARCH.replace(recompute=True), 1)[""]
    assert plain["--recompute"] == again
    assert again.activations < 0.8 * plain[""].activations
    assert again.program > plain[""].program


def test_a_training_is_told_with_half_of_its_batch(derived):
    config = TrainingConfig(batch_size=48)
    one, two = (estimates(derived, "training", config, n) for n in (1, 2))
    assert set(one) == set(two) == {"", "--batch_size=24"}
    assert one["--batch_size=24"] == two[""]
    assert set(estimates(derived, "training", TrainingConfig(batch_size=1), 1)) == {""}


def test_weights_take_the_least_and_exact_gradients_the_most(supernet):
    methods = "weights", FIRST, "finite_difference", "exact"
    totals = [sum(estimates(supernet, m, SEARCH, 1)[""]) for m in methods]
    assert totals == sorted(totals)
    exact = SEARCH.replace(lambda_regularizer="sign", lambda_gradient="exact")
    nested = estimates(supernet, "exact", SEARCH.replace(recompute=True), 1)[""]
    assert sum(estimates(supernet, FIRST, exact, 1)[""]) > totals[-1]
    assert nested.program > estimates(supernet, "exact", SEARCH, 1)[""].program
    weights = estimates(supernet, "weights", exact, 1)[""]
    assert sum(weights) == totals[0]  # no alpha, nothing to regularise


def test_lambda_darts_takes_more_graphs_and_gradients(supernet):
    plain = estimates(supernet, FIRST, SEARCH, 1)[""]
    more = estimates(supernet, FIRST, SEARCH.replace(lambda_regularizer="sign"), 1)[""]
    assert more.weights == pytest.approx(1.5 * plain.weights)
    assert more.program > plain.program and more.activations == plain.activations


def test_precision_narrows_what_no_central_difference_keeps(supernet, derived):
    narrow = {"precision": "mixed_bfloat16"}
    for model, method, config, share in (
        (supernet, FIRST, SEARCH, 0.55),
        (supernet, "finite_difference", SEARCH, 1),
        (supernet, FIRST, SEARCH.replace(lambda_regularizer="cosine"), 1),
        (derived, "training", TrainingConfig(batch_size=8), 0.55),
    ):
        plain = estimates(model, method, config, 1)[""].activations
        less = estimates(model, method, config.replace(**narrow), 1)[""].activations
        assert less == pytest.approx(share * plain)


def test_of_a_gpu_it_is_what_tensorflow_may_still_take(monkeypatch, capsys, supernet):
    from tensorflow.python.client import device_lib

    name = "/device:GPU:0"
    devices = [types.SimpleNamespace(name=name, memory_limit=10 * GB)]
    monkeypatch.setattr(device_lib, "list_local_devices", lambda: devices)
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: devices)
    used = {"device:GPU:0": {"current": 1 * GB}}
    monkeypatch.setattr(
        tf.config.experimental, "get_memory_info", lambda device: used[device]
    )
    assert memory_report.free_memory(devices) == 9 * GB
    memory_report.report(supernet, FIRST, SEARCH, IMAGES, ONE)
    line = capsys.readouterr().out
    assert " GB of a GPU (activations " in line and "program" not in line
    assert "free: 9.0 GB" in line
    monkeypatch.setattr(device_lib, "list_local_devices", list)
    assert memory_report.free_memory(devices) is None


def test_text(capsys, language):
    words = np.zeros(50, np.int32)
    vocabulary = Vocabulary(tuple(f"w{i}" for i in range(38)) + (EOS, UNKNOWN))
    data = TextData("own", vocabulary, words, words, {}, None)
    config = SearchConfig(space="darts_recurrent", hidden_size=8, batch_size=16)
    memory_report.report(language, FIRST, config, data, ONE)
    assert capsys.readouterr().out.startswith("memory: about 0.8 GB of main memory")
    assert set(estimates(language, FIRST, config, 1)) == {"", "--micro_batches=4"}
