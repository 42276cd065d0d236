"""The folder that holds all of a run, and the right to write into it.

A folder belongs to the flags it was started with and to one live process at
a time (see `darts_tf.run.lock`).
"""

from __future__ import annotations

import dataclasses
import json
import os
import types
from collections.abc import Collection, Mapping
from pathlib import Path

from darts_tf.errors import InputError
from darts_tf.run import files
from darts_tf.run.lock import FolderLock

FLAGS_FILE = "flags.json"
ABSENT = "nothing"


@dataclasses.dataclass
class Workdir:
    """Where the parts of a run lie; as a context manager, ends the lock."""

    path: Path
    _lock: FolderLock | None = None

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints, see `darts_tf.run.loop.checkpoints`."""
        return self.path / "checkpoints"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard's event files."""
        return self.path / "tensorboard"

    @property
    def genotypes(self) -> Path:
        """Folder of the genotypes of each epoch."""
        return self.path / "genotypes"

    @property
    def metrics(self) -> Path:
        """One record a line, see `darts_tf.run.loop.metrics`."""
        return self.path / "metrics.jsonl"

    @property
    def evaluations(self) -> Path:
        """Of a search that asks: one genotype and its worth a line."""
        return self.path / "evaluations.jsonl"

    @property
    def genotype(self) -> Path:
        """The genotype that the run found, JSON."""
        return self.path / "genotype.json"

    @property
    def alpha(self) -> Path:
        """The history of alpha, NumPy archive."""
        return self.path / "alpha.npz"

    @property
    def result(self) -> Path:
        """The outcome of the run, JSON."""
        return self.path / "result.json"

    @property
    def export(self) -> Path:
        """Folder of the SavedModel."""
        return self.path / "export"

    def close(self) -> None:
        """Gives the folder free; again is harmless."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Workdir:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def open_workdir(
    path: str | os.PathLike,
    flags: Mapping[str, object],
    flagfile_text: str,
    *,
    ignored: Collection[str] = (),
    folders: Collection[str] = ("checkpoints", "genotypes"),
    defaults: Mapping[str, object] = types.MappingProxyType({}),
) -> Workdir:
    """Makes or re-opens the folder of a run, for this process alone.

    Args:
      path: the folder; made, with its parents, where it is missing.
      flags: the values that define the run, by flag name; JSON's types.
      flagfile_text: a flagfile that repeats the run, kept as flags.txt.
      ignored: names whose values may differ from those of the first start.
      folders: that are made in it.
      defaults: what a flag is where nobody gives it. An earlier version's
        run that lacks a flag was made with this value, and keeps it.

    Raises:
      InputError: the folder cannot be made or written, another live process
        holds it, or it belongs to a run with other flags. Nothing that was
        in it has been changed then.
    """
    workdir = Workdir(_made(Path(path).expanduser()))
    _check_whole(workdir)
    try:
        workdir._lock = FolderLock(workdir.path)
        given, usual = _as_stored(flags), _as_stored(defaults)
        if (workdir.path / FLAGS_FILE).exists():
            stored = read_flags(workdir.path)
            added = {n: usual[n] for n in given if n in usual and n not in stored}
            _compare(workdir.path, stored | added, given, ignored)
            _prepare(workdir, stored | added if added else None, None, folders)
        else:
            _prepare(workdir, given, flagfile_text, folders)
    except OSError as error:
        workdir.close()
        raise _cannot_write(workdir.path, error) from error
    except BaseException:
        workdir.close()
        raise
    return workdir


def existing_workdir(path: str | os.PathLike) -> Workdir:
    """The folder of a run, to read it or to add to it; takes no lock.

    Raises InputError where `path` is no run's folder.
    """
    read_flags(path)
    return Workdir(Path(path).expanduser())


def read_flags(path: str | os.PathLike) -> dict:
    """The flags of the run that lives in `path`, values by flag name.

    Raises InputError where `path` is no run's folder.
    """
    path = Path(path).expanduser()
    try:
        flags = json.loads((path / FLAGS_FILE).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(
            f"{path} is no folder of a run (it has no {FLAGS_FILE}); give "
            "the --workdir of a run"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path / FLAGS_FILE} cannot be read ({error}); start anew in "
            "another --workdir"
        ) from error
    if not isinstance(flags, dict):
        raise InputError(
            f"{path / FLAGS_FILE} holds no flags; start anew in another --workdir"
        )
    return flags


def _made(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from error
    return path


def _cannot_write(path: Path, error: OSError) -> InputError:
    why = (
        "a file is in the way"
        if isinstance(error, (FileExistsError, NotADirectoryError))
        else (error.strerror or str(error))
    )
    return InputError(
        f"--workdir={path} cannot be written: {why}; give a folder in which "
        "you may write"
    )


def _check_whole(workdir: Workdir) -> None:
    """Parts of a run whose flags are lost must not be mixed with a new one."""
    if os.path.exists(workdir.path / FLAGS_FILE):
        return
    for part in (workdir.metrics, workdir.checkpoints, workdir.result):
        if os.path.exists(part):
            raise InputError(
                f"--workdir={workdir.path} holds {part.name} of a run but "
                f"no {FLAGS_FILE}; give another --workdir"
            )


def _as_stored(flags: Mapping[str, object]) -> dict:
    return json.loads(json.dumps(dict(flags)))


def _compare(
    path: Path,
    stored: Mapping[str, object],
    given: Mapping[str, object],
    ignored: Collection[str],
) -> None:
    names = sorted((stored.keys() | given.keys()) - set(ignored))
    differing = [
        f"--{name}: the run has {_shown(stored, name)}, given {_shown(given, name)}"
        for name in names
        if _shown(stored, name) != _shown(given, name)
    ]
    if differing:
        raise InputError(
            f"--workdir={path} holds a run with other flags "
            f"({'; '.join(differing)}); give another --workdir, or the same "
            "flags to resume it"
        )


def _shown(flags: Mapping[str, object], name: str) -> str:
    if name not in flags:
        return ABSENT
    value = flags[name]
    return value if isinstance(value, str) else json.dumps(value)


def _prepare(
    workdir: Workdir,
    flags: dict | None,
    text: str | None,
    folders: Collection[str],
) -> None:
    """flags.json comes last of the flags: it is what makes a run's folder."""
    workdir._lock.sign()
    parts = [workdir.path / name for name in folders]
    for folder in (workdir.path, *parts):
        files.remove_temporary(folder)
    if text is not None:
        files.write_atomic(workdir.path / "flags.txt", text)
    if flags is not None:
        files.write_json_atomic(workdir.path / FLAGS_FILE, flags)
    for folder in parts:
        folder.mkdir(exist_ok=True)
