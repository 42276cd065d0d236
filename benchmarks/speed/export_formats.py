"""Compares the formats of an export: size, milliseconds, accuracy.

    taskset -c 0 python -m benchmarks.speed.export_formats --workdir=runs/evaluate

Exports the network of each finished evaluation in each format that is installed and
prints a Markdown table of it. Files are timed by `train.export` itself; TensorFlow is
the SavedModel's signature, one image at a time, median of as many runs. With
`taskset -c 0` all of them have one core.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import json
import pathlib

import numpy as np
import tensorflow as tf
from absl import flags

from darts_tf.config import ExportConfig
from darts_tf.errors import InputError
from darts_tf.programs import export
from darts_tf.run.export import measures
from darts_tf.run.workdir import existing_workdir

flags.DEFINE_list("workdir", None, "folders of evaluations of images", required=True)
FLAGS = flags.FLAGS

KINDS = (
    ("litert", "none"),
    ("litert", "float16"),
    ("litert", "dynamic"),
    ("litert", "int8"),
    ("onnx", "none"),
)
HEAD = """\
| format | MB | ms an image | accuracy | largest difference of a logit | same class |
|---|---|---|---|---|---|"""


def main(_) -> None:
    """Prints the tables."""
    for workdir in FLAGS.workdir:
        result = existing_workdir(workdir).read_result()
        print(f"\n{workdir} ({result['parameters']:,} parameters):\n", flush=True)
        print_table(workdir)


def print_table(workdir: str) -> None:
    """Exports one network, and prints its table row by row."""
    print(HEAD)
    print(tensorflow_row(export.run(ExportConfig(), workdir)[0]), flush=True)
    for kind, quantize in KINDS:
        config = ExportConfig(format=kind, quantize=quantize)
        try:
            folder, _ = export.run(config, workdir)
        except InputError as error:
            print(f"| {kind}, {quantize} | {error} | | | | |")
            continue
        values = json.loads((folder / "export.json").read_text())
        print(row(f"{kind}, {quantize}", values), flush=True)


def tensorflow_row(folder: pathlib.Path) -> str:
    """Returns the row of the SavedModel."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    (spec,) = serve.structured_input_signature[1].values()
    image = tf.constant(np.zeros([1, *spec.shape[1:]], np.uint8))
    time = measures.median_milliseconds(lambda: serve(images=image))
    return f"| SavedModel | {size / 1e6:.2f} | {time:.2f} | as trained | | |"


def row(name: str, values: dict) -> str:
    """Returns the row of a file that was measured."""
    accuracy, logits = values["accuracy"], values["logits"]
    told = "-"
    if accuracy is not None:
        told = f"{accuracy['before']:.2%} -> {accuracy['after']:.2%}"
    return (
        f"| {name} | {values['bytes'] / 1e6:.2f} | {values['milliseconds']:.2f} | "
        f"{told} | {logits['largest_difference']:.2g} of {logits['largest']:.3g} | "
        f"{values['same_class']:.1%} of {values['images_compared']} |"
    )


if __name__ == "__main__":
    entry_point.run(main)
