"""The folder that holds all of a run, and the right to write into it.

A folder belongs to the settings it was started with and to one live process
at a time (see `darts_tf.run.lock`).
"""

from __future__ import annotations

import dataclasses
import json
import os
import types
from collections.abc import Collection, Mapping
from pathlib import Path

from darts_tf.errors import InputError, shorten
from darts_tf.reading import expanded, read_json, reason_of
from darts_tf.run import files, settings_files
from darts_tf.run.lock import FolderLock
from darts_tf.space.genotype import Genotype

LIKELY_WITHIN = "likely_within_targets"
"""In the result of a search with cost targets: whether those in likely.json are."""

ABSENT = "nothing"


@dataclasses.dataclass
class Workdir:
    """Paths of the parts of a run; as a context manager, releases its lock."""

    path: Path
    _lock: FolderLock | None = None

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints, see `darts_tf.run.loop.checkpoints`."""
        return self.path / "checkpoints"

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
        """Genotypes and their worths, one a line, of a search by estimates."""
        return self.path / "evaluations.jsonl"

    @property
    def genotype(self) -> Path:
        """The genotype of the run, JSON."""
        return self.path / "genotype.json"

    @property
    def likely(self) -> Path:
        """The most likely genotypes of a search with alpha, JSON, a list."""
        return self.path / "likely.json"

    @property
    def alpha(self) -> Path:
        """The history of alpha, NumPy archive."""
        return self.path / "alpha.npz"

    @property
    def result(self) -> Path:
        """The outcome of the run, JSON."""
        return self.path / "result.json"

    def after_epochs(self, epochs: int) -> Path:
        """Returns the outcome of a training that was stopped after so many epochs."""
        return self.path / f"after_{epochs}_epochs.json"

    @property
    def confusion(self) -> Path:
        """Images by label and answer of an evaluation, NumPy archive."""
        return self.path / "confusion.npz"

    @property
    def report(self) -> Path:
        """The run on one page, HTML."""
        return self.path / "report.html"

    @property
    def export(self) -> Path:
        """Folder of the SavedModel."""
        return self.path / "export"

    def read_result(self) -> dict:
        """Returns the content of result.json.

        Raises InputError where there is none, or it is damaged.
        """
        try:
            content = read_json(self.result)
        except (OSError, ValueError) as error:
            raise _no_result(self.result, reason_of(error)) from error
        if not isinstance(content, dict):
            raise _no_result(self.result, "no JSON object")
        return content

    def read_genotype(self) -> Genotype:
        """Returns the genotype of the run; raises InputError without one."""
        return Genotype.from_file(self.genotype)

    def exported(self, format: str, quantize: str = "none") -> Path:
        """Returns the folder of an export: one for each format and quantisation."""
        if format == "saved_model":
            return self.export
        suffix = "" if quantize == "none" else f"_{quantize}"
        return self.path / f"export_{format}{suffix}"

    @property
    def example(self) -> Path:
        """An image of the data, to show the use of an export with."""
        return self.path / "example.png"

    def sign(self) -> None:
        """Writes this process's number into the lock that it holds."""
        if self._lock is not None:
            self._lock.sign()

    def check_place(self) -> None:
        """Raises FileNotFoundError if it was moved or removed since it is held."""
        if self._lock is not None:
            self._lock.check_place()

    def close(self) -> None:
        """Releases the folder; closing twice is harmless."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Workdir:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def open_workdir(
    path: str | os.PathLike,
    values: Mapping[str, object],
    flagfile_text: str,
    *,
    program: str = "",
    ignored: Collection[str] = (),
    folders: Collection[str] = ("checkpoints", "genotypes"),
    defaults: Mapping[str, object] = types.MappingProxyType({}),
) -> Workdir:
    """Makes or re-opens the folder of a run, for this process alone.

    Args:
      path: the folder; made, with its parents, where it is missing.
      values: the settings that define the run, by name; JSON's types.
      flagfile_text: a flagfile that repeats the run, kept as flags.txt.
      program: name of the program, for config.json.
      ignored: names whose values may differ from those of the first start.
      folders: folders that are made in it.
      defaults: values of names that are not given. An earlier version's run
        that lacks a name was made with this value, and keeps it.

    Raises:
      InputError: the folder cannot be made or written, another live process
        holds it, or it belongs to a run with other settings. Nothing that was
        in it has been changed then.
    """
    workdir = Workdir(made(as_path(path)))
    _check_whole(workdir)
    try:
        workdir._lock = FolderLock(workdir.path)
        given, usual = _as_stored(values), _as_stored(defaults)
        if settings_files.exists(workdir.path):
            stored, added = _same_run(workdir.path, program, given, usual, ignored)
            merged = {n: v for n, v in (stored | added).items() if n != "workdir"}
            old = not (workdir.path / settings_files.CONFIG_FILE).exists()
            _prepare(workdir, program, merged if added or old else None, None, folders)
        else:
            _prepare(workdir, program, given, flagfile_text, folders)
    except OSError as error:
        workdir.close()
        raise _cannot_write(workdir.path, error) from error
    except BaseException:
        workdir.close()
        raise
    return workdir


def check_same_run(
    path: str | os.PathLike,
    values: Mapping[str, object],
    *,
    program: str = "",
    ignored: Collection[str] = (),
    defaults: Mapping[str, object] = types.MappingProxyType({}),
) -> None:
    """Refuses the folder of another run as `open_workdir` would; changes nothing."""
    folder = as_path(path)
    if settings_files.exists(folder):
        _same_run(folder, program, _as_stored(values), _as_stored(defaults), ignored)


def _same_run(
    path: Path,
    program: str,
    given: dict,
    usual: dict,
    ignored: Collection[str],
) -> tuple[dict, dict]:
    """Returns (values of the run in a folder, those that it lacks and had).

    Raises:
      InputError: it is of another program, or has other settings.
    """
    stored = settings_files.read(path, complete=False)
    other = settings_files.program_of(path)
    if program and other not in (None, program):
        raise InputError(
            f"`workdir={path}` holds a run of train.{other}, and this is "
            f"train.{program}; give another `workdir`"
        )
    usual = usual | settings_files.before_renewal(stored)
    added = {n: usual[n] for n in given if n in usual and n not in stored}
    _compare(path, stored | added, given, ignored)
    return stored, added


def existing_workdir(path: str | os.PathLike, held: bool = False) -> Workdir:
    """Returns the folder of a run, to read it or to add to it.

    Args:
      path: of the folder.
      held: whether no other process may hold it until this one closes it.

    Raises:
      InputError: `path` is no run's folder, or another process holds it.
    """
    read_settings(path)
    path = as_path(path)
    return Workdir(path, FolderLock(path) if held else None)


def read_settings(path: str | os.PathLike) -> dict:
    """Returns the settings of the run that lives in `path`, values by name.

    Raises InputError where `path` is no run's folder.
    """
    return settings_files.read(as_path(path))


def as_path(workdir: str | os.PathLike) -> Path:
    """Returns the path of a run's folder, ~ replaced; raises InputError for no path."""
    if not isinstance(workdir, str | os.PathLike) or workdir == "":
        raise InputError(
            f"`workdir` must name the folder of a run; received {workdir!r}"
        )
    return expanded(workdir)


def other_data(path: str | os.PathLike) -> str:
    """Returns the message that a run's data are no longer what they were."""
    return (
        f"`workdir={os.fspath(path)}` holds a run on other data: examples were added, "
        "removed or changed since; bring them back, or give another `workdir`"
    )


def made(path: Path, name: str = "workdir") -> Path:
    """Makes the folder that the setting `name` gives; raises InputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(path, error, name) from error
    return path


def _cannot_write(path: Path, error: OSError, name: str = "workdir") -> InputError:
    why = (
        "a file is in the way"
        if isinstance(error, (FileExistsError, NotADirectoryError))
        else (error.strerror or str(error))
    )
    return InputError(
        f"`{name}={path}` cannot be written: {why}; give a folder in which "
        "you may write"
    )


def _no_result(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} cannot be read ({shorten(reason, 90)}); delete it, and the same "
        "command as before writes it anew"
    )


def _check_whole(workdir: Workdir) -> None:
    """Refuses parts of a run whose settings are lost."""
    if settings_files.exists(workdir.path):
        return
    for part in (workdir.metrics, workdir.checkpoints, workdir.result):
        if os.path.lexists(part):
            raise InputError(
                f"`workdir={workdir.path}` holds {part.name} of a run but "
                f"no {settings_files.CONFIG_FILE}; give another `workdir`"
            )


def _as_stored(values: Mapping[str, object]) -> dict:
    return json.loads(json.dumps(dict(values)))


def _compare(
    path: Path,
    stored: Mapping[str, object],
    given: Mapping[str, object],
    ignored: Collection[str],
) -> None:
    names = sorted((stored.keys() | given.keys()) - set(ignored))
    same = {"dataset", "fingerprint"} & {*names}
    if stored.get("dataset") == given.get("dataset") and len(same) == 2:
        if stored.get("fingerprint") != given.get("fingerprint"):
            raise InputError(other_data(path))
    differing = [
        f"`{name}`: the run has {_text(stored, name)}, given {_text(given, name)}"
        for name in names
        if _text(stored, name) != _text(given, name)
    ]
    if differing:
        raise InputError(
            f"`workdir={path}` holds a run with other settings "
            f"({'; '.join(differing)}); give another `workdir`, or the same "
            "settings to resume it"
        )


def _text(values: Mapping[str, object], name: str) -> str:
    if name not in values:
        return ABSENT
    value = values[name]
    return value if isinstance(value, str) else json.dumps(value)


def _prepare(
    workdir: Workdir,
    program: str,
    values: dict | None,
    text: str | None,
    folders: Collection[str],
) -> None:
    """Writes config.json last: it is what makes a folder a run's."""
    workdir.sign()
    parts = [workdir.path / name for name in folders]
    for folder in (workdir.path, *parts):
        files.remove_temporary(folder)
    if text is not None:
        files.write_atomic(workdir.path / "flags.txt", text)
    if values is not None:
        new = text is not None
        run = settings_files.new_run(program, values) if new else None
        run = run or settings_files.run_of(workdir.path)
        settings_files.write(workdir.path, program, values, run)
    for folder in parts:
        folder.mkdir(exist_ok=True)
