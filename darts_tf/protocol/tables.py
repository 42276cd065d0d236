"""Formats tables like the paper's: 1 and 3 for images, 2 for language.

A column that no row has anything for is left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

DAY = 86_400.0
BLANK = {"markdown": "–", "latex": "--"}
PLUS_MINUS = {"markdown": " ± ", "latex": r" $\pm$ "}
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
      parameters, multiply_adds: numbers, not millions.
      cost: of the search, device-seconds.
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
    parameters: float | None = None
    multiply_adds: float | None = None
    cost: float | None = None
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
    head, body = _cells(rows, measure, "markdown")
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def latex(rows: Sequence[Row], measure: str) -> str:
    """Returns the table for LaTeX with its package booktabs."""
    head, body = _cells(rows, measure, "latex")
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


def _cells(rows, measure: str, style: str) -> tuple[list, list[list]]:
    """Returns (titles, texts of each row), escaped, without empty columns."""
    escape = _for_latex if style == "latex" else _for_markdown
    columns = {
        title: [text(row, style) for row in rows]
        for title, text in _columns(measure).items()
    }
    filled = {t: texts for t, texts in columns.items() if any(texts)}
    # Numbers hold their style's signs already and nothing to escape.
    names = [[escape(row.name) + _mark(row, style)] for row in rows]
    head = ["Architecture", *map(escape, filled)]
    texts = [[t or BLANK[style] for t in row] for row in zip(*filled.values())]
    return head, [n + t for n, t in zip(names, texts or [[]] * len(names))]


def _columns(measure: str) -> dict[str, Callable[[Row, str], str]]:
    costs = {
        "Search cost (device-days)": lambda row, _: significant(
            row.cost and row.cost / DAY
        ),
        "Evaluations": lambda row, _: _whole(row.evaluations),
        "#ops": lambda row, _: _whole(row.operations),
        "Search method": lambda row, _: row.method or "",
    }
    parameters = {
        "Params (M)": lambda row, _: significant(
            row.parameters and row.parameters / 1e6
        )
    }
    if measure == "perplexity":
        return {
            "Valid perplexity": lambda row, _: _number(row.valid, 1),
            "Test perplexity": lambda row, style: _measured(row, 1, style),
            **parameters,
            **costs,
        }
    return {
        "Valid error (%)": lambda row, _: _number(row.valid, 100),
        "Test error (%)": lambda row, style: _measured(row, 100, style),
        "Top-5 error (%)": lambda row, _: _number(row.top5, 100),
        **parameters,
        "Multiply-adds (M)": lambda row, _: significant(
            row.multiply_adds and row.multiply_adds / 1e6
        ),
        **costs,
    }


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


def _mark(row: Row, style: str) -> str:
    if row.published:
        return " (published)"
    return " (incomplete)" if row.incomplete else ""


def _for_latex(text: str) -> str:
    return "".join(ESCAPES.get(c, c) for c in text)


def _for_markdown(text: str) -> str:
    return text.replace("|", "\\|")
