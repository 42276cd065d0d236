"""The instruments and the early stopping rule of a search."""

from __future__ import annotations

import sys

from darts_tf.config import SearchConfig
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.space.cell import IDENTITY, SearchSpace
from darts_tf.strategy.diagnostics.early_stopping import (
    EarlyStopping,
    EarlyStoppingSettings,
)
from darts_tf.strategy.diagnostics.instruments import named_instruments


def instruments(config: SearchConfig, task, replicas: Replicas) -> tuple:
    """Returns the instruments that measure a search at the end of each epoch.

    Raises:
      InputError: an instrument that means nothing for the task.
    """
    wanted = [*config.instruments]
    if config.early_stop == "eigenvalue":
        wanted.append("eigenvalue")
    if "gap" in wanted and config.partial_channels > 1:
        raise InputError(
            "`instruments=gap` measures derived operations on all channels, and "
            f"with `partial_channels={config.partial_channels}` the supernet has "
            "none; leave it out"
        )
    return tuple(named_instruments(wanted, task, replicas, config.micro_batches))


def early_stopping(config: SearchConfig, space: SearchSpace) -> EarlyStopping | None:
    """Returns the rule that may end a search early.

    Raises:
      InputError: the rule means nothing in the space.
    """
    rule = config.early_stop
    if rule == "none":
        return None
    if rule == "skip_connections" and space.identity != IDENTITY:
        raise InputError(
            f"`early_stop={rule}` means nothing with `space={space.name}`: every "
            "edge of its cells has weights, the identity too; use "
            "`early_stop=eigenvalue`"
        )
    values = {
        "window": config.early_stop_window,
        "ratio": config.early_stop_ratio,
        "skips": config.early_stop_skips,
        "first": config.early_stop_first,
    }
    chosen = {name: value for name, value in values.items() if value is not None}
    settings = EarlyStoppingSettings(rule, **chosen)
    if settings.earliest > config.epochs:
        print(too_short(config, settings), file=sys.stderr, flush=True)
    return EarlyStopping(settings, space)


def too_short(config: SearchConfig, settings: EarlyStoppingSettings) -> str:
    """Returns the warning that a rule cannot end so short a search."""
    smaller = "--early_stop_first"
    if settings.rule == "eigenvalue":
        smaller = f"--early_stop_window or {smaller}"
    return (
        f"warning: --early_stop={settings.rule} cannot end this search before epoch "
        f"{settings.earliest}, and --epochs={config.epochs}: it does nothing here; "
        f"give more epochs or a smaller {smaller}"
    )
