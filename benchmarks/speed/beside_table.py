"""Makes the table of benchmarks/speed/beside_pytorch.py."""

from __future__ import annotations

OURS = "ours"
LAYOUTS = ("pytorch", "pytorch_channels_last")

HEAD = """\
| step | column | seconds a step | CPU seconds | to the first step, s | \
peak, GB | ratio |
|---|---|---|---|---|---|---|
"""


def ratio(columns: dict[str, dict], column: str) -> float | None:
    """Returns the seconds of PyTorch over ours, in a row of the table.

    Args:
      columns: what each column measured.
      column: one of PyTorch's; or ours, for the better of PyTorch's layouts.

    Returns:
      None where one of both was not measured.
    """
    wanted = LAYOUTS if column == OURS else (column,)
    steps = [
        columns[name]["step"] for name in wanted if "step" in columns.get(name, {})
    ]
    if not steps or "step" not in columns.get(OURS, {}):
        return None
    return min(steps) / columns[OURS]["step"]


def as_table(rows: dict[str, dict[str, dict]]) -> str:
    """Returns the table as Markdown, a line for every method and column.

    Args:
      rows: for each method and column its numbers, or why there are none
        ("not_supported").
    """
    return HEAD + "".join(
        f"| {method} | {column} | {_cells(columns, column)} |\n"
        for method, columns in rows.items()
        for column in columns
    )


def _cells(columns, column: str) -> str:
    seen = columns[column]
    if "not_supported" in seen:
        return f"not supported: {seen['not_supported']} | | | |"
    times = ratio(columns, column)
    return (
        f"{seen['step']:.2f} | {seen['step_cpu']:.2f} | "
        f"{seen['first_step']:.1f} | {seen['peak_gb']:.2f} | "
        + ("" if times is None else f"{times:.2f}")
    )
