"""--supernet: the search network that an earlier search has trained."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import tensorflow as tf

from darts_tf.cli.search_flags import BILEVEL
from darts_tf.cli.strategy_flags import RELAXED, SHARING
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import STEP, load
from darts_tf.errors import InputError
from darts_tf.networks.compiled.flat_weights import WeightRow
from darts_tf.programs import images, setup, task_registry
from darts_tf.programs.image_data import Data
from darts_tf.run.loop import checkpoints
from darts_tf.run.workdir import Workdir, read_flags


@dataclasses.dataclass(frozen=True)
class TrainedSupernet:
    """What a search knows at its newest checkpoint.

    Attributes:
      model: the supernet with its weights.
      flags: those of the search.
      data: the images of the search: a part for w, a part that w has not
        seen.
      step: of the checkpoint.
    """

    model: object
    flags: setup.StoredFlags
    data: Data
    step: int


def trained_supernet(flags, replicas: Replicas) -> TrainedSupernet:
    """What --supernet names.

    Raises:
      InputError: it is no search with a supernet of images, in the space
        that is searched, with a checkpoint; or its data cannot be had.
    """
    stored = stored_flags(flags)
    found = checkpoints.load_latest(Workdir(_path(flags)).checkpoints)
    if found is None:
        raise InputError(
            f"--supernet={flags.supernet} holds no checkpoint of a search "
            f"yet; run the search first"
        )
    step, arrays = found
    data = images.search_data(stored)
    model = images.built_supernet(stored, data, replicas)
    row = WeightRow(model)
    variable = tf.Variable(row.packed(), trainable=False)
    w = {n: a for n, a in arrays.items() if n.startswith("w/")}
    load({"w": [variable]}, w | {STEP: arrays[STEP]})
    parts = row.taken_apart(variable)
    for own, value in zip(model.trainable_variables, parts, strict=True):
        own.assign(value)
    return TrainedSupernet(model, stored, data, step)


def stored_flags(flags) -> setup.StoredFlags:
    """The flags of the search that --supernet names, checked.

    With the place of the data given now, if it is.
    """
    path, space = _path(flags), flags.space
    if task_registry.kind_of(space) is not images:
        raise InputError(
            f"--estimator={flags.estimator} takes a supernet of images; with "
            f"--space={space} give another one, such as full"
        )
    try:
        stored = read_flags(path)
    except InputError as error:
        raise InputError(f"--supernet: {error}") from error
    strategy = stored.get("strategy", RELAXED[0])
    if "genotype" in stored or strategy not in (*RELAXED, SHARING):
        what = "an evaluation"
        if "genotype" not in stored:
            what = f"a search with --strategy={strategy}, which trains none"
        raise InputError(
            f"--supernet={path} is {what}; give the folder of a search with "
            f"--strategy={' or '.join((*RELAXED, SHARING))}"
        )
    if stored["space"] != space:
        raise InputError(
            f"--supernet={path} searched space '{stored['space']}', and "
            f"--space={space}; give the supernet of one and the same space"
        )
    _check_usable(stored, path)
    if flags.data_dir:
        stored["data_dir"] = flags.data_dir
    return setup.StoredFlags(stored)


def _check_usable(stored: dict, path: Path) -> None:
    """Refuses supernets that say nothing of operations or of unseen images."""
    if stored.get("partial_channels", 1) > 1:
        raise InputError(
            f"--supernet={path} has --partial_channels="
            f"{stored['partial_channels']}, so no operation on all channels; "
            f"give a search without"
        )
    if stored.get("optimization", BILEVEL) != BILEVEL:
        raise InputError(
            f"--supernet={path} has --optimization={stored['optimization']}, "
            f"so its weights have seen all images; give a search with "
            f"--optimization={BILEVEL}"
        )


def _path(flags) -> Path:
    return Path(flags.supernet).expanduser()
