"""Keeps a line for each search, which outlives the search's folder."""

from __future__ import annotations

import json
import pathlib


def with_earlier(searches: list[dict], path: pathlib.Path) -> list[dict]:
    """Returns the searches, and the finished ones that only a file of lines has."""
    if not path.exists():
        return searches
    earlier = map(json.loads, path.read_text("utf-8").splitlines())
    finished = {(s["method"], s["seed"]) for s in searches if s["finished"]}
    added = [
        search
        for search in earlier
        if search["method"] != "random"
        and search["finished"]
        and (search["method"], search["seed"]) not in finished
    ]
    replaced = {(s["method"], s["seed"]) for s in added}
    others = [s for s in searches if (s["method"], s["seed"]) not in replaced]
    return sorted([*others, *added], key=lambda s: (s["method"], s["seed"]))
