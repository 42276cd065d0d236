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
    arrays = {
        f"{group}/{index:05d}": value
        for group, variables in groups.items()
        for index, value in enumerate(snapshot(variables))
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
    wanted = {
        f"{group}/{index:05d}": variable
        for group, variables in groups.items()
        for index, variable in enumerate(variables)
    }
    different = wanted.keys() ^ (arrays.keys() - {STEP})
    different |= {
        name
        for name in wanted.keys() & arrays.keys()
        if tuple(wanted[name].shape) != arrays[name].shape
    }
    if different or STEP not in arrays:
        raise InputError(
            f"the checkpoint does not fit this run: {len(different)} arrays "
            f"differ, for example {min(different, default=STEP)!r}; give "
            f"another --workdir"
        )
    for name, variable in wanted.items():
        variable.assign(arrays[name])
    return int(arrays[STEP])
