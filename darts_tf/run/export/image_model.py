"""Exports an image network as a SavedModel that needs nothing but TensorFlow.

Raw uint8 images go in, of any batch size; normalisation is inside; logits
and probabilities come out. The class names and the metadata travel with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.run.export.saving import as_json, place

TOLERANCE = 1e-5  # relative to the largest logit
BATCHES = (1, 5)  # sizes on which the export is compared

Forward = Callable[[tf.Tensor], tf.Tensor]


def export_saved_model(
    forward: Forward,
    model: keras.Model,
    *,
    image_shape: Sequence[int],
    mean: Sequence[float],
    std: Sequence[float],
    class_names: Sequence[str],
    folder: str | Path,
    metadata: Mapping[str, object],
) -> Path:
    """Writes a SavedModel, reads it back and compares it with `forward`.

    The signature "serving_default" takes uint8 images [B, H, W, C] and gives
    {"logits": [B, K], "probabilities": [B, K]}, float32. A loaded export has
    `class_names` (string [K]) and `metadata` (JSON text); both are assets
    too: assets/class_names.txt and assets/metadata.json.

    Args:
      forward: float32 images [B, H, W, C], normalised, to logits [B, K], in
        inference mode, e.g. `lambda x: model(x, training=False)`.
      model: owner of `forward`'s variables, built. Only the variables that
        `forward` reads are written (no auxiliary head).
      image_shape: (H, W, C).
      mean: for each channel, in units of pixels 0..255.
      std: likewise; positive.
      class_names: K names.
      folder: the SavedModel's folder. An earlier export there is replaced
        once the new one is complete and has been compared.
      metadata: values for JSON: genotype, versions, data set.

    Returns:
      The folder.

    Raises:
      InputError: arguments that do not fit, or a folder that holds something
        else than an export.
      RuntimeError: the SavedModel does not compute what `forward` does;
        nothing is left of it.
    """
    folder = Path(folder)
    _check(image_shape, mean, std, class_names)
    text = as_json(metadata)

    def write(scratch: Path, new: Path) -> None:
        assets = _write_assets(scratch, class_names, text)
        module = _Exported(forward, image_shape, mean, std)
        module.add_texts(class_names, text, assets)
        module.track(model)
        tf.saved_model.save(
            module, str(new), signatures={"serving_default": module.serve}
        )
        _compare(new, forward, image_shape, mean, std, len(class_names))

    return place(folder, write)


class _Exported(tf.Module):
    """The exported module: normalisation, network, softmax and texts."""

    def __init__(self, forward: Forward, image_shape, mean, std) -> None:
        super().__init__(name="exported")

        def serve(images):
            logits = forward(_normalise(images, mean, std))
            logits = tf.cast(logits, tf.float32)
            return {
                "logits": logits,
                "probabilities": tf.nn.softmax(logits),
            }

        spec = tf.TensorSpec([None, *image_shape], tf.uint8, name="images")
        self.serve = tf.function(serve, input_signature=[spec])

    def track(self, model: keras.Model) -> None:
        """Tracks those variables of `model` that `serve` reads."""
        captured = self.serve.get_concrete_function().captured_inputs
        used = {id(tensor) for tensor in captured}
        self.network = [
            variable.value
            for variable in model.variables
            if id(variable.value.handle) in used
        ]

    def add_texts(self, class_names, text: str, assets) -> None:
        with tf.device("CPU:0"):
            self.class_names = tf.Variable(
                tf.constant(list(class_names)), trainable=False, name="class_names"
            )
            self.metadata = tf.Variable(
                tf.constant(text), trainable=False, name="metadata"
            )
        self.files = [tf.saved_model.Asset(str(path)) for path in assets]


def _normalise(images, mean, std) -> tf.Tensor:
    images = tf.cast(images, tf.float32)
    return (images - tf.constant(mean, tf.float32)) / tf.constant(std, tf.float32)


def _write_assets(folder: Path, class_names, text: str) -> list[Path]:
    names, metadata = folder / "class_names.txt", folder / "metadata.json"
    names.write_text("".join(f"{n}\n" for n in class_names), encoding="utf-8")
    metadata.write_text(text, encoding="utf-8")
    return [names, metadata]


def _compare(new: Path, forward, image_shape, mean, std, classes) -> None:
    """Compares the written model with `forward` on random images."""
    serve = tf.saved_model.load(str(new)).signatures["serving_default"]
    generator = np.random.default_rng(0)
    for batch in BATCHES:
        images = generator.integers(0, 256, (batch, *image_shape), dtype=np.uint8)
        wanted = np.asarray(forward(_normalise(images, mean, std)))
        if wanted.shape != (batch, classes):
            raise InputError(
                f"{classes} class names need logits [B, {classes}]. "
                f"Received: logits {list(wanted.shape)} for {batch} images"
            )
        logits = serve(images=tf.constant(images))["logits"].numpy()
        error = np.max(np.abs(logits - wanted))
        if not error <= TOLERANCE * np.max(np.abs(wanted)):
            raise RuntimeError(
                f"the SavedModel's logits differ from the network's by "
                f"{error:.3g} on {batch} random images; nothing was exported"
            )


def _check(image_shape, mean, std, class_names) -> None:
    fits = len(image_shape) == 3 and (len(mean) == len(std) == image_shape[-1])
    if not fits:
        raise InputError(
            "`image_shape` is (H, W, C), with C means and C deviations. "
            f"Received: {tuple(image_shape)}, {len(mean)}, {len(std)}"
        )
    if not min(std) > 0:
        raise InputError(f"`std` must be positive. Received: {list(std)}")
    if len(set(class_names)) != len(class_names) or not class_names:
        raise InputError(
            f"`class_names` must be distinct. Received: {list(class_names)}"
        )
    if any(len(name.splitlines()) != 1 for name in class_names):
        raise InputError(f"a class name is one line. Received: {list(class_names)}")


def usage_example(folder: str | Path) -> str:
    """Returns Python lines that use the export."""
    return f"""\
import tensorflow as tf
model = tf.saved_model.load({str(folder)!r})
names = model.class_names.numpy().astype(str)
# images: uint8 [B, H, W, C], values 0..255
output = model.signatures["serving_default"](images=images)
print(names[output["probabilities"].numpy().argmax(-1)])
"""
