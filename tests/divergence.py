"""Lets programs diverge, by a learning rate that is far too high.

A campaign of tests/torture.py, "not a number". Each program must end in one line that
names the step and the last good checkpoint, with exit code 1. The same command must
say the same again, from that checkpoint on; with a lower rate it is another run, which
is refused in this folder (2). A search that trains a network for each genotype counts
a training that diverges as guessing, and stops when all have diverged.
"""

from __future__ import annotations

import functools
import pathlib
import random
import re
from collections.abc import Callable, Iterator

from darts_tf.run.loop import checkpoints
from tests import forked, kills

RATE = "--learning_rate=1e30"
EACH = ("--checkpoint_every=1", "--report_every=1", "--epochs=2", RATE)
IMAGES = (*kills.TINY, *EACH)
FIRST = ("search", *IMAGES, "--method=first_order")
SHARING = "--strategy=random_weight_sharing", "--final_evaluations=3"
EVOLUTION = (
    *("--strategy=evolution", "--evolution_population=2", "--evolution_sample=2"),
    "--budget_evaluations=3",
)
TRAINS = "evolution that trains"
PLUGIN = pathlib.Path(__file__).parent / "programs" / "small_plugin.py"
SMALL = tuple(flag for flag in FIRST if not flag.startswith("--space"))
SMALL += (f"--plugin={PLUGIN}", "--space=small")  # without "none", as sigmoid needs
PROGRAMS = {
    "softmax": FIRST,
    "second order": ("search", *IMAGES),
    "gumbel": (*FIRST, "--relaxation=gumbel"),
    "dirichlet": (*FIRST, "--relaxation=dirichlet"),
    "sigmoid": (*SMALL, "--relaxation=sigmoid"),
    "Lambda-DARTS": ("search", *IMAGES, "--strategy=lambda_darts"),
    "joint, alternating": ("search", *IMAGES, "--optimization=joint_alternating"),
    "joint, simultaneous": ("search", *IMAGES, "--optimization=joint_simultaneous"),
    "mixed_bfloat16": (*FIRST, "--precision=mixed_bfloat16"),
    "mixed_float16": (*FIRST, "--precision=mixed_float16"),
    "weight sharing": ("search", *IMAGES, *SHARING),
    TRAINS: ("search", *IMAGES, *EVOLUTION),
    "training": ("evaluate", *IMAGES, f"--genotype={kills.CELL}"),
}
TEXTS = {
    "search of text": ("search", "--method=first_order", "--momentum=0"),
    "training of text": ("evaluate", "--genotype=DARTS_V2", "--clip_norm=0"),
}
LINE = re.compile(
    r"error: .* (is (nan|-?inf) at|is not finite after) step (\d+): the run diverged; "
    r"(the last good checkpoint is (.*)/checkpoints/step-(\d+)\.npz|there is no "
    r"checkpoint yet); a lower learning rate .*"
)


def commands(folder: pathlib.Path) -> dict[str, tuple[str, ...]]:
    """Returns the command of each program that diverges, by its name."""
    text = tuple(flag for flag in kills.TEXT if not flag.startswith("--learning"))
    text += (f"--data_dir={kills.text_folder(folder)}", *EACH)
    return PROGRAMS | {n: (c[0], *text, *c[1:]) for n, c in TEXTS.items()}


def tries(
    folder: pathlib.Path, choose: random.Random, names: tuple[str, ...] = ()
) -> Iterator[Callable[[], str]]:
    """Yields parts that let one program diverge each; they raise as kills' do."""
    del choose
    every = commands(folder)
    while True:
        for name in names or every:
            yield functools.partial(_diverge, name, every[name], folder)


def _diverge(name: str, command: tuple[str, ...], folder: pathlib.Path) -> str:
    place = kills.begun(name, folder)
    lines = [_line(name, command, folder, place, 1) for _ in range(2)]
    if lines[0] != lines[1]:
        raise kills.Reason(f"{name}: {lines[0]}; again: {lines[1]}")
    if name == TRAINS:
        if "the trainings of all 3 evaluations diverged" not in lines[0]:
            raise kills.Reason(f"{name}: {lines[0]}")
    else:
        _check(name, lines[0], place)
    lower = tuple(flag for flag in command if flag != RATE) + ("--learning_rate=0.01",)
    refusal = _line(name, lower, folder, place, 2)
    if "--learning_rate" not in refusal or "other settings" not in refusal:
        raise kills.Reason(f"{name}: {refusal}")
    return f"{name}: {lines[0]}"


def _check(name: str, line: str, place: pathlib.Path) -> None:
    """Raises kills.Reason unless the line names the step and the checkpoint."""
    match = LINE.fullmatch(line)
    if not match:
        raise kills.Reason(f"{name}: {line}")
    good = int(match[6] or 0)
    if good != (checkpoints.latest_step(place / "checkpoints") or 0):
        raise kills.Reason(f"{name}: another checkpoint is the newest: {line}")
    if not good < int(match[3]) <= good + 1:
        raise kills.Reason(f"{name}: steps {match[3]} and {good}: {line}")


def _line(name, command, folder: pathlib.Path, place: pathlib.Path, code: int) -> str:
    """Returns the one line of an error that a program ends with."""
    output = folder / "output"
    flags = (*command, f"--workdir={place}")
    ended = forked.run(output, *flags, module="darts_tf.cli")
    text = output.read_text(errors="replace")
    if "Traceback" in text:
        raise RuntimeError(f"{name}: {text}")
    lines = [line for line in text.splitlines() if line.startswith("error: ")]
    if ended != code or len(lines) != 1 or (place / "result.json").exists():
        raise kills.Reason(f"{name}: code {ended}, {lines}: {text[-300:]}")
    return lines[0]
