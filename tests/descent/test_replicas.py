"""The verbs of tf.distribute, on one device and on two logical CPUs."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import CHOICES, Replicas
from darts_tf.errors import InputError
from tests.scripts import output_of

TWO_DEVICES = """
import json
import numpy as np, tensorflow as tf
tf.config.set_visible_devices([], "GPU")
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.scores import (
    accuracy, compile_share, confusion, confusions, correct)
from darts_tf.errors import InputError
replicas = Replicas("mirrored")
said = {"count": replicas.count, "auto": Replicas("auto").count}
x = np.arange(10, dtype=np.float32)
data = tf.data.Dataset.from_tensor_slices((x, x.astype(int))).batch(4)
try:
    replicas.split(data, 3)
except InputError as error:
    said["refused"] = str(error)
batches = list(replicas.split(data, 4))
said["sizes"] = [replicas.batch_size(b) for b in batches]
said["sums"] = [float(replicas.sum(replicas.compile(tf.reduce_sum)(b[0])))
                for b in batches]
mean = replicas.compile(lambda x: replicas.mean([tf.reduce_mean(x), x[0]]))
said["mean"] = [float(replicas.local(v)) for v in mean(batches[0][0])]
with replicas.scope():
    variable = tf.Variable(0.0)
assign = replicas.compile(lambda x: replicas.assign(
    [variable], replicas.mean([tf.reduce_mean(x)])))
try:
    assign(batches[1][0])
    copies = replicas.strategy.experimental_local_results(variable)
    said["copies"] = [float(copy) for copy in copies]
except TypeError as error:
    said["copies"] = str(error)
logits = tf.one_hot([0, 1, 2, 3, 4, 0, 0, 0, 0, 0], 10)
data = tf.data.Dataset.from_tensor_slices((logits, x.astype(int)))
batches = list(replicas.split(data.batch(4), 4))
count = replicas.compile(lambda batch: correct(*batch))
said["accuracy"] = accuracy(count, batches, replicas)
table = replicas.compile(lambda batch: confusion(*batch))
said["confusions"] = confusions(table, batches, replicas).tolist()
said["share"] = float(replicas.local(
    compile_share(replicas)(*batches[1])))
from darts_tf.networks.language import Dropouts
from darts_tf.strategy.darts.text_task import search_loss
from tests.strategy.darts.test_text_task import B, H, SMALL, build, windows
with replicas.scope():
    model = build(dropouts=Dropouts(x=0.5))
loss = search_loss(model)
window = (*next(windows(1)), tf.zeros((B, H)))
def losses(seed):
    w = [tf.identity(v) for v in model.trainable_variables]
    alpha = [tf.zeros(SMALL.cells[0].alpha_shape)]
    return loss(w, alpha, window, seed)[0]
compiled = replicas.compile(losses)
results = [replicas.strategy.experimental_local_results(compiled(tf.constant(s)))
           for s in ([0, 1], [0, 1], [0, 2])]
said["losses"] = [[float(loss) for loss in pair] for pair in results]
said["alone"] = float(losses(tf.constant([0, 1])))
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def two() -> dict:
    """Returns the results of a program with two logical CPU devices."""
    return json.loads(output_of(script=TWO_DEVICES, devices=2).splitlines()[-1])


def test_other_choices_are_refused_in_one_line():
    with pytest.raises(InputError) as error:
        Replicas("tpu")
    text = str(error.value)
    assert "'tpu'" in text and "\n" not in text
    assert all(choice in text for choice in CHOICES)


@pytest.fixture
def one() -> Replicas:
    return Replicas("one_device")


def test_one_device_is_a_plain_graph(one):
    eager = []

    def double(x):
        eager.append(tf.executing_eagerly())
        return one.mean([2 * x])

    compiled = one.compile(double)
    (value,) = compiled(tf.constant(3.0))
    assert float(one.local(value)) == float(one.sum(value)) == 6.0
    assert one.count == 1 and eager == [False]


def test_one_device_assigns_all_or_says_that_lists_differ(one):
    with one.scope():
        variables = [tf.Variable(0.0), tf.Variable([0.0, 0.0])]
    one.assign(variables, [1.0, [2.0, 3.0]])
    np.testing.assert_array_equal(variables[1], [2, 3])
    assert float(variables[0]) == 1
    with pytest.raises(ValueError):
        one.assign(variables, [1.0])


def test_one_device_leaves_batches_as_they_are(one):
    data = tf.data.Dataset.range(5).batch(3)
    assert one.split(data, 3) is data
    sizes = [one.batch_size((None, labels)) for labels in data]
    assert sizes == [3, 2]


@pytest.mark.slow
def test_mirrored_takes_all_devices_and_auto_needs_gpus(two):
    assert (two["count"], two["auto"]) == (2, 1)


@pytest.mark.slow
def test_replicas_of_a_recurrent_search_drop_other_elements(two):
    """On the same window, so that losses are equal where masks are."""
    first, again, other = two["losses"]
    assert first == again  # eq. 8's two points have the same masks
    assert first[0] != first[1] and first != other
    assert two["alone"] not in first  # it is the seed itself, not folded


@pytest.mark.slow
def test_an_uneven_batch_is_refused(two):
    text = two["refused"]
    assert "multiple of the 2 replicas" in text and "received 3" in text


@pytest.mark.slow
def test_shares_of_a_batch_make_the_batch(two):
    assert two["sizes"] == [4, 4, 2]
    assert two["sums"] == [0 + 1 + 2 + 3, 4 + 5 + 6 + 7, 8 + 9]


@pytest.mark.slow
def test_mean_is_over_replicas_for_each_value(two):
    """Shares (0, 1) and (2, 3): means 0.5 and 2.5, first ones 0 and 2."""
    assert two["mean"] == [1.5, 1.0]


@pytest.mark.slow
def test_every_copy_of_a_variable_is_assigned(two):
    assert two["copies"] == [5.5, 5.5]


@pytest.mark.slow
def test_scores_are_of_the_whole_batch(two):
    assert two["accuracy"] == 5 / 10
    assert two["share"] == 1 / 4
    counts = np.diag([1, 1, 1, 1, 1, 0, 0, 0, 0, 0])
    counts[5:, 0] = 1
    assert two["confusions"] == counts.tolist()


def test_jit_compiles_by_xla_and_changes_no_result():
    def function(x):
        return tf.reduce_sum(tf.exp(x) * tf.stack([x[0], x[1]]))

    x, found = tf.constant([0.5, 2.0]), {}
    for jit in ("on", "off"):
        compiled = Replicas("one_device", jit).compile(function)
        found[jit] = float(compiled(x))
        said = contextlib.nullcontext()
        if jit == "off":
            said = pytest.raises(ValueError, match="jit_compile")
        with said:
            ir = compiled.experimental_get_compiler_ir(x)
            assert "exponential" in ir(stage="hlo")
    assert found["on"] == pytest.approx(found["off"], rel=1e-6)


def test_auto_jit_is_for_accelerators(monkeypatch):
    assert not Replicas("one_device", "auto").jit
    gpu = tf.config.LogicalDevice("GPU:0", "GPU")
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: [gpu])
    assert Replicas("one_device", "auto").jit
    assert not Replicas("one_device", "off").jit


def test_jit_is_refused_for_several_replicas():
    class Two(Replicas):
        count = 2

    assert not Two("one_device", "auto").jit
    with pytest.raises(InputError, match="`jit=off`"):
        Two("one_device", "on")
