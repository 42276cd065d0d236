"""What a search shows of itself, and what ends it early: from the flags."""

from __future__ import annotations

from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.space.cell import IDENTITY
from darts_tf.strategy.diagnostics.early_stopping import (
    EarlyStopping,
    EarlyStoppingSettings,
)
from darts_tf.strategy.diagnostics.instruments import named_instruments


def arguments(flags, task, replicas: Replicas) -> dict:
    """Arguments of a Search: "instruments" and "early_stopping".

    Raises:
      InputError: an instrument or a rule that means nothing for the task.
    """
    rule, names = flags.early_stop, list(flags.instruments)
    if rule == "eigenvalue":
        names.append("eigenvalue")
    if rule == "skip_connections" and task.space.identity != IDENTITY:
        raise InputError(
            f"--early_stop={rule} means nothing with --space="
            f"{task.space.name}: every edge of its cells has weights, the "
            f"identity too; use --early_stop=eigenvalue"
        )
    if "gap" in names and flags.partial_channels > 1:
        raise InputError(
            "--instruments=gap measures derived operations on all channels, "
            f"and with --partial_channels={flags.partial_channels} the "
            f"supernet has none; leave it out"
        )
    return {
        "instruments": named_instruments(names, task, replicas, flags.micro_batches),
        "early_stopping": None if rule == "none" else _rule(flags, task),
    }


def _rule(flags, task) -> EarlyStopping:
    given = {
        field: flags[f"early_stop_{field}"].value
        for field in ("window", "ratio", "skips", "first")
    }
    chosen = {n: value for n, value in given.items() if value is not None}
    settings = EarlyStoppingSettings(flags.early_stop, **chosen)
    return EarlyStopping(settings, task.space)
