"""Flags of a program, generated from the fields of its config."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any, TypeVar

from absl import flags

from darts_tf.config import Config, field_type, names

C = TypeVar("C", bound=Config)


def define(
    kind: type[Config],
    workdir: str | None = None,
    into: flags.FlagValues = flags.FLAGS,
) -> None:
    """Defines a flag for each field, and --workdir.

    Args:
      kind: the config's class.
      workdir: help of --workdir; None: the program has none.
      into: the flags to which these are added.
    """
    if workdir is not None:
        flags.DEFINE_string("workdir", None, workdir, required=True, flag_values=into)
    for field in dataclasses.fields(kind):
        _define(kind, field, into)


def _define(kind: type[Config], field: dataclasses.Field, into) -> None:
    wanted, _ = field_type(kind, field.name)
    usual: Any = field.default
    text = field.metadata["help"]
    options = {"flag_values": into, "required": field.metadata["required"]}
    origin = typing.get_origin(wanted)
    if origin is typing.Literal:
        allowed = names(wanted)
        flags.DEFINE_enum(field.name, usual, allowed, text, **options)
    elif origin is tuple:
        usual = None if usual is None else list(usual)
        flags.DEFINE_list(field.name, usual, text, **options)
    else:
        makers = {
            bool: flags.DEFINE_bool,
            int: flags.DEFINE_integer,
            float: flags.DEFINE_float,
            str: flags.DEFINE_string,
        }
        makers[wanted](field.name, usual, text, **options)


def parsed_config(kind: type[C], parsed: flags.FlagValues) -> C:
    """Returns the config that the flags give.

    Raises:
      InputError: a value out of its bounds, or an unknown name.
    """
    fields = dataclasses.fields(kind)
    present = [parsed[f.name] for f in fields if parsed[f.name].present]
    return kind(**{flag.name: flag.value for flag in present})
