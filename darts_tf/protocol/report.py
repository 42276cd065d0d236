"""Writes the results, tables and pictures of an experiment."""

from __future__ import annotations

import json

from darts_tf.data.nasbench201_table import RANKED
from darts_tf.protocol import progress, tables
from darts_tf.protocol.plan import Plan
from darts_tf.protocol.results import gather
from darts_tf.run.files import write_atomic, write_json_atomic
from darts_tf.run.loop.progress import duration
from darts_tf.run.pictures.genotypes import draw_genotype, figure_to_png
from darts_tf.run.report import page
from darts_tf.run.report.page import Section
from darts_tf.space.genotype import Genotype

RESULTS, TABLE, PICTURE = "results.json", "table.md", "progress.png"
PAGE = "report.html"


def write(plan: Plan) -> dict:
    """Writes results.json, table.md, table.tex, progress.png and report.html.

    Returns:
      The results, see `darts_tf.protocol.results.gather`.
    """
    results = gather(plan)
    row = tables.row_of(results)
    write_json_atomic(plan.root / RESULTS, results)
    text = tables.markdown([row], plan.measure) + "\n\n" + format_summary(results)
    write_atomic(plan.root / TABLE, text)
    latex = tables.latex([row], plan.measure) + "\n"
    write_atomic(plan.root / "table.tex", latex)
    figure = progress.draw(progress.progress(plan), plan.measure, plan.name)
    picture = figure_to_png(figure)
    write_atomic(plan.root / PICTURE, picture)
    write_atomic(plan.root / PAGE, _page(plan, results, row, picture))
    return results


def _page(plan: Plan, results: dict, row: tables.Row, picture: bytes) -> str:
    """Returns the experiment as HTML."""
    head, body = tables.cells([row], plan.measure, "plain")
    cell = ""
    if results["genotype"]:
        genotype = Genotype.from_json(json.dumps(results["genotype"]))
        drawn = figure_to_png(draw_genotype(genotype))
        cell = page.picture(drawn, "The selected cell") + page.code(genotype.to_json())
    return page.page(
        f"Experiment: {plan.name}",
        f"{len(results['searches'])} searches. {plan.root}",
        [
            Section("Table", page.table(head, body, range(1, len(head)))),
            Section("Searches", page.picture(picture, "Progress of the searches")),
            Section("Selection and costs", page.code(format_summary(results))),
            Section("Selected cell", cell),
        ],
    )


def format_summary(results: dict) -> str:
    """Formats the selection, the spread and the costs as Markdown."""
    unit = 1 if results["measure"] == "perplexity" else 100
    measure = results["measure"] + ("" if unit == 1 else ", %")
    lines = [
        f"| seeds | cell | validation {measure}, short training | selected |",
        "|---|---|---|---|",
    ]
    for key, cell in results["cells"].items():
        seeds = ", ".join(map(str, cell["seeds"]))
        chosen = "yes" if cell["selected"] else ""
        lines.append(f"| {seeds} | {key} | {unit * cell['valid']:.2f} | {chosen} |")
    if results["rungs"]:
        rungs = [f"{r['cells']} for {r['epochs']} epochs" for r in results["rungs"]]
        lines += ["", f"Cells by rung of the selection: {', '.join(rungs)}."]
    if results["test"]:
        each = [f"{unit * v:.2f}" for v in results["test"]["values"]]
        lines += ["", f"Test {measure}, each training: {', '.join(each)}."]
    if results["true"]:
        true = results["true"]
        known = f"{true[RANKED]:.2f} %, rank {true['rank']:,}"
        known += f" of {true['cells']:,}"
        lines += ["", f"True accuracy of the selected cell: {known}."]
    costs = ", ".join(
        f"{name} {duration(seconds)}"
        for name, seconds in results["device_seconds"].items()
    )
    lines += ["", f"Measured, seconds times devices: {costs}."]
    if results["missing"]:
        lines += ["", "Missing:", ""]
        lines += [f"- {line}" for line in results["missing"]]
    return "\n".join(lines) + "\n"
