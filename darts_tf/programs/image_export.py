"""Exports image networks in each format, and reads the images for it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from darts_tf.config import LatencyConfig
from darts_tf.data.images import streamed_batches
from darts_tf.data.images.loading import ImageData, Part
from darts_tf.errors import InputError
from darts_tf.programs import latency, predicted_latency
from darts_tf.programs.export_request import ExportRequest, lines
from darts_tf.programs.image_data import AnyPart, Data, load_data
from darts_tf.programs.task import ImageConfig
from darts_tf.run.export import (
    image_litert,
    image_model,
    image_onnx,
    litert,
    measures,
)
from darts_tf.run.export.image_input import MODES, SCALINGS, ImageInput, input_of
from darts_tf.run.export.image_network import Forward, ImageNetwork
from darts_tf.run.files import write_atomic
from darts_tf.space.genotype import Genotype

SAMPLES, HELD_OUT = 200, 1000
"""Images by which ranges of 8 bits are measured, and the most for an accuracy."""


def write(forward: Forward, model, request: ExportRequest) -> str:
    """Writes the export that was asked for; returns a summary.

    Args:
      forward: see image_network.ImageNetwork.
      model: owner of its variables.
      request: names format and folder.
    """
    data = request.result["data"]
    network = ImageNetwork(
        forward, model, _input(request), data["class_names"], request.result
    )
    if request.config.format == "saved_model":
        image_model.export_saved_model(network, request.folder)
        usage = image_model.usage_example(request.folder, network.takes)
        return lines(f"SavedModel: {request.folder}", _rows(network.takes), usage)
    data = request.divided_data(load)
    if data is not None:
        _require_shape(data.images, network)
    if request.config.format == "onnx":
        return _write_onnx(network, request, data)
    return _write_litert(network, request, data)


def _input(request: ExportRequest) -> ImageInput:
    data = request.result["data"]
    paths = [data.get("example_file"), request.workdir.example]
    found = (str(path) for path in paths if path and Path(path).is_file())
    return input_of(data, request.result["flags"], next(found, None))


def _rows(takes: ImageInput) -> list[tuple[str, str]]:
    return [("takes", takes.description()), ("in training", SCALINGS[takes.scaling])]


def _write_onnx(
    network: ImageNetwork, request: ExportRequest, data: Data | None
) -> str:
    values = image_onnx.export_onnx(
        network, request.folder, None if data is None else held_out(data)
    )
    rows = _rows(network.takes) + measures.summary(values, values["bytes"])
    usage = image_onnx.usage_example(request.folder, network.takes)
    return lines(f"ONNX: {request.folder / image_onnx.FILE}", rows, usage)


def _write_litert(
    network: ImageNetwork, request: ExportRequest, data: Data | None
) -> str:
    quantize = request.config.quantize
    predicted = predicted_latency.prediction(request, network.model)
    try:
        values = image_litert.export_litert(
            network,
            request.folder,
            quantize,
            samples=spread(data.parts[0], SAMPLES)[0]
            if data and quantize == "int8"
            else None,
            held_out=None if data is None else held_out(data),
            latency=predicted,
        )
    except litert.Unconvertible as error:
        names = ", ".join(_unconvertible(network.model, request.genotype))
        if not names:
            raise
        raise litert.Unconvertible(
            f"{names}: {error.reason}",
            "export with `format=saved_model`, or search without that candidate",
        ) from error
    rows = _rows(network.takes) + measures.summary(values, values["bytes"])
    if predicted is not None:
        predicted_latency.write(request, values["latency"])
        rows += predicted_latency.summary(values["latency"], quantize)
    usage = image_litert.usage_example(request.folder, network.takes)
    path = request.folder / litert.FILE
    return lines(f"LiteRT, quantize={quantize}: {path}", rows, usage)


def _unconvertible(model, genotype: Genotype) -> list[str]:
    """Returns the operations of a genotype that LiteRT cannot run by themselves."""
    used = {name for cell in genotype.cells.values() for name, _ in cell.edges}
    parts, names = model.parts(), []
    for part in parts.distinct():
        if part.operation in used and part.operation not in names:
            try:
                latency.prepared(LatencyConfig(), parts, part)
            except litert.Unconvertible:
                names.append(part.operation)
    return names


def load(config: ImageConfig, images: ImageData | None) -> Data:
    """Divides the images as the evaluation did."""
    held = config.valid_fraction
    return load_data(config, [1 - held, held] if held else [1.0], images)


def _require_shape(images: ImageData, network: ImageNetwork) -> None:
    if tuple(images.image_shape) != network.takes.shape:
        raise InputError(
            f"the data set has images {images.image_shape} now, and the network was "
            f"trained on {network.takes.shape} (height, width, channels)"
        )


def held_out(data: Data) -> measures.HeldOut:
    """Returns images of the validation part, or of the test part without one."""
    name = "valid" if len(data.parts) > 1 else "test"
    part = data.parts[1] if name == "valid" else data.images.load_test()
    return measures.HeldOut(*spread(part, HELD_OUT), name)


def spread(part: AnyPart, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads at most `most` examples, evenly spread over a part.

    Returns:
      (images uint8 [N, H, W, C], labels [N]).
    """
    rows = np.linspace(0, part.size - 1, min(part.size, most)).astype(int)
    chosen = part.take(rows)
    if isinstance(chosen, Part):
        return chosen.images, chosen.labels
    unchanged = np.zeros(1, np.float32), np.ones(1, np.float32)
    batches = streamed_batches.ordered_batches(
        chosen, batch_size=min(64, chosen.size), statistics=unchanged
    )
    images = [np.asarray(x).astype(np.uint8) for x, _ in batches]
    return np.concatenate(images), chosen.labels


def write_example(data: Data, path: Path) -> None:
    """Writes an image of the last part as a PNG, unless the data are files."""
    channels = data.images.image_shape[-1]
    if data.images.example_file is not None or channels not in MODES:
        return
    (image,), _ = spread(data.parts[-1], 1)
    stream = io.BytesIO()
    Image.fromarray(image[..., 0] if channels == 1 else image).save(stream, "png")
    write_atomic(path, stream.getvalue())
