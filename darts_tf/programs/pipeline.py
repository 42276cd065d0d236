"""Runs search, derivation, evaluation and export, each in its own process.

The embedded sets have flagfiles. For all others sizes are chosen from the data and
the machine at the first start (pipeline_choices.py), and kept in config.json.
"""

from __future__ import annotations

import dataclasses
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from darts_tf.config import ChosenConfig, PipelineConfig
from darts_tf.config_rules import check_space_name, declared
from darts_tf.errors import InputError
from darts_tf.programs import compare, pipeline_choices, pipeline_verdict
from darts_tf.programs.commands import command, flagfile, quoted
from darts_tf.programs.data_facts import image_facts, text_facts, this_machine
from darts_tf.programs.expected_time import expected_lines
from darts_tf.programs.next_command import EMBEDDED
from darts_tf.protocol.command_line import read_flagfile
from darts_tf.reading import existing_folder, expanded
from darts_tf.run import settings_files
from darts_tf.run.files import write_atomic
from darts_tf.run.loop.progress import duration
from darts_tf.run.process import children
from darts_tf.run.workdir import Workdir, open_workdir
from darts_tf.space import conv, recurrent
from darts_tf.space.published import PUBLISHED as PUBLISHED_CELLS
from darts_tf.space.registry import is_chain, space_by_name
from darts_tf.strategy.black_box.random_choice import random_genotype

TEXTS = ("python_topics", "text_folder")
OWN = {"folder": "images", "text_folder": "train.txt, valid.txt and test.txt"}
"""What is in the folder of the user's own data."""

PUBLISHED = "DARTS_V2"
"""The cell to compare with; of a chain the first published one of its space."""

CHOSEN = declared(ChosenConfig)
BOTH = ("image_size", "crop_padding", "bptt", "learning_rate", "width_multiplier")
SEARCH_NAMES = {
    **{name: name for name in (*BOTH, "recipe", "method", "alpha_learning_rate")},
    "search_examples": "examples",
    "search_channels": "channels",
    "search_layers": "layers",
    "search_hidden_size": "hidden_size",
    "search_batch_size": "batch_size",
    "search_epochs": "epochs",
}
TRAINING_NAMES = {
    name: name
    for name in (
        *BOTH,
        *("valid_fraction", "channels", "layers", "hidden_size"),
        *("batch_size", "epochs"),
    )
}
"""Flags of a stage, by the names of the pipeline's settings."""


@dataclasses.dataclass(frozen=True)
class Stage:
    """One program of the pipeline.

    Attributes:
      program: its name.
      folder: of its run.
      arguments: flags.
    """

    program: str
    folder: Path
    arguments: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Plan:
    """The settings and steps of a pipeline.

    Attributes:
      config: with all that was chosen.
      root: folder of the pipeline.
      flagfiles: of the search and of the trainings.
      choices: lines about what was chosen; empty where the flagfiles say all.
    """

    config: PipelineConfig
    root: Path
    flagfiles: tuple[str, str]
    choices: list[str]

    @property
    def text(self) -> bool:
        """Returns True for a language model."""
        return self.config.dataset in TEXTS


def run(config: PipelineConfig, workdir: str | Path) -> int:
    """Runs the stages; the first that fails or stops ends it.

    Returns the exit code.

    Raises:
      InputError: data, settings or the folder cannot be used.
    """
    started = time.monotonic()
    plan = _plan(config, expanded(workdir))
    values = dataclasses.asdict(plan.config)
    free = settings_files.free_names(PipelineConfig, "place", "budget")
    with open_workdir(
        plan.root,
        values | {"choices": plan.choices},
        settings_files.as_flagfile(values | {"workdir": str(workdir)}),
        program="pipeline",
        ignored=("workdir", "choices", *free),
        folders=(),
        defaults={f.name: f.default for f in dataclasses.fields(PipelineConfig)},
    ):
        for line in plan.choices:
            print(line)
        code = _run_stages([*_stages(plan)])
    if code is None:
        print(_summary(plan, time.monotonic() - started))
    return code or 0


def _run_stages(stages: list[Stage]) -> int | None:
    """Returns None once all have finished, else the code of the first that has not."""
    with children.Parent() as parent:
        for number, stage in enumerate(stages, 1):
            shown = f"train.{stage.program} {shlex.join(stage.arguments)}"
            print(f"\n[{number}/{len(stages)}] {shown}", flush=True)
            words = ("-m", "darts_tf.cli", stage.program, *stage.arguments)
            child = children.Child(stage.program, words, stage.folder / "result.json")
            ended = parent.run(child)
            if not ended.finished:
                return parent.code(ended)
    return None


def _plan(config: PipelineConfig, root: Path) -> _Plan:
    """Reads the choices of an earlier start, or makes them.

    Raises:
      InputError: data, settings or the folder cannot be used.
    """
    _refuse_other_task(config)
    _require_folder(config)
    by_flagfile = config.search_flags or config.evaluate_flags
    _refuse_space(config)
    embedded = "" if config.space else EMBEDDED.get(config.dataset, "")
    files = tuple(
        given
        or (embedded or by_flagfile)
        and flagfile(f"{embedded or 'digits'}/{name}")
        for given, name in (
            (config.search_flags, "search.flags"),
            (config.evaluate_flags, "evaluate.flags"),
        )
    )
    if by_flagfile or all(files):
        return _Plan(config, root, _existing(files), [])
    kind = "text" if config.dataset in TEXTS else "images"
    kind = "chain" if config.space else kind
    bases = [flagfile(f"pipeline/{kind}_{n}.flags") for n in ("search", "evaluate")]
    config, lines = _chosen(config, root)
    return _Plan(config, root, _existing(bases), lines)


def _existing(paths) -> tuple[str, str]:
    """Returns two flagfiles' paths, after checking them."""
    for path in paths:
        if path is None or not Path(path).is_file():
            raise InputError(f"{path or 'the default flagfile'}: no such flagfile")
    search, evaluate = paths
    return search, evaluate


def _refuse_other_task(config: PipelineConfig) -> None:
    """Refuses settings of images for a text, and the other way round."""
    if config.search_flags or config.evaluate_flags:
        return
    other = "images" if config.dataset in TEXTS else "text"
    for field in dataclasses.fields(config):
        if field.name in config.given and field.metadata["task"] == other:
            raise InputError(
                f"`{field.name}` means nothing with `dataset={config.dataset}`; leave "
                "it out"
            )


def _refuse_space(config: PipelineConfig) -> None:
    """Refuses a space that sizes are not chosen for, or that the flagfiles say."""
    if config.space is None:
        return
    check_space_name("space", config.space)
    if not is_chain(config.space) or config.dataset in TEXTS:
        raise InputError(
            f"`space={config.space}` with `dataset={config.dataset}`: sizes are chosen "
            "for chains on images only, such as `space=mobile_chain`; give another "
            "space in `search_flags` and `evaluate_flags`"
        )
    if config.search_flags or config.evaluate_flags:
        raise InputError(
            f"`space={config.space}` is what `search_flags` and `evaluate_flags` say; "
            "leave one of both out"
        )


def _require_folder(config: PipelineConfig) -> None:
    """Refuses one's own data without their folder, before anything is loaded."""
    if config.dataset not in OWN:
        return
    if config.data_dir is None:
        raise InputError(
            f"`dataset={config.dataset}` needs `data_dir`, the folder of your "
            f"{OWN[config.dataset]}"
        )
    existing_folder(config.data_dir, "data_dir")


def _chosen(config: PipelineConfig, root: Path) -> tuple[PipelineConfig, list[str]]:
    """Returns (config with all that was chosen, lines for people)."""
    if settings_files.exists(root):
        stored = settings_files.read(root)
        values = {n: stored[n] for n in CHOSEN if n in stored and n not in config.given}
        lines = [str(line) for line in stored.get("choices", [])]
        return config.filled(**values), lines
    print(f"looking at {config.data_dir or config.dataset} ...", flush=True)
    if config.dataset in TEXTS:
        facts = text_facts(config.dataset, config.data_dir)
    else:
        facts = image_facts(config.dataset, config.data_dir, config.download)
    machine = this_machine()
    given = {n: v for n in CHOSEN if (v := getattr(config, n)) is not None}
    choices = pipeline_choices.choose(facts, machine, given, config.space is not None)
    config = config.filled(**{choice.name: choice.value for choice in choices})
    lines = [*facts.lines(), f"chosen for it and this machine ({machine}):"]
    lines += [f"  {choice}" for choice in choices]
    return config, [*lines, *expected_lines(facts, machine, config)]


def _stages(plan: _Plan) -> Iterator[Stage]:
    """Yields the stages in their order; genotypes of comparisons are written."""
    config, root = plan.config, plan.root
    search, evaluation = root / "search", root / "evaluate"
    plugin = (f"--plugin={config.plugin}",) if config.plugin else ()
    flags = (
        f"--flagfile={plan.flagfiles[0]}",
        *_flags(plan, SEARCH_NAMES),
        *(f"--seed={config.seed}", *plugin, f"--workdir={search}"),
    )
    yield Stage("search", search, flags)
    yield Stage("derive", search, (f"--workdir={search}", *plugin))
    found = search / "genotype.json"
    yield _training(plan, str(found), evaluation, plugin)
    yield Stage("export", evaluation, (f"--workdir={evaluation}", *plugin))
    for name in _compared(plan):
        folder = _compared_folder(root, name)
        yield _training(plan, _genotype_of(plan, name), folder, plugin)


def _training(plan: _Plan, genotype: str, folder: Path, plugin) -> Stage:
    flags = (
        f"--flagfile={plan.flagfiles[1]}",
        *_flags(plan, TRAINING_NAMES),
        *(f"--genotype={genotype}", "--test"),
        *(f"--seed={plan.config.seed}", *plugin, f"--workdir={folder}"),
    )
    return Stage("evaluate", folder, flags)


def _flags(plan: _Plan, names: dict[str, str]) -> Iterator[str]:
    """Yields the flags of data and of all that is chosen or was given."""
    config = plan.config
    named = plan.choices or "dataset" in config.given
    by_flagfile = not named and (config.search_flags or config.evaluate_flags)
    if named:
        yield f"--dataset={config.dataset}"
    if config.data_dir:
        yield f"--data_dir={config.data_dir}"
    if config.download:
        yield "--download"
    if not config.flip or (config.dataset == "digits" and not by_flagfile):
        yield "--noflip"
    if config.space:
        yield f"--space={config.space}"
    for name, flag in names.items():
        if (value := getattr(config, name)) is not None:
            yield f"--{flag}={value}"


def _compared(plan: _Plan) -> list[str]:
    """Returns the names of the cells that are trained for comparison."""
    name = _published(plan)
    names = [name] if name is not None and plan.config.compare_published else []
    return names + [f"random_{n}" for n in range(plan.config.compare_random_cells)]


def _published(plan: _Plan) -> str | None:
    """Returns the name of the published genotype to compare with, if there is one."""
    known = PUBLISHED_CELLS.get(_space(plan), {})
    if is_chain(_space(plan)):
        return next(iter(known), None)
    return PUBLISHED if PUBLISHED in known else None


def _genotype_of(plan: _Plan, name: str) -> str:
    """Returns the published name, or the file that a random genotype is written to."""
    if name == _published(plan):
        return name
    seed = [plan.config.seed, int(name.removeprefix("random_"))]
    genotype = random_genotype(space_by_name(_space(plan)), seed)
    path = _compared_folder(plan.root, f"{name}.json")
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, genotype.to_json())
    return str(path)


def _space(plan: _Plan) -> str:
    """Returns the name of the space that the search's flagfile names, or the usual."""
    if plan.config.space is not None:
        return plan.config.space
    usual = recurrent.SPACE.name if plan.text else conv.SPACE.name
    return read_flagfile("search_flags", plan.flagfiles[0]).get("space", usual)


def _compared_folder(root: Path, name: str) -> Path:
    return root / "compare" / name


def _summary(plan: _Plan, seconds: float) -> str:
    """Writes report.html; returns the results, and what to type next."""
    root = plan.root
    search, evaluation = root / "search", root / "evaluate"

    def result(folder: Path) -> dict:
        return Workdir(folder).read_result()

    compared = {n: result(_compared_folder(root, n)) for n in _compared(plan)}
    folders = [_compared_folder(root, name) for name in compared]
    page = root / "report.html"
    compare.write_page([search, evaluation, *folders], page)
    name = _published(plan) or PUBLISHED
    published, found = compared.pop(name, None), result(evaluation)
    random = [*compared.values()]
    outcomes = pipeline_verdict.Outcomes(found, published, random, name)
    rows = [
        ("genotype", search / "genotype.json"),
        ("its picture", search / "genotype.png"),
        *pipeline_verdict.lines(outcomes),
        ("parameters", f"{found['parameters']:,}"),
        *(("it writes", line) for line in found.get("sample", [])),
        ("SavedModel", evaluation / "export"),
        ("report", page),
        ("watch", _watch(root)),
        ("next", _next_command(plan)),
    ]
    lines = (f"  {name:<14} {text}" for name, text in rows)
    return "\n".join([f"\nDone in {duration(seconds)}.", *lines])


def _watch(root: Path) -> str:
    return f"{quoted(sys.executable)} -m tensorboard.main --logdir={quoted(root)}"


def _next_command(plan: _Plan) -> str:
    """Returns a command that works as it is printed, from the present folder.

    The same pipeline goes on with random cells to compare with; where it has them
    already, the page of its TensorBoard is next.
    """
    config = plan.config
    if config.compare_random_cells:
        return _watch(plan.root)
    words = [command("pipeline").replace("python", quoted(sys.executable), 1)]
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name in config.given and value != field.default:
            shown = f"--{field.name}={quoted(value)}"
            shown = shown if not isinstance(value, bool) else f"--{field.name}"
            words.append(shown if value is not False else f"--no{field.name}")
    words += [f"--workdir={quoted(plan.root)}", "--compare_random_cells=5"]
    return " ".join(words)
