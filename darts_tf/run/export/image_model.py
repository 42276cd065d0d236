"""Exports an image network as a SavedModel that needs nothing but TensorFlow.

Images of another size or number of channels are refused inside of the graph: a
loaded signature does not compare shapes, and a convolution takes any.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.run.export.image_input import ImageInput
from darts_tf.run.export.image_network import BATCHES, ImageNetwork
from darts_tf.run.export.saving import place

TOLERANCE = 1e-5  # relative to the largest logit


def export_saved_model(network: ImageNetwork, folder: str | Path) -> Path:
    """Writes a SavedModel, reads it back and compares it with the network.

    The signature "serving_default" takes uint8 images [B, H, W, C] and gives
    {"logits": [B, K], "probabilities": [B, K]}, float32. A loaded export has
    `class_names` (string [K]) and `metadata` (JSON text); both are assets
    too: assets/class_names.txt and assets/metadata.json. Only the variables
    that inference reads are written (no auxiliary head).

    Args:
      network: to be exported.
      folder: the SavedModel's folder. An earlier export there is replaced
        once the new one is complete and has been compared.

    Returns:
      The folder.

    Raises:
      InputError: a folder that holds something else than an export, or a
        network with another number of classes than names.
      RuntimeError: the SavedModel does not compute what the network does;
        nothing is left of it.
    """

    def write(scratch: Path, new: Path) -> None:
        assets = network.write_texts(scratch)
        module = _Exported(network, assets)
        tf.saved_model.save(
            module, str(new), signatures={"serving_default": module.serve}
        )
        _compare(new, network)

    return place(Path(folder), write)


class _Exported(tf.Module):
    """The exported module: normalisation, network, softmax and texts."""

    def __init__(self, network: ImageNetwork, assets: list[Path]) -> None:
        super().__init__(name="exported")

        def serve(images):
            return network.serve(_refuse_other_shapes(images, network.takes))

        self.serve = tf.function(serve, input_signature=[network.spec])
        self._track(network)
        self._add_texts(network, assets)

    def _track(self, network: ImageNetwork) -> None:
        """Tracks those variables of the model that `serve` reads."""
        captured = self.serve.get_concrete_function().captured_inputs
        used = {id(tensor) for tensor in captured}
        self.network = [
            variable.value
            for variable in network.model.variables
            if id(variable.value.handle) in used
        ]

    def _add_texts(self, network: ImageNetwork, assets: list[Path]) -> None:
        names, text = list(network.class_names), network.texts()["metadata.json"]
        with tf.device("CPU:0"):
            self.class_names = tf.Variable(
                tf.constant(names), trainable=False, name="class_names"
            )
            self.metadata = tf.Variable(
                tf.constant(text), trainable=False, name="metadata"
            )
        self.files = [tf.saved_model.Asset(str(path)) for path in assets]


def _refuse_other_shapes(images, takes: ImageInput) -> tf.Tensor:
    """Adds a check that the graph runs before anything else.

    The shape is read behind a placeholder: that of `images` is known to the
    graph, which would take the check out as true.
    """
    unknown: Any = None
    read = tf.raw_ops.PlaceholderWithDefault(
        input=images, shape=tf.TensorShape(unknown)
    )
    shape = tf.shape(read)
    wanted = tf.constant([*takes.shape, -1])
    padded = tf.concat([shape, tf.fill([5], -1)], 0)[1:5]
    fits = tf.reduce_all(tf.equal(padded, wanted))
    check = tf.debugging.Assert(fits, [takes.refusal(), shape], summarize=8)
    with tf.control_dependencies([check]):
        return tf.identity(images)


def _compare(new: Path, network: ImageNetwork) -> None:
    """Compares the written model with the network on random images."""
    serve = tf.saved_model.load(str(new)).signatures["serving_default"]
    for batch in BATCHES:
        images = network.random_images(batch)
        wanted = network.logits(images)
        logits = serve(images=tf.constant(images))["logits"].numpy()
        error = np.max(np.abs(logits - wanted))
        if not error <= TOLERANCE * np.max(np.abs(wanted)):
            raise RuntimeError(
                f"the SavedModel's logits differ from the network's by "
                f"{error:.3g} on {batch} random images; nothing was exported"
            )


def usage_example(folder: str | Path, takes: ImageInput) -> str:
    """Returns Python lines that classify a file by the export."""
    return f"""\
import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps
model = tf.saved_model.load({str(folder)!r})
names = model.class_names.numpy().astype(str)
{takes.reading()}\
output = model.signatures["serving_default"](images=tf.constant(images))
best = output["probabilities"].numpy()[0].argmax()
print(names[best], output["probabilities"].numpy()[0, best])
"""
