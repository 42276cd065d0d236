"""Draws what benchmarks.studies.implicit_term.measure measured.

    python -m benchmarks.studies.implicit_term.report --lines=FILE.jsonl --out=FOLDER

Prints two Markdown tables and writes implicit_term.png.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import json
import pathlib

from absl import flags
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from darts_tf.errors import InputError
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures.genotypes import figure_to_png

flags.DEFINE_string("lines", "implicit_term.jsonl", "the measurements")
flags.DEFINE_string("out", ".", "folder of the picture")
FLAGS = flags.FLAGS

CUSTOMARY = "0.01"


def main(_) -> None:
    """Prints two tables and writes a picture."""
    path = pathlib.Path(FLAGS.lines)
    if not path.is_file():
        raise InputError(f"--lines={path}: no such file")
    lines = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    lines.sort(key=lambda line: order(line["setting"]))
    print(eq8_table(lines) + "\n\n" + brute_table(lines))
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "implicit_term.png"
    write_atomic(target, figure_to_png(picture(lines)))
    print(f"\n{target}")


def order(setting: dict) -> tuple:
    """Returns the sort key of a row: network, control, stage, batch, seed."""
    names = ("channels", "smooth", "stage", "batch_size", "seed")
    return tuple(setting[name] for name in names)


def name(setting: dict) -> str:
    """Returns a setting in a few words."""
    kind = "smooth, " if setting["smooth"] else ""
    return (
        f"{kind}C={setting['channels']} L={setting['layers']}, batch "
        f"{setting['batch_size']}, step {setting['stage']}, seed "
        f"{setting['seed']}"
    )


def eq8_table(lines) -> str:
    """Returns the table of cosine / length ratio of eq. 8's term to the exact one."""
    lengths = list(lines[0]["eq8"])
    rows = [
        "| setting | implicit / direct | "
        + " | ".join(lengths)
        + " | whole gradient: eq. 8 | first order |",
        "|---" * (len(lengths) + 4) + "|",
    ]
    for line in lines:
        cells = [
            f"{line['eq8'][n]['cosine']:.2f} / {line['eq8'][n]['ratio']:.3g}"
            for n in lengths
        ]
        whole = line["eq8"][CUSTOMARY]["whole_cosine"]
        rows.append(
            f"| {name(line['setting'])} | {line['implicit_to_direct']:.2f} | "
            + " | ".join(cells)
            + f" | {whole:.2f} | {line['first_order_cosine']:.2f} |"
        )
    return "\n".join(rows)


def brute_table(lines) -> str:
    """Returns the table of brute-force quotients of L_val(w'(alpha), alpha)."""
    widths = list(dict.fromkeys(h for line in lines for h in line["brute"]))
    rows = [
        "| brute force / exact, width | " + " | ".join(widths) + " |",
        "|---" * (len(widths) + 1) + "|",
    ]
    for line in lines:
        cells = [
            f"{line['brute'][h]['to_exact']:.6g}" if h in line["brute"] else ""
            for h in widths
        ]
        rows.append(f"| {name(line['setting'])} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def picture(lines) -> Figure:
    """Draws cosine and length ratio against the length of eq. 8's step."""
    figure = Figure(figsize=(12, 4.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for line in lines:
        points = line["eq8"]
        x = [float(n) for n in points]
        look = {
            "label": name(line["setting"]),
            "marker": "o",
            "markersize": 3,
            "linestyle": "--" if line["setting"]["smooth"] else "-",
        }
        left.plot(x, [p["cosine"] for p in points.values()], **look)
        right.plot(x, [p["ratio"] for p in points.values()], **look)
    for axes, what in (
        (left, "cosine with the exact implicit term"),
        (right, "length over that of the exact one"),
    ):
        axes.set(xscale="log", xlabel="length of eq. 8's step", ylabel=what)
        axes.axvline(float(CUSTOMARY), color="0.7", linewidth=1)
        axes.grid(alpha=0.3)
    right.set_yscale("log")
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside right center", fontsize=7
    )
    return figure


if __name__ == "__main__":
    entry_point.run(main)
