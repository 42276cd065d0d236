"""LiteRT files compute what their networks do, in built-in operations."""

from __future__ import annotations

import functools
import json
import resource

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import implementation
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.chain import block
from darts_tf.networks.discrete_edges import DiscreteEdges
from darts_tf.run.export import image_litert, language_litert, litert, measures
from darts_tf.run.process import machine_errors
from darts_tf.space.chain import BLOCKS, FIRST, Layer
from darts_tf.space.genotype import CellGenotype
from darts_tf.space.operation_names import IMAGE_OPERATIONS, RECURRENT_OPERATIONS
from tests.run.export import test_image_model as images
from tests.run.export import test_language_model as texts

SIZE, CHANNELS = 9, 4
NORM = functools.partial(BatchNorm, True)
NAMES = [name for name in BLOCKS if name.endswith("e3")]  # 6 is but wider
FILES = {"model.tflite", "class_names.txt", "metadata.json", "export.json"}


class EveryOperation(tf.Module):
    """All candidate operations of all spaces for images, both strides, side by side."""

    def __init__(self):
        super().__init__()
        edges = [(n, name) for n, name in enumerate(IMAGE_OPERATIONS)]
        random = np.random.default_rng(0)
        shape = 2 * (len(edges) + len(NAMES)) * CHANNELS, 10
        self.first = random.normal(size=(3, CHANNELS)).astype(np.float32)
        self.last = random.normal(size=shape).astype(np.float32)
        self.units = [DiscreteEdges(edges, CHANNELS, s, 7 * s) for s in (1, 2)]
        self.blocks = [
            block(name, Layer(1, FIRST, 0, CHANNELS, CHANNELS, s), NORM)
            for name in NAMES
            for s in (1, 2)
        ]
        for unit in (*self.units, *self.blocks):
            unit.build((None, SIZE, SIZE, CHANNELS))

    @property
    def variables(self):
        return [v for x in (*self.units, *self.blocks) for v in x.variables]

    def forward(self, x):
        x = tf.tensordot(x, self.first, 1)
        with implementation.exported():
            maps = [y for unit in self.units for _, (y,) in unit(x)]
            maps += [block(x) for block in self.blocks]
        means = [tf.reduce_mean(y, [1, 2]) for y in maps]
        return tf.concat(means, -1) @ self.last


@pytest.fixture(scope="module")
def every():
    return EveryOperation()


@pytest.fixture(scope="module")
def network(every):
    return images.network(every, SIZE, every.forward)


@pytest.mark.slow
@pytest.mark.parametrize("quantize", litert.QUANTIZE)
def test_every_operation_converts_and_runs(network, tmp_path, quantize):
    """In export_litert the interpreter compares logits and batch sizes."""
    samples = network.random_images(20) if quantize == "int8" else None
    held_out = measures.HeldOut(network.random_images(9), np.arange(9), "valid")
    values = image_litert.export_litert(
        network, tmp_path / "e", quantize, samples=samples, held_out=held_out
    )
    assert {path.name for path in (tmp_path / "e").iterdir()} == FILES
    assert json.loads((tmp_path / "e" / "export.json").read_text()) == values
    content = (tmp_path / "e" / "model.tflite").read_bytes()
    assert values["bytes"] == len(content) and b"Flex" not in content
    accuracy = values["accuracy"]
    assert (accuracy["part"], accuracy["images"]) == ("valid", 9)
    logits = network.logits(held_out.images)
    assert accuracy["before"] == np.mean(logits.argmax(-1) == np.arange(9))
    assert values["milliseconds"] > 0 and "interpreter" not in values
    lines = dict(measures.summary(values, values["bytes"]))
    assert "before" in lines["accuracy"] and "ms" in lines["time"]
    run = litert.Runner(content)
    assert run(images=held_out.images)["probabilities"].sum() == pytest.approx(9, 0.01)
    for shape in ((1, 16, 16, 3), (1, SIZE, SIZE, 1), (2, SIZE, SIZE + 1, 3)):
        with pytest.raises((RuntimeError, ValueError)):
            run(images=np.zeros(shape, np.uint8))


@pytest.mark.slow
def test_every_activation_of_the_recurrent_cell_converts(tmp_path):
    """One step, in each kind; the same log probabilities as the loop's."""

    names = [name for name in RECURRENT_OPERATIONS if name != "none"]
    cell = CellGenotype(tuple((n, i) for i, n in enumerate(names)), (1, 2, 3, 4))
    model = texts.built(cell)
    ids = np.array([0, 2, 3, 1, 5, 4, 4], np.int32)
    for quantize in ("none", "float16", "dynamic"):
        values = language_litert.export_litert(
            model.step,
            model,
            state_size=texts.H,
            words=texts.WORDS,
            folder=tmp_path / "e",
            metadata={},
            quantize=quantize,
            held_out=ids,
        )
        assert values["quantize"] == quantize  # and the folder was replaced
        assert values["perplexity"]["words"] == 6
    run = litert.Runner((tmp_path / "e" / "model.tflite").read_bytes())
    state = np.zeros((1, texts.H), np.float32)
    for word in ids:
        output = run(ids=np.array([word], np.int32), state=state)
        state = output["state"]
    logits, last, _ = model(tf.constant(ids[np.newaxis]), tf.zeros([1, texts.H]))
    np.testing.assert_allclose(state, last, atol=0.05)
    wanted = tf.nn.log_softmax(logits[-1])
    np.testing.assert_allclose(output["log_probabilities"], wanted, atol=0.3)
    step = model.step(tf.constant([0]), tf.zeros([1, texts.H]))
    whole = model(tf.constant([[0]]), tf.zeros([1, texts.H]))
    np.testing.assert_allclose(step[0], whole[0][0], atol=1e-6)
    np.testing.assert_allclose(step[1], whole[1], atol=1e-6)


def test_an_operation_that_does_not_convert_is_named(every, tmp_path):
    def forward(x):
        means = tf.reduce_mean(x, [1, 2])
        return means @ tf.linalg.cholesky(tf.eye(3) * 2 + tf.reduce_mean(means) ** 2)

    refused = images.network(every, SIZE, forward, class_names=["a", "b", "c"])
    with pytest.raises(InputError, match="has no operation Cholesky"):
        image_litert.export_litert(refused, tmp_path / "e")
    assert not any(tmp_path.iterdir())


def test_what_else_fails_in_litert_is_one_line(network, tmp_path, monkeypatch):
    class Interpreter:
        def __init__(self, **given):
            pass

        def allocate_tensors(self):
            raise RuntimeError("not broadcastable.Node 99 (SUB) failed to prepare.")

    monkeypatch.setattr(litert, "interpreter_class", lambda: (Interpreter, "fake"))
    with pytest.raises(InputError, match=r"cannot run .* \(.*\(SUB\).*\); export with"):
        image_litert.export_litert(network, tmp_path / "e")

    class Converter:
        def convert(self):
            raise ValueError("no such luck\nat all")

    monkeypatch.setattr(litert, "_converter", lambda function, owner: Converter())
    with pytest.raises(InputError, match=r"cannot convert .*\(no such luck\); export"):
        image_litert.export_litert(network, tmp_path / "e")
    assert not any(tmp_path.iterdir())


def test_int8_without_images_is_refused(network, tmp_path):
    with pytest.raises(InputError, match="`quantize=int8` measures ranges"):
        image_litert.export_litert(network, tmp_path / "e", "int8")
    assert not any(tmp_path.iterdir())


class ProductOfTwoUses(tf.Module):
    """A matrix product that is a node: an edge takes its ReLU, another one itself."""

    def __init__(self):
        super().__init__()
        self.first = np.random.default_rng(0).normal(size=(CHANNELS, CHANNELS))
        edges = [(2, "sep_conv_3x3"), (3, "max_pool_3x3")]
        self.unit = DiscreteEdges(edges, CHANNELS, 1, 0)
        self.unit.build((None, SIZE, SIZE, CHANNELS))
        self.weights = [v.value for v in self.unit.variables]  # tf.Module sees these

    @tf.function(input_signature=[tf.TensorSpec((1, SIZE, SIZE, CHANNELS))])
    def exported(self, x):
        with implementation.exported():
            return self.plain(x)

    def plain(self, x):
        node = tf.tensordot(x, self.first.astype(np.float32), 1)
        return {str(target): y for target, (y,) in self.unit(node)}


@pytest.mark.slow
def test_a_product_is_not_repeated_for_its_relu(capfd):
    both = ProductOfTwoUses()
    content = litert.convert(both.exported, both, "none", None)
    tf.lite.experimental.Analyzer.analyze(model_content=content)
    products = capfd.readouterr().out.count("FULLY_CONNECTED(")
    assert products == 1 + 2  # the node, and two in the separable convolution
    x = tf.random.stateless_normal((1, SIZE, SIZE, CHANNELS), (0, 0))
    run, expected = litert.Runner(content), both.plain(x)
    for name, y in run(x=x.numpy()).items():
        np.testing.assert_allclose(y, expected[name], atol=1e-5)


def test_without_an_interpreter_the_extra_is_named(network, tmp_path, monkeypatch):
    import builtins

    real = builtins.__import__

    def importing(name, *rest, **more):
        if name.startswith("ai_edge_litert"):
            raise ImportError(name)
        return real(name, *rest, **more)

    class Without:
        __version__ = "2.99"

    monkeypatch.setattr(builtins, "__import__", importing)
    monkeypatch.setattr(litert, "tf", Without)
    with pytest.raises(InputError, match=r"pip install 'darts-tf\[litert\]'"):
        image_litert.export_litert(network, tmp_path / "e")


def test_a_file_that_computes_something_else_is_an_error(network):
    def run(batch):
        return network.logits(batch) + 1

    with pytest.raises(RuntimeError, match="nothing was exported"):
        measures.measured(network, run, "none", None)
    values = measures.measured(network, network.logits, "none", None)
    assert values["accuracy"] is None and values["same_class"] == 1
    assert dict(measures.summary(values, 5))["accuracy"].startswith("not measured")


class Doubles(tf.Module):
    """Doubles numbers."""

    @tf.function(input_signature=[tf.TensorSpec([None], name="x")])
    def double(self, x):
        return {"y": 2.0 * x}


def test_a_converter_without_room_for_temporary_files_is_told_from_others():
    module, limits = Doubles(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        content = litert.convert(module.double, module, "none", None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    with pytest.raises(OSError, match="converter cannot write its temporary") as raised:
        litert.Runner(content)
    assert "make room on its disk" in (machine_errors.line(raised.value) or "")
    whole = litert.convert(module.double, module, "none", None)
    numbers = np.array([1.5], np.float32)
    assert litert.Runner(whole)(x=numbers)["y"] == 3.0
