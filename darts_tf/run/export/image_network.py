"""A trained image network with all that an export of it carries.

Raw uint8 images go in, of any batch size; normalisation is inside; logits
and probabilities come out.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.run.export.image_input import ImageInput
from darts_tf.run.export.saving import as_json

BATCHES = (1, 5)  # sizes on which an export is compared

Forward = Callable[[tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class ImageNetwork:
    """A network that is exported.

    Attributes:
      forward: float32 images [B, H, W, C], normalised, to logits [B, K], in
        inference mode, e.g. `lambda x: model(x, training=False)`.
      model: owner of `forward`'s variables, built.
      takes: the images that it was trained on.
      class_names: K names.
      metadata: values for JSON: genotype, versions, data set.

    Raises:
      InputError: names that are not distinct lines, or metadata that JSON
        cannot hold.
    """

    forward: Forward
    model: keras.Model
    takes: ImageInput
    class_names: Sequence[str]
    metadata: Mapping[str, object]

    def __post_init__(self) -> None:
        names = self.class_names
        if len(set(names)) != len(names) or not names:
            raise InputError(f"`class_names` must be distinct. Received: {list(names)}")
        if any(len(name.splitlines()) != 1 for name in names):
            raise InputError(f"a class name is one line. Received: {list(names)}")
        self.texts()

    @property
    def spec(self) -> tf.TensorSpec:
        """Returns the spec of the images, uint8 [B, H, W, C]."""
        return tf.TensorSpec([None, *self.takes.shape], tf.uint8, name="images")

    def serve(self, images) -> dict[str, tf.Tensor]:
        """Computes logits and probabilities, float32 [B, K], of uint8 images."""
        logits = tf.cast(self.forward(self.normalise(images)), tf.float32)
        return {"logits": logits, "probabilities": tf.nn.softmax(logits)}

    def normalise(self, images) -> tf.Tensor:
        """Computes (x - mean) / std of each channel, float32."""
        mean = tf.constant(self.takes.mean, tf.float32)
        return (tf.cast(images, tf.float32) - mean) / tf.constant(
            self.takes.std, tf.float32
        )

    def logits(self, images: np.ndarray, batch_size: int = 64) -> np.ndarray:
        """Computes the network's own logits [N, K] of uint8 images [N, H, W, C].

        Raises:
          InputError: the network has another number of classes than names.
        """
        rows = [
            np.asarray(self._logits(tf.constant(images[start : start + batch_size])))
            for start in range(0, len(images), batch_size)
        ]
        logits, classes = np.concatenate(rows), len(self.class_names)
        if logits.shape != (len(images), classes):
            raise InputError(
                f"{classes} class names need logits [B, {classes}]. Received: "
                f"logits {list(logits.shape)} for {len(images)} images"
            )
        return logits

    @functools.cached_property
    def _logits(self):
        """The network's logits of uint8 images, traced once."""
        return tf.function(
            lambda images: self.forward(self.normalise(images)),
            input_signature=[self.spec],
        ).get_concrete_function()

    def random_images(self, batch: int) -> np.ndarray:
        """Draws images of the network's shape, always the same ones."""
        generator = np.random.default_rng(batch)
        return generator.integers(0, 256, (batch, *self.takes.shape), dtype=np.uint8)

    def texts(self) -> dict[str, str]:
        """Returns the files that travel with each format, by name."""
        metadata = {**self.metadata, "input": self.takes.as_metadata()}
        return {
            "class_names.txt": "".join(f"{name}\n" for name in self.class_names),
            "metadata.json": as_json(metadata),
        }

    def write_texts(self, folder: Path) -> list[Path]:
        """Writes the files of `texts` into a folder; returns their paths."""
        paths = []
        for name, text in self.texts().items():
            paths.append(folder / name)
            paths[-1].write_text(text, encoding="utf-8")
        return paths
