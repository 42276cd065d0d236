"""Weights of a trained run in a network that the caller built."""

from __future__ import annotations

import os

import keras

from darts_tf.descent.variables import STEP, load
from darts_tf.errors import InputError
from darts_tf.run.loop import checkpoints
from darts_tf.run.workdir import existing_workdir
from darts_tf.space import recurrent


def load_trained_weights(model: keras.Model, workdir: str | os.PathLike) -> keras.Model:
    """Gives a network the weights of an evaluated run's last checkpoint.

    Args:
      model: of `build_network`, with the run's genotype, channels and layers;
        and with `auxiliary=True` if the run had an auxiliary head. A network
        without the head leaves the head's weights out.
      workdir: folder of `evaluate`.

    Returns:
      The model.

    Raises:
      InputError: no run with a checkpoint, another genotype, or weights of
        other shapes. Nothing is assigned then.
    """
    run = existing_workdir(workdir)
    genotype = run.read_genotype()
    if genotype != model.genotype:
        raise InputError(
            f"the run in {workdir} has another genotype than the model; build the "
            f"model from {run.genotype}"
        )
    _, arrays = checkpoints.require_latest(run.checkpoints, f"the run in {workdir}")
    groups = _groups(model)
    selected = _selected(groups, arrays, getattr(model, "auxiliary", None) is None)
    try:
        load(groups, selected)
    except InputError as error:
        raise InputError(
            f"the weights of the run in {workdir} have other shapes than those of the "
            "model; build the model with the run's channels, layers and classes, which "
            "are in its result.json"
        ) from error
    return model


def _groups(model: keras.Model) -> dict[str, list]:
    """Returns the model's variables by the group of a checkpoint they are in."""
    if model.genotype.space == recurrent.SPACE.name:
        return {"average": [v.value for v in model.trainable_variables]}
    if not model.trainable_variables:
        raise InputError(
            "the model has no weights yet; give `image_shape` to build_network"
        )
    return {
        "w": [v.value for v in model.trainable_variables],
        "statistics": [v.value for v in model.non_trainable_variables],
    }


def _selected(groups: dict[str, list], arrays, headless: bool) -> dict:
    """Returns the arrays of these groups; without those of a head, which are last."""
    selected = {STEP: arrays[STEP]}
    for name, array in arrays.items():
        group, _, number = name.partition("/")
        if group in groups:
            beyond = headless and int(number) >= len(groups[group])
            if not beyond:
                selected[name] = array
    return selected
