"""The values of a run's flags: by name, as a flagfile, as a hash."""

from __future__ import annotations

import hashlib
import json

from absl import flags

from darts_tf.cli import recipe_flags, strategy_flags
from darts_tf.cli.space_flags import FOREIGN_FLAGS, TABLE_FLAG

OWN_MODULES = (
    f"{__package__}.flags",
    f"{__package__}.search_flags",
    f"{__package__}.derivation_flags",
    f"{__package__}.experiment_flags",
    f"{__package__}.strategy_flags",
    f"{__package__}.recipe_flags",
    f"{__package__}.estimator_flags",
)
"""Where this project's flags are defined."""

PLACE_FLAGS = ("workdir", "data_dir", "download", TABLE_FLAG)
"""May differ when a run is resumed: they say where things lie."""

PACE_FLAGS = (
    "report_every",
    "checkpoint_every",
    "distribute",
    "instruments",
    "recompute",
    *recipe_flags.LIMIT_FLAGS,
)
"""May differ when a run is resumed: they change no result but rounding."""


def values(parsed: flags.FlagValues) -> dict[str, object]:
    """The values of this project's flags by name."""
    return {flag.name: flag.value for flag in _own(parsed)}


def defaults(parsed: flags.FlagValues) -> dict[str, object]:
    """What the same flags are where nobody gives them."""
    return {flag.name: flag.default for flag in _own(parsed)}


def _own(parsed: flags.FlagValues) -> list[flags.Flag]:
    modules = parsed.flags_by_module_dict()
    own = [f for name in OWN_MODULES for f in modules.get(name, [])]
    space = [flag.value for flag in own if flag.name == "space"]
    foreign = {
        *FOREIGN_FLAGS.get(space[0] if space else None, ()),
        *strategy_flags.foreign(parsed),
    }
    return [flag for flag in own if flag.name not in foreign]


def as_flagfile(named: dict[str, object]) -> str:
    """A flagfile that repeats the values."""
    lines = []
    for name, value in sorted(named.items()):
        if value is None:
            continue
        if isinstance(value, bool):
            lines.append(f"--{name}" if value else f"--no{name}")
        elif isinstance(value, list):
            lines.append(f"--{name}={','.join(map(str, value))}")
        else:
            lines.append(f"--{name}={value}")
    return "\n".join(lines) + "\n"


def digest(named: dict[str, object]) -> str:
    """A hash of the values that decide a result."""
    kept = {k: v for k, v in named.items() if k not in PLACE_FLAGS}
    text = json.dumps(kept, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
