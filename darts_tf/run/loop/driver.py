"""Drives a loop to its end, through kills and restarts.

The driver knows no algorithm. It keeps one promise: a run killed at any
moment and started again by the same command leaves the files of an
undisturbed run, except for the times. Hence the order of its actions:

* A checkpoint holds the loop's state, the scalars not yet reported and the
  clock. Records are on the disk before the checkpoint of their step is; on
  restart, records of later steps are dropped and made again.
* At the end of an epoch: the steps' record, `loop.end_epoch`, the epoch's
  record, `on_epoch`, and only then the checkpoint. A kill in between goes
  back to a checkpoint before the epoch's last step, so that this work is
  done again as a whole: `on_epoch` must replace, not add.
* A checkpoint is finite: losses and arrays are checked before it is written, and
  at the end of an epoch before anything is measured or derived.

Several processes can drive one loop together. Only their chief writes; they
start at its checkpoint, and stop after the same step when any of them
receives a signal.
"""

from __future__ import annotations

import dataclasses
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from darts_tf.errors import DivergedError, InputError
from darts_tf.run.loop import checkpoints
from darts_tf.run.loop.metrics import MetricsLog, as_number
from darts_tf.run.loop.progress import Progress, format_position
from darts_tf.run.loop.protocols import Alone, Loop, Reporter, Team
from darts_tf.run.loop.running_means import RunningMeans
from darts_tf.run.loop.step_timer import StepTimer
from darts_tf.run.loop.stopping import StopRequest, exit_code
from darts_tf.run.workdir import Workdir

DRIVER, PENDING = "run/", "run/pending/"
SKIPPED = ("train/skipped", "valid/skipped")
"""Shares of steps whose gradient was not finite, so that they moved nothing."""


@dataclasses.dataclass(frozen=True)
class Summary:
    """The cost of a run: wall seconds over all its starts, and steps.

    `first_step_seconds` is the time from the driver's start to the first
    finished step, compilation included, of the first start that lived long
    enough to save it. NaN if no step was needed.
    """

    seconds: float
    first_step_seconds: float
    steps: int


def drive(
    loop: Loop,
    workdir: Workdir,
    *,
    report_every: int,
    checkpoint_every: int,
    reporter: Reporter | None = None,
    on_epoch: Callable[[int, Loop, dict], None] | None = None,
    team: Team | None = None,
) -> Summary:
    """Does all remaining steps, from the newest checkpoint on.

    Args:
      loop: the search or training, at its step 0.
      workdir: the run's folder, held by this process.
      report_every: steps between two records; an epoch's end makes one too.
      checkpoint_every: steps between two checkpoints; 0: epochs' ends only.
      reporter: receives each record's numbers.
      on_epoch: called with the number of finished epochs, the loop and the
        epoch's record; called again for the same epoch after a kill. The
        run's last step ends an epoch, whole or not.
      team: the processes that drive this loop, of which the chief alone
        holds the folder, reports and calls `on_epoch`; None: only this one.

    Raises:
      InputError: a setting, or a checkpoint that does not fit.
      DivergedError: a loss or the state is no longer finite.
      SystemExit: 0 or 130, after SIGTERM or Ctrl-C, everything saved.
    """
    if report_every < 1 or checkpoint_every < 0:
        raise InputError(
            f"report_every={report_every} must be at least 1 and "
            f"checkpoint_every={checkpoint_every} at least 0 (0: only at the "
            "end of each epoch)"
        )
    driver = _Driver(loop, workdir, reporter, on_epoch, team or Alone())
    driver.resume()
    if loop.step < loop.total_steps:
        driver.run(report_every, checkpoint_every)
    return driver.summary()


class _Driver:
    def __init__(self, loop, workdir, reporter, on_epoch, team) -> None:
        self._loop, self._workdir, self._team = loop, workdir, team
        self._reporter, self._on_epoch = reporter, on_epoch
        self._metrics = MetricsLog(workdir.metrics)
        self._means = RunningMeans()
        self._timer = StepTimer()
        self._good: Path | None = None  # the newest readable checkpoint
        self._skipped = 0  # steps since one has moved the weights

    def resume(self) -> None:
        folder = self._workdir.checkpoints
        checkpoint = checkpoints.load_together(folder, self._team)
        step = 0
        if checkpoint is not None:
            step, arrays = checkpoint
            self._restore(step, arrays)
        if self._team.chief:
            self._metrics.truncate_after(step)
            self._metrics.warn_if_lost(step - self._means.steps)
            checkpoints.tidy(folder, step)

    def _restore(self, step: int, arrays: dict) -> None:
        driver_arrays = {n: a for n, a in arrays.items() if n.startswith(DRIVER)}
        self._loop.restore({n: a for n, a in arrays.items() if n not in driver_arrays})
        if self._loop.step != step:
            raise InputError(
                f"the checkpoint of step {step} in "
                f"{self._workdir.checkpoints} holds step {self._loop.step}; "
                "start anew in another `workdir`"
            )
        self._timer.restore(
            {n.removeprefix(DRIVER): a for n, a in driver_arrays.items()}
        )
        self._means.restore(
            {
                n.removeprefix(PENDING): a
                for n, a in driver_arrays.items()
                if n.startswith(PENDING)
            }
        )
        self._good = checkpoints.checkpoint_path(self._workdir.checkpoints, step)

    def run(self, report_every: int, checkpoint_every: int) -> None:
        loop = self._loop
        epochs = -(-loop.total_steps // loop.steps_per_epoch)
        progress = Progress(
            loop.step, loop.total_steps, epochs, loop.units, silent=not self._team.chief
        )
        try:
            with StopRequest() as stop:
                progress.compiles()
                while loop.step < loop.total_steps:
                    self._advance(progress)
                    ends = (
                        loop.step % loop.steps_per_epoch == 0
                        or loop.step == loop.total_steps
                    )
                    means = {}
                    if ends or loop.step % report_every == 0:
                        means = self._report(progress)
                    if ends:
                        self._end_epoch(progress, means)
                    due = checkpoint_every and (loop.step % checkpoint_every == 0)
                    stopped_by = stop.among(self._team)
                    if ends or due or stopped_by:
                        self._save()
                    if stopped_by:
                        progress.close()
                        self._stop(stopped_by)
        finally:
            progress.close()

    def summary(self) -> Summary:
        timer = self._timer
        return Summary(timer.seconds, timer.first_step, self._loop.step)

    def _advance(self, progress: Progress) -> None:
        scalars = self._loop.advance()
        self._means.add(self._loop.step, scalars)
        progress.step()
        if self._timer.times_steps:
            self._timer.add_step()
        else:
            self._settle()
            self._timer.end_first_step()

    def _settle(self) -> None:
        """Waits for all steps and checks that their losses are finite."""
        try:
            self._means.settle()
        except DivergedError as error:
            raise self._diverged(str(error)) from error
        self._timer.lap()

    def _report(self, progress: Progress) -> dict[str, object]:
        """Writes and shows the record of the steps since the last record."""
        self._settle()
        record: dict[str, Any] = self._head("steps") | self._means.means()
        speed = self._timer.speed()
        if speed is not None:
            name = f"{self._loop.units}_per_second"
            record[name] = speed * self._loop.units_per_step
        self._write(record)
        progress.report(record["epoch"], record)
        self._check_skipped(record)
        self._means.clear()
        return record

    def _check_skipped(self, record: dict) -> None:
        """Raises DivergedError if all steps of as many as an epoch has were skipped."""
        names = [name for name in SKIPPED if record.get(name) == 1]
        self._skipped = self._skipped + self._means.steps if names else 0
        if self._skipped >= self._loop.steps_per_epoch:
            raise self._diverged(
                f"{names[0]} is 1 at step {self._loop.step}, since {self._skipped} "
                "steps: no gradient is finite"
            )

    def _end_epoch(self, progress: Progress, means: dict) -> None:
        self._check_state(dict(self._loop.state()))  # before cells are derived of it
        record = self._head("epoch") | dict(self._loop.end_epoch())
        record = {n: as_number(v) for n, v in record.items()}
        self._write(record)
        progress.epoch(record["epoch"], self._loop.step, means, record)
        if self._on_epoch is not None and self._team.chief:
            self._on_epoch(record["epoch"], self._loop, record)
        self._timer.skip()

    def _head(self, kind: str) -> dict[str, Any]:
        """Returns a record's first fields; epochs are counted from 1."""
        step = self._loop.step
        return {
            "kind": kind,
            "step": step,
            "epoch": -(-step // self._loop.steps_per_epoch),
            "seconds": self._timer.seconds,
        }

    def _write(self, record: dict[str, object]) -> None:
        if not self._team.chief:
            return
        self._workdir.check_place()
        self._metrics.append(record)
        if self._reporter is not None:
            numbers = {
                n: v
                for n, v in record.items()
                if isinstance(v, (int, float)) and n not in ("step", "kind")
            }
            self._reporter.scalars(self._loop.step, numbers)

    def _save(self) -> None:
        self._settle()
        state = dict(self._loop.state())
        self._check_state(state)
        if not self._team.chief:
            return
        driver_arrays = {DRIVER + n: a for n, a in self._timer.state().items()}
        driver_arrays |= {PENDING + n: a for n, a in self._means.state().items()}
        self._workdir.check_place()
        self._metrics.sync()
        self._good = checkpoints.save(
            self._workdir.checkpoints, self._loop.step, state | driver_arrays
        )
        self._timer.skip()

    def _check_state(self, state: dict) -> None:
        """Raises DivergedError if the weights are not finite although the loss is."""
        for name in state:
            if name.startswith(DRIVER):
                raise ValueError(f"the state's name {name!r} is the driver's")
            if not checkpoints.is_finite(state[name]):
                raise self._diverged(
                    f"{name} is not finite after step {self._loop.step}"
                )

    def _diverged(self, reason: str) -> DivergedError:
        checkpoint = "there is no checkpoint yet"
        if self._good:
            checkpoint = f"the last good checkpoint is {self._good}"
        return DivergedError(
            f"{reason}: the run diverged; {checkpoint}; a lower learning rate or "
            "gradient norm may help, in another `workdir`"
        )

    def _stop(self, stopped_by: signal.Signals) -> None:
        if self._team.chief:
            done = format_position(self._loop.step, self._loop.total_steps, " of ")
            print(
                f"stopped by {stopped_by.name} after step {done}; the same "
                "command goes on from there",
                file=sys.stderr,
                flush=True,
            )
        raise SystemExit(exit_code(stopped_by))
