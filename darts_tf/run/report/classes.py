"""Shows how well a network tells classes apart, as HTML.

Sets with many classes stay small on the page: of more than `MOST` classes the
worst ones stand there, and the pairs that are confused most often.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from darts_tf.run.report import page

MOST = 20


def accuracies(counts: np.ndarray) -> list[float | None]:
    """Returns the accuracy of each class; None for one without images.

    Args:
      counts: int [K, K], images by label (rows) and answer (columns).
    """
    totals, right = counts.sum(axis=1), np.diag(counts)
    return [float(r / total) if total else None for r, total in zip(right, totals)]


def section(counts: np.ndarray, names: Sequence[str]) -> str:
    """Returns the table of all classes and the confusion matrix.

    Args:
      counts: int [K, K], images by label (rows) and answer (columns).
      names: of the K classes.
    """
    return page.row(_table(counts, names), _confusions(counts, names))


def _table(counts: np.ndarray, names: Sequence[str]) -> str:
    shares = accuracies(counts)
    order = range(len(names))
    note = ""
    if len(names) > MOST:
        known = [k for k in order if shares[k] is not None]
        order = sorted(known, key=lambda k: shares[k] or 0.0)[:MOST]
        note = page.paragraph(
            f"The {len(order)} classes with the lowest accuracy, of {len(names):,}. "
            "result.json holds those of all (class_accuracy).",
            "note",
        )
    rows = "\n".join(_row(names[k], shares[k], counts[k].sum()) for k in order)
    return f"""{note}<div class="wide"><table>
<tr><th>class</th><th class="number">images</th><th class="number">accuracy</th>
<th></th></tr>
{rows}</table></div>"""


def _row(name: str, share: float | None, images: int) -> str:
    text = "no images" if share is None else f"{share:.1%}"
    width = 0 if share is None else round(160 * share)
    bar = f'<span class="bar" style="width:{width}px"></span>'
    return (
        f'<tr><td>{html.escape(name)}</td><td class="number">{images:,}</td>'
        f'<td class="number">{text}</td><td><span class="track">{bar}</span></td></tr>'
    )


def _confusions(counts: np.ndarray, names: Sequence[str]) -> str:
    if len(names) > MOST:
        return _worst_pairs(counts, names)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    rows = "\n".join(
        f"<tr><th>{html.escape(name)}</th>{_matrix_row(counts, k)}</tr>"
        for k, name in enumerate(names)
    )
    note = page.paragraph("Rows: the label. Columns: the network's answer.", "note")
    return f"""<h3>Confusion matrix</h3>{note}
<div class="wide"><table class="matrix"><tr><th></th>{head}</tr>
{rows}</table></div>"""


def _matrix_row(counts: np.ndarray, label: int) -> str:
    total = max(int(counts[label].sum()), 1)
    cells = []
    for answer, count in enumerate(counts[label]):
        colour = "31, 95, 168" if answer == label else "179, 64, 31"
        share = float(count) / total
        shade = 0.0 if not count else 0.15 + 0.7 * share
        ink = "#fff" if shade > 0.55 else "#1c1c1c"
        style = f"background:rgba({colour},{shade:.2f});color:{ink}"
        cells.append(f'<td style="{style}">{count or ""}</td>')
    return "".join(cells)


def _worst_pairs(counts: np.ndarray, names: Sequence[str]) -> str:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST]
    pairs = [divmod(int(place), len(names)) for place in order if wrong.flat[place]]
    if not pairs:
        return ""
    rows = [
        (names[label], names[answer], f"{wrong[label, answer]:,} of {total:,}")
        for label, answer in pairs
        if (total := int(counts[label].sum()))
    ]
    head = ("label", "answer", "images")
    return "<h3>Most frequent confusions</h3>" + page.table(head, rows, (2,))
