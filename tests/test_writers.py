"""Writers whose disk refuses: one clear line, and what was there before is whole.

Each writes once undisturbed. Then it writes something else, and from one of its moves
on the disk refuses (tests/disk_moves.py): from the first, the second, and so on, until
nothing is refused any more. A limit on the size of files is set for what TensorBoard
writes too. Whole programs: `python -m tests.torture --only=refusals`.
"""

from __future__ import annotations

import pathlib
import resource
from collections.abc import Callable

import numpy as np
import pytest

from darts_tf.config import SearchConfig
from darts_tf.config_rules import applicable
from darts_tf.errors import InputError
from darts_tf.estimation.estimates import Estimate
from darts_tf.programs import alpha_history, records, report
from darts_tf.programs.evaluation_log import EvaluationLog
from darts_tf.run.export import saving
from darts_tf.run.loop import checkpoints
from darts_tf.run.loop.metrics import MetricsLog
from darts_tf.run.process import machine_errors
from darts_tf.run.settings_files import as_flagfile
from darts_tf.run.tensorboard import Reporter
from darts_tf.run.workdir import Workdir, open_workdir
from darts_tf.space.published import load_genotype
from darts_tf.space.registry import space_by_name
from tests import disk_moves

SPACE = "darts_recurrent"
GENOTYPES = ("DARTS_V1", "DARTS_V2")
VALUES = applicable(SearchConfig(space=SPACE, dataset="python_topics"))
Writer = Callable[[Workdir, int], object]


def _open(workdir: Workdir, turn: int) -> None:
    ignored = ("seed",)
    values = VALUES | {"seed": turn}
    open_workdir(
        workdir.path, values, as_flagfile(values), program="search", ignored=ignored
    ).close()


def _checkpoint(workdir: Workdir, turn: int) -> None:
    weights = np.full((30, 40), float(turn))
    checkpoints.save(workdir.checkpoints, 3, {"w": weights, "step": np.int64(3)})


def _metrics(workdir: Workdir, turn: int) -> None:
    log = MetricsLog(workdir.metrics)
    log.truncate_after(turn)
    for step in range(turn + 1, 3):
        log.append({"kind": "steps", "step": step, "turn": turn})
    log.sync()


def _alpha(workdir: Workdir, turn: int) -> None:
    cells = space_by_name(SPACE).cells
    alpha = {s.name: np.full(s.alpha_shape, float(turn)) for s in cells}
    alpha_history.keep(workdir.alpha, 1 + turn, alpha, 1.0)


def _genotype(workdir: Workdir, turn: int) -> None:
    records.write_genotype(workdir, load_genotype(GENOTYPES[turn], SPACE))


def _evaluations(workdir: Workdir, turn: int) -> None:
    if not turn:
        workdir.evaluations.unlink(missing_ok=True)
    genotype = load_genotype(GENOTYPES[turn], SPACE)
    estimate = Estimate(worth=-1.0, valid={"perplexity": 3.0}, seconds=1.0)
    EvaluationLog(workdir, lambda *_: estimate).estimate(genotype, 1 + turn)


def _tensorboard(workdir: Workdir, turn: int) -> None:
    with Reporter(workdir.path) as reporter:
        reporter.text(turn, "a text", "word " * 300)


def _export(workdir: Workdir, turn: int) -> None:
    def write(scratch: pathlib.Path, new: pathlib.Path) -> None:
        new.mkdir()
        (new / "model").write_bytes(b"%d" % turn * 400)
        (new / "export.json").write_text("{}")

    saving.remove_scratch(workdir.export)
    saving.place(workdir.export, write)


WRITERS: dict[str, Writer] = {
    "settings": _open,
    "checkpoint": _checkpoint,
    "metrics": _metrics,
    "alpha": _alpha,
    "genotype and its pictures": _genotype,
    "evaluations": _evaluations,
    "confusion": lambda workdir, turn: records.write_confusion(
        workdir, {"test": np.full((3, 3), turn)}
    ),
    "report": lambda workdir, turn: report.write(workdir.path),
    "export": _export,
    "tensorboard": _tensorboard,
}
DRAWN = "genotype and its pictures"
BY_TENSORFLOW = ("tensorboard",)
"""Writers whose moves Python does not see."""


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Workdir:
    """A run's folder into which each writer has written once."""
    workdir = Workdir(tmp_path_factory.mktemp("run"))
    for write in WRITERS.values():
        write(workdir, 0)
    return workdir


def contents(workdir: Workdir) -> dict[str, bytes]:
    names = (p for p in workdir.path.rglob("*") if p.is_file())
    hidden = (".tmp", "lock")
    return {
        str(p.relative_to(workdir.path)): p.read_bytes()
        for p in names
        if not p.name.endswith(hidden) and not p.name.startswith("events.out.")
    }


def refusal(part: Callable[[], object]) -> str | None:
    """Returns the line that a program prints of an error of the disk."""
    try:
        part()
    except InputError as error:
        return str(error)
    except Exception as error:
        line = machine_errors.line(error)
        assert line is not None, repr(error)
        return line
    return None


class Disk:
    """Refuses all moves after the first ones; counts what it has refused."""

    def __init__(self, error: str, first: int) -> None:
        self.error, self.left, self.refused = error, first, 0

    def step_in(self, move: str, before: bool) -> None:
        self.left -= before
        if before and self.left < 0:
            self.refused += move in disk_moves.REFUSED[self.error]
            disk_moves.refuse(self.error, move)


@pytest.mark.parametrize(
    "name, error",
    [
        (name, error)
        for name in sorted(WRITERS.keys() - {*BY_TENSORFLOW, "report"})
        for error in (("ENOSPC",) if name == DRAWN else ("ENOSPC", "EMFILE", "EIO"))
    ],
)
def test_a_disk_that_refuses(written, name, error):
    write = WRITERS[name]
    write(written, 1)
    new = contents(written)
    for first in (0, 3, 1000) if name == DRAWN else range(1000):
        write(written, 0)
        before, disk = contents(written), Disk(error, first)
        with disk_moves.Moves(str(written.path), disk.step_in).seen():
            line = refusal(lambda: write(written, 1))
        for path, content in contents(written).items():
            whole = content in (before.get(path), new.get(path))
            assert whole or path.endswith(".jsonl"), (path, first, line)
        if not disk.refused:
            break
        if line is not None:
            assert line.isprintable() and len(line) < 400
            assert "repeat the same command" in line or "cannot be written" in line
    write(written, 1)
    assert contents(written) == new
    assert first > 0 or error == "EMFILE"


@pytest.mark.parametrize("name", WRITERS)
def test_a_limit_on_the_size_of_files(written, name):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        line = refusal(lambda: WRITERS[name](written, 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    if name not in ("settings", "evaluations"):  # which are there already
        assert line and "File too large; allow larger files" in line
    WRITERS[name](written, 1)
