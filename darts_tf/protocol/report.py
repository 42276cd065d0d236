"""Writes the results, tables and pictures of an experiment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from darts_tf.data.nasbench201_table import RANKED
from darts_tf.protocol import front_comparison, progress, tables
from darts_tf.protocol.command_line import ACCURACY, COST_TITLES
from darts_tf.protocol.plan import Plan
from darts_tf.protocol.results import gather, gather_parts
from darts_tf.run.files import write_atomic, write_json_atomic
from darts_tf.run.loop.progress import duration
from darts_tf.run.pictures.genotypes import draw_genotype, figure_to_png
from darts_tf.run.report import page
from darts_tf.run.report.page import Section
from darts_tf.space.genotype import Genotype

RESULTS, TABLE, PICTURE = "results.json", "table.md", "progress.png"
FRONT = "front.png"
PAGE = "report.html"


def write(plan: Plan) -> dict:
    """Writes results.json, table.md, table.tex, pictures and report.html.

    Returns:
      The results, see `darts_tf.protocol.results`.
    """
    parts = [(part, gather(part)) for part in plan.parts]
    results = parts[0][1]
    if parts[0][0].target is not None:
        by_target = {str(part.target): content for part, content in parts}
        results = gather_parts(plan, by_target)
    rows = [tables.row_of(content) for _, content in parts]
    write_json_atomic(plan.root / RESULTS, results)
    panels = _panels(plan)
    text = tables.markdown(rows, plan.measure)
    text += "".join(f"\n\n{front_comparison.markdown(panel)}" for panel in panels)
    text += "".join("\n\n" + _summary(part, content) for part, content in parts)
    write_atomic(plan.root / TABLE, text)
    latex = tables.latex(rows, plan.measure) + "\n"
    write_atomic(plan.root / "table.tex", latex)
    sections = [Section("Table", _table(rows, plan.measure))]
    if panels:
        picture = figure_to_png(front_comparison.draw(panels))
        write_atomic(plan.root / FRONT, picture)
        drawn = page.picture(picture, front_comparison.title(panels[0]))
        note = page.paragraph(front_comparison.note(panels[0]), "note")
        sections.append(Section("Front of the targets", drawn + note))
    for part, content in parts:
        sections += _sections(part, content)
    count = sum(len(content["searches"]) for _, content in parts)
    lead = f"{count} searches. {plan.root}"
    html = page.page(f"Experiment: {plan.name}", lead, sections)
    write_atomic(plan.root / PAGE, html)
    return results


def _panels(plan: Plan) -> list[front_comparison.Panel]:
    """Returns the front over the cost targets, as far as cells have been trained."""
    cost = plan.parts[0].cost
    if cost is None:
        return []
    points = front_comparison.experiment_points(plan)
    series = [front_comparison.Series(plan.name, front_comparison.TEST, points)]
    return front_comparison.panels(series, (cost, ACCURACY))


def _summary(part: Plan, results: dict) -> str:
    heading = "" if part.target is None else f"## {part.name}\n\n"
    return heading + format_summary(results)


def _table(rows: Sequence[tables.Row], measure: str) -> str:
    head, body = tables.cells(rows, measure, "plain")
    return page.table(head, body, range(1, len(head)))


def _sections(part: Plan, results: dict) -> list[Section]:
    """Writes the picture of the searches' progress; returns sections of the page."""
    figure = progress.draw(progress.progress(part), part.measure, part.name)
    picture, suffix = figure_to_png(figure), "" if part.target is None else part.target
    name = f"progress_{suffix}.png" if suffix else PICTURE
    write_atomic(part.root / name, picture)
    cell = ""
    if results["genotype"]:
        genotype = Genotype.from_json(json.dumps(results["genotype"]))
        drawn = figure_to_png(draw_genotype(genotype))
        cell = page.picture(drawn, "The selected cell") + page.code(genotype.to_json())
    of = f", target {suffix}" if suffix else ""
    return [
        Section(f"Searches{of}", page.picture(picture, "Progress of the searches")),
        Section(f"Selection and costs{of}", page.code(format_summary(results))),
        Section(f"Selected cell{of}", cell),
    ]


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
    lines += _derived_costs(results["searches"])
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


def _derived_costs(searches: Sequence[Mapping]) -> list[str]:
    """Returns a line for each cost of the searches: derived cells beside targets."""
    lines = []
    for name in next((s["cost"] for s in searches if "cost" in s), {}):
        costs = [s["cost"][name] for s in searches if "cost" in s]
        each = ", ".join(f"{row['derived']:,}" for row in costs)
        line = f"Derived {COST_TITLES[name]}, each search: {each}"
        if "target" in costs[0]:
            within = sum(row["derived"] <= row["target"] for row in costs)
            line += f"; {within} of {len(costs)} within {costs[0]['target']:,.0f}"
        lines += ["", f"{line}."]
    return lines
