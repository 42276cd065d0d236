"""ONNX files compute what their networks do; without the extra it is named."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.run.export import image_onnx, measures
from tests.run.export import test_image_model as images
from tests.run.export.test_litert import SIZE, EveryOperation


@pytest.fixture(scope="module")
def every():
    return EveryOperation()


@pytest.mark.slow
def test_every_operation_converts_and_runs(every, tmp_path, capsys):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    pytest.importorskip("tf2onnx", reason="needs the extra onnx")
    network = images.network(every, SIZE, every.forward)
    held_out = measures.HeldOut(network.random_images(9), np.arange(9), "test")
    values = image_onnx.export_onnx(network, tmp_path / "e", held_out)
    assert values["accuracy"]["before"] == values["accuracy"]["after"]
    session = onnxruntime.InferenceSession(str(tmp_path / "e" / "model.onnx"))
    for shape in ((1, 16, 16, 3), (1, SIZE, SIZE, 1)):
        with pytest.raises(Exception, match="invalid dimensions"):
            session.run(None, {"images": np.zeros(shape, np.uint8)})
    code = image_onnx.usage_example(tmp_path / "e", network.takes)
    code = code.replace("Image.open('image.png')", "Image.new('RGB', (9, 9))")
    exec(compile(code, "example", "exec"), {})
    assert capsys.readouterr().out.startswith("name ")


def test_an_operation_that_does_not_convert_is_named(every, tmp_path):
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    pytest.importorskip("tf2onnx", reason="needs the extra onnx")

    def forward(x):
        means = tf.reduce_mean(x, [1, 2])
        return means @ tf.linalg.cholesky(tf.eye(3) * 2 + tf.reduce_mean(means) ** 2)

    refused = images.network(every, SIZE, forward, class_names=["a", "b", "c"])
    with pytest.raises(InputError, match="ONNX has no operation Cholesky"):
        image_onnx.export_onnx(refused, tmp_path / "e")
    assert not any(tmp_path.iterdir())


def test_without_the_extra_it_is_named(every, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)  # importing it raises
    network = images.network(every, SIZE, every.forward)
    with pytest.raises(InputError, match=r"pip install 'darts-tf\[onnx\]'"):
        image_onnx.export_onnx(network, tmp_path / "e")
