"""Derives the cells of a search's alpha and draws them; needs no TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path

from darts_tf.config import DerivationConfig, SearchConfig
from darts_tf.config_rules import settle
from darts_tf.programs import (
    alpha_history,
    derived_costs,
    nasbench201_oracle,
    plugins,
)
from darts_tf.programs.alpha_history import AlphaHistory, check_has_alpha
from darts_tf.reading import expanded
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures import genotypes
from darts_tf.run.workdir import Workdir, existing_workdir, made, read_settings
from darts_tf.space.genotype import Genotype
from darts_tf.space.published import load_genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.black_box.random_choice import random_genotype


def run(config: DerivationConfig, workdir: str | os.PathLike) -> str:
    """Writes genotype.json and its picture, and the curves of alpha.

    Args:
      config: the settings.
      workdir: folder of a search; with `genotype` or `random`, of the files.

    Returns:
      a summary.

    Raises:
      InputError: the settings or the folder cannot be used.
    """
    plugins.load(config.plugin)
    config = settle(config)
    if config.method == "perturbation":
        # Only this needs TensorFlow, which takes seconds to import.
        from darts_tf.programs import perturbation

        return perturbation.derive(config, workdir)
    folder = expanded(workdir)
    if config.genotype is not None or config.random is not None:
        nasbench201_oracle.check(config, config.space)
        genotype = _named(config)
        costs = _cost_lines(config, None, folder, genotype)
        made(folder)
    else:
        search, history, epoch = alpha_of(config, folder)
        genotype, strongest, likely = after_epoch(search, history, epoch, folder)
        if not config.epoch:
            alpha_history.write_likely(Workdir(folder).likely, likely)
        costs = _cost_lines(config, search, folder, genotype, strongest)
        weights = history.mixing_weights()
        curves = genotypes.draw_alpha_history(history.space, weights, genotype)
        write_atomic(folder / "alpha.png", genotypes.figure_to_png(curves))
    name = f"genotype_{config.epoch:04d}" if config.epoch else "genotype"
    if not config.epoch:
        write_atomic(folder / "genotype.json", genotype.to_json())
    files = "\n".join(map(str, genotypes.save_genotype(genotype, folder / name)))
    line = nasbench201_oracle.summary_line(config, genotype)
    return f"{genotype.to_json()}{files}\n{costs}{line}".rstrip("\n")


def _cost_lines(
    config: DerivationConfig,
    search: SearchConfig | None,
    folder: Path,
    genotype: Genotype,
    strongest: Genotype | None = None,
) -> str:
    """Returns lines with what the genotype costs, as far as tables say it.

    Args:
      config: the settings.
      search: those of the search; None: the genotype is of none.
      folder: of the search.
      genotype: that is derived.
      strongest: of the strongest operations; None: of a genotype without a search.
    """
    text = ""
    if search is not None and strongest is not None:
        text = derived_costs.summary(folder, search, genotype, strongest)
    if config.latency_table is None:
        return text
    # Only this needs TensorFlow: the network is built, for its parts.
    from darts_tf.programs import predicted_latency

    return text + predicted_latency.line(config, search, genotype)


def after_epoch(
    search: SearchConfig, history: AlphaHistory, epoch: int, folder: Path
) -> tuple[Genotype, Genotype, list[Genotype]]:
    """Returns the genotypes of a search after an epoch.

    Args:
      search: its settings.
      history: of its alpha.
      epoch: from 1; 0: the last.
      folder: of the search, with the tables of its costs.

    Returns:
      (the derived genotype, that of the strongest operations, the most likely ones);
      the first two differ where the strongest operations do not meet the cost targets.
    """
    tables = derived_costs.read(folder, history.space)
    targets = derived_costs.targets_of(tables, search)
    likely = alpha_history.most_likely(history.space, history.after(epoch), targets)
    strongest = history.genotype(epoch)
    derived = alpha_history.derived_genotype(strongest, likely, targets)
    return derived, strongest, likely


def alpha_of(
    config: DerivationConfig, path: str | os.PathLike
) -> tuple[SearchConfig, AlphaHistory, int]:
    """Returns (search's settings, history of its alpha, epoch to derive from)."""
    workdir = existing_workdir(path)
    search = SearchConfig.from_stored(read_settings(workdir.path))
    check_has_alpha(search, workdir.path)
    plugins.load_stored(search.plugin)
    space = space_by_name(search.space)
    nasbench201_oracle.check(config, space.name)
    history = AlphaHistory(workdir.alpha, space)
    return search, history, config.epoch or _returned_epoch(workdir)


def _named(config: DerivationConfig) -> Genotype:
    if config.genotype is not None:
        return load_genotype(config.genotype, config.space)
    assert config.random is not None  # a rule: one of three is given
    return random_genotype(space_by_name(config.space), config.random)


def _returned_epoch(workdir: Workdir) -> int:
    """Returns the epoch that early stopping went back to; else 0."""
    if not workdir.result.exists():
        return 0
    stop = workdir.read_result().get("early_stop")
    taken = stop.get("taken", 0) if isinstance(stop, dict) else 0
    return taken if isinstance(taken, int) else 0
