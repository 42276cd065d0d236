"""Takes steps on request: a column's process of benchmarks/speed/beside_pytorch.py.

After its first step it says how old the process is by then; for every line
on its standard input it takes a step and says what the step took; at the
end of the input it says how much memory it has used at most, that of a GPU
apart. Lines of JSON, seconds and GB. Where there is no such step, the only
line says why: "not_supported".
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable

import psutil

COLUMNS = (
    "ours",
    "pytorch",
    "pytorch_channels_last",
    "pytorch_alpha_only",
    "pytorch_compile",
)
SPACES = ("darts_conv", "darts_recurrent")
METHODS = ("weights", "first_order", "finite_difference", "exact")
TEXT_PROTOCOL = {
    "learning_rate": 20.0,
    "momentum": 0.0,
    "weight_decay": 5e-7,
    "clip_norm": 0.25,
    "alpha_learning_rate": 3e-3,
    "alpha_beta1": 0.9,
}
"""Numbers of both descents of configs/ptb/search_second_order.flags."""


def serve(
    step: Callable[[], object],
    device_peak: Callable[[], int] | None = None,
    refusals: tuple[type[Exception], ...] = (),
) -> None:
    """Takes a step for each line of input; `step` returns when it is done.

    Args:
      step: takes one.
      device_peak: tells the bytes of a GPU's memory that were used at most.
      refusals: errors of the first step that say that it cannot be done.
    """
    try:
        step()
    except refusals as error:
        say(not_supported=one_line(error))
        return
    say(first_step=age())
    for _ in sys.stdin:
        start, cpu = time.monotonic(), time.process_time()
        step()
        say(
            seconds=time.monotonic() - start,
            cpu_seconds=time.process_time() - cpu,
        )
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    used = {"device_peak_gb": device_peak() / 1e9} if device_peak else {}
    say(peak_gb=kilobytes / 1e6, **used)


def age() -> float:
    """Returns the seconds since this process started.

    By the clock that the system dates its processes with: when it was booted
    is known by the time of day to a whole second only.
    """
    started = psutil.Process().create_time() - psutil.boot_time()
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def one_line(error: Exception) -> str:
    """Returns an error's first line, without characters that would break a table."""
    first = str(error).strip().partition("\n")[0]
    return (first or type(error).__name__).replace("|", "/")[:200]


def say(**values) -> None:
    """Prints a line of JSON."""
    print(json.dumps(values), flush=True)
