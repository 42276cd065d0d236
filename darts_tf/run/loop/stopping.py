"""Stops a run after the present step, saved, on SIGTERM, Ctrl-C or SIGHUP."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, ClassVar

from darts_tf.run.loop.protocols import Team

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def exit_code(number: signal.Signals) -> int:
    """Returns the exit code of a saved run: 0 after SIGTERM, which is a preemption."""
    return 0 if number == signal.SIGTERM else 128 + number


class StopRequest:
    """Notes the first signal while open; a second signal ends the process.

    Python's own handlers wait until the interpreter is back, which in the
    middle of a compilation can take minutes. So a thread reads the signals
    from a pipe that the interpreter's C handler writes to at once.

    Outside of the main thread, where Python sets no handlers, it does nothing
    and no signal stops the run. Signals that are ignored (nohup, a shell's
    background) or handled outside of Python are left alone. The end of the
    block restores the handlers of before.

    One may be opened inside of another (a training inside of a search): an
    earlier signal to the outer one counts for the inner one too.

    Args:
      hand_on: called with the first signal at once, in the thread.

    Attributes:
      signal: the first signal that came, or None.
    """

    _open: ClassVar[list[StopRequest]] = []  # the innermost last

    def __init__(self, hand_on: Callable[[signal.Signals], None] | None = None) -> None:
        self.signal: signal.Signals | None = None
        self._hand_on = hand_on
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is not threading.main_thread():
            return self
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._wakeup = signal.set_wakeup_fd(self._writer)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self._before = {
            number: signal.signal(number, self._note)
            for number in SIGNALS
            if signal.getsignal(number) not in (signal.SIG_IGN, None)
        }
        if self._open:
            self.signal = self.signal or self._open[-1].signal
        self._open.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._open.remove(self)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._writer)  # ends the thread
        self._thread.join()
        os.close(self._reader)

    @classmethod
    def noted(cls) -> bool:
        """Returns True if this process has received a signal and is about to stop."""
        return any(request.signal for request in cls._open)

    def among(self, team: Team) -> signal.Signals | None:
        """Returns the signal that any process of the team received, or None.

        All of them have to ask, after the same step.
        """
        present = self.signal  # read once: it may change meanwhile
        counts = team.total([present == number for number in SIGNALS])
        received = [n for n, count in zip(SIGNALS, counts) if count]
        return received[0] if received else None

    def _note(self, number: int, frame: object) -> None:
        self.signal = self.signal or signal.Signals(number)

    def _listen(self) -> None:
        count = 0
        while byte := os.read(self._reader, 1):
            if byte[0] not in SIGNALS:
                continue
            count += 1
            if count > 1:
                os._exit(128 + byte[0])  # files are whole at any moment
            self._announce(signal.Signals(byte[0]))
            if self._hand_on is not None:
                self._hand_on(signal.Signals(byte[0]))

    def _announce(self, number: signal.Signals) -> None:
        text = f"\n{number.name}: saving after this step; once more stops at once\n"
        with contextlib.suppress(OSError):  # a terminal that is gone
            os.write(2, text.encode())  # sys.stderr may be in use right now
