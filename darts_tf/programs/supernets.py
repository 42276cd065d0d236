"""The search network that an earlier search has trained (`supernet`)."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import tensorflow as tf

from darts_tf.config import SearchConfig
from darts_tf.config_rules import BILEVEL, RELAXED, SHARING, is_text
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import STEP, load
from darts_tf.errors import InputError
from darts_tf.programs.image_data import Data
from darts_tf.programs.images import ImageProgramTask, built_supernet
from darts_tf.programs.own_data import require_same_data
from darts_tf.reading import expanded
from darts_tf.run.loop import checkpoints
from darts_tf.run.workdir import Workdir, read_settings
from darts_tf.strategy.darts.execution import weights_of


@dataclasses.dataclass(frozen=True)
class TrainedSupernet:
    """A search at its newest checkpoint.

    Attributes:
      model: the supernet with its weights.
      config: that of the search.
      data: the images of the search: a part for w, a part that w has not
        seen.
      step: of the checkpoint.
    """

    model: object
    config: SearchConfig
    data: Data
    step: int


def trained_supernet(
    config: SearchConfig, replicas: Replicas, data=None
) -> TrainedSupernet:
    """Returns the supernet of the search in `config.supernet`.

    Args:
      config: of the search that asks.
      replicas: where it runs.
      data: ImageData of the supernet's search; loaded by its name where None.

    Raises:
      InputError: it is no search with a supernet of images, in the space
        that is searched, with a checkpoint; or its data cannot be had.
    """
    stored = stored_config(config)
    folder = Workdir(_path(config)).checkpoints
    owner = f"`supernet={config.supernet}`"
    step, arrays = checkpoints.require_latest(folder, owner)
    divided = ImageProgramTask().search_data(stored, data)
    require_same_data(read_settings(_path(config)), divided, _path(config))
    model = built_supernet(stored, divided, replicas)
    weights = weights_of(model)
    variables = [tf.Variable(value, trainable=False) for value in weights.values()]
    w = {n: a for n, a in arrays.items() if n.startswith("w/")}
    load({"w": variables}, w | {STEP: arrays[STEP]})
    values = weights.unpack(variables)
    for weight, value in zip(model.trainable_variables, values, strict=True):
        weight.assign(value)
    return TrainedSupernet(model, stored, divided, step)


def stored_config(config: SearchConfig) -> SearchConfig:
    """Returns the settings of the search that `supernet` names, checked.

    With the place of the data given now, if it is.
    """
    path, space = _path(config), config.space
    if is_text(space):
        raise InputError(
            f"`estimator={config.estimator}` takes a supernet of images; with "
            f"`space={space}` give another one, such as full"
        )
    try:
        values = read_settings(path)
    except InputError as error:
        raise InputError(f"`supernet`: {error}") from error
    stored = SearchConfig.from_stored(values)
    _check_usable(stored, "genotype" in values, path)
    if stored.space != space:
        raise InputError(
            f"`supernet={path}` searched space '{stored.space}', and "
            f"`space={space}`; give the supernet of one and the same space"
        )
    return stored.replace(data_dir=config.data_dir) if config.data_dir else stored


def _check_usable(stored: SearchConfig, evaluation: bool, path: Path) -> None:
    """Refuses supernets that say nothing of operations or of unseen images."""
    if evaluation or stored.strategy not in (*RELAXED, SHARING):
        kind = "an evaluation"
        if not evaluation:
            kind = f"a search with `strategy={stored.strategy}`, which trains none"
        raise InputError(
            f"`supernet={path}` is {kind}; give the folder of a search with "
            f"`strategy={RELAXED[0]}` or {' or '.join((*RELAXED[1:], SHARING))}"
        )
    if stored.stages:
        raise InputError(
            f"`supernet={path}` has `stages={','.join(stored.stages)}`, so its network "
            "lacks operations that were dropped; give a search without stages"
        )
    if stored.partial_channels > 1:
        raise InputError(
            f"`supernet={path}` has `partial_channels={stored.partial_channels}`, "
            "so no operation on all channels; give a search without"
        )
    if stored.optimization != BILEVEL:
        raise InputError(
            f"`supernet={path}` has `optimization={stored.optimization}`, so its "
            "weights have seen all images; give a search with "
            f"`optimization={BILEVEL}`"
        )


def _path(config: SearchConfig) -> Path:
    return expanded(config.supernet or "")
