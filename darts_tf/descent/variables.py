"""Groups of variables as named arrays, and back: what a checkpoint holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from darts_tf.errors import InputError

STEP = "step"


def snapshot(variables: Sequence[tf.Variable]) -> list[np.ndarray]:
    """The values of variables; of replicated ones the first copy."""
    return [np.array(tf.convert_to_tensor(v)) for v in variables]


def named(
    groups: Mapping[str, Sequence[tf.Variable]], step: int
) -> dict[str, np.ndarray]:
    """The values of all groups as "group/00012", and the step."""
    return numbered({n: snapshot(group) for n, group in groups.items()}, step)


def numbered(
    groups: Mapping[str, Sequence[np.ndarray]], step: int
) -> dict[str, np.ndarray]:
    """As `named`, of arrays."""
    arrays = {
        f"{group}/{index:05d}": value
        for group, values in groups.items()
        for index, value in enumerate(values)
    }
    return arrays | {STEP: np.int64(step)}


def load(
    groups: Mapping[str, Sequence[tf.Variable]],
    arrays: Mapping[str, np.ndarray],
) -> int:
    """Assigns what `named` gave; returns its step.

    Raises:
      InputError: names or shapes are not those of the groups. Nothing has
        been assigned then.
    """
    shapes = {n: [tuple(v.shape) for v in group] for n, group in groups.items()}
    step, found = grouped(shapes, arrays)
    for name, variables in groups.items():
        for variable, value in zip(variables, found[name], strict=True):
            variable.assign(value)
    return step


def grouped(
    shapes: Mapping[str, Sequence[tuple[int, ...]]],
    arrays: Mapping[str, np.ndarray],
) -> tuple[int, dict[str, list[np.ndarray]]]:
    """(the step, the arrays of each group), undoing `numbered`.

    Args:
      shapes: of what each group must hold.
      arrays: of a checkpoint.

    Raises:
      InputError: names or shapes are not those.
    """
    wanted = {
        f"{group}/{index:05d}": tuple(shape)
        for group, several in shapes.items()
        for index, shape in enumerate(several)
    }
    different = wanted.keys() ^ (arrays.keys() - {STEP})
    different |= {
        name
        for name in wanted.keys() & arrays.keys()
        if wanted[name] != arrays[name].shape
    }
    if different or STEP not in arrays:
        raise InputError(
            f"the checkpoint does not fit this run: {len(different)} arrays "
            f"differ, for example {min(different, default=STEP)!r}; give "
            f"another --workdir"
        )
    found = {
        group: [arrays[f"{group}/{index:05d}"] for index in range(len(several))]
        for group, several in shapes.items()
    }
    return int(arrays[STEP]), found
