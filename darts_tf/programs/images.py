"""Images: from flags to networks, loops and measures."""

from __future__ import annotations

from darts_tf.descent.replicas import Replicas
from darts_tf.estimation import scoring, training
from darts_tf.estimation.training_settings import TrainingSettings
from darts_tf.networks import conv, nasbench201
from darts_tf.networks.depthwise import for_inference
from darts_tf.programs import (
    diagnostics,
    multiply_adds_limit,
    nasbench201_oracle,
    setup,
)
from darts_tf.programs.image_data import Batches, Data, load_data, once, united
from darts_tf.run.export import image_model
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.darts import search as search_loop
from darts_tf.strategy.darts import tasks
from darts_tf.strategy.darts.joint import SEARCHES
from darts_tf.strategy.darts.search_settings import SearchSettings


def search_data(flags) -> Data:
    """The images of a search: a part for w, a part for alpha.

    In a joint search both are the union, and a third part is measured.
    """
    data = load_data(flags, [flags.train_portion, 1 - flags.train_portion])
    return united(data) if setup.joint(flags) else data


def search(flags, replicas: Replicas, data: Data | None = None) -> search_loop.Search:
    """The supernet and its search, as the flags say.

    On `search_data`, which is loaded where it is not given.
    """
    shown = nasbench201_oracle.instruments(flags)
    data = data or search_data(flags)
    model = built_supernet(flags, data, replicas)
    train = Batches(flags, data, 0, replicas)
    valid = Batches(flags, data, 1, replicas)
    joint = setup.joint(flags)
    task = tasks.ImageTask(
        model,
        train.augmented,
        valid.augmented if joint else valid.plain,
        Batches(flags, data, len(data.parts) - 1, replicas).once,
        replicas,
    )
    settings = setup.settings(
        SearchSettings,
        flags,
        steps_per_epoch=data.parts[0].size // flags.batch_size,
    )
    watched = diagnostics.arguments(flags, task, replicas)
    watched["instruments"] = (*watched["instruments"], *shown)
    kind = SEARCHES[flags.optimization] if joint else search_loop.Search
    return kind(task, settings, replicas, **watched)


def built_supernet(flags, data: Data, replicas: Replicas):
    """The search network with random weights, as the flags say."""
    space = space_by_name(flags.space)
    # Random weight sharing has no alpha: no --method, no --partial_channels.
    exact = {
        name
        for name in ("method", "lambda_gradient")
        if name in flags and flags[name].value == "exact"
    }
    second = setup.differentiates_gradients(exact, flags.recompute)
    partial = flags.partial_channels if "partial_channels" in flags else 1
    with replicas.scope():
        model = supernet(
            space,
            flags.channels,
            flags.layers,
            data.images.num_classes,
            second,
            flags.recompute,
            partial,
            setup.jit(flags) == "on",
        )
        model.build((None, *data.images.image_shape))
    return model


def supernet(
    space,
    channels: int,
    layers: int,
    classes: int,
    second_derivatives: bool = False,
    recompute: bool = False,
    partial_channels: int = 1,
    xla: bool = False,
):
    """The search network of a space, not built yet."""
    sizes = channels, layers, classes
    less = {"recompute": recompute, "partial_channels": partial_channels}
    if space.name == "nasbench201":
        return nasbench201.Supernet(space, *sizes, **less)
    return conv.Supernet(
        space, *sizes, second_derivatives=second_derivatives, xla=xla, **less
    )


def training_of(flags, genotype, replicas: Replicas, data=None):
    """(a genotype's network and its training, the data: loaded if None)."""
    if data is None:
        multiply_adds_limit.check(
            flags,
            lambda *size: build_evaluation_network(
                flags, genotype, *size, Replicas("one_device")
            ),
        )
    held = flags.valid_fraction
    data = data or load_data(flags, [1 - held, held] if held else [1.0])
    model = build_evaluation_network(
        flags,
        genotype,
        data.images.num_classes,
        data.images.image_shape,
        replicas,
    )
    train = Batches(flags, data, 0, replicas)
    settings = setup.settings(
        TrainingSettings,
        flags,
        steps_per_epoch=data.parts[0].size // flags.batch_size,
    )
    measured = Batches(flags, data, 1, replicas).once if held else None
    loop = training.Training(model, settings, train.augmented, measured, replicas)
    return loop, data


def validated(loop, data, flags) -> dict:
    """What is measured on the part that was held out, after the last step."""
    part = data.parts[1]
    batches = once(flags, part, data.statistics, loop.replicas)
    return {
        "error": 1 - loop.accuracy(batches),
        "best_error": 1 - loop.best_accuracy,
        "best_epoch": loop.best_epoch,
        "images": part.size,
    }


def chance(data) -> dict:
    """What guessing would give, in the words of `validated`."""
    return {"error": 1 - 1 / data.images.num_classes}


def measured(loop, data, flags) -> dict:
    """Everything that is measured after the last step of a training."""
    statistics = data.statistics
    valid = validated(loop, data, flags) if len(data.parts) > 1 else {}
    test = data.images.load_test()
    batches = once(flags, test, statistics, loop.replicas)
    shape = data.images.image_shape
    return {
        "valid": valid,
        "test": {
            "error": 1 - loop.accuracy(batches),
            **_top(loop, batches, data),
            "images": test.size,
        },
        "parameters": scoring.parameters(loop.model),
        "multiply_adds": scoring.multiply_adds(loop.model, shape),
        "data": {
            "image_shape": list(shape),
            "mean": [float(x) for x in statistics[0]],
            "std": [float(x) for x in statistics[1]],
            "class_names": list(data.images.class_names),
        },
    }


def _top(loop, batches, data) -> dict[str, float]:
    """The top-5 error, where there are more than a few classes."""
    if data.images.num_classes <= 2 * training.TOP:
        return {}
    return {"top5_error": 1 - loop.top_accuracy(batches)}


def shown(loop, data, flags) -> dict[str, str]:
    """What TensorBoard shows after an epoch of a training: no texts."""
    del loop, data, flags
    return {}


def told(result: dict) -> list[tuple[str, str]]:
    """A result in (name, text) lines."""
    test, valid = result["test"], result["valid"]
    best = (
        f"{valid['error']:.2%} error in the last epoch; best epoch "
        f"{valid['best_epoch']}: {valid['best_error']:.2%}"
        if valid
        else "none held out (--valid_fraction)"
    )
    top5 = f"; top-5: {test['top5_error']:.2%}" if "top5_error" in test else ""
    return [
        (
            "test error",
            f"{test['error']:.2%} of {test['images']} images (weights of the "
            f"last epoch){top5}",
        ),
        ("validation", best),
        ("parameters", f"{result['parameters']:,}"),
        ("multiply-adds", f"{result['multiply_adds']:,}"),
    ]


def export_model(flags, genotype, result: dict, arrays, folder) -> str:
    """Writes the SavedModel; returns how it is used."""
    data = result["data"]
    classes, shape = len(data["class_names"]), data["image_shape"]
    model = build_evaluation_network(flags, genotype, classes, shape, Replicas())
    setup.load_network(model, arrays)

    def forward(images):
        with for_inference():
            return model(images, training=False)

    image_model.export_saved_model(
        forward,
        model,
        folder=folder,
        metadata=result,
        **data,
    )
    return image_model.usage_example(folder)


def build_evaluation_network(
    flags, genotype, classes: int, image_shape, replicas: Replicas
):
    """A genotype's network with random weights, as the flags say."""
    with replicas.scope():
        model = _evaluation_network(flags, genotype, classes)
        model.build((None, *image_shape))
    return model


def _evaluation_network(flags, genotype, classes: int):
    sizes = flags.channels, flags.layers, classes
    if genotype.space == "nasbench201":
        return nasbench201.EvaluationNetwork(genotype, *sizes)
    networks = {"cifar": conv.EvaluationNetwork, "mobile": conv.MobileNetwork}
    return networks[flags.network](
        genotype, *sizes, auxiliary=flags.auxiliary_weight > 0
    )
