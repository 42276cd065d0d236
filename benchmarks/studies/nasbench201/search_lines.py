"""Lines of searches, one a search, that outlive the searches' folders."""

from __future__ import annotations

import json
import pathlib


def with_earlier(searches: list[dict], path: pathlib.Path) -> list[dict]:
    """The searches, and what a file of lines has finished beyond them."""
    if not path.exists():
        return searches
    earlier = map(json.loads, path.read_text("utf-8").splitlines())
    own = {(s["method"], s["seed"]) for s in searches if s["finished"]}
    kept = [
        found
        for found in earlier
        if found["method"] != "random"
        and found["finished"]
        and (found["method"], found["seed"]) not in own
    ]
    replaced = {(s["method"], s["seed"]) for s in kept}
    others = [s for s in searches if (s["method"], s["seed"]) not in replaced]
    return sorted([*others, *kept], key=lambda s: (s["method"], s["seed"]))
