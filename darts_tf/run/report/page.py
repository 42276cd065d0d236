"""Builds HTML pages that need no server, no network and no other file.

Every text that comes from outside goes through `html.escape` here: names of
classes, data sets, folders and settings are the user's. Functions that return
HTML take plain text only, but for those whose arguments say otherwise.
"""

from __future__ import annotations

import base64
import dataclasses
import html
from collections.abc import Mapping, Sequence

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  color: #1c1c1c; background: #fff; max-width: 1160px; margin: 0 auto;
  padding: 24px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h3 { font-size: 15px; margin: 8px 0; }
h2 { font-size: 19px; margin: 34px 0 10px; border-bottom: 1px solid #ddd;
  padding-bottom: 4px; }
p { margin: 6px 0; max-width: 75ch; }
p.lead { color: #555; margin-bottom: 18px; }
p.note { color: #555; font-size: 13px; }
p.warning { background: #fff3d6; border-left: 4px solid #e08214;
  padding: 8px 12px; }
nav { font-size: 13px; margin: 8px 0 0; }
nav a { margin-right: 14px; color: #1f5fa8; }
.cards { display: grid; gap: 10px; margin: 14px 0;
  grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); }
.card { border: 1px solid #ddd; border-radius: 6px; padding: 8px 12px; }
.card b { display: block; font-size: 19px; font-weight: 600;
  overflow-wrap: anywhere; }
.card span { color: #555; font-size: 13px; }
img { max-width: 100%; height: auto; display: block; margin: 8px 0; }
.row { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: flex-start; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; margin: 8px 0; }
th, td { padding: 3px 10px 3px 0; text-align: left; vertical-align: top; }
th { border-bottom: 1px solid #999; font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
table.matrix th, table.matrix td { padding: 2px 6px; text-align: right;
  font-size: 12px; border: 1px solid #eee; }
table.matrix th { font-weight: 500; max-width: 130px; overflow-wrap: anywhere; }
.bar { display: inline-block; height: 9px; background: #1f5fa8;
  vertical-align: middle; }
.track { display: inline-block; width: 160px; background: #e6e6e6;
  line-height: 0; }
pre { background: #f5f5f5; padding: 10px 12px; overflow-x: auto;
  font-size: 13px; white-space: pre-wrap; overflow-wrap: anywhere; }
details summary { cursor: pointer; color: #1f5fa8; }

"""


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of a page: its title, and its content as HTML."""

    title: str
    content: str


def page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """Returns a whole page.

    Args:
      title: plain text.
      lead: plain text below the title.
      sections: those without content are left out.
    """
    full = [s for s in sections if s.content]
    links = "".join(
        f'<a href="#part{i}">{html.escape(s.title)}</a>' for i, s in enumerate(full)
    )
    parts = "\n".join(
        f'<h2 id="part{i}">{html.escape(s.title)}</h2>\n{s.content}'
        for i, s in enumerate(full)
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{html.escape(title)}</h1>
{paragraph(lead, "lead")}
<nav>{links}</nav>
{parts}
</body>
</html>
"""


def paragraph(text: str, kind: str = "") -> str:
    """Returns a paragraph; `kind` is "lead", "note", "warning" or nothing."""
    return f'<p class="{kind}">{html.escape(text)}</p>' if text else ""


def cards(numbers: Mapping[str, str]) -> str:
    """Returns boxes with a text in large letters above its name."""
    boxes = "".join(
        f'<div class="card"><b>{html.escape(text)}</b>'
        f"<span>{html.escape(name)}</span></div>"
        for name, text in numbers.items()
    )
    return f'<div class="cards">{boxes}</div>' if boxes else ""


def code(text: str) -> str:
    """Returns a text in letters of equal width, its lines as they are."""
    return f"<pre>{html.escape(text)}</pre>"


def folded(summary: str, content: str) -> str:
    """Returns HTML that is hidden behind a plain line until it is clicked."""
    head = html.escape(summary)
    return f"<details><summary>{head}</summary>\n{content}\n</details>"


def picture(png: bytes, text: str, scale: float = 1.0) -> str:
    """Returns an image that stands in the page itself.

    Args:
      png: content of a PNG file.
      text: plain text for readers who do not see it.
      scale: of its width on the screen, relative to its pixels.
    """
    pixels = int.from_bytes(png[16:20], "big")  # the width, of the PNG's header
    data = base64.b64encode(png).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{data}" '
        f'width="{round(scale * pixels)}" alt="{html.escape(text)}">'
    )


def row(*pieces: str) -> str:
    """Returns HTML whose pieces stand beside each other where there is room."""
    content = "".join(f"<div>{piece}</div>" for piece in pieces)
    return f'<div class="row">{content}</div>'


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()
) -> str:
    """Returns a table of plain texts.

    Args:
      head: the titles of the columns.
      rows: a text for each column.
      numbers: the columns that stand at the right.
    """
    titles = "".join(_cell("th", t, i in numbers) for i, t in enumerate(head))
    body = "\n".join(
        f"<tr>{''.join(_cell('td', t, i in numbers) for i, t in enumerate(row))}</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{titles}</tr>\n{body}</table></div>'


def _cell(tag: str, text: str, number: bool) -> str:
    kind = ' class="number"' if number else ""
    return f"<{tag}{kind}>{html.escape(text)}</{tag}>"
