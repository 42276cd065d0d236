"""Says what images an exported network takes, in words, metadata and Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from darts_tf.errors import InputError

SCALINGS = {
    "none": "images were used as they are, without scaling",
    "whole": "the whole image was scaled to this size, whatever its proportions "
    "(bilinear, antialiased)",
    "centre": "the square in the middle, 7/8 of the shorter side, was scaled to "
    "this size (bilinear, antialiased)",
}
"""How training brought images to their size, by the names of ImageData.scaling."""

COLOURS = {1: "grey", 3: "RGB"}
MODES = {1: "L", 3: "RGB"}
"""Pillow's modes by the number of channels."""


@dataclasses.dataclass(frozen=True)
class ImageInput:
    """The images that a network was trained on.

    Attributes:
      shape: (H, W, C).
      mean, std: by which each channel is normalised inside of the network, in
        units of pixels 0..255; std is positive.
      scaling: how training brought images to this size, one of SCALINGS.
      example: path of an image file to show the use with; None for none.

    Raises:
      InputError: values that do not fit together.
    """

    shape: tuple[int, int, int]
    mean: Sequence[float]
    std: Sequence[float]
    scaling: str = "none"
    example: str | None = None

    def __post_init__(self) -> None:
        fits = len(self.shape) == 3 and (
            len(self.mean) == len(self.std) == self.shape[-1]
        )
        if not fits:
            raise InputError(
                "`image_shape` is (H, W, C), with C means and C deviations. "
                f"Received: {tuple(self.shape)}, {len(self.mean)}, {len(self.std)}"
            )
        if not min(self.std) > 0:
            raise InputError(f"`std` must be positive. Received: {list(self.std)}")

    @property
    def colour(self) -> str:
        """Returns what the channels hold."""
        channels = self.shape[-1]
        return COLOURS.get(channels, f"{channels} channels")

    def description(self) -> str:
        """Returns one line on shape, colour and range."""
        height, width, channels = self.shape
        return (
            f"images of {height} x {width} pixels (height x width), {self.colour}: "
            f"uint8 [batch, {height}, {width}, {channels}], values 0 to 255"
        )

    def refusal(self) -> str:
        """Returns the message for images of another shape."""
        return (
            f"this network takes {self.description()}; in training "
            f"{SCALINGS[self.scaling]}. Received an array of shape"
        )

    def as_metadata(self) -> dict[str, object]:
        """Returns what a reader of the export has to know, for JSON."""
        height, width, channels = self.shape
        return {
            "height": height,
            "width": width,
            "channels": channels,
            "colour": self.colour,
            "dtype": "uint8",
            "range": [0, 255],
            "scaling": self.scaling,
            "scaling_in_words": SCALINGS[self.scaling],
            "normalisation": "inside of the network",
            "mean": [float(x) for x in self.mean],
            "std": [float(x) for x in self.std],
        }

    def reading(self, indent: str = "") -> str:
        """Returns Python lines that read `images` from a file as training did.

        They need TensorFlow, NumPy and Pillow.
        """
        lines = [*self._opening(), *self._resizing()]
        return "".join(f"{indent}{line}\n" for line in lines)

    def _opening(self) -> list[str]:
        height, width, channels = self.shape
        if channels not in MODES:
            return [
                f"images = np.zeros((1, {height}, {width}, {channels}), np.uint8)"
                "  # yours"
            ]
        path = self.example or "image.png"
        comment = "" if self.example else "  # yours"
        return [
            f"file = Image.open({path!r}){comment}",
            f"image = ImageOps.exif_transpose(file).convert({MODES[channels]!r})",
        ]

    def _resizing(self) -> list[str]:
        """Returns lines from `image` to `images`; a size is (width, height) in Pillow.

        `tf.image.resize` and not Pillow's, as in training.
        """
        height, width, channels = self.shape
        if channels not in MODES:
            return []
        lines = []
        if self.scaling == "centre":
            lines = [
                "side = max(round(7 / 8 * min(image.size)), 1)",
                "left, top = (image.width - side) // 2, (image.height - side) // 2",
                "image = image.crop((left, top, left + side, top + side))",
            ]
        lines.append(
            f"images = np.asarray(image).reshape(1, image.height, image.width, "
            f"{channels})"
        )
        if self.scaling != "none":
            lines.append(
                f"images = tf.image.resize(images, ({height}, {width}), antialias=True)"
            )
            lines.append("images = tf.cast(tf.round(images), tf.uint8)")
        return lines


def input_of(
    data: Mapping, flags: Mapping[str, object], example: str | None
) -> ImageInput:
    """Returns the input of the network of an evaluation.

    Args:
      data: of its result.json. Evaluations of earlier versions lack the
        scaling, which then follows from the flags.
      flags: its settings.
      example: path of an image file; None for none.
    """
    scaling = data.get("scaling")
    if scaling is None:
        scaled = "centre" if flags.get("stream") else "whole"
        scaling = "none" if flags.get("image_size") is None else scaled
    return ImageInput(
        tuple(data["image_shape"]), data["mean"], data["std"], scaling, example
    )
