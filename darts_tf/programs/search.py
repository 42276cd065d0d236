"""Searches for cells, by any strategy."""

from __future__ import annotations

from pathlib import Path

from darts_tf.config import SearchConfig
from darts_tf.config_rules import RELAXED, SHARING, recipe_values, settle
from darts_tf.programs import (
    black_box_search,
    data_report,
    expected_time,
    memory_report,
    nasbench201_oracle,
    plugins,
    records,
    search_costs,
    setup,
    weight_sharing,
)
from darts_tf.programs.own_data import source_of
from darts_tf.programs.task_choice import task_of
from darts_tf.reading import expanded
from darts_tf.run import settings_files
from darts_tf.run.loop.driver import drive


def run(config: SearchConfig, workdir: str | Path, data=None) -> str:
    """Searches, or goes on with the search in `workdir`; returns a summary.

    Args:
      config: the settings.
      workdir: folder of the search; made where it is missing.
      data: ImageData or TextData; loaded by `config.dataset` where None.

    Raises:
      InputError: settings, data or the folder cannot be used.
      DivergedError: a loss is no longer finite.
      SystemExit: 0 or 130 after SIGTERM or Ctrl-C, everything saved.
    """
    plugins.load(config.plugin)
    config = settings_files.as_started(settle(config), expanded(workdir))
    with setup.restored_options():
        if config.strategy in RELAXED:
            return _descend(config, workdir, data)
        if config.strategy == SHARING:
            return weight_sharing.search(config, workdir, data)
        return black_box_search.search(config, workdir, data)


def recipe_line(config: SearchConfig) -> str:
    """Returns the line about what a settled config's recipe set."""
    names = recipe_values(config)
    flags = " ".join(f"--{name}={getattr(config, name)}" for name in names)
    return (
        f"recipe {config.recipe}: {flags or 'nothing, all was given'} "
        "(each may be given otherwise; docs/which_search.md)"
    )


def _descend(config: SearchConfig, path: str | Path, data) -> str:
    """Searches by gradient descent on alpha; returns the summary."""
    replicas = setup.prepare(config, config.space, supernet=True)
    setup.check_free(path, replicas, "search", config)
    nasbench201_oracle.check(config, config.space)
    task = task_of(config.space)
    divided = task.search_data(config, data)
    data = source_of(divided)
    values = setup.run_values(config, data)
    loop = task.search(config, replicas, divided)
    if replicas.chief and config.recipe != "none":
        print(recipe_line(config), flush=True)
    data_report.report(divided, config, replicas, setup.joint(config))
    memory_report.report(loop.task.model, config.method, config, divided, replicas)
    expected_time.report(config, loop, divided, replicas)
    with setup.open_run("search", config, path, replicas, data) as workdir:
        if replicas.chief:
            search_costs.keep(config, loop.cost_penalty, workdir)
        with records.reporting(workdir, config, values, replicas) as reporter:
            cost = drive(
                loop,
                workdir,
                report_every=config.report_every,
                checkpoint_every=config.checkpoint_every,
                reporter=reporter,
                on_epoch=records.SearchRecords(workdir, reporter).on_epoch,
                team=replicas,
            )
        if not replicas.chief:
            return ""
        return records.finish_search(
            workdir, loop, cost, config, values, replicas.count
        )
