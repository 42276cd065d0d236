"""Searches whose folders are gone stay in the table."""

from __future__ import annotations

import json

from benchmarks.studies.nasbench201.search_lines import with_earlier


def search(method, seed, finished=True, **more):
    return {"method": method, "seed": seed, "finished": finished, **more}


def test_finished_searches_of_earlier_lines_are_kept(tmp_path):
    path = tmp_path / "lines.jsonl"
    earlier = [
        search("a", 0, seconds=1),
        search("a", 1, seconds=2),
        search("b", 0, finished=False),
        search("random", 0),
    ]
    path.write_text("".join(json.dumps(s) + "\n" for s in earlier))
    now = [search("a", 1, finished=False), search("b", 1), search("a", 2)]
    found = with_earlier(now, path)
    assert [(s["method"], s["seed"], s["finished"]) for s in found] == [
        ("a", 0, True),
        ("a", 1, True),
        ("a", 2, True),
        ("b", 1, True),
    ]
    again = [search("a", 0, seconds=5)]
    assert with_earlier(again, path)[0]["seconds"] == 5
    assert with_earlier(now, tmp_path / "none.jsonl") == now
