"""Puts the runs of one folder side by side for TensorBoard.

TensorBoard names a run by its path below --logdir, and has no other way to name
several. So a folder of links gives them short names.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER, COMPARED = "tensorboard", "compare"


def link_runs(root: str | os.PathLike) -> Path:
    """Links the event files of all runs in `root` into ROOT/tensorboard.

    Args:
      root: holds the folders of runs, each with its own "tensorboard"; those that
        are there for comparison lie in ROOT/compare.

    Returns:
      the folder for --logdir, in which each run is named as its folder; `root`
      itself where links cannot be made.
    """
    root = Path(root)
    links = root / FOLDER
    try:
        links.mkdir(exist_ok=True)
        for run in sorted([*root.glob("*"), *(root / COMPARED).glob("*")]):
            events = sorted((run / FOLDER).glob("*/"))
            link = links / run.name
            if len(events) == 1 and events[0].is_dir() and not os.path.lexists(link):
                link.symlink_to(os.path.relpath(events[0], links))
    except OSError:
        return root
    return links
