"""Exports an image network as an ONNX file, with proof that it computes the same."""

from __future__ import annotations

import contextlib
import logging
import warnings
from pathlib import Path
from typing import Any

import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.run.export import measures
from darts_tf.run.export.image_input import ImageInput
from darts_tf.run.export.image_network import ImageNetwork
from darts_tf.run.export.saving import as_json, place

FILE = "model.onnx"
OPSET = 17
"""Version of ONNX's operations; runtimes of 2022 and later have it."""

INSTALL = "install the extra `onnx`: pip install 'darts-tf[onnx]'"


def export_onnx(
    network: ImageNetwork,
    folder: str | Path,
    held_out: measures.HeldOut | None = None,
) -> dict:
    """Writes model.onnx, runs it by ONNX Runtime and measures it.

    It takes uint8 images [B, H, W, C] (the runtime refuses other shapes) and gives
    "logits" and "probabilities", float32 [B, K]. Beside the file: class_names.txt,
    metadata.json, and export.json with what was measured.

    Args:
      network: to be exported.
      folder: of the export; an earlier one is replaced at the end.
      held_out: images on which accuracy is measured; None if not at hand.

    Returns:
      what export.json holds.

    Raises:
      InputError: the converter or the runtime is not installed, an operation that
        ONNX does not have, named, or a folder that is no export.
      RuntimeError: the file does not compute what the network does.
    """
    converter, runtime = _installed()
    values: dict = {}

    def write(scratch: Path, new: Path) -> None:
        del scratch
        content = _converted(network, converter)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        session = runtime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        values.update(
            format="onnx",
            quantize="none",
            file=FILE,
            bytes=len(content),
            opset=OPSET,
            converter=f"tf2onnx {converter.__version__}",
            runtime=f"onnxruntime {runtime.__version__}",
            input=network.takes.as_metadata(),
            **measures.measured(
                network,
                lambda images: session.run(["logits"], {"images": images})[0],
                "none",
                held_out,
            ),
        )
        new.mkdir()
        (new / FILE).write_bytes(content)
        network.write_texts(new)
        (new / "export.json").write_text(as_json(values), encoding="utf-8")

    place(Path(folder), write)
    return values


def _installed() -> tuple[Any, Any]:
    """Returns the modules of the converter and of the runtime."""
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]
        import tf2onnx  # pyright: ignore[reportMissingImports]

        return tf2onnx, onnxruntime
    except ImportError as error:
        raise InputError(
            f"`format=onnx` needs tf2onnx and onnxruntime ({error}); {INSTALL}"
        ) from None


def _converted(network: ImageNetwork, converter: Any) -> bytes:
    """Returns the file's content; tf2onnx leaves what it does not know as it is."""
    # tf2onnx needs it:
    from onnx import defs  # pyright: ignore[reportMissingImports]

    function = tf.function(network.serve, input_signature=[network.spec])
    with _quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, _ = converter.convert.from_function(
            function, input_signature=[network.spec], opset=OPSET
        )
    nodes = model.graph.node
    unknown = {n.op_type for n in nodes if not defs.has(n.op_type, n.domain)}
    if unknown:
        raise InputError(
            f"ONNX has no operation {', '.join(sorted(unknown))}, which the network "
            "uses; export with `format=saved_model`, or search without the candidate "
            "operation that is made of it"
        )
    return model.SerializeToString()


@contextlib.contextmanager
def _quiet():
    """Silences what tf2onnx logs."""
    logger = logging.getLogger("tf2onnx")
    disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = disabled


def usage_example(folder: str | Path, takes: ImageInput) -> str:
    """Returns Python lines that classify a file by the export."""
    folder = Path(folder)
    return f"""\
from pathlib import Path
import numpy as np
import onnxruntime
import tensorflow as tf  # only to scale as in training
from PIL import Image, ImageOps
folder = Path({str(folder)!r})
names = (folder / "class_names.txt").read_text("utf-8").splitlines()
{takes.reading()}\
session = onnxruntime.InferenceSession(str(folder / {FILE!r}))
(probabilities,) = session.run(["probabilities"], {{"images": np.asarray(images)}})
best = probabilities[0].argmax()
print(names[best], probabilities[0, best])
"""
