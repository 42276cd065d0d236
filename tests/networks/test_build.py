"""Networks of genotypes as Keras models."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.networks import conv, operation_registry
from darts_tf.networks.build import build_network
from darts_tf.networks.operations import register_operation
from darts_tf.space import registry
from darts_tf.space.architecture_string import EXAMPLE
from darts_tf.space.decisions import decide
from darts_tf.space.published import CONVOLUTIONAL, RECURRENT

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.normal(size=(24, 12, 12, 3)).astype("float32"), np.arange(24) % 3
SIZES = {"channels": 2, "layers": 3, "num_classes": 3}


@pytest.fixture(scope="module")
def own_genotype():
    """A genotype of a registered space with a registered operation."""

    @register_operation("own_conv")
    def own(channels, stride):
        layers = keras.layers
        convolution = layers.SeparableConv2D(channels, 3, stride, "same")
        return keras.Sequential(
            [layers.ReLU(), convolution, layers.GroupNormalization(1)]
        )

    space = registry.cell_space("mine", nodes=2, operations=["own_conv", "none"])
    yield decide(space, lambda d: 0)
    operation_registry.unregister_operation("own_conv")
    del registry.SPACES["mine"]


def compiled(model, jit_compile=False):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(0.05, 0.9)
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=jit_compile)
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    "genotype, more",
    [
        ("DARTS_V2", {"auxiliary": True}),
        ("own", {"network": "mobile"}),
        (EXAMPLE, {}),
        ("own", {}),
    ],
)
def test_fit_evaluate_predict_save_and_load(
    genotype, more, tmp_path, own_genotype, capsys
):
    genotype = own_genotype if genotype == "own" else genotype
    # Keras's own choice is XLA, which takes long to compile: once is enough.
    jit = "auto" if genotype == EXAMPLE else False
    model = compiled(build_network(genotype, **SIZES, **more), jit)
    model.build((None, 12, 12, 3))
    model.summary()
    text = capsys.readouterr().out
    assert "(None, 3)" in text and "?" not in text
    history = model.fit(IMAGES, LABELS, batch_size=12, verbose=0).history
    assert set(history) == {"loss", "accuracy"} and np.isfinite(history["loss"]).all()
    scores = model.evaluate(IMAGES, LABELS, verbose=0)
    logits = model.predict(IMAGES, verbose=0)
    assert logits.shape == (24, 3)
    model.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert type(loaded) is type(model) and loaded.genotype == model.genotype
    for before, after in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_allclose(loaded.predict(IMAGES, verbose=0), logits, rtol=1e-5)
    assert loaded.evaluate(IMAGES, LABELS, verbose=0) == pytest.approx(scores)
    if not more:
        loaded.fit(IMAGES, LABELS, batch_size=12, verbose=0)


def test_the_auxiliary_loss_is_added_in_training_alone():
    model = compiled(build_network("DARTS_V2", **SIZES, auxiliary=True))
    outputs = model(IMAGES, training=True)
    assert [x.shape for x in outputs] == [(24, 3)] * 2
    assert model(IMAGES).shape == (24, 3)
    y = LABELS
    losses = [float(model.compute_loss(y=y, y_pred=o)) for o in outputs]
    both = float(model.compute_loss(y=y, y_pred=outputs))
    assert both == pytest.approx(losses[0] + 0.4 * losses[1], rel=1e-5)


def test_one_output_without_a_head():
    model = build_network("DARTS_V2", **SIZES, image_shape=(8, 8, 1))
    assert model.built and model(np.zeros((2, 8, 8, 1)), training=True).shape == (2, 3)
    bytes_ = np.zeros((2, 8, 8, 1), np.uint8)
    np.testing.assert_allclose(model(bytes_), model(np.zeros((2, 8, 8, 1), "float32")))


@pytest.mark.slow
def test_a_recurrent_network(tmp_path):
    model = build_network("DARTS_V2", hidden_size=8, words=11)
    assert model.genotype == RECURRENT["DARTS_V2"]
    compiled(model)
    words = RNG.integers(0, 11, (6, 5))
    model.fit(words[:, :-1], words[:, 1:], batch_size=3, verbose=0)
    logits = model.predict(words, verbose=0)
    assert logits.shape == (6, 5, 11)
    model.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    np.testing.assert_allclose(loaded.predict(words, verbose=0), logits, rtol=1e-5)


def test_every_form_of_a_genotype(tmp_path):
    cells = CONVOLUTIONAL["DARTS_V1"]
    path = tmp_path / "genotype.json"
    path.write_text(cells.to_json(), "utf-8")
    printed = (
        "Genotype("
        + ", ".join(
            f"{name}={list(cell.edges)}, {name}_concat=range(2, 6)"
            for name, cell in cells.cells.items()
        )
        + ")"
    )
    for form in (cells, "DARTS_V1", path, str(path), printed):
        assert build_network(form, **SIZES).genotype == cells


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"genotype": "DARTS_V9"}, "did you mean"),
        ({"genotype": 3}, "received 3"),
        ({"genotype": "LAMBDA_C10"}, "s1, s2"),
        ({"genotype": "Genotype(normal=__import__('os'))"}, "form"),
        ({"channels": None}, "`channels`"),
        ({"channels": 0}, "`channels`"),
        ({"layers": 2}, "at least 3"),
        ({"num_classes": 1}, "classes"),
        ({"network": "huge"}, "`network`"),
        ({"image_shape": (8, 8)}, "`image_shape`"),
        ({"auxiliary": "yes"}, "`auxiliary` must be True or False; received 'yes'"),
        ({"genotype": "MobileNetV2", "auxiliary": 1}, "`auxiliary` must be True"),
        ({"words": 3}, "`hidden_size`|`words`"),
        ({"genotype": EXAMPLE, "auxiliary": True}, "no auxiliary head"),
        ({"genotype": RECURRENT["ENAS"]}, "`hidden_size`, `words`"),
    ],
)
def test_bad_arguments(arguments, words):
    arguments = {"genotype": "DARTS_V2", **SIZES} | arguments
    with pytest.raises(InputError, match=f"^[^\n]*({words})[^\n]*$"):
        build_network(arguments.pop("genotype"), **arguments)


@pytest.mark.slow
def test_a_saved_network_loads_where_darts_tf_is_imported_after_keras(tmp_path):
    """The other way round: tests/api/test_networks.py."""
    model = conv.EvaluationNetwork(CONVOLUTIONAL["DARTS_V2"], 2, 3, 3)
    model.build((None, 8, 8, 3))
    model.save(tmp_path / "x.keras")
    code = f"""
import keras, sys
assert "tensorflow" in sys.modules
import darts_tf
model = keras.models.load_model({str(tmp_path / "x.keras")!r})
print(type(model).__name__, len(model.weights))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert run.stdout.split() == ["EvaluationNetwork", str(len(model.weights))], run
