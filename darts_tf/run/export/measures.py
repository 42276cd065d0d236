"""Measures an exported file beside the network that it was made of."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np

from darts_tf.run.export.image_network import BATCHES, ImageNetwork

REPEATS = 50
"""Runs of which the median is taken."""

BOUNDS = {"none": 1e-4, "float16": 1e-2, "dynamic": 0.15, "int8": 0.5}
"""Largest difference of a logit, as a share of the largest logit, by the kind of
quantisation: what is beyond is a fault of the conversion and not rounding."""

Run = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Images that no weight was learned from.

    Attributes:
      images: uint8 [N, H, W, C].
      labels: [N].
      part: "valid" or "test".
    """

    images: np.ndarray
    labels: np.ndarray
    part: str


def measured(
    network: ImageNetwork,
    run: Run,
    quantize: str,
    held_out: HeldOut | None,
    repeatable: Callable[[np.ndarray], Callable[[], object]] | None = None,
) -> dict[str, object]:
    """Compares an exported file with its network.

    Args:
      network: computes in float32.
      run: computes the file's logits [B, K] of uint8 images [B, H, W, C].
      quantize: how the file was quantised.
      held_out: None where the data set is not at hand: random images are
        compared then, and there is no accuracy.
      repeatable: returns what computes the logits of the same images again,
        without the time to copy them; None: `run` does.

    Returns:
      values for JSON: milliseconds (median, one image), largest difference of a
      logit, accuracy before and after.

    Raises:
      RuntimeError: logits beyond the bound of `quantize`.
    """
    for batch in BATCHES:  # that the batch size is free
        assert len(run(network.random_images(batch))) == batch
    images = network.random_images(64) if held_out is None else held_out.images
    wanted = network.logits(images)
    logits = np.concatenate([run(image[np.newaxis]) for image in images])
    again = (lambda: run(images[:1])) if repeatable is None else repeatable(images[:1])
    values = {
        "images_compared": len(images),
        "logits": _differences(wanted, logits, quantize),
        "same_class": float(np.mean(wanted.argmax(-1) == logits.argmax(-1))),
        "accuracy": None,
        "milliseconds": median_milliseconds(again),
        "milliseconds_of": f"one image, one thread, median of {REPEATS}",
    }
    if held_out is not None:
        values["accuracy"] = {
            "part": held_out.part,
            "images": len(images),
            "before": float(np.mean(wanted.argmax(-1) == held_out.labels)),
            "after": float(np.mean(logits.argmax(-1) == held_out.labels)),
        }
    return values


def _differences(wanted: np.ndarray, logits: np.ndarray, quantize: str) -> dict:
    difference, largest = np.abs(logits - wanted).max(), np.abs(wanted).max()
    if not difference <= BOUNDS[quantize] * largest:
        raise RuntimeError(
            f"the exported file's logits differ from the network's by "
            f"{difference:.3g} where the largest is {largest:.3g}, more than "
            f"`quantize={quantize}` explains; nothing was exported"
        )
    return {"largest_difference": float(difference), "largest": float(largest)}


def median_milliseconds(run: Callable[[], object], repeats: int = REPEATS) -> float:
    """Returns the median time of `run` in milliseconds, after three runs to warm up."""
    times = []
    for number in range(repeats + 3):
        started = time.perf_counter()
        run()
        if number >= 3:
            times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1e3


def size_and_time(values: dict, size: int) -> list[tuple[str, str]]:
    """Returns a file's bytes and milliseconds as (name, text) lines."""
    return [
        ("size", f"{size / 1e6:.3f} MB"),
        ("time", f"{values['milliseconds']:.3f} ms ({values['milliseconds_of']})"),
    ]


def summary(values: dict, size: int) -> list[tuple[str, str]]:
    """Returns measures as (name, text) lines.

    Args:
      values: of `measured`.
      size: of the file, in bytes.
    """
    logits, accuracy = values["logits"], values["accuracy"]
    lines = [
        *size_and_time(values, size),
        (
            "logits",
            f"differ by at most {logits['largest_difference']:.2g} (the largest is "
            f"{logits['largest']:.3g}); same class for {values['same_class']:.2%} "
            f"of {values['images_compared']} images",
        ),
    ]
    if accuracy is None:
        return [*lines, ("accuracy", "not measured: the data set is not at hand")]
    text = (
        f"{accuracy['after']:.2%}, before {accuracy['before']:.2%} (on "
        f"{accuracy['images']} images of the {accuracy['part']} part)"
    )
    return [*lines, ("accuracy", text)]
