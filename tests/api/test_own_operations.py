"""Own operations and spaces from Python; tests/programs/test_plugin.py has flags."""

from __future__ import annotations

import json

import keras
import pytest

import darts_tf as dt
from darts_tf.networks.footprint import counts
from tests import forked

layers = keras.layers


def conv(channels, stride):
    return keras.Sequential(
        [
            layers.ReLU(),
            layers.Conv2D(channels, 3, stride, "same", use_bias=False),
            layers.BatchNormalization(),
        ]
    )


class Attention(layers.Layer):
    """Attention between all pixels, after an average pool of the stride."""

    def __init__(self, stride):
        super().__init__()
        self.pool = layers.AveragePooling2D(stride, padding="same")

    def build(self, shape):
        self.value = layers.EinsumDense("bnc,cd->bnd", (None, shape[-1]))

    def call(self, x):
        x = self.pool(x)
        flat = keras.ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3]))
        weights = keras.ops.softmax(keras.ops.einsum("bnc,bmc->bnm", flat, flat))
        mixed = keras.ops.einsum("bnm,bmc->bnc", weights, self.value(flat))
        return keras.ops.reshape(mixed, (-1, *x.shape[1:]))


class Frozen(layers.Layer):
    def call(self, x):
        return keras.ops.stop_gradient(x)


@pytest.fixture(scope="module", autouse=True)
def space(small_space):
    dt.register_operation("own_conv_3x3")(conv)
    return dt.cell_space("own", nodes=1, operations=["own_conv_3x3", "skip_connect"])


@pytest.fixture(scope="module")
def data(arrays):
    return dt.data.from_arrays(*arrays)


@pytest.fixture(scope="module")
def convs(space) -> dt.Genotype:
    return cells("own", "own_conv_3x3")


def cells(space: str, operation: str) -> dt.Genotype:
    """Returns cells of one node that adds an operation of both inputs."""
    edges = [[operation, 0], [operation, 1]]
    both = {"normal": edges, "reduce": edges}
    concats = {"normal_concat": [2], "reduce_concat": [2]}
    return dt.Genotype.from_json(json.dumps({"space": space} | both | concats))


@pytest.mark.slow
@pytest.mark.parametrize(
    "compiled, precision", [(True, "mixed_float16"), (False, "mixed_bfloat16")]
)
def test_searched_derived_drawn_evaluated_and_exported(
    compiled, precision, convs, data, search_config, training_config, tmp_path
):
    config = search_config.replace(
        space="own", method="finite_difference", compiled=compiled, precision=precision
    )
    outcome = dt.search(data, config, tmp_path / "search")
    assert dt.derive(tmp_path / "search") == outcome.genotype
    assert (tmp_path / "search" / "genotype.png").exists() and outcome.plot().axes
    text = " ".join(t.get_text() for t in dt.draw_genotype(convs).findobj(_is_text))
    assert "own_conv_3x3" in text
    if compiled:
        path = tmp_path / "convs.json"
        path.write_text(convs.to_json(), "utf-8")
        trained = training_config.replace(precision=precision)
        result = dt.evaluate(path, data, trained, tmp_path / "run").result
        assert result["multiply_adds"] == counted("own_conv_3x3", data.image_shape)
        assert (dt.export(tmp_path / "run") / "saved_model.pb").exists()


def _is_text(artist) -> bool:
    return hasattr(artist, "get_text")


@pytest.mark.slow
def test_a_plugin_in_the_settings(data, training_config, tmp_path):
    plugin, genotype = tmp_path / "plugin.py", tmp_path / "genotype.json"
    plugin.write_text(
        "import darts_tf, keras\n"
        "@darts_tf.register_operation('plugged')\n"
        "def plugged(channels, stride):\n"
        "    return keras.layers.Conv2D(channels, 1, stride)\n"
    )
    edges = [["plugged", 0], ["skip_connect", 1]]
    definition = {"nodes": 1, "operations": ["plugged", "skip_connect"]}
    stored = {"space": "plugged", "definition": definition, "normal": edges}
    stored |= {"normal_concat": [2], "reduce": edges, "reduce_concat": [2]}
    genotype.write_text(json.dumps(stored))
    config = training_config.replace(plugin=plugin)
    dt.evaluate(genotype, data, config, tmp_path / "run")
    assert (dt.export(tmp_path / "run") / "saved_model.pb").exists()


@pytest.mark.slow
@pytest.mark.program
def test_a_plugin_that_fails_ends_the_program_in_one_line(tmp_path):
    (tmp_path / "bad.py").write_text("import keras\n\nkeras.layers.NoSuchLayer()\n")
    output = tmp_path / "output.txt"
    flags = ["search", "--plugin=bad.py", "--space=mine", "--workdir=run"]
    code = forked.run(output, *flags, module="darts_tf.cli", folder=tmp_path)
    (line,) = output.read_text(errors="replace").splitlines()
    assert code == 2
    assert line.startswith("error: --plugin=") and "AttributeError: " in line
    assert "NoSuchLayer" in line and not (tmp_path / "run").exists()


def counted(operation: str, shape) -> int:
    """Returns the multiply-adds of a network of cells of this operation."""
    dt.cell_space("counted", nodes=1, operations=[operation], replace=True)
    sizes = {"channels": 2, "layers": 3, "num_classes": 3, "image_shape": shape}
    model = dt.build_network(cells("counted", operation), **sizes)
    return counts.multiply_adds(model, shape)


@pytest.mark.slow
def test_multiply_adds(data):
    """Cells of 2 channels on 8 x 8, 4 on 4 x 4, and 8 on 2 x 2."""
    dt.register_operation("own_attention")(lambda channels, stride: Attention(stride))
    dt.register_operation("own_sized", cost=lambda shape, stride: 7)(conv)
    skips = counted("skip_connect", data.image_shape)
    conv_adds = counted("own_conv_3x3", data.image_shape) - skips
    sized = counted("own_sized", data.image_shape) - skips
    attention = counted("own_attention", data.image_shape) - skips
    edges = _edges(genotype_channels=2)
    assert conv_adds == sum(9 * c * c * out * out - skip for c, _, out, skip in edges)
    assert sized == sum(7 - skip for _, _, _, skip in edges)
    assert attention == sum(
        out**2 * c * c + 2 * out**4 * c - skip for c, _, out, skip in edges
    )


def _edges(genotype_channels: int) -> list[tuple[int, int, int, int]]:
    """Returns (channels, size, size behind the stride, of a skip) of each edge."""
    rows = []
    size, channels = 8, genotype_channels
    for layer in range(3):
        stride = 2 if layer in (1, 2) else 1
        channels *= stride
        out = size // stride
        reduced = channels * channels * out * out if stride == 2 else 0
        rows += 2 * [(channels, size, out, reduced)]
        size = out
    return rows


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda c, s: layers.Conv2D(c, 3, s), "must return the shape"),
        (lambda c, s: layers.Conv2D(c + 1, 1, s), "must return the shape"),
        (lambda c, s: Frozen(), "has no gradient"),
        (lambda c, s: "conv", "must return a Keras layer"),
        (lambda c: layers.ReLU(), "could not be made"),
    ],
    ids=["smaller", "wider", "frozen", "no layer", "no stride"],
)
def test_bad_operations_stop_a_search_in_one_line(make, words, data, search_config):
    dt.register_operation("bad", replace=True)(make)
    dt.cell_space("bad", nodes=1, operations=["bad", "skip_connect"], replace=True)
    with pytest.raises(dt.InputError, match=f"^[^\n]*'bad'[^\n]*{words}[^\n]*$"):
        dt.search(data, search_config.replace(space="bad"))
    with pytest.raises(dt.InputError, match=f"^[^\n]*'bad'[^\n]*{words}[^\n]*$"):
        dt.build_network(
            cells("bad", "bad"),
            channels=2,
            layers=3,
            num_classes=3,
            image_shape=data.image_shape,
        )


def test_names_that_exist():
    for name, words in (("sep_conv_3x3", "built in"), ("own_conv_3x3", "`replace")):
        with pytest.raises(dt.InputError, match=f"^operation '{name}'[^\n]*{words}"):
            dt.register_operation(name)(conv)
    for name in ("darts_conv", "own"):
        with pytest.raises(dt.InputError, match="^[^\n]*exists already[^\n]*$"):
            dt.cell_space(name, nodes=2, operations=["skip_connect"])


def test_replacing_takes_true_or_false_alone():
    words = "^`replace` must be True or False; received 'no'$"
    with pytest.raises(dt.InputError, match=words):
        dt.register_operation("own_conv_3x3", replace="no")
    with pytest.raises(dt.InputError, match=words):
        dt.cell_space(
            "own",
            nodes=2,
            operations=["skip_connect"],
            replace="no",
        )


def test_a_genotype_of_operations_that_are_not_registered(tmp_path, convs, data):
    stored = json.loads(convs.to_json())
    for kind in ("normal", "reduce"):
        stored[kind] = [["elsewhere", source] for _, source in stored[kind]]
    stored["definition"] = {"nodes": 1, "operations": ["elsewhere"]}
    stored["space"] = "of_another_process"
    path = tmp_path / "genotype.json"
    path.write_text(json.dumps(stored), "utf-8")
    calls = [
        lambda: dt.Genotype.from_json(json.dumps(stored)),
        lambda: dt.build_network(path, channels=2, layers=3, num_classes=3),
        lambda: dt.evaluate(path, data),
        lambda: dt.cell_space("mine", nodes=1, operations=["elsewhere"]),
    ]
    for call in calls:
        with pytest.raises(dt.InputError) as error:
            call()
        message = str(error.value)
        assert "\n" not in message and "'elsewhere'" in message, message
        assert "register_operation" in message and "`plugin`" in message
