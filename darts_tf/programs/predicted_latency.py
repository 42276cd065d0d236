"""Looks up the latency that a search's table predicts for an evaluated network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from absl import logging

from darts_tf.config import SearchConfig
from darts_tf.config_rules import cost_targets
from darts_tf.errors import InputError
from darts_tf.networks.footprint.latency_table import read_latency_table
from darts_tf.programs.export_request import ExportRequest
from darts_tf.programs.search_costs import LATENCY_FILE
from darts_tf.run.files import write_json_atomic
from darts_tf.run.workdir import read_settings
from darts_tf.space.registry import space_by_name


def prediction(request: ExportRequest, network) -> dict | None:
    """Returns the predicted latency of an evaluated network, for JSON.

    The genotype must be a file of a search by latency, whose folder has the table;
    the target is that of --cost_target, or --max_latency. What keeps the prediction
    from being made is a warning.

    Args:
      request: of the export.
      network: the built network, for its parts.

    Returns:
      {"predicted": milliseconds, "target": milliseconds or None, and how the
      table was measured}; None where there is no such search.
    """
    folder = _search_of(request)
    if folder is None:
        return None
    space = request.trained.space
    try:
        table = read_latency_table(folder / LATENCY_FILE, space)
        costs = table.costs(space_by_name(space), network.parts())
        search = SearchConfig.from_stored(read_settings(folder))
        targets = dict(zip(search.cost, cost_targets(search) or ()))
    except InputError as error:
        logging.warning("no latency is predicted: %s", error)
        return None
    return {
        "predicted": costs.of(request.genotype),
        "target": targets.get("latency") or search.max_latency or None,
        "table": dict(table.origin),
    }


def _search_of(request: ExportRequest) -> Path | None:
    """Returns the folder of the search that the genotype's file is of, with a table."""
    if not request.trained.genotype:
        return None
    path = Path(request.trained.genotype).expanduser()
    folders = path.parent, path.parent.parent  # genotypes/epoch_0003.json
    return next((f for f in folders if (f / LATENCY_FILE).is_file()), None)


def write(request: ExportRequest, latency: Mapping[str, object]) -> None:
    """Adds the latency of an export to the evaluation's result.json, by its folder."""
    result = request.workdir.read_result()
    others = result.get("latency", {})
    result["latency"] = others | {request.folder.name: latency}
    write_json_atomic(request.workdir.result, result)


def summary(latency: Mapping) -> list[tuple[str, str]]:
    """Returns measured, predicted and wanted latency as (name, text) lines."""
    measured, predicted = latency["measured"], latency["predicted"]
    target, table = latency["target"], latency["table"]
    how = ", ".join(
        f"{name.replace('_', ' ')} {table[name]}"
        for name in ("runtime", "device", "threads", "batch_size")
        if table.get(name)
    )
    text = (
        f"{measured:.3f} ms measured, {predicted:.3f} ms predicted "
        f"({predicted / measured - 1:+.0%})"
    )
    if target is not None:
        verdict = "within" if measured <= target else "ABOVE"
        text += f"; {verdict} the target of {target:g} ms"
    return [("latency", text), ("table of", how or "an unknown device")]
