"""Formats tables like the paper's: 1 and 3 for images, 2 for language.

A column that no row has anything for is left out. Units are those in which the
numbers of the table are neither thousands nor thousandths: seconds to days,
thousands or millions of parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

DAY = 86_400.0
TIMES = {"days": DAY, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}
COUNTS = {"M": 1e6, "K": 1e3}
Style = Literal["markdown", "latex", "plain"]
BLANK = {"markdown": "–", "latex": "--", "plain": "–"}
PLUS_MINUS = {"markdown": " ± ", "latex": r" $\pm$ ", "plain": " ± "}
ESCAPES = {
    "\\": r"\textbackslash{}",
    **{c: "\\" + c for c in "#%&_$}{"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """An architecture and its numbers; None for what is not known.

    Attributes:
      name: of the architecture.
      test: error (a share) or perplexity, the mean.
      deviation: the standard deviation of `test`.
      count: of trainings behind `test`.
      top5: as `test`, the share whose label is not among the best five.
      valid: as `test`, on the validation part.
      supernet: as `valid`, of a search's network with all of its operations;
        no measure of the derived cell.
      parameters, multiply_adds: numbers, not millions.
      cost: of the search, device-seconds.
      training: of the training from scratch, device-seconds.
      evaluations: of genotypes during the search.
      operations: how many there are to choose among, without zero.
      method: of the search.
      published: where a number that was not measured here comes from.
      incomplete: whether something of the experiment is missing.
    """

    name: str
    test: float | None = None
    deviation: float | None = None
    count: int | None = None
    top5: float | None = None
    valid: float | None = None
    supernet: float | None = None
    parameters: float | None = None
    multiply_adds: float | None = None
    cost: float | None = None
    training: float | None = None
    evaluations: int | None = None
    operations: int | None = None
    method: str | None = None
    published: str | None = None
    incomplete: bool = False


def row_of(results: dict) -> Row:
    """Returns the row of an experiment, from its results."""
    test, valid = results["test"], results["valid"]
    return Row(
        name=results["name"],
        test=test and test["mean"],
        deviation=test and test["deviation"],
        count=test and len(test["values"]),
        top5=results["top5"],
        valid=valid and valid["mean"],
        parameters=results["parameters"],
        multiply_adds=results["multiply_adds"],
        cost=results["search_cost"] or None,
        evaluations=results["evaluations"],
        operations=results["operations"],
        method=results["method"],
        incomplete=bool(results["missing"]),
    )


def markdown(rows: Sequence[Row], measure: str) -> str:
    """Returns the table in Markdown, without a last line feed."""
    head, body = cells(rows, measure, "markdown")
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def latex(rows: Sequence[Row], measure: str) -> str:
    """Returns the table for LaTeX with its package booktabs."""
    head, body = cells(rows, measure, "latex")
    lines = [" & ".join(line) + r" \\" for line in body]
    return "\n".join(
        [
            "% \\usepackage{booktabs}",
            rf"\begin{{tabular}}{{l{'c' * (len(head) - 1)}}}",
            r"\toprule",
            " & ".join(head) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def cells(
    rows: Sequence[Row], measure: str, style: Style
) -> tuple[list[str], list[list[str]]]:
    """Returns (titles, texts of each row), escaped, without empty columns."""
    escape = ESCAPED[style]
    columns = {
        title: [text(row, style) for row in rows]
        for title, text in _columns(rows, measure).items()
    }
    filled = {t: texts for t, texts in columns.items() if any(texts)}
    # Numbers hold their style's signs already and nothing to escape.
    names = [[escape(row.name) + _mark(row)] for row in rows]
    head = ["Architecture", *map(escape, filled)]
    texts = [[t or BLANK[style] for t in row] for row in zip(*filled.values())]
    return head, [n + t for n, t in zip(names, texts or [[]] * len(names))]


def _columns(rows, measure: str) -> dict[str, Callable[[Row, str], str]]:
    measured = [row for row in rows if not row.published]
    time = unit((row.cost for row in measured), TIMES, "days")
    training = unit((row.training for row in measured), TIMES, "days")
    parameters = unit((row.parameters for row in rows), COUNTS, "M")
    adds = unit((row.multiply_adds for row in rows), COUNTS, "M")
    costs = {
        f"Search cost (device-{time})": _in("cost", TIMES[time]),
        f"Training cost (device-{training})": _in("training", TIMES[training]),
        "Evaluations": lambda row, _: _whole(row.evaluations),
        "#ops": lambda row, _: _whole(row.operations),
        "Search method": lambda row, _: row.method or "",
    }
    size = {f"Params ({parameters})": _in("parameters", COUNTS[parameters])}
    if measure == "perplexity":
        return {
            "Valid perplexity": lambda row, _: _number(row.valid, 1),
            "Supernet's valid perplexity": lambda row, _: _number(row.supernet, 1),
            "Test perplexity": lambda row, style: _measured(row, 1, style),
            **size,
            **costs,
        }
    return {
        "Valid error (%)": lambda row, _: _number(row.valid, 100),
        "Supernet's valid error (%)": lambda row, _: _number(row.supernet, 100),
        "Test error (%)": lambda row, style: _measured(row, 100, style),
        "Top-5 error (%)": lambda row, _: _number(row.top5, 100),
        **size,
        f"Multiply-adds ({adds})": _in("multiply_adds", COUNTS[adds]),
        **costs,
    }


def unit(values: Iterable[float | None], units: Mapping[str, float], usual: str) -> str:
    """Returns the largest unit of which the largest value is at least one.

    Args:
      values: None is passed over.
      units: sizes by name, the largest first.
      usual: where there are no values.
    """
    largest = max((v for v in values if v), default=None)
    if largest is None:
        return usual
    fitting = [name for name, size in units.items() if largest >= size]
    return fitting[0] if fitting else [*units][-1]


def _in(field: str, size: float) -> Callable[[Row, str], str]:
    """Returns a function that formats a row's number in a unit."""

    def text(row: Row, _: str) -> str:
        value = getattr(row, field)
        return significant(value and value / size)

    return text


def _measured(row: Row, unit: float, style: str) -> str:
    """Formats the mean, its spread and the number of trainings."""
    text = _number(row.test, unit)
    if row.deviation is not None:
        text += PLUS_MINUS[style] + _number(row.deviation, unit)
    return text + (f" ({row.count})" if row.count else "")


def _number(value: float | None, unit: float) -> str:
    return "" if value is None else f"{unit * value:.2f}"


def significant(value: float | None) -> str:
    """Formats three significant digits, never as a power of ten; "" for None."""
    if value is None:
        return ""
    decimals = 0
    while decimals < 9 and abs(value) * 10**decimals < 100:
        decimals += 1
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _whole(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _mark(row: Row) -> str:
    if row.published:
        return " (published)"
    return " (incomplete)" if row.incomplete else ""


def _for_latex(text: str) -> str:
    return "".join(ESCAPES.get(c, c) for c in text)


def _for_markdown(text: str) -> str:
    return text.replace("|", "\\|")


ESCAPED: Mapping[str, Callable[[str], str]] = {
    "markdown": _for_markdown,
    "latex": _for_latex,
    "plain": str,
}
