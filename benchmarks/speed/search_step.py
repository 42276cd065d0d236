"""Measures the time to the first search step, of a step, and peak memory.

    python -m benchmarks.speed.search_step --method=finite_difference

One method in one process, since memory is not given back. Random images of
CIFAR-10's size, or (--space=darts_recurrent) random words: no value matters
for the time. With --dataset the images are real, read and augmented as a
search does it: steps on new batches ("step_with_data") alternate with steps
on the last one again ("step"), and the difference is what is waited for.

With --cost steps with the costs in alpha's loss ("step_with_cost") alternate with
steps without: "cost_share" is what they add, as a share of a step.

The first step counts from the start of the process: imports, building and
compiling included.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import json

import tensorflow as tf
from absl import flags

from benchmarks.speed import size_flags, step_times
from benchmarks.speed.image_batches import Images, random_images, real_images
from benchmarks.speed.step_worker import TEXT_PROTOCOL
from benchmarks.speed.text_batches import random_windows
from darts_tf import config
from darts_tf.config_rules import COST_WEIGHT_RATE, settle
from darts_tf.descent.replicas import Replicas
from darts_tf.networks.language import Dropouts, LanguageModel
from darts_tf.networks.recurrent import MixedCell
from darts_tf.programs import images, search_costs, setup
from darts_tf.space import recurrent
from darts_tf.space.registry import SPACES, space_by_name
from darts_tf.strategy.darts import search_loop, tasks
from darts_tf.strategy.darts.cost_penalty import CostPenalty, Costs
from darts_tf.strategy.darts.text_task import TextTask

flags.DEFINE_enum("method", "first_order", config.names(config.Method), "of alpha")
size_flags.define_sizes()
flags.adopt_module_key_flags(size_flags)
flags.DEFINE_integer("batch_size", 64, "images", lower_bound=1)
flags.DEFINE_enum("space", "darts_conv", list(SPACES), "what is searched")
flags.DEFINE_enum(
    "relaxation", "softmax", config.names(config.Relaxation), "as train.search"
)
flags.DEFINE_enum(
    "lambda_regularizer", "none", config.names(config.Regularizer), "images only"
)
flags.DEFINE_enum(
    "lambda_gradient",
    "finite_difference",
    config.names(config.RegularizerGradient),
    "as train.search",
)
flags.DEFINE_integer("micro_batches", 1, "as train.search", lower_bound=1)
flags.DEFINE_bool("recompute", False, "as train.search; images only")
flags.DEFINE_enum(
    "precision", "float32", config.names(config.Precision), "as train.search; images"
)
flags.DEFINE_enum("jit", "auto", config.names(config.Jit), "as train.search")
flags.DEFINE_string("dataset", None, "as train.search; none: random images")
flags.DEFINE_string("data_dir", None, "folder of --dataset")
flags.DEFINE_integer("partial_channels", 1, "as train.search; images only")
flags.DEFINE_bool("unrolled", False, "recurrent only: no loop over time")
flags.DEFINE_list("cost", [], "as train.search, but for latency; images only")
flags.DEFINE_integer("steps", 5, "timed, after the first", lower_bound=1)
FLAGS = flags.FLAGS


class UnrolledCell(MixedCell):
    """The mixed cell as a graph of T copies of it in the place of a loop."""

    def over_time(self, step, entering, hidden):
        """Computes RecurrentCell's `over_time`; T must be known."""
        outputs = []
        for entered in tf.unstack(entering):
            hidden = step(hidden, entered)
            outputs.append(hidden)
        return tf.stack(outputs), hidden


def main(_) -> None:
    """Prints one line of JSON; times in seconds, memory in GB."""
    setup.own_process()
    setup.supernet_options(FLAGS.space)
    replicas = chosen_replicas()
    chosen = chosen_images(replicas)
    loop = build_loop(replicas, chosen)
    result = step_times.first_step(loop)
    times, times_with_data, times_with_cost = [], [], []
    penalty = loop.cost_penalty
    for _ in range(FLAGS.steps):
        if FLAGS.dataset:
            times_with_data.append(timed(loop, chosen, same=False))
        loop.cost_penalty = loop.algorithm.cost_penalty = None
        times.append(timed(loop, chosen, same=True))
        loop.cost_penalty = loop.algorithm.cost_penalty = penalty
        if penalty is not None:
            times_with_cost.append(timed(loop, chosen, same=True))
    result |= step_times.summary(times)
    if times_with_cost:
        result["step_with_cost"] = step_times.median(times_with_cost, 0)
        result["step_with_cost_cpu"] = step_times.median(times_with_cost, 1)
        pairs = zip(times_with_cost, times)
        shares = [(one[1] / other[1] - 1,) for one, other in pairs]
        result["cost_share"] = step_times.median(shares, 0)
    if times_with_data:
        result["step_with_data"] = step_times.median(times_with_data, 0)
        result["step_with_data_cpu"] = step_times.median(times_with_data, 1)
    sizes = (
        "channels",
        "layers",
        "lambda_regularizer",
        "lambda_gradient",
        "recompute",
        "partial_channels",
    )
    if FLAGS.space == recurrent.SPACE.name:
        sizes = ("hidden_size", "words", "bptt", "unrolled")
    names = (
        "space",
        "method",
        "batch_size",
        "relaxation",
        "micro_batches",
        "precision",
        "jit",
        "dataset",
        *sizes,
    )
    print(json.dumps({n: FLAGS[n].value for n in names} | result))


def timed(loop, chosen: Images, same: bool) -> tuple[float, float]:
    """Returns (seconds, CPU seconds) of a step, on new batches or on the last."""
    for source in chosen.sources:
        source.same = same
    return step_times.timed(loop)


def build_loop(replicas=None, chosen=None) -> search_loop.Search:
    """Builds the paper's search, a step an epoch; of images on the chosen ones.

    It starts in the second epoch: in the first one lambda is 0.
    """
    replicas = replicas or chosen_replicas()
    if FLAGS.space == recurrent.SPACE.name:
        rate = TEXT_PROTOCOL["learning_rate"]
        task = text_task(replicas)
        protocol = TEXT_PROTOCOL | {"learning_rate_min": rate}
    else:
        task, protocol = image_task(replicas, chosen), {}
    settings = search_loop.SearchSettings(
        FLAGS.method,
        3 * FLAGS.steps + 2,
        1,
        FLAGS.batch_size,
        relaxation=FLAGS.relaxation,
        lambda_regularizer=FLAGS.lambda_regularizer,
        lambda_gradient=FLAGS.lambda_gradient,
        micro_batches=FLAGS.micro_batches,
        precision=FLAGS.precision,
        partial_channels=FLAGS.partial_channels,
        **protocol,
    )
    penalty = cost_penalty(replicas)
    loop = search_loop.Search(task, settings, replicas, cost_penalty=penalty)
    loop.step = 1
    return loop


def cost_penalty(replicas) -> CostPenalty | None:
    """Returns the part of --cost in alpha's loss, with targets amid their bounds."""
    if not FLAGS.cost:
        return None
    sizes = {"cost_channels": FLAGS.channels, "cost_layers": FLAGS.layers}
    chosen = config.SearchConfig(
        space=FLAGS.space, cost=tuple(FLAGS.cost), cost_weight=0.1, **sizes
    )
    tables = search_costs.tables_of(settle(chosen), (32, 32, 3), 10)
    targets = tuple(sum(table.bounds()) / 2 for table in tables)
    costs = Costs(tables, targets, FLAGS.relaxation)
    return CostPenalty(costs, None, COST_WEIGHT_RATE, replicas)


def chosen_replicas() -> Replicas:
    """Returns the replicas, chosen as in train.search."""
    return Replicas(jit=setup.supernet_jit(FLAGS.jit, FLAGS.space))


def chosen_images(replicas) -> Images:
    """Returns the images of --dataset, or random ones."""
    if FLAGS.dataset is None:
        return random_images(FLAGS.batch_size)
    return real_images(FLAGS.dataset, FLAGS.data_dir, FLAGS.batch_size, replicas)


def image_task(replicas, chosen: Images | None = None) -> tasks.ImageTask:
    """Builds the task of the supernet on the images, or on random ones."""
    chosen = chosen or chosen_images(replicas)
    space = space_by_name(FLAGS.space)
    names = "method", "lambda_gradient"
    exact = {name for name in names if FLAGS[name].value == "exact"}
    model = images.supernet(
        space,
        FLAGS.channels,
        FLAGS.layers,
        chosen.classes,
        setup.differentiates_gradients(exact, FLAGS.recompute),
        FLAGS.recompute,
        FLAGS.partial_channels,
        FLAGS.jit == "on",
        single_path=FLAGS.relaxation == "gumbel",
    )
    model.build((None, *chosen.shape))
    relaxed = FLAGS.relaxation != "softmax"
    return tasks.ImageTask(model, *chosen.sources, lambda: (), replicas, relaxed)


def text_task(replicas) -> TextTask:
    """Builds the task of the search network on random words, with dropout."""
    kind = UnrolledCell if FLAGS.unrolled else MixedCell
    cell = kind(recurrent.SPACE, FLAGS.hidden_size)
    model = LanguageModel(cell, FLAGS.words, Dropouts(0, 0.2, 0.75, 0.25, 0.75))
    weights = tf.ones(cell.spec.alpha_shape)
    hidden = tf.zeros((1, FLAGS.hidden_size))
    model(tf.zeros((1, 1), tf.int32), hidden, weights=weights)
    stream = random_windows(FLAGS.batch_size, FLAGS.bptt, FLAGS.words)
    return TextTask(
        model,
        lambda step: stream,
        lambda step: stream,
        lambda: (),
        batch_size=FLAGS.batch_size,
        measured_batch=1,
        bptt=FLAGS.bptt,
        slowness=1e-3,
        replicas=replicas,
        relaxed=FLAGS.relaxation != "softmax",
    )


if __name__ == "__main__":
    entry_point.run(main)
