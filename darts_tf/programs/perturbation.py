"""train.derive --method=perturbation: from flags to a loop and its records."""

from __future__ import annotations

import json

from darts_tf.cli import derivation_flags, flag_values
from darts_tf.descent.variables import snapshot
from darts_tf.errors import InputError
from darts_tf.programs import (
    images,
    memory_report,
    nasbench201_oracle,
    records,
    setup,
    task_registry,
)
from darts_tf.programs.alpha_history import check_has_alpha
from darts_tf.programs.image_data import Batches
from darts_tf.run.files import write_atomic
from darts_tf.run.loop import checkpoints
from darts_tf.run.loop.driver import Summary, drive
from darts_tf.run.loop.progress import duration
from darts_tf.run.pictures import genotypes
from darts_tf.run.tensorboard import Reporter
from darts_tf.run.workdir import (
    Workdir,
    existing_workdir,
    open_workdir,
    read_flags,
)
from darts_tf.strategy.one_shot import perturbation_loop

FOLDER = "perturbation"


def derive(given) -> None:
    """Does all that is left of the derivation that the flags name."""
    search = existing_workdir(given.workdir)
    flags = search_flags(search, given)
    if given.seed is None:
        given.seed = flags.seed
    loop, search_step = build(search, flags, given)
    with open_out(search, flags, given) as workdir:
        start = records.resumed_step(workdir)
        with Reporter(workdir.tensorboard, start) as reporter:
            cost = drive(
                loop,
                workdir,
                report_every=given.report_every,
                checkpoint_every=given.checkpoint_every,
                reporter=reporter,
                on_epoch=Rounds(workdir, reporter).on_epoch,
            )
        finish(workdir, loop, cost, flags, given, search_step)


def search_flags(search: Workdir, given) -> setup.StoredFlags:
    """The search's flags, with the place of the data given here.

    Raises:
      InputError: it was no search of images.
    """
    stored = read_flags(search.path)
    check_has_alpha(stored, search.path)
    if "genotype" in stored:
        raise InputError(
            f"--workdir={search.path} is an evaluation; give the folder of a search"
        )
    if task_registry.kind_of(stored["space"]) is not images:
        raise InputError(
            f"--method=perturbation measures a supernet's accuracy on "
            f"images; --workdir={search.path} searched space "
            f"'{stored['space']}': derive it with --method=magnitude"
        )
    if stored.get("partial_channels", 1) > 1:
        raise InputError(
            f"--method=perturbation keeps operations of the supernet, and "
            f"that of --workdir={search.path} has --partial_channels="
            f"{stored['partial_channels']}, so none on all channels; derive "
            f"it with --method=magnitude"
        )
    nasbench201_oracle.check(given, stored["space"])
    stored["nasbench201_table"] = None  # the one given here is looked at
    if stored.get("distribute") == "multi_worker":
        stored["distribute"] = "auto"  # this process derives alone
    if given.data_dir:
        stored["data_dir"] = given.data_dir
    return setup.StoredFlags(stored)


def build(search: Workdir, flags, given):
    """(the loop on the search's newest checkpoint, that one's step).

    Raises:
      InputError: there is none, or it does not fit the search's flags.
    """
    found = checkpoints.load_latest(search.checkpoints)
    if found is None:
        raise InputError(
            f"--workdir={search.path} holds no checkpoint of a search yet; "
            f"run the search first"
        )
    step, arrays = found
    replicas = setup.prepare(flags, supernet=True)
    data = images.search_data(flags)
    memory_report.given_weights(flags, data, replicas)
    trained = images.search(flags, replicas, data)
    trained.restore({n: a for n, a in arrays.items() if not n.startswith("run/")})
    train = Batches(flags, data, 0, replicas)
    valid = Batches(flags, data, 1, replicas)
    settings = setup.settings(
        perturbation_loop.PerturbationSettings,
        flags,
        tune_epochs=given.tune_epochs,
        train_steps=data.parts[0].size // flags.batch_size,
        seed=given.seed,
    )
    loop = perturbation_loop.PerturbationLoop(
        trained.task.model,
        snapshot(trained.task.w)[0],
        trained.architecture.mixing_weights(),
        settings,
        train.augmented,
        valid.same(given.measured_batches),
        replicas,
    )
    return loop, step


def open_out(search: Workdir, flags, given) -> Workdir:
    """The derivation's own folder, refused where it is another run's."""
    values = flag_values.values(given) | {"space": flags.space}
    for name in derivation_flags.FOREIGN:
        del values[name]
    return open_workdir(
        given.out or search.path / FOLDER,
        values,
        flag_values.as_flagfile(values),
        ignored=flag_values.PLACE_FLAGS + flag_values.PACE_FLAGS + ("out",),
        defaults=flag_values.defaults(given),
    )


class Rounds:
    """Writes what a round leaves: the genotype so far, and its picture."""

    def __init__(self, workdir: Workdir, reporter: Reporter):
        self._workdir, self._reporter = workdir, reporter

    def on_epoch(self, number: int, loop, record) -> None:
        """Replaces what an earlier start left of this round."""
        genotype = loop.genotype()
        path = self._workdir.genotypes / f"epoch_{number:04d}.json"
        write_atomic(path, genotype.to_json())
        figure = genotypes.draw_genotype(genotype)
        self._reporter.image(loop.step, "cells", figure)
        told = json.dumps(record["decided"], indent=1)
        self._reporter.text(loop.step, "decided", f"```\n{told}\n```")


def finish(workdir, loop, cost: Summary, flags, given, search_step: int) -> None:
    """genotype.json, result.json, pictures and the last words."""
    genotype = loop.genotype()
    write_atomic(workdir.genotype, genotype.to_json())
    files = genotypes.save_genotype(genotype, workdir.path / "genotype")
    measured = {
        "skip_connections": {
            name: genotype.count(loop.space.identity, name) for name in genotype.cells
        },
        "decided": loop.selection.all_records(),
        "search_step": search_step,
    } | nasbench201_oracle.result(given, genotype)
    records.write_result(workdir, genotype, cost, given, measured)
    print(f"""
Derived by perturbation: {cost.steps} steps in {duration(cost.seconds)}.
  genotype      {workdir.genotype}
  its picture   {files[0]}
{records.indented(genotype)}
{nasbench201_oracle.told(given, genotype)}\
  by magnitude  genotype.json of the search stays as it is
  next          {records.evaluation_command(workdir, flags)}""")
