"""Converts groups of variables to the named arrays of a checkpoint, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from darts_tf.errors import InputError

STEP = "step"


def snapshot(variables: Sequence[tf.Variable]) -> list[np.ndarray]:
    """Returns the values of variables; of replicated ones the first copy."""
    return [np.array(tf.convert_to_tensor(v)) for v in variables]


def named(
    groups: Mapping[str, Sequence[tf.Variable]], step: int
) -> dict[str, np.ndarray]:
    """Returns the values of all groups as "group/00012", and the step."""
    return numbered({n: snapshot(group) for n, group in groups.items()}, step)


def numbered(
    groups: Mapping[str, Sequence[np.ndarray]], step: int
) -> dict[str, np.ndarray]:
    """Returns the arrays of all groups as "group/00012", and the step."""
    arrays = {
        f"{group}/{index:05d}": value
        for group, values in groups.items()
        for index, value in enumerate(values)
    }
    return arrays | {STEP: np.array(step, np.int64)}


def load(
    groups: Mapping[str, Sequence[tf.Variable]],
    arrays: Mapping[str, np.ndarray],
) -> int:
    """Assigns the arrays of `named` to the variables; returns the step.

    Raises:
      InputError: names or shapes are not those of the groups. Nothing has
        been assigned then.
    """
    shapes = {n: [tuple(v.shape) for v in group] for n, group in groups.items()}
    step, values = grouped(shapes, arrays)
    for name, variables in groups.items():
        for variable, value in zip(variables, values[name], strict=True):
            variable.assign(value)
    return step


def grouped(
    shapes: Mapping[str, Sequence[tuple[int | None, ...]]],
    arrays: Mapping[str, np.ndarray],
) -> tuple[int, dict[str, list[np.ndarray]]]:
    """Returns (the step, the arrays of each group), undoing `numbered`.

    Args:
      shapes: of the arrays that each group must have.
      arrays: of a checkpoint.

    Raises:
      InputError: names or shapes are not those.
    """
    expected = {
        f"{group}/{index:05d}": tuple(shape)
        for group, group_shapes in shapes.items()
        for index, shape in enumerate(group_shapes)
    }
    different = expected.keys() ^ (arrays.keys() - {STEP})
    different |= {
        name
        for name in expected.keys() & arrays.keys()
        if expected[name] != arrays[name].shape
    }
    if different or STEP not in arrays:
        raise InputError(
            f"the checkpoint does not fit this run: {len(different)} arrays "
            f"differ, for example {min(different, default=STEP)!r}; give "
            f"another `workdir`"
        )
    values = {
        group: [arrays[f"{group}/{index:05d}"] for index in range(len(group_shapes))]
        for group, group_shapes in shapes.items()
    }
    return int(arrays[STEP]), values
