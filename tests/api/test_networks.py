"""Networks in other processes, and with the weights of trained runs."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import darts_tf as dt

ROOT = pathlib.Path(__file__).parents[2]
OWN = """
import keras
import darts_tf as dt

@dt.register_operation("shuffled_conv")
def shuffled_conv(channels, stride):
    return keras.Sequential([
        keras.layers.Conv2D(channels, 3, stride, "same"),
        keras.layers.BatchNormalization(),
    ])

dt.cell_space("shuffled", nodes=1, operations=["shuffled_conv", "skip_connect"])
"""


def python(folder, code: str) -> str:
    """Runs code in a process that has not imported anything."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def data(arrays):
    return dt.data.from_arrays(*arrays)


@pytest.fixture(scope="module")
def trained(data, training_config, tmp_path_factory) -> dt.EvaluationOutcome:
    """A finished run with an auxiliary head."""
    config = training_config.replace(auxiliary_weight=0.4)
    folder = tmp_path_factory.mktemp("runs") / "run"
    return dt.evaluate("DARTS_V2", data, config, folder)


def normalised(images, result):
    return (images - np.array(result["data"]["mean"])) / result["data"]["std"]


@pytest.mark.slow
def test_weights_of_a_trained_run(trained, data):
    sizes = {"channels": 2, "layers": 3, "num_classes": data.num_classes}
    sizes["image_shape"] = data.image_shape
    for head in (False, True):
        model = dt.build_network(trained.genotype, auxiliary=head, **sizes)
        assert dt.load_trained_weights(model, trained.workdir) is model
        test = data.load_test()
        logits = model.predict(normalised(test.images, trained.result), verbose=0)
        error = np.mean(logits.argmax(1) != test.labels)
        assert error == pytest.approx(trained.result["test"]["error"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "change, words",
    [
        ({"genotype": "DARTS_V1"}, "has another genotype than the model"),
        ({"channels": 3}, "other shapes than those of the model; build"),
        ({"layers": 4}, "other shapes"),
        ({"image_shape": None}, "`image_shape`"),
        ({"folder": "missing"}, "no folder of a run"),
    ],
)
def test_weights_that_do_not_fit(trained, data, change, words):
    arguments = {"genotype": "DARTS_V2", "channels": 2, "layers": 3, "num_classes": 3}
    arguments |= {"image_shape": data.image_shape, "folder": trained.workdir} | change
    folder = arguments.pop("folder")
    model = dt.build_network(arguments.pop("genotype"), **arguments)
    before = [np.array(w) for w in model.weights]
    with pytest.raises(dt.InputError, match=f"^[^\n]*{words}[^\n]*$"):
        dt.load_trained_weights(model, folder)
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.fixture
def own_model(tmp_path):
    """A network of an own operation, whose file is plugin.py, saved as x.keras."""
    (tmp_path / "plugin.py").write_text(OWN)
    exec(OWN, {})
    edges = [["shuffled_conv", 0], ["skip_connect", 1]]
    both = {"normal": edges, "reduce": edges}
    concats = {"normal_concat": [2], "reduce_concat": [2]}
    definition = {"nodes": 1, "operations": ["shuffled_conv", "skip_connect"]}
    stored = {"space": "shuffled", "definition": definition} | both | concats
    shape = {"num_classes": 3, "image_shape": (8, 8, 3)}
    genotype = dt.Genotype.from_json(json.dumps(stored))
    model = dt.build_network(genotype, channels=2, layers=3, **shape)
    model.save(tmp_path / "x.keras")
    logits = model.predict(np.ones((1, 8, 8, 3)), verbose=0)
    return tmp_path, float(np.abs(logits).sum())


@pytest.mark.slow
@pytest.mark.program
def test_a_saved_network_of_an_own_operation(own_model):
    folder, output = own_model
    code = """
import sys
import numpy as np
import darts_tf as dt
assert "keras" not in sys.modules
import keras
try:
    keras.models.load_model("x.keras")
    assert False
except dt.InputError as error:
    print(error)
import plugin
model = keras.models.load_model("x.keras")
print(float(np.abs(model.predict(np.ones((1, 8, 8, 3)), verbose=0)).sum()))
"""
    refusal, loaded = python(folder, code).strip().splitlines()
    assert "'shuffled_conv'" in refusal and "register_operation" in refusal
    assert float(loaded) == pytest.approx(output, rel=1e-5)


def test_keras_sees_the_weights(arrays):
    model = dt.build_network("DARTS_V2", channels=2, layers=3, num_classes=3)
    assert isinstance(model, keras.Model)
    model(arrays[0][:1])
    assert model.count_params() == sum(np.size(w) for w in model.weights)
