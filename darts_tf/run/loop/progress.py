"""Shows the progress of a run on stderr.

On a terminal one bar for the whole run; always one line an epoch. If stderr is
no terminal (a log file, a notebook) there are only lines, and a long epoch
writes one every five minutes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

import tqdm

from darts_tf.run.loop.protocols import ENDLESS

QUIET_SECONDS = 300  # between the lines of a long epoch in a log file
SPEED = "_per_second"
EVALUATIONS = "evaluations"


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
        self._total, self._epochs = total_steps, epochs
        self._evaluates = units == EVALUATIONS
        self._last_line = time.monotonic()
        self._bar = tqdm.tqdm(
            total=None if total_steps >= ENDLESS else total_steps,
            initial=step,
            smoothing=0.1,
            unit="evaluation" if self._evaluates else "step",
            disable=silent or stream is None or not stream.isatty(),
            dynamic_ncols=True,
        )

    def step(self) -> None:
        """Counts one more step."""
        self._bar.update(1)

    def report(self, epoch: int, record: Mapping[str, object]) -> None:
        """Shows new losses and the speed in the bar."""
        texts = [f"epoch {epoch}/{self._epochs}"]
        if self._evaluates:
            texts = []  # the bar has their number
        texts += [
            text
            for name, text in _texts(record)
            if name.endswith(("loss", SPEED, "incumbent"))
        ]
        self._bar.set_postfix_str(", ".join(texts), refresh=False)
        silent = time.monotonic() - self._last_line
        if self._bar.disable and silent > QUIET_SECONDS:
            self.line(", ".join([*texts, f"step {record['step']}"]))

    def epoch(self, epoch: int, step: int, *records: Mapping[str, object]) -> None:
        """Writes the line of a finished epoch."""
        merged = {k: v for record in records for k, v in record.items()}
        line = f"epoch {epoch}/{self._epochs}, step {step}/{self._total}"
        if self._evaluates:
            line = f"evaluation {format_position(step, self._total)}"
        texts = [text for _, text in _texts(merged)]
        self.line(", ".join([line, *texts]))

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


def format_position(done: int, total: int, between: str = "/") -> str:
    """Formats a position as "3/20", or as "3" if there is no end."""
    return f"{done}" if total >= ENDLESS else f"{done}{between}{total}"


def _texts(record: Mapping[str, object]) -> list[tuple[str, str]]:
    """Returns name and text of each number worth showing."""
    texts = []
    for name, value in record.items():
        if name in ("step", "epoch") or not isinstance(value, (int, float)):
            continue
        if name.endswith(SPEED):
            number = f"{value:.0f}" if value >= 10 else f"{value:.2g}"
            text = f"{number} {name.removesuffix(SPEED)}/s"
        elif name == "seconds":
            text = f"{value:.0f} s"
        else:
            text = f"{name.replace('_', ' ')} {value:.4g}"
        texts.append((name, text))
    return texts


def duration(seconds: float) -> str:
    """Formats seconds as hours, minutes and seconds: "1:02:03 h"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h"
