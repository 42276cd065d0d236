"""Help of the programs: `--help` has the flags that matter, `--helpfull` all."""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from typing import Any

from darts_tf.config import Config, field_type

WIDTH = 80
COLUMN = 32
"""Characters of a flag and its default, before its text."""

WORKDIR = "workdir"
TEXTS = {
    "workdir": "folder of the run; the same command resumes",
    "dataset": "digits, folder, text_folder, or a TFDS name",
    "data_dir": "folder of the data",
    "image_size": "pixels of a side to which images are scaled",
    "space": "search space: darts_conv, darts_recurrent, ...",
    "strategy": "darts, lambda_darts, random, evolution, ...",
    "method": "first_order, finite_difference (eq. 8), exact",
    "channels": "channels of the first cell",
    "layers": "cells of the network",
    "width_multiplier": "mobile_chain: factor of all widths",
    "hidden_size": "language: elements of the state",
    "epochs": "passes over the training data",
    "batch_size": "examples of a step",
    "learning_rate": "learning rate of w in the first epoch",
    "alpha_learning_rate": "learning rate of alpha (Adam)",
    "genotype": "JSON file, or a published name: DARTS_V2, ...",
    "valid_fraction": "share of the training data held out (0 to 0.9)",
    "drop_path": "probability of drop path in the last epoch",
    "seed": "seed of everything random",
    "search_epochs": "passes of the search over its data",
    "search_examples": "training images of the search (0: all)",
    "flip": "mirrored images too; --noflip for letters",
    "compare_random_cells": "random cells trained likewise, to compare",
    "search_flags": "flagfile of the search",
    "short_flags": "flagfile of the trainings that choose a cell",
    "evaluate_flags": "flagfile of the full trainings",
    "search_seeds": "number of searches",
    "evaluate_seeds": "number of full trainings of the best cell",
    "snapshots": "epochs of a search whose cells are trained too",
    "cost_targets": "targets of the searches' cost, such as 40M,80M",
    "random_genotypes": "space of random cells, in the place of searches",
    "processes": "processes at a time on this machine",
    "gpus": "numbers of the GPUs that they share",
    "stage": "search, short, full, snapshots or report alone",
    "task": "with --stage: only this task, counted from 0",
    "name": "name of the architecture in tables",
    "random": "seed of a random genotype that is drawn",
    "epoch": "derive after this epoch (0: the last)",
    "out": "folder of what is written",
    "tune_epochs": "perturbation: passes between two decisions",
    "measured_batches": "perturbation: batches measured (0: all)",
    "plugin": "Python file of own operations and spaces",
    "format": "saved_model, litert (phones) or onnx",
    "quantize": "litert: weights of 16 or 8 bits, or all of 8 (int8)",
    "experiments": "folders of experiments, by commas",
    "published": "published numbers to put beside: cifar10, ptb, ...",
    "front": "objectives whose front is drawn: accuracy,multiply_adds",
}
"""What a flag is, in a few words with its unit."""

OTHERS = {
    "derive": {"method": "magnitude (largest weights) or perturbation"},
    "latency": {
        "image_size": "pixels of a side of the images",
        "batch_size": "images at a time",
        "out": "table that is written, for example latency.csv",
    },
}
"""The same where a program's flag of that name is another one."""

KEY_FLAGS = {
    "search": (
        *("dataset", "data_dir", "image_size", "space", "strategy", "method"),
        *("channels", "layers", "epochs", "batch_size", "alpha_learning_rate"),
    ),
    "evaluate": (
        *("genotype", "dataset", "data_dir", "image_size", "channels", "layers"),
        *("epochs", "batch_size", "learning_rate", "drop_path", "valid_fraction"),
    ),
    "pipeline": (
        *("dataset", "data_dir", "image_size", "flip", "search_epochs"),
        *("search_examples", "channels", "layers", "epochs", "batch_size"),
        "compare_random_cells",
    ),
    "derive": (
        *("genotype", "random", "epoch", "method", "space", "out", "seed"),
        *("tune_epochs", "measured_batches", "data_dir", "plugin"),
    ),
    "latency": (
        *("space", "image_size", "image_channels", "channels", "layers", "classes"),
        *("batch_size", "runtime", "threads", "max_noise", "out", "models"),
    ),
    "experiment": (
        *("search_flags", "random_genotypes", "short_flags", "evaluate_flags"),
        *("search_seeds", "evaluate_seeds", "snapshots", "data_dir", "processes"),
        *("stage", "task"),
    ),
}
"""The flags that matter beside --workdir; of the other programs all do."""

EXAMPLES = {
    "search": "--flagfile=configs/digits/search.flags --workdir=runs/digits/search",
    "evaluate": (
        "--flagfile=configs/digits/evaluate.flags --genotype=DARTS_V2 "
        "--workdir=runs/digits/published"
    ),
    "derive": "--workdir=runs/digits/search",
    "export": "--workdir=runs/digits/published",
    "latency": "--space=darts_conv --image_size=32 --out=latency.csv",
    "experiment": (
        "--flagfile=configs/digits/experiment.flags --workdir=runs/experiment"
    ),
    "compare": "--experiments=runs/a,runs/b --out=runs/compared",
    "pipeline": "--dataset=folder --data_dir=photos --workdir=runs/photos",
}


def short(program: str, kind: type[Config], doc: str, with_workdir: bool) -> str:
    """Returns what --help prints: the flags that matter, and an example."""
    fields = kind.__dataclass_fields__
    key = KEY_FLAGS[program] if program in KEY_FLAGS else tuple(fields)
    names = [WORKDIR] * with_workdir + [*key]
    lines = [_short_line(program, name, fields.get(name)) for name in names]
    rest = len(fields) - len(key)
    others = f"{rest} more, under headings: --helpfull" if rest else ""
    example = " \\\n    ".join(
        [f"python -m train.{program}", *EXAMPLES[program].split()]
    )
    return "\n".join(
        [
            doc,
            "",
            "Flags that matter, with their defaults:",
            *lines,
            "",
            *filter(None, [others]),
            "A file of flags, one a line: --flagfile=PATH. Flags after it override it.",
            f"Example:\n  {example}",
        ]
    )


def _short_line(program: str, name: str, field: dataclasses.Field | None) -> str:
    text = OTHERS.get(program, {}).get(name) or TEXTS.get(name)
    if text is None and field is not None:
        text = re.split(r"[.;:] ", field.metadata["help"])[0].rstrip(".")
    head = f"  --{name}" if field is None else f"  {_head(field)}"
    line = f"{head:<{COLUMN}}" if len(head) < COLUMN else f"{head} "
    return "\n".join(
        textwrap.wrap(f"{line}{text}", WIDTH, subsequent_indent=" " * COLUMN)
    )


def _head(field: dataclasses.Field) -> str:
    """Returns "--name=default", or --[no]name of a switch."""
    default: Any = field.default
    if isinstance(default, bool):
        return f"--[no]{field.name}"
    if default is None:
        return f"--{field.name}"
    if isinstance(default, tuple):
        default = ",".join(default)
    return f"--{field.name}={default}"


def full(program: str, kind: type[Config], doc: str, with_workdir: bool) -> str:
    """Returns what --helpfull prints: all flags, under headings."""
    lines = [doc]
    if with_workdir:
        lines += ["", "The folder", *_entry("--workdir", TEXTS[WORKDIR] + ".", "")]
    for group, names in _groups(kind):
        lines += ["", _heading(group)]
        for name in names:
            lines += _field_lines(kind, kind.__dataclass_fields__[name])
    return "\n".join(
        [
            *lines,
            "",
            "All programs",
            *_entry("--flagfile", "File of flags, one a line.", ""),
            *_entry("--only_check_args", "Check the flags and do nothing.", ""),
            "",
            f"The flags that matter: python -m train.{program} --help",
        ]
    )


def _groups(kind: type[Config]) -> list[tuple[type[Config], list[str]]]:
    """Returns (class, fields that it declares first) of a config, in its order."""
    groups, known = [], set()
    for group in reversed(kind.__mro__):
        own = group.__dict__.get("__annotations__", {})
        names = [n for n in own if n in kind.__dataclass_fields__ and n not in known]
        known |= {*names}
        if names:
            groups.append((group, names))
    return groups


def _heading(group: type[Config]) -> str:
    return (inspect.getdoc(group) or "").splitlines()[0].rstrip(".")


def _field_lines(kind: type[Config], field: dataclasses.Field) -> list[str]:
    usual: Any = field.default
    text = field.metadata["help"]
    wanted, _ = field_type(kind, field.name)
    if args := getattr(wanted, "__args__", ()):
        names = [str(arg) for arg in args if isinstance(arg, str)]
        text += f" One of {', '.join(names)}." if names else ""
    default = "" if usual in (None, "") or isinstance(usual, bool) else f"{usual}"
    if isinstance(usual, tuple):
        default = ",".join(usual)
    if isinstance(usual, bool):
        default = "on" if usual else "off"
    head = f"--[no]{field.name}" if isinstance(usual, bool) else f"--{field.name}"
    return _entry(head, text, default)


def _entry(head: str, text: str, default: str) -> list[str]:
    text = " ".join(text.split()) + (f" (default: {default})" if default else "")
    return [
        f"  {head}",
        textwrap.fill(
            text,
            WIDTH,
            initial_indent=" " * 6,
            subsequent_indent=" " * 6,
            break_long_words=False,
            break_on_hyphens=False,
        ),
    ]
