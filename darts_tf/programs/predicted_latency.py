"""Looks up the latency that a search's table predicts for an evaluated network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from absl import logging

from darts_tf.config import DerivationConfig, SearchConfig
from darts_tf.config_rules import TABLE_SIZES, cost_targets, settle
from darts_tf.errors import InputError
from darts_tf.networks.footprint.latency_table import LatencyTable, read_latency_table
from darts_tf.programs import derived_costs
from darts_tf.programs.export_request import ExportRequest
from darts_tf.programs.search_costs import LATENCY_FILE, build_from, network_of
from darts_tf.reading import expanded
from darts_tf.run.files import write_json_atomic
from darts_tf.run.workdir import read_settings
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import is_chain, space_by_name


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


def line(
    config: DerivationConfig, search: SearchConfig | None, genotype: Genotype
) -> str:
    """Returns a line with the latency that config.latency_table predicts.

    The table itself has the size of the images and the number of classes.

    Args:
      config: settled settings.
      search: of which the genotype is; None: of none.
      genotype: any of the table's space.

    Raises:
      InputError: the table cannot be used, or lacks parts of the network.
    """
    space = genotype.space
    table = read_latency_table(config.latency_table or "", space)
    settings = network_of(search or settle(SearchConfig(space=space)))
    sizes = {n: getattr(config, n) for n in TABLE_SIZES}
    wrong = ("channels", "layers") if is_chain(space) else ("width_multiplier",)
    for name in wrong:
        if sizes.pop(name) is not None:
            raise InputError(
                f"`{name}` means nothing for `space={space}`; leave it out"
            )
    given = {name: value for name, value in sizes.items() if value is not None}
    network = build_from(settings.replace(**given), genotype, *_images_of(table))
    costs = table.costs(space_by_name(space), network.parts())
    how = table.origin.get("runtime"), table.origin.get("device")
    where = ", ".join(filter(None, how)) or "an unknown device"
    text = derived_costs.lines({"latency": {"derived": costs.of(genotype)}})
    return f"{text.rstrip()} by {table.name} ({where})\n"


def _images_of(table: LatencyTable) -> tuple[tuple[int, int, int], int]:
    """Returns ([H, W, C] of the images, number of classes) of a table."""
    stems = [part for part in table.milliseconds if part.operation == "stem"]
    heads = [part for part in table.milliseconds if part.operation == "head"]
    if not stems or len(heads) != 1:
        raise InputError(
            f"`latency_table={table.name}` needs rows of a stem and one of a head; it "
            f"has {len(stems)} and {len(heads)}"
        )
    return max(stems).input_shape, heads[0].output_channels


def _search_of(request: ExportRequest) -> Path | None:
    """Returns the folder of the search that the genotype's file is of, with a table."""
    if not request.trained.genotype:
        return None
    path = expanded(request.trained.genotype)
    folders = path.parent, path.parent.parent  # genotypes/epoch_0003.json
    return next((f for f in folders if (f / LATENCY_FILE).is_file()), None)


def write(request: ExportRequest, latency: Mapping[str, object]) -> None:
    """Adds the latency of an export to the evaluation's result.json, by its folder."""
    result = request.workdir.read_result()
    others = result.get("latency", {})
    result["latency"] = others | {request.folder.name: latency}
    write_json_atomic(request.workdir.result, result)


def summary(latency: Mapping, quantize: str) -> list[tuple[str, str]]:
    """Returns measured, predicted and wanted latency as (name, text) lines.

    Args:
      latency: what `prediction` returned, and "measured" in milliseconds.
      quantize: of the export.
    """
    measured, predicted = latency["measured"], latency["predicted"]
    target, table = latency["target"], latency["table"]
    how = ", ".join(
        f"{name.replace('_', ' ')} {table[name]}"
        for name in ("runtime", "device", "threads", "batch_size", "quantize")
        if table.get(name)
    )
    text = (
        f"{measured:.3f} ms measured, {predicted:.3f} ms predicted "
        f"({predicted / measured - 1:+.0%})"
    )
    if table["quantize"] != quantize:
        text += f" of quantize={table['quantize']}, and this is quantize={quantize}"
    if target is not None:
        verdict = "within" if measured <= target else "ABOVE"
        text += f"; {verdict} the target of {target:g} ms"
    return [("latency", text), ("table of", how or "an unknown device")]
