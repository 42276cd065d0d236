"""The settings of a run in its folder: config.json, and flags.txt for people.

`config.json` holds {"version": 1, "program": NAME, "config": {name: value},
"run": ID}, from which the run is repeated. The ID, a hash of the first settings,
binds checkpoints to the run; runs made before 0.3.0 have none. Folders made before
there was a config.json have only flags.json, the bare values, which `upgraded` reads.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from darts_tf import config as configs
from darts_tf.errors import InputError, shorten
from darts_tf.reading import read_json, reason_of
from darts_tf.run import files

CONFIG_FILE = "config.json"
OLD_FILE = "flags.json"
VERSION = 1
C = TypeVar("C", bound=configs.Config)
OLD_VALUES = {"strategy": "darts", "optimization": "bilevel", "jit": "off"}
"""The values that runs had before there was such a name."""

ROUNDS_BEFORE = 4
"""shuffle_rounds of runs that lack the name, of versions before 0.3.0."""


def exists(folder: Path) -> bool:
    """Returns whether a folder holds the settings of a run."""
    return (folder / CONFIG_FILE).exists() or (folder / OLD_FILE).exists()


def write(
    folder: Path, program: str, values: Mapping[str, object], run: str | None = None
) -> None:
    """Writes config.json; `run` is the ID, which stays what it was."""
    content = {"version": VERSION, "program": program, "config": dict(values)}
    if run:
        content["run"] = run
    files.write_json_atomic(folder / CONFIG_FILE, content)


def new_run(program: str, values: Mapping[str, object]) -> str:
    """Returns the ID of a run that begins with these values."""
    deciding = {name: value for name, value in values.items() if name != "workdir"}
    text = json.dumps([program, deciding], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_of(folder: Path) -> str | None:
    """Returns the ID of the run in a folder; None where it has none to read."""
    run = _of_config(folder, "run")
    return run if isinstance(run, str) and re.fullmatch(r"[0-9a-f]{16}", run) else None


def program_of(folder: Path) -> str | None:
    """Returns the name of the program of the run in a folder; None: not known."""
    program = _of_config(folder, "program")
    return program if isinstance(program, str) and program else None


def _of_config(folder: Path, name: str) -> object:
    """Returns an entry of config.json; None where there is none to read."""
    try:
        content = read_json(folder / CONFIG_FILE)
    except (OSError, ValueError):
        return None
    return content.get(name) if isinstance(content, dict) else None


def read(folder: Path, complete: bool = True) -> dict:
    """Returns the values of the run in a folder, by name.

    Args:
      folder: of the run.
      complete: whether an older run's values are `upgraded`.

    Raises:
      InputError: there are none, or they cannot be read.
    """
    new = folder / CONFIG_FILE
    path = folder / OLD_FILE if (folder / OLD_FILE).exists() else new
    path = new if new.exists() else path
    try:
        content = read_json(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(
            f"{folder} is no folder of a run (it has no {CONFIG_FILE}); give the "
            "`workdir` of a run"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read ({shorten(reason_of(error), 90)}); bring it back "
            "from a copy, or start anew in another `workdir`"
        ) from error
    if path == new and isinstance(content, dict):
        _check_version(path, content.get("version"))
        content = content.get("config")
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no settings; start anew in another `workdir`")
    if not complete:
        return content
    content = before_renewal(content) | content
    return content if path == new else upgraded(content)


def _check_version(path: Path, version: object) -> None:
    if version != VERSION:
        raise InputError(
            f"{path} has version {version!r}, and this program reads version "
            f"{VERSION}; use the darts_tf that made it, or another `workdir`"
        )


def before_renewal(values: Mapping[str, object]) -> dict[str, object]:
    """Returns what runs did where a default has changed since, by name.

    Args:
      values: of a run; names that it has itself are not meant.
    """
    if "crop_padding" not in values:  # it reads no images
        return {}
    before: dict[str, object] = {
        "shuffle_rounds": ROUNDS_BEFORE,
        "examples_seed": values.get("seed", 0),
    }
    if values.get("cost_target") is not None:
        before["cost_floor"] = 0.0
    return before


def as_started(config: C, folder: Path) -> C:
    """Returns the config with a run's own values where a default has changed since.

    Those are taken of names that were not given, and so are those that a recipe set;
    a new run's config stays.

    Args:
      config: given for the run in `folder`.
      folder: of the run; it need not exist.

    Raises:
      InputError: the folder's settings cannot be read.
    """
    if not exists(folder):
        return config
    stored = read(folder)
    names = [*before_renewal(stored)]
    recipe = getattr(config, "recipe", None)
    if recipe == stored.get("recipe"):
        names += [
            name for name in configs.RECIPES.get(recipe or "", ()) if name in stored
        ]
    own = {name: stored[name] for name in names if name not in config.given}
    return config.filled(**own)


def upgraded(values: Mapping[str, object]) -> dict:
    """Returns the values of flags.json (version 0) as those of version 1.

    Names that the run's program did not know get what it did without them;
    all others their fields' defaults (`Config.from_stored`).
    """
    return {**OLD_VALUES, **values} if "space" in values else dict(values)


def as_flagfile(values: Mapping[str, object]) -> str:
    """Returns a flagfile that gives the values again, sorted by name."""
    lines = []
    for name, value in sorted(values.items()):
        if value is None:
            continue
        if isinstance(value, bool):
            lines.append(f"--{name}" if value else f"--no{name}")
        elif isinstance(value, (list, tuple)):
            lines.append(f"--{name}={','.join(map(str, value))}")
        else:
            lines.append(f"--{name}={' '.join(str(value).splitlines())}")
    return "\n".join(lines) + "\n"


def free_names(kind: type[configs.Config], *reasons: str) -> tuple[str, ...]:
    """Returns the fields that a resumed run may change, for these reasons."""
    fields = kind.__dataclass_fields__.values()
    return tuple(f.name for f in fields if f.metadata["free"] in reasons)


def digest(kind: type[configs.Config], values: Mapping[str, object]) -> str:
    """Returns a hash, 16 characters, of the values that decide a result."""
    places = ("workdir", *free_names(kind, "place"))
    deciding = {name: value for name, value in values.items() if name not in places}
    text = json.dumps(deciding, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
