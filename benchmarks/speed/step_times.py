"""Times a loop's first step, from the start of the process, and later steps.

Seconds and GB. CPU seconds, of all cores together, are what can be compared
where other work runs on the same cores.
"""

from __future__ import annotations

import resource
import statistics
import time

from benchmarks.speed.step_worker import age


def first_step(loop) -> dict[str, float]:
    """Takes a built loop's first step; returns the times of both, with imports."""
    built = {"built": round(age(), 1), "built_gb": round(peak_gb(), 2)}
    advance(loop)
    return built | {
        "first_step": round(age(), 1),
        "first_step_cpu": round(time.process_time(), 1),
    }


def timed(loop) -> tuple[float, float]:
    """Takes a step; returns its (seconds, CPU seconds)."""
    start, cpu = time.monotonic(), time.process_time()
    advance(loop)
    return time.monotonic() - start, time.process_time() - cpu


def summary(times: list[tuple[float, float]]) -> dict[str, float]:
    """Returns the medians of the times of `timed`, and the peak memory."""
    return {
        "step": median(times, 0),
        "step_cpu": median(times, 1),
        "slowest_step": round(max(times)[0], 3),
        "peak_gb": round(peak_gb(), 2),
    }


def median(times, place: int) -> float:
    """Returns the median of one number of all rows."""
    return round(statistics.median(row[place] for row in times), 3)


def peak_gb() -> float:
    """Returns the peak memory of this process so far, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def advance(loop) -> None:
    """Takes one step, and waits for it."""
    float(loop.advance()["train/loss"])
