"""SIGTERM and Ctrl-C: the step is finished and saved, then the run stops."""

from __future__ import annotations

import os
import signal
import threading

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """While open, the first signal is only noted; a second one kills.

    After the first, both signals have the system's own action again, which
    needs no Python: a second Ctrl-C works in the middle of a long step too.
    Outside of the main thread, where Python sets no handlers, it does
    nothing. Signals that are ignored (nohup, a shell's background) stay so.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = {
                number: signal.signal(number, self._note)
                for number in SIGNALS
                if signal.getsignal(number) != signal.SIG_IGN
            }
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)

    def _note(self, number: int, frame: object) -> None:
        self.signal = signal.Signals(number)
        for each in self._before:
            signal.signal(each, signal.SIG_DFL)
        text = (f"\n{self.signal.name}: saving after this step; once more "
                "stops at once\n")
        os.write(2, text.encode())  # sys.stderr may be in use right now
