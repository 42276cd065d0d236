"""Shows the progress of a run on stderr.

On a terminal one bar for the whole run; always one line an epoch. If stderr is
no terminal (a log file, a notebook) there are only lines, and a long epoch
writes one every five minutes. The bar fits 80 columns and a line WIDTH: what does
not fit is left out, and is in metrics.jsonl.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

import tqdm

from darts_tf.run.loop.protocols import ENDLESS

WIDTH = 100
COLUMNS = 80
BAR_ROOM = COLUMNS - len("100%|##########| /, ")
"""Columns of a bar, and those that a bar of ten characters leaves to numbers."""

QUIET_SECONDS = 300  # between the lines of a long epoch in a log file
SPEED = "_per_second"
EVALUATIONS = "evaluations"
BAR = "{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{postfix}"
ENDLESS_BAR = "{desc}{n_fmt} {unit}s in {elapsed}{postfix}"
FIRST = (
    "train/loss",
    "valid/accuracy",
    "valid/perplexity",
    "valid/loss",
    "union/accuracy",
    "union/perplexity",
    "union/loss",
    "train/accuracy",
    "worth",
    "incumbent",
)
"""Names of numbers that come first in a line, in this order."""

COMPILES = "step {}: compiling, which can take a minute; the steps after it are faster"
OTHER_MODE = "valid/loss"
"""The loss of alpha's step, by the statistics of its batch, at w'.

It stands apart from valid/accuracy, which is measured with running statistics.
"""

MARK = "*"
NOTE = (
    f"{OTHER_MODE}{MARK} is that of alpha's steps: at w', batch norm by the batch; "
    "valid/accuracy: running means"
)


class Progress:
    """Shows the steps of a run on stderr.

    Args:
      step, total_steps, epochs: of the run, at its start.
      units: the unit of a step's work; with EVALUATIONS, one a step, these
        are counted instead of epochs.
      silent: shows nothing, since another process does.
    """

    def __init__(
        self,
        step: int,
        total_steps: int,
        epochs: int,
        units: str = "images",
        silent: bool = False,
    ) -> None:
        stream = sys.stderr
        self._silent = silent or stream is None
        self._step, self._total, self._epochs = step, total_steps, epochs
        self._evaluates = units == EVALUATIONS
        self._marks = units == "images"  # others have no batch norm
        self._noted = False
        self._last_line = time.monotonic()
        self._first: tuple[int, float] | None = None  # step and time of its end
        endless = total_steps >= ENDLESS
        self._bar = tqdm.tqdm(
            total=None if endless else total_steps,
            initial=step,
            unit="evaluation" if self._evaluates else "step",
            disable=silent or stream is None or not stream.isatty(),
            ncols=_columns(stream),
            nrows=2,  # else none is shown where the terminal does not tell its size
            bar_format=ENDLESS_BAR if endless else BAR,
        )

    def compiles(self) -> None:
        """Says that the next step compiles, which takes longer than others."""
        if not self._evaluates:
            self.line(COMPILES.format(self._step + 1))

    def step(self) -> None:
        """Counts one more step."""
        self._step += 1
        if self._first is None:
            self._first = self._step, time.monotonic()
        self._bar.update(1)

    def report(self, epoch: int, record: Mapping[str, object]) -> None:
        """Shows new losses, the time left and the speed in the bar."""
        wanted = ("loss", SPEED, "incumbent")
        texts = [text for name, text in self._texts(record) if name.endswith(wanted)]
        silent = time.monotonic() - self._last_line
        if self._bar.disable:
            if silent > QUIET_SECONDS:
                head = [] if self._evaluates else [f"epoch {epoch}/{self._epochs}"]
                head += [f"step {record['step']}", *self._left()]
                self.line(_joined(head, texts, WIDTH))
            return
        # Of evaluations the bar has the number.
        head = "" if self._evaluates else f"epoch {epoch}/{self._epochs} "
        texts = [text for text in texts if not text.startswith(OTHER_MODE)]
        room = BAR_ROOM - len(head) - 2 * len(str(self._total))
        self._bar.set_description_str(head, refresh=False)
        line = _joined([], [*self._left(), *texts], room)
        self._bar.set_postfix_str(line, refresh=False)

    def epoch(self, epoch: int, step: int, *records: Mapping[str, object]) -> None:
        """Writes the line of a finished epoch."""
        merged = {k: v for record in records for k, v in record.items()}
        head = [f"epoch {epoch}/{self._epochs}", f"step {step}/{self._total}"]
        if self._evaluates:
            head = [f"evaluation {format_position(step, self._total)}"]
        texts = dict(self._texts(merged))
        first = [texts.pop(name) for name in FIRST if name in texts]
        if self._marks and OTHER_MODE in merged and not self._noted:
            self._noted = True
            self.line(NOTE)
        self.line(_joined([*head, *self._left()], [*first, *texts.values()], WIDTH))

    def line(self, text: str) -> None:
        """Writes a line above the bar."""
        if self._silent:
            return
        self._last_line = time.monotonic()
        self._bar.write(text, file=sys.stderr)
        sys.stderr.flush()

    def close(self) -> None:
        """Stops updating the bar and leaves it on the screen."""
        self._bar.close()

    def _left(self) -> list[str]:
        """Returns the time left, from the second step of this start on."""
        if self._first is None or self._total >= ENDLESS or self._step >= self._total:
            return []
        first, since = self._first
        if self._step == first:
            return []
        each = (time.monotonic() - since) / (self._step - first)
        return [f"{duration(each * (self._total - self._step))} left"]

    def _texts(self, record: Mapping[str, object]) -> list[tuple[str, str]]:
        """Returns name and text of each number worth showing."""
        texts = []
        for name, value in record.items():
            if name in ("step", "epoch") or not isinstance(value, (int, float)):
                continue
            mark = MARK if self._marks and name == OTHER_MODE else ""
            texts.append((name, _text(name, value, mark)))
        return texts


def _columns(stream) -> int:
    """Returns the columns of a bar: 80, or those of a narrower terminal."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (AttributeError, OSError, ValueError):  # no terminal
        columns = 0
    return min(columns or COLUMNS, COLUMNS)


def _joined(head: list[str], texts: list[str], width: int) -> str:
    """Joins the head and as many of the texts as fit, by commas."""
    parts = list(head)
    for text in texts:
        if len(", ".join([*parts, text])) <= width:
            parts.append(text)
    return ", ".join(parts)


def format_position(done: int, total: int, between: str = "/") -> str:
    """Formats a position as "3/20", or as "3" if there is no end."""
    return f"{done}" if total >= ENDLESS else f"{done}{between}{total}"


def _text(name: str, value: float, mark: str) -> str:
    """Returns a number with its name, or a speed with its unit."""
    if name.endswith(SPEED):
        number = f"{value:.0f}" if value >= 10 else f"{value:.2g}"
        return f"{number} {name.removesuffix(SPEED)}/s"
    if name == "seconds":
        return f"{value:.0f} s"
    return f"{name.replace('_', ' ')}{mark} {value:.4g}"


def duration(seconds: float) -> str:
    """Formats seconds as hours, minutes and seconds: "1:02:03 h"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h"
