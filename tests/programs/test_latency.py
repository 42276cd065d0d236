"""Tables of latencies: measured in two passes, resumed, refused where noisy."""

from __future__ import annotations

import json
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.config import ExportConfig, LatencyConfig, TrainingConfig
from darts_tf.config_rules import settle
from darts_tf.errors import InputError
from darts_tf.networks.footprint.latency_table import read_latency_table
from darts_tf.networks.footprint.part import CALL
from darts_tf.networks.operation_registry import (
    register_operation,
    unregister_operation,
)
from darts_tf.programs import image_export, latency, predicted_latency, search_costs
from darts_tf.programs.export_request import ExportRequest
from darts_tf.run.timing import Timing
from darts_tf.run.workdir import Workdir
from darts_tf.space import registry
from darts_tf.space.registry import cell_space, space_by_name
from darts_tf.strategy.black_box.random_choice import random_genotype

resolver = tf.lite.experimental.OpResolverType
SPACE = "nasbench201"
SIZES = {"space": SPACE, "channels": 2, "layers": 3, "image_size": 8}


def settings(tmp_path, **other) -> LatencyConfig:
    return settle(LatencyConfig(**SIZES, out=str(tmp_path / "latency.csv"), **other))


@pytest.fixture
def times(monkeypatch):
    """Replaces the runtime: times are 100 us and 10 for each letter of a name.

    `factors` are those of the next timings, `done` the parts that were timed.
    """
    state = types.SimpleNamespace(factors=[], done=[])

    class Fake:
        content = b"tflite"

        def __init__(self, part):
            self.part = part

        def measure(self) -> Timing:
            if state.factors:
                factor = state.factors.pop(0)
                if factor is None:
                    raise KeyboardInterrupt
            else:
                factor = 1
            state.done.append(self.part)
            return Timing((100 + 10 * len(self.part.operation)) * 1e-6 * factor, 1e-6)

    monkeypatch.setattr(latency, "_prepared", lambda config, parts, part: Fake(part))
    return state


@pytest.fixture(scope="module")
def parts():
    return latency.parts_of(settle(LatencyConfig(**SIZES, out="a")))


def test_each_part_has_the_weights_that_it_uses(parts):
    for part in parts.distinct():
        piece = parts.makers[part]()
        maps = [tf.zeros((1, *part.input_shape))] * piece.inputs
        with tf.GradientTape() as tape:
            result = piece(maps if len(maps) > 1 else maps[0])
        used = {id(v) for v in tape.watched_variables()}
        assert used == {id(v.value) for v in piece.trainable_variables}
        output = result["output"] if isinstance(result, dict) else result
        assert output.shape[-1] == part.output_channels


def test_a_network_is_the_sum_of_its_parts(parts):
    names = {part.operation for part in parts.around}
    assert names == {"call", "stem", "cell_sums", "residual_block", "head"}
    assert len(parts.alternatives()) == 3  # stages, with three candidates each
    assert {len(group) for group in parts.alternatives()} == {3}
    assert all(part in parts.makers for part in parts.distinct())


def test_the_table_is_written_once_both_passes_agree(parts, times, tmp_path):
    config = settings(tmp_path, models=str(tmp_path / "models"))
    summary = latency.run(config)
    table = read_latency_table(config.out, SPACE)
    assert [*table.milliseconds] == parts.distinct()
    assert times.done == 2 * parts.distinct()
    call = table.milliseconds[CALL]
    assert call == pytest.approx(0.14)
    for part, value in table.milliseconds.items():
        assert value == pytest.approx(
            call if part == CALL else 0.01 * (len(part.operation) - len("call"))
        )
    assert table.origin["threads"] == "1" and "lite" in table.origin["runtime"].lower()
    files = {path.name for path in (tmp_path / "models").iterdir()}
    assert "nor_conv_3x3_8x8_2_2_s1.tflite" in files and len(files) == len(
        parts.distinct()
    )
    assert "--latency_table" in summary and "ms, as predicted" in summary
    times.done.clear()
    assert latency.run(settings(tmp_path)) == summary and not times.done
    with pytest.raises(InputError, match="with another threads; give another file"):
        latency.run(settings(tmp_path, threads=2))
    with pytest.raises(InputError, match="another size of the networks"):
        latency.run(settings(tmp_path).replace(channels=4))


def test_a_killed_run_goes_on(parts, times, tmp_path):
    every = parts.distinct()
    times.factors = [1] * 20 + [None]
    with pytest.raises(KeyboardInterrupt):
        latency.run(settings(tmp_path))
    assert not (tmp_path / "latency.csv").exists()
    with pytest.raises(InputError, match="with threads '1', and now it is '2'"):
        latency.run(settings(tmp_path, threads=2))
    latency.run(settings(tmp_path))
    assert times.done == 2 * every
    assert [path.name for path in tmp_path.iterdir()] == ["latency.csv"]


def test_a_noisy_machine_is_refused_and_times_what_differs_again(
    parts, times, tmp_path
):
    every = parts.distinct()
    factors = np.where(np.arange(len(every)) % 3, 1.4, 1.0)
    times.factors = [1] * len(every) + [*factors]
    with pytest.raises(InputError, match="two passes differ by 40% in the median"):
        latency.run(settings(tmp_path))
    assert not (tmp_path / "latency.csv").exists()
    times.done.clear()
    latency.run(settings(tmp_path))
    again = [part for part, factor in zip(every, factors) if factor > 1]
    assert set(again) <= set(times.done) < set(every)
    times.factors = [1] * len(every) + [*factors]
    other = tmp_path / "other"
    other.mkdir()
    latency.run(settings(other, max_noise=0.5))


def test_a_changed_order_of_operations_is_noise(parts):
    fast, slow, middle = parts.alternatives()[0]
    first = {part: Timing(1.0, 0.0) for part in parts.distinct()}
    first |= {fast: Timing(1, 0), slow: Timing(2, 0), middle: Timing(1.5, 0)}
    second = first | {fast: Timing(2, 0), slow: Timing(1, 0)}
    noise = latency.noise_of(parts, [first, second], 0.1)
    assert (noise.pairs, noise.swapped, noise.difference) == (9, 3, 0)
    assert {*noise.unsure} == {fast, slow, middle}
    near = first | {fast: Timing(1.97, 0), slow: Timing(1.99, 0)}
    back = near | {fast: Timing(1.99, 0), slow: Timing(1.97, 0)}
    assert latency.noise_of(parts, [near, back], 0.1).swapped == 0


def test_files_that_cannot_be_used_are_refused(times, tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        latency.run(settings(tmp_path / "none"))
    (tmp_path / "latency.csv.partial").write_text("{")
    with pytest.raises(InputError, match="latency.csv.partial cannot be read"):
        latency.run(settings(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["litert", "tensorflow"])
def test_parts_are_computed_by_the_runtime(parts, runtime, tmp_path):
    (sums,) = {p for p in parts.around if p.operation == "cell_sums" and p.height == 8}
    config = settings(tmp_path, runtime=runtime)
    for part in (parts.alternatives()[0][0], sums):
        timed = latency._prepared(config, parts, part)
        timing = timed.measure()
        assert 0 < timing.median < 1 and timing.spread >= 0
        assert (timed.content is None) == (runtime == "tensorflow")
    if runtime == "litert":
        run = tf.lite.Interpreter(model_content=timed.content)
        run.allocate_tensors()
        given = {d["name"]: d for d in run.get_input_details()}
        assert len(given) == 7
        shape = 1, *sums.input_shape
        terms = [np.full(shape, n, np.float32) for n in range(-1, 6)]
        for detail in given.values():
            number = int(detail["name"].split("map_")[1].split(":")[0])
            run.set_tensor(detail["index"], terms[number])
        run.invoke()
        sums_seen = {run.get_tensor(d["index"]).max() for d in run.get_output_details()}
        assert sums_seen == {0, 3, 12}


@pytest.mark.slow
def test_parts_in_8_bits_take_and_give_8_bits_and_no_relu_is_alone(parts, tmp_path):
    """XNNPACK leaves a ReLU of 8 bits that stands by itself to a slow kernel."""
    config = settings(tmp_path, quantize="int8")
    names = "cell_sums", "residual_block", "nor_conv_3x3"
    chosen = {part.operation: part for part in parts.distinct()}
    for part in (chosen[name] for name in names):
        timed = latency._prepared(config, parts, part)
        run = tf.lite.Interpreter(
            model_content=timed.content,
            experimental_op_resolver_type=resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        ends = run.get_input_details() + run.get_output_details()
        assert {detail["dtype"] for detail in ends} == {np.int8}
        operations = [op["op_name"] for op in run._get_ops_details()]
        assert "ADD" in operations or "CONV_2D" in operations
        assert not {"RELU", "LEAKY_RELU"} & set(operations)
        timed.run()


def test_an_export_puts_the_prediction_beside_the_measured_time(times, parts, tmp_path):
    search, run = tmp_path / "search", tmp_path / "run"
    (search / "genotypes").mkdir(parents=True)
    run.mkdir()
    latency.run(settings(search))
    values = {"space": SPACE, "cost": ["latency"], "cost_target": "900us"}
    stored = {"version": 1, "program": "search", "config": values}
    (search / "config.json").write_text(json.dumps(stored))
    space = space_by_name(SPACE)
    genotype = random_genotype(space, 0)
    path = search / "genotypes" / "epoch_0001.json"
    (run / "result.json").write_text(json.dumps({"seed": 1}))
    trained = TrainingConfig(space=SPACE, genotype=str(path))
    config = ExportConfig(format="litert")
    request = ExportRequest(config, trained, genotype, {}, {}, Workdir(run))
    network = latency.network_of(settings(tmp_path), genotype)
    prediction = predicted_latency.prediction(request, network)
    table = read_latency_table(search / "latency.csv", SPACE)
    assert prediction["predicted"] == table.costs(space, parts).of(genotype)
    assert prediction["target"] == pytest.approx(0.9)
    measured = {"measured": 2.0, **prediction}
    predicted_latency.write(request, measured)
    result = json.loads((run / "result.json").read_text())
    assert result == {"seed": 1, "latency": {"export_litert": measured}}
    of_8_bits = dict(predicted_latency.summary(measured, "int8"))["latency"]
    assert "of quantize=none, and this is quantize=int8" in of_8_bits
    text = dict(predicted_latency.summary(measured, "none"))["latency"]
    assert "2.000 ms measured" in text and "ABOVE the target of 0.9 ms" in text
    larger = latency.network_of(settings(tmp_path, image_channels=1), genotype)
    assert predicted_latency.prediction(request, larger) is None
    (search / "latency.csv").unlink()
    assert predicted_latency.prediction(request, network) is None


def test_the_reference_network_is_the_first_genotype():
    genotype = search_costs.first_genotype(space_by_name("darts_conv"))
    assert {name for name, _ in genotype.cells["normal"].edges} == {"max_pool_3x3"}


@pytest.fixture
def whitening():
    """A space with an operation that LiteRT does not have, and one that it has."""

    class Whiten(keras.layers.Layer):
        def __init__(self, channels, stride):
            super().__init__()
            self.stride = stride

        def call(self, x):
            means = tf.reduce_mean(x, [1, 2])
            spread = tf.matmul(means, means, transpose_a=True) + tf.eye(means.shape[1])
            return x[:, :: self.stride, :: self.stride] @ tf.linalg.cholesky(spread)

    register_operation("whiten")(Whiten)
    space = cell_space("white", nodes=1, operations=["whiten", "skip_connect"])
    yield space
    registry.SPACES.pop("white")
    unregister_operation("whiten")


def test_a_candidate_that_litert_cannot_run_is_named(whitening):
    sizes = SIZES | {"space": whitening.name}
    config = settle(LatencyConfig(**sizes, out="a"))
    parts = latency.parts_of(config)
    part = next(p for p in parts.distinct() if p.operation == "whiten")
    with pytest.raises(InputError, match="whiten: .* Cholesky.*`runtime=tensorflow`"):
        latency._prepared(config, parts, part)
    genotype = search_costs.first_genotype(whitening)
    model = latency.network_of(config, genotype)
    assert image_export._unconvertible(model, genotype) == ["whiten"]
