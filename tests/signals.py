"""Sends signals to programs in each of their phases; the same command must go on.

A campaign of tests/torture.py, "signals". A phase is one call of one function, such as
the first step of a search. A try starts a program (in a fork, tests/forked.py), waits
until it is in the phase, and sends a signal after a part of the time that the phase
takes. A try counts only if the phase had not ended when the signal was sent. Then the
exit code must be the one of docs/reliability.md, what is in the folder must be whole,
and the same command must end with the bytes of a run that was left alone.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import importlib
import itertools
import json
import mmap
import os
import pathlib
import random
import runpy
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from darts_tf.run.loop import checkpoints
from darts_tf.run.loop.stopping import SIGNALS, exit_code
from tests import forked, kills, savings

ROOT = pathlib.Path(__file__).parents[1]
SAVED, AT_ONCE = "saved", "at once"
STEP = "darts_tf.run.loop.driver:_Driver._advance"
SECONDS = 600
"""Time that a program may take."""

LATEST = 0.8
"""Share of a phase after which the signal is sent at the latest."""

SHARED = struct.Struct("d??")
"""The file "phase" has its seconds, whether it is on, and whether a signal came."""


@dataclasses.dataclass(frozen=True)
class Phase:
    """A part of a program's life.

    Attributes:
      run: one of kills.RUNS.
      function: "module:name" of the function whose call is the phase; "": the imports.
      call: which of its calls, from 0.
      ends: whether the first signal ends the program AT_ONCE, or SAVED.
      held: seconds for which the call is held back, so that a phase that takes no
        time is met.
    """

    run: str
    function: str
    call: int = 0
    ends: str = SAVED
    held: float = 0.0


DRIVER = "darts_tf.run.loop.driver:_Driver"
TASK = "darts_tf.programs.images:ImageProgramTask"
PHASES = {
    "imports": Phase("evolution by a table", "", ends=AT_ONCE),
    "data checks": Phase("training", f"{TASK}.training_data", ends=AT_ONCE),
    "first step, traced": Phase("images", STEP),
    "a step": Phase("training", STEP, call=3),
    "an epoch's measurement": Phase("training", f"{DRIVER}._end_epoch"),
    "a training within a search": Phase("evolution", STEP, call=3),
    "derivation by perturbation": Phase("perturbation", STEP, call=2),
    "export": Phase("export", "darts_tf.run.export.image_model:place", ends=AT_ONCE),
    "between an experiment's stages": Phase(
        "experiment", "darts_tf.protocol.stages:stopped", held=0.5
    ),
}
SEEN: dict[tuple[str, str], collections.Counter[int]] = {}
"""Exit codes by phase and by signal, as shells count: 128 + n for signal n."""


def tries(
    folder: pathlib.Path, choose: random.Random, names: tuple[str, ...] = (*PHASES,)
) -> Iterator[Callable[[], str | None]]:
    """Yields parts that send one signal each, all kinds of them in each phase.

    Each returns a line about what it did, or None where the signal came too late.
    Each raises kills.Reason or RuntimeError as the parts of kills.lives do.
    """
    alone: dict[str, kills.Alone] = {}
    lengths: dict[str, float] = {}
    kinds = [*itertools.product(SIGNALS, (False, True))]
    while True:
        for name, (number, twice) in itertools.product(names, kinds):
            run = PHASES[name].run
            if run not in alone:
                alone[run] = kills.Alone(run, folder)
            if name not in lengths:
                lengths[name] = _length(name, folder, alone[run])
            delay = choose.uniform(0, LATEST * lengths[name])
            yield functools.partial(_one, name, number, twice, alone[run], delay)


def table() -> str:
    """Returns the exit codes that were seen, as a table."""
    columns = [f"{n.name}{t}" for t in ("", " twice") for n in SIGNALS]
    lines = ["| phase | " + " | ".join(columns) + " |", "|---" * 7 + "|"]
    for name in dict.fromkeys(name for name, _ in SEEN):
        cells = [SEEN.get((name, kind), {}) for kind in columns]
        texts = [", ".join(f"{c} ({n})" for c, n in sorted(x.items())) for x in cells]
        lines.append(f"| {name} | {' | '.join(texts)} |")
    return "\n".join(lines)


def _one(
    name: str, number: signal.Signals, twice: bool, alone: kills.Alone, delay: float
) -> str | None:
    """Sends a signal in a phase, and lets the same command end."""
    phase = PHASES[name]
    start = _start_importing if not phase.function else _start_in_fork
    for later in (1, 4, 16):  # the phase may be shorter than it was
        place, delay = kills.begun(alone.name, alone.folder), delay / later
        kill = kills.Kill(number.name, seconds=delay, twice=twice)
        code, hit, output = start(name, alone.folder, place, kill)
        if hit:
            break
    else:
        return None
    kind = f"{number.name}{' twice' * twice}"
    about = f"{name}, {kind} after {delay:.3f} s: code {code}"
    if "Traceback" in output:
        print(output, file=sys.stderr)
        raise RuntimeError(about)
    shown = code if code >= 0 else 128 - code
    SEEN.setdefault((name, kind), collections.Counter())[shown] += 1
    if shown not in _codes(phase, number, twice):
        raise kills.Reason(f"{about}: {output[-300:]}")
    if place.exists():
        kills.check_whole(place)
    if phase.function == STEP and phase.run == "training" and not twice:
        if not checkpoints.latest_step(place / "checkpoints"):
            raise kills.Reason(f"{about}: no checkpoint")
    kills.start(alone.name, alone.folder, place, None)
    kills.compare(alone.files, kills.contents(place))
    return about


def _codes(phase: Phase, number: signal.Signals, twice: bool) -> set[int]:
    """Returns the exit codes that the documentation allows."""
    at_once, saved = 128 + number, exit_code(number)
    if phase.ends == AT_ONCE:
        return {at_once}
    return {saved, at_once} if twice else {saved}  # saved before the second came


def _length(name: str, folder: pathlib.Path, alone: kills.Alone) -> float:
    """Returns how many seconds a phase takes when it is left alone."""
    if not PHASES[name].function:
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, check=True)
        return time.monotonic() - began
    place = kills.begun(alone.name, folder)
    _start_in_fork(name, folder, place, kills.Kill(seconds=-1))
    return SHARED.unpack((folder / "phase").read_bytes())[0]


# The imports: a process of its own, since a fork has imported all.

IMPORTS = "from darts_tf.cli import scripts; scripts._load_tensorflow()"
STARTED = (
    "import runpy, sys; import darts_tf.cli; print('started', flush=True); "
    "runpy.run_module('darts_tf.cli', run_name='__main__', alter_sys=True)"
)


def _start_importing(
    name: str, folder: pathlib.Path, place: pathlib.Path, kill: kills.Kill
) -> tuple[int, bool, str]:
    """Returns (exit code, whether the signal came in time, output)."""
    flags = [*kills.RUNS[PHASES[name].run](folder), f"--workdir={place}"]
    process = subprocess.Popen(
        [sys.executable, "-c", STARTED, *flags],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_usual_signals,
    )
    assert process.stdout
    process.stdout.readline()
    time.sleep(kill.seconds)
    hit = not place.exists()
    number = getattr(signal, kill.signal)
    process.send_signal(number)
    if kill.twice:
        time.sleep(kills.AGAIN_SECONDS)
        process.send_signal(number)
    output, _ = process.communicate(timeout=SECONDS)
    return process.returncode, hit, output


def _usual_signals() -> None:
    """Undoes what a shell in the background or nohup has let its children ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# All other phases: in a fork, of which one call is watched.

SCRIPT = "from tests import signals; signals.run_in_fork()"


def _start_in_fork(
    name: str, folder: pathlib.Path, place: pathlib.Path, kill: kills.Kill
) -> tuple[int, bool, str]:
    """Returns (exit code, whether the phase had not ended, output).

    The file "phase" then has SHARED.
    """
    phase, shared = PHASES[name], folder / "phase"
    shared.write_bytes(bytes(SHARED.size))
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    request = {
        "arguments": [*kills.RUNS[phase.run](folder), f"--workdir={place}"],
        "phase": dataclasses.asdict(phase),
        "kill": dataclasses.asdict(kill),
        "shared": str(shared),
    }
    output = folder / "output"
    code = forked.run(output, json.dumps(request), script=SCRIPT)
    logs = [output, *place.glob("logs/*.log")]
    text = "".join(log.read_text(errors="replace") for log in logs if log.exists())
    _, _, hit = SHARED.unpack(shared.read_bytes())
    return code, hit, text


def run_in_fork() -> None:
    """Runs the program of the request in sys.argv, and watches one of its phases."""
    request = json.loads(sys.argv[1])
    phase, kill = Phase(**request["phase"]), kills.Kill(**request["kill"])
    _usual_signals()
    _watch(phase, _Watch(request["shared"], kill))
    kills._fork_children()
    savings.draw_dots(vectors=False)
    sys.argv = ["darts_tf.cli", *request["arguments"]]
    try:
        runpy.run_module("darts_tf.cli", run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:  # after the program's own end
        sys.exit(130)


def _watch(phase: Phase, watch: _Watch) -> None:
    """Puts a function in the place of the phase's, which tells `watch` of the call."""
    module, _, path = phase.function.partition(":")
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    function, calls = getattr(owner, name), itertools.count()

    def watched(*arguments, **named):
        if next(calls) != phase.call or os.getpid() != watch.process:
            return function(*arguments, **named)
        with watch.phase():
            time.sleep(phase.held)
            return function(*arguments, **named)

    setattr(owner, name, watched)


class _Watch:
    """Has a process ready that sends the signal once the phase has begun."""

    def __init__(self, shared: str, kill: kills.Kill) -> None:
        self.process = os.getpid()
        with open(shared, "r+b") as file:
            self._shared = mmap.mmap(file.fileno(), SHARED.size)
        self._reader, self._writer = os.pipe()
        if kill.seconds >= 0 and not os.fork():
            self._send(kill)

    @contextlib.contextmanager
    def phase(self) -> Iterator[None]:
        """Notes that the phase is on, and at its end for how long it was."""
        began = time.monotonic()
        self._shared[8] = True
        os.write(self._writer, b"x")
        try:
            yield
        finally:
            self._shared[8] = False
            self._shared[:8] = struct.pack("d", time.monotonic() - began)

    def _send(self, kill: kills.Kill) -> None:
        """Waits for the phase, and for a part of it; ends with this process."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        os.close(self._writer)
        number = getattr(signal, kill.signal)
        with contextlib.suppress(ProcessLookupError):
            if os.read(self._reader, 1):
                time.sleep(kill.seconds)
                self._shared[9] = self._shared[8]
                os.kill(self.process, number)
                if kill.twice:
                    time.sleep(kills.AGAIN_SECONDS)
                    os.kill(self.process, number)
        os._exit(0)
