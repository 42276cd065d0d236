from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.run.export.image_input import ImageInput
from darts_tf.run.export.image_model import export_saved_model
from darts_tf.run.export.image_network import ImageNetwork
from tests.scripts import output_of

NAMES = [f"name {i}" for i in range(10)]
MEAN, STD = [125.0, 120.0, 110.0], [60.0, 61.0, 62.0]


class Small(keras.Model):
    """A network with a state, a part inference does not use, and weights."""

    def __init__(self):
        super().__init__()
        self.convolution = keras.layers.Conv2D(4, 3, padding="same")
        self.norm = keras.layers.BatchNormalization()
        self.top = keras.layers.Dense(10)
        self.side = keras.layers.Dense(7, name="side")

    def call(self, x, training=False):
        x = self.norm(self.convolution(x), training=training)
        x = tf.reduce_mean(tf.nn.relu(x), [1, 2])
        return (self.top(x), self.side(x)) if training else self.top(x)


def built(model, size=8):
    keras.utils.set_random_seed(1)
    model(tf.random.stateless_normal([4, size, size, 3], [1, 2]), training=True)
    return model


@pytest.fixture(scope="module")
def small():
    return built(Small())


def network(model, size=8, forward=None, **changes) -> ImageNetwork:
    values = {
        "image_shape": (size, size, 3),
        "mean": MEAN,
        "std": STD,
        "scaling": "none",
        "example": None,
        "class_names": NAMES,
        "metadata": {"genotype": {"space": "é"}},
        **changes,
    }
    names = ("image_shape", "mean", "std", "scaling", "example")
    takes = ImageInput(*(values[name] for name in names))
    forward = forward or (lambda x: model(x, training=False))
    return ImageNetwork(
        forward, model, takes, values["class_names"], values["metadata"]
    )


def export(model, folder, size=8, forward=None, **changes):
    return export_saved_model(network(model, size, forward, **changes), folder)


@pytest.fixture(scope="module")
def exported(small, tmp_path_factory):
    """A loaded export."""
    return tf.saved_model.load(str(export(small, tmp_path_factory.mktemp("e") / "e")))


@keras.saving.register_keras_serializable("tests")
class Swish(keras.layers.Layer):
    """A layer of a user's, as `register_operation` builds."""

    def __init__(self, **options):
        super().__init__(**options)
        self.beta = self.add_weight(shape=(), initializer="ones", name="beta")

    def call(self, x):
        return x * tf.sigmoid(self.beta * x)


@pytest.mark.slow
def test_a_network_of_keras_layers_is_exported(tmp_path):
    """Batch norm and dropout in inference mode, whatever the layers are."""
    network = built(
        keras.Sequential(
            [
                keras.layers.SeparableConv2D(6, 3, strides=2, padding="same"),
                keras.layers.BatchNormalization(),
                Swish(),
                keras.layers.Dropout(0.5),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(10),
            ]
        )
    )
    norm = network.layers[1]
    assert np.any(norm.moving_mean.numpy())
    loaded = tf.saved_model.load(str(export(network, tmp_path / "export")))
    images = random_images(3, 8)
    output = loaded.signatures["serving_default"](images=tf.constant(images))
    wanted = network(
        (images - np.float32(MEAN)) / np.float32(STD), training=False
    ).numpy()
    np.testing.assert_allclose(output["logits"], wanted, atol=1e-5)
    read = {tuple(v.shape) for v in loaded.network}
    assert {tuple(v.shape) for v in norm.variables} <= read and () in read


def random_images(batch, size):
    generator = np.random.default_rng(3)
    return generator.integers(0, 256, (batch, size, size, 3), dtype=np.uint8)


def expected(model, images):
    return model((images - np.float32(MEAN)) / np.float32(STD)).numpy()


PROGRAM = """
import pathlib, sys
from darts_tf.run.process import quiet_tensorflow
from absl import app, logging
import tensorflow as tf
from tests.run.export.test_image_model import Small, built, export
def main(_):
    model = built(Small())
    print("before", file=sys.stderr)
    export(model, pathlib.Path(sys.argv[1]))
    logging.info("as loud as before")
    tf.get_logger().info("so is TensorFlow")
    tf.get_logger().warning("a warning")
app.run(main)
"""


@pytest.mark.slow
def test_saving_says_nothing_and_leaves_the_loggers_as_they_were(tmp_path):
    output = output_of(str(tmp_path / "export"), script=PROGRAM)
    said = output.split("before\n", 1)[1]
    lines = [x for x in said.splitlines() if not x.startswith("WARNING")]
    assert "as loud as before" in lines[0]
    assert (
        all("is TensorFlow" in line or "a warning" in line for line in lines[1:])
        and "so is TensorFlow" in said
    )


def test_texts_lie_inside_and_survive_a_move(small, tmp_path):
    folder = export(small, tmp_path / "export")
    moved = folder.rename(tmp_path / "moved")
    loaded = tf.saved_model.load(str(moved))
    text = (moved / "assets" / "metadata.json").read_text(encoding="utf-8")
    metadata = json.loads(text)
    assert metadata["genotype"] == {"space": "é"}
    takes = metadata["input"]
    assert (takes["height"], takes["width"], takes["channels"]) == (8, 8, 3)
    assert (takes["colour"], takes["dtype"], takes["range"]) == (
        "RGB",
        "uint8",
        [0, 255],
    )
    assert takes["scaling"] == "none" and takes["mean"] == MEAN
    assert json.loads(loaded.metadata.numpy()) == json.loads(text)
    names = (moved / "assets" / "class_names.txt").read_text()
    assert names.splitlines() == NAMES


def test_only_variables_that_inference_reads_are_written(small, tmp_path):
    loaded = tf.saved_model.load(str(export(small, tmp_path / "export")))
    shapes = [tuple(v.shape) for v in loaded.network]
    unused = [v for v in small.variables if "side" in v.path]
    assert len(unused) == 2
    assert len(shapes) == len(small.variables) - len(unused)
    assert not any(7 in shape for shape in shapes)


def test_any_batch_size_and_nothing_but_uint8(small, tmp_path):
    loaded = tf.saved_model.load(str(export(small, tmp_path / "export")))
    serve = loaded.signatures["serving_default"]
    for batch in (1, 2, 9):
        images = random_images(batch, 8)
        output = serve(images=tf.constant(images))
        assert output["probabilities"].shape == (batch, 10)
    with pytest.raises(Exception, match="uint8|dtype"):
        serve(images=tf.zeros([1, 8, 8, 3], tf.float32))


@pytest.mark.parametrize(
    "shape", [(1, 16, 16, 3), (1, 8, 9, 3), (2, 8, 8, 1), (1, 8, 8, 4), (8, 8, 3)]
)
def test_another_shape_is_refused_in_the_graph(small, exported, shape):
    serve = exported.signatures["serving_default"]
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        serve(images=tf.zeros(shape, tf.uint8))
    for words in (
        "takes images of 8 x 8 pixels (height x width), RGB: uint8 [batch, 8, 8, 3]",
        "values 0 to 255; in training images were used as they are",
        f"Received an array of shape] [{' '.join(map(str, shape))}]",
    ):
        assert words in str(error.value)


def test_the_signature_names_the_shape(exported):
    (spec,) = (
        exported.signatures["serving_default"].structured_input_signature[1].values()
    )
    assert spec.shape.as_list() == [None, 8, 8, 3] and spec.dtype == tf.uint8


def test_a_new_export_replaces_the_old_one(small, tmp_path):
    folder = export(small, tmp_path / "export")
    (folder / "stale").write_text("")
    export(small, folder, metadata={"run": 2})
    assert not (folder / "stale").exists()
    assert "2" in (folder / "assets" / "metadata.json").read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["export"]


def drifting(model):
    """Gives other logits at every call."""
    calls = []

    def forward(x):
        calls.append(None)
        return model(x, training=False) + 1e-3 * len(calls)

    return forward


def test_a_mismatch_is_an_error_and_the_old_export_stays(small, tmp_path):
    folder = export(small, tmp_path / "export", metadata={"run": 1})
    with pytest.raises(RuntimeError, match="differ"):
        export(small, folder, forward=drifting(small), metadata={"run": 2})
    assert "1" in (folder / "assets" / "metadata.json").read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["export"]
    with pytest.raises(RuntimeError, match="differ"):
        export(small, tmp_path / "new", forward=drifting(small))
    assert [p.name for p in tmp_path.iterdir()] == ["export"]


def test_logits_that_are_no_numbers_are_an_error(small, tmp_path):
    with pytest.raises(RuntimeError, match="nan"):
        export(
            small,
            tmp_path / "export",
            forward=lambda x: small(x, training=False) * np.float32("nan"),
        )
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"class_names": NAMES[:9]}, r"9 class names.*\[1, 10\]"),
        ({"class_names": ["same"] * 10}, "distinct"),
        ({"class_names": ["a\nb", *NAMES[1:]]}, "one line"),
        ({"mean": [1.0]}, "C means"),
        ({"image_shape": (8, 3)}, r"\(H, W, C\)"),
        ({"image_shape": ()}, r"\(H, W, C\)"),
        ({"std": [1.0, 0.0, 1.0]}, "positive"),
        ({"metadata": {"a": np.zeros(3)}}, "JSON"),
        ({"metadata": {"loss": float("nan")}}, "JSON"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(small, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        export(small, tmp_path / "export", **changes)
    assert not any(tmp_path.iterdir())


def test_a_folder_of_something_else_is_left_alone(small, tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    with pytest.raises(InputError, match="no export"):
        export(small, tmp_path)
    with pytest.raises(InputError, match="no export"):
        export(small, precious)
    assert precious.read_text() == "mine"


def test_a_saved_model_of_something_else_is_left_alone(small, tmp_path):
    other = tmp_path / "other"
    tf.saved_model.save(tf.Module(), str(other))
    with pytest.raises(InputError, match="no export"):
        export(small, other)
    assert not (other / "assets" / "metadata.json").exists()
