"""Derives a genotype by perturbation (train.derive --method=perturbation)."""

from __future__ import annotations

import dataclasses
import json
import os

from darts_tf.config import DerivationConfig, SearchConfig
from darts_tf.config_rules import MAGNITUDE_NAMES, applicable, is_text
from darts_tf.descent.variables import snapshot
from darts_tf.errors import InputError
from darts_tf.programs import (
    derived_costs,
    memory_report,
    nasbench201_oracle,
    plugins,
    records,
    setup,
)
from darts_tf.programs.alpha_history import check_has_alpha
from darts_tf.programs.image_data import Batches
from darts_tf.programs.images import ImageProgramTask
from darts_tf.programs.next_command import evaluation_command
from darts_tf.programs.own_data import require_same_data
from darts_tf.run import lock, settings_files
from darts_tf.run.files import write_atomic
from darts_tf.run.loop import checkpoints
from darts_tf.run.loop.driver import Summary, drive
from darts_tf.run.loop.progress import duration
from darts_tf.run.pictures import genotypes
from darts_tf.run.tensorboard import PICTURES, Reporter
from darts_tf.run.workdir import (
    Workdir,
    existing_workdir,
    open_workdir,
    read_settings,
)
from darts_tf.strategy.one_shot import perturbation_loop

FOLDER = "perturbation"


def derive(config: DerivationConfig, path: str | os.PathLike) -> str:
    """Derives the search in `path`, or goes on with its derivation.

    Returns the summary.

    Raises:
      InputError: it was no search of images, or has no checkpoint.
    """
    search = existing_workdir(path)
    stored = search_config(search, config)
    plugins.load_stored(stored.plugin)
    for name in ("seed", "plugin"):
        if getattr(config, name) is None:
            config = config.replace(**{name: getattr(stored, name)})
    lock.check_free(_out(search, config))
    with setup.restored_options():
        loop, search_step = build(search, stored, config)
        values = derivation_values(config, stored.space)
        with open_out(search, config, values) as workdir:
            start = records.resumed_step(workdir)
            with records.open_reporter(workdir, config, start) as reporter:
                cost = drive(
                    loop,
                    workdir,
                    report_every=config.report_every,
                    checkpoint_every=config.checkpoint_every,
                    reporter=reporter,
                    on_epoch=Rounds(workdir, reporter).on_epoch,
                )
            done = (loop, cost, stored, config, values, search_step)
            return finish(search, workdir, *done)


def search_config(search: Workdir, config: DerivationConfig) -> SearchConfig:
    """Returns the search's settings, with the place of the data given here.

    Raises:
      InputError: it was no search of images.
    """
    values = read_settings(search.path)
    stored = SearchConfig.from_stored(values)
    check_has_alpha(stored, search.path)
    if "genotype" in values:
        raise InputError(
            f"`workdir={search.path}` is an evaluation; give the folder of a search"
        )
    if stored.stages:
        raise InputError(
            f"`method=perturbation` is not built for searches in stages, and `workdir="
            f"{search.path}` is one; derive it with `method=magnitude`"
        )
    if is_text(stored.space):
        raise InputError(
            "`method=perturbation` measures a supernet's accuracy on images; "
            f"`workdir={search.path}` searched space '{stored.space}': derive it "
            "with `method=magnitude`"
        )
    if stored.partial_channels > 1:
        raise InputError(
            "`method=perturbation` keeps operations of the supernet, and that of "
            f"`workdir={search.path}` has "
            f"`partial_channels={stored.partial_channels}`, so none on all channels; "
            "derive it with `method=magnitude`"
        )
    if stored.relaxation == "gumbel":
        raise InputError(
            "`method=perturbation` leaves out one operation of a mixture, and the "
            f"supernet of `workdir={search.path}` computes one operation an edge "
            "(`relaxation=gumbel`); derive it with `method=magnitude`"
        )
    nasbench201_oracle.check(config, stored.space)
    changes: dict = {"nasbench201_table": None}  # the one given here is looked at
    if stored.distribute == "multi_worker":
        changes["distribute"] = "auto"  # this process derives alone
    if config.data_dir:
        changes["data_dir"] = config.data_dir
    return stored.replace(**changes)


def build(search: Workdir, stored: SearchConfig, config: DerivationConfig):
    """Returns (the loop on the search's newest checkpoint, that one's step).

    Raises:
      InputError: there is none, or it does not fit the search's settings.
    """
    owner = f"`workdir={search.path}`"
    step, arrays = checkpoints.require_latest(search.checkpoints, owner)
    task = ImageProgramTask()
    replicas = setup.prepare(stored, stored.space, supernet=True)
    data = task.search_data(stored)
    require_same_data(read_settings(search.path), data, search.path)
    trained = task.search(stored, replicas, data)
    memory_report.report(trained.task.model, "weights", stored, data, replicas)
    trained.restore({n: a for n, a in arrays.items() if not n.startswith("run/")})
    settings = perturbation_loop.PerturbationSettings(
        tune_epochs=config.tune_epochs,
        train_steps=data.parts[0].size // stored.batch_size,
        batch_size=stored.batch_size,
        learning_rate=stored.learning_rate,
        learning_rate_min=stored.learning_rate_min,
        momentum=stored.momentum,
        weight_decay=stored.weight_decay,
        clip_norm=stored.clip_norm,
        micro_batches=stored.micro_batches,
        precision=stored.precision,
        seed=stored.seed if config.seed is None else config.seed,
    )
    loop = perturbation_loop.PerturbationLoop(
        trained.task.model,
        snapshot(trained.task.w),
        trained.architecture.mixing_weights(),
        settings,
        Batches(stored, data, 0, replicas).augmented,
        Batches(stored, data, 1, replicas).same(config.measured_batches),
        replicas,
    )
    return loop, step


def derivation_values(config: DerivationConfig, space: str) -> dict[str, object]:
    """Returns the values that define a derivation of a search in this space."""
    values = applicable(config) | {"space": space}
    return {n: value for n, value in values.items() if n not in MAGNITUDE_NAMES}


def _out(search: Workdir, config: DerivationConfig) -> str | os.PathLike:
    """Returns the derivation's own folder."""
    return config.out or search.path / FOLDER


def open_out(
    search: Workdir, config: DerivationConfig, values: dict[str, object]
) -> Workdir:
    """Opens the derivation's own folder; refuses one of another run."""
    return open_workdir(
        _out(search, config),
        values,
        settings_files.as_flagfile(values | {"workdir": str(search.path)}),
        program="derive",
        ignored=("workdir", *settings_files.free_names(type(config), "place", "pace")),
        defaults={f.name: f.default for f in dataclasses.fields(config)},
    )


class Rounds:
    """Writes the genotype so far, and its picture, at the end of a round."""

    def __init__(self, workdir: Workdir, reporter: Reporter):
        self._workdir, self._reporter = workdir, reporter

    def on_epoch(self, number: int, loop, record) -> None:
        """Writes the round's files over those that an earlier start left."""
        genotype = loop.genotype()
        path = self._workdir.genotypes / f"epoch_{number:04d}.json"
        write_atomic(path, genotype.to_json())
        figure = genotypes.draw_genotype(genotype)
        self._reporter.image(loop.step, f"{PICTURES}/cells", figure)
        decided = json.dumps(record["decided"], indent=1)
        self._reporter.text(loop.step, "decided", f"```\n{decided}\n```")


def finish(
    search: Workdir,
    workdir: Workdir,
    loop,
    cost: Summary,
    stored: SearchConfig,
    config: DerivationConfig,
    values: dict[str, object],
    search_step: int,
) -> str:
    """Writes genotype.json, result.json and pictures; returns the summary."""
    genotype = loop.genotype()
    picture = records.write_genotype(workdir, genotype)
    skips = {n: genotype.count(loop.space.identity, n) for n in genotype.cells}
    measured = {
        "skip_connections": skips,
        "decided": loop.selection.all_records(),
        "search_step": search_step,
    } | nasbench201_oracle.result(config, genotype)
    records.write_result(workdir, genotype, cost, config, values, measured)
    return f"""
Derived by perturbation: {cost.steps} steps in {duration(cost.seconds)}.
  genotype      {workdir.genotype}
  its picture   {picture}
{records.indented(genotype)}
{derived_costs.summary(search.path, stored, genotype)}\
{nasbench201_oracle.summary_line(config, genotype)}\
  by magnitude  genotype.json of the search stays as it is
  next          {evaluation_command(workdir, stored)}"""
