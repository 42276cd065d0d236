"""Exports an image network as a LiteRT file, with proof that it computes the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from darts_tf.run.export import litert, measures
from darts_tf.run.export.image_input import ImageInput
from darts_tf.run.export.image_network import ImageNetwork
from darts_tf.run.export.saving import as_json, place


def export_litert(
    network: ImageNetwork,
    folder: str | Path,
    quantize: str = "none",
    *,
    samples: np.ndarray | None = None,
    held_out: measures.HeldOut | None = None,
    latency: Mapping[str, object] | None = None,
) -> dict:
    """Writes model.tflite, runs it by the interpreter and measures it.

    The signature takes uint8 images [B, H, W, C], whatever `quantize`, and gives
    {"logits": [B, K], "probabilities": [B, K]}, float32. Beside the file:
    class_names.txt, metadata.json, and export.json with what was measured.

    Args:
      network: to be exported.
      folder: of the export; an earlier one is replaced at the end.
      quantize: one of litert.QUANTIZE.
      samples: for "int8", training images, uint8 [N, H, W, C].
      held_out: images on which accuracy is measured; None if not at hand.
      latency: what was predicted, beside which the measured time is put, in
        milliseconds; None where nothing was.

    Returns:
      what export.json holds.

    Raises:
      InputError: see litert.convert, or a folder that is no export.
      RuntimeError: the file does not compute what the network does.
    """
    litert.interpreter_class()  # before minutes of conversion
    values: dict = {}

    def write(scratch: Path, new: Path) -> None:
        del scratch
        module = _Exported(network)
        inputs = None if samples is None else _one_by_one(samples)
        content = litert.convert(module.serve, module, quantize, inputs)
        runner = litert.Runner(content)
        values.update(
            **litert.description(content, runner, quantize),
            input=network.takes.as_metadata(),
            **measures.measured(
                network,
                lambda x: runner(images=x)["logits"],
                quantize,
                held_out,
                lambda x: litert.repeatable(content, {"images": x}),
            ),
        )
        if latency is not None:
            values["latency"] = {"measured": values["milliseconds"], **latency}
        new.mkdir()
        (new / litert.FILE).write_bytes(content)
        network.write_texts(new)
        (new / "export.json").write_text(as_json(values), encoding="utf-8")

    place(Path(folder), write)
    return values


def _one_by_one(samples: np.ndarray) -> Iterable[dict[str, np.ndarray]]:
    return [{"images": image[np.newaxis]} for image in samples]


class _Exported(tf.Module):
    """The exported module: a check of the shape, normalisation, network, softmax."""

    def __init__(self, network: ImageNetwork) -> None:
        super().__init__(name="exported")
        # The tensors and not the model, whose layers are not all tracked.
        self.network = [variable.value for variable in network.model.variables]

        def serve(images):
            return network.serve(_refuse_other_shapes(images, network.takes))

        self.serve = tf.function(serve, input_signature=[network.spec])


def _refuse_other_shapes(images, takes: ImageInput):
    """Adds operations that fail on images of another height, width or depth.

    The interpreter lets a signature's caller change any size, and LiteRT has no
    assertion. An image of the right shape is put before the batch and taken away
    again, which no other shape goes with.
    """
    first = tf.zeros([1, *takes.shape], images.dtype)
    return tf.concat([first, images], 0)[1:]


def usage_example(folder: str | Path, takes: ImageInput) -> str:
    """Returns Python lines that classify a file by the export."""
    folder = Path(folder)
    return f"""\
from pathlib import Path
import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps
{litert.import_lines()}
folder = Path({str(folder)!r})
names = (folder / "class_names.txt").read_text("utf-8").splitlines()
{takes.reading()}\
run = Interpreter(str(folder / {litert.FILE!r})).get_signature_runner()
output = run(images=np.asarray(images))
best = output["probabilities"][0].argmax()
print(names[best], output["probabilities"][0, best])
"""
