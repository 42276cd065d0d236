"""What the entry points share: from flags to data, devices and folders."""

from __future__ import annotations

import dataclasses
import platform
import types

import keras
import numpy as np
import tensorflow as tf

from darts_tf.data import batches
from darts_tf.data.images import (
    ImageData,
    Part,
    channel_statistics,
    load_images,
    stratified_split,
)
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import load
from darts_tf.errors import InputError
from darts_tf.networks.conv import EvaluationNetwork, MobileNetwork
from darts_tf.run import flags as run_flags
from darts_tf.run.workdir import Workdir, open_workdir


def prepare(flags) -> Replicas:
    """Seeds, determinism and devices, before anything is created."""
    keras.utils.set_random_seed(flags.seed)
    if flags.deterministic:
        tf.config.experimental.enable_op_determinism()
    disable_grappler()
    return Replicas(flags.distribute)


def disable_grappler() -> None:
    """It finds nothing here and takes half of the time to the first step."""
    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": True}
    )


def open_run(flags) -> Workdir:
    """The run's folder, refused where it belongs to another run."""
    given = run_flags.values(flags)
    return open_workdir(
        flags.workdir,
        given,
        run_flags.as_flagfile(given),
        ignored=run_flags.PLACE_FLAGS + run_flags.PACE_FLAGS,
    )


@dataclasses.dataclass(frozen=True)
class Data:
    """An image set, divided and measured.

    Attributes:
      images: the set; its test part unread.
      parts: the training data in disjoint stratified parts.
      statistics: (mean [C], std [C]) of the first part, pixel units.
    """

    images: ImageData
    parts: list[Part]
    statistics: tuple[np.ndarray, np.ndarray]


def load_data(flags, fractions: list[float]) -> Data:
    """Loads the set that the flags name, in parts of these fractions."""
    images = load_images(
        flags.dataset,
        data_dir=flags.data_dir,
        download=flags.download,
        image_size=flags.image_size,
    )
    train = images.train
    if flags.examples > train.size:
        raise InputError(
            f"--examples={flags.examples}: {flags.dataset} has {train.size} "
            f"training images; give at most that, or 0 for all"
        )
    if 0 < flags.examples < train.size:
        share = flags.examples / train.size
        (some,) = stratified_split(train.labels, [share], flags.seed)
        train = train.take(some)
    indices = stratified_split(train.labels, fractions, flags.seed)
    parts = [train.take(rows) for rows in indices]
    for part in parts:
        batches.steps_per_epoch(part, flags.batch_size)
    return Data(images, parts, channel_statistics(parts[0].images))


class Batches:
    """Batches of one part of the data, split among the replicas."""

    def __init__(self, flags, data: Data, part: int, replicas: Replicas):
        self._flags, self._replicas = flags, replicas
        self._part, self._statistics = data.parts[part], data.statistics
        self._seed = 2 * flags.seed + part
        self._augmentation = batches.Augmentation(
            crop_padding=flags.crop_padding,
            flip=flags.flip,
            cutout_length=flags.cutout_length,
        )

    def augmented(self, start_step: int):
        """Shuffled, augmented, endless."""
        return self._endless(start_step, self._augmentation)

    def plain(self, start_step: int):
        """Shuffled, endless, as the images are."""
        return self._endless(start_step, None)

    def once(self):
        """Every image once, as it is."""
        return once(self._flags, self._part, self._statistics, self._replicas)

    def _endless(self, start_step, augmentation):
        size = self._flags.batch_size
        dataset = batches.training_batches(
            self._part,
            batch_size=size,
            seed=self._seed,
            start_step=start_step,
            statistics=self._statistics,
            augmentation=augmentation,
        )
        return self._replicas.split(dataset, size)


def once(flags, part: Part, statistics, replicas: Replicas):
    """Every image of a part once, split among the replicas."""
    size = min(4 * flags.batch_size, part.size)
    size = max(size // replicas.count * replicas.count, replicas.count)
    dataset = batches.ordered_batches(
        part, batch_size=size, statistics=statistics
    )
    return replicas.split(dataset, size)


def build(model, image_shape, *arguments) -> None:
    """Creates the variables of a model by one call on a black image."""
    model(tf.zeros((1, *image_shape)), *arguments)


def build_evaluation_network(flags, genotype, data, replicas: Replicas):
    """A genotype's network with random weights, as the flags say."""
    networks = {"cifar": EvaluationNetwork, "mobile": MobileNetwork}
    with replicas.scope():
        model = networks[flags.network](
            genotype,
            flags.channels,
            flags.layers,
            data.images.num_classes,
            auxiliary=flags.auxiliary_weight > 0,
        )
        images = tf.zeros((1, *data.images.image_shape))
        model(images, training=False)
        model(images, training=True)  # builds the auxiliary head
        for variable in model.non_trainable_variables:
            variable.assign(_fresh(variable))
    return model


def _fresh(statistic):
    """What a running statistic starts from; building has moved it."""
    ones = statistic.name == "moving_variance"
    return tf.ones(statistic.shape) if ones else tf.zeros(statistic.shape)


def load_network(model, arrays) -> None:
    """Gives a network the weights and statistics of a checkpoint."""
    groups = {
        "w": [v.value for v in model.trainable_variables],
        "statistics": [v.value for v in model.non_trainable_variables],
    }
    kept = {n: a for n, a in arrays.items() if n.split("/")[0] in groups}
    load(groups, kept | {"step": arrays["step"]})


def described(data: dict) -> types.SimpleNamespace:
    """The images that a result describes, without the images."""
    return types.SimpleNamespace(
        num_classes=len(data["class_names"]),
        image_shape=tuple(data["image_shape"]),
    )


def versions() -> dict[str, str]:
    """Of what a result depends on."""
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }
