"""Describes the images in a user's folder by their headers alone."""

from __future__ import annotations

import pathlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from darts_tf.data.images.class_folders import find
from darts_tf.data.images.decoding import (
    Header,
    UnreadableImage,
    bombs_refused,
    read_header,
)
from darts_tf.data.images.folder import parts_of, root_of

SAMPLE = 2000  # files whose headers are read


def survey_folder(data_dir: str | None) -> dict:
    """Describes the training images in a user's folder.

    Of more than SAMPLE files every few are looked at.

    Returns:
      classes, train (images), smallest_class (images of it), height and width (of
      the median image), one_size (whether all have it), channels.

    Raises:
      InputError: as of `load_folder`, but for files that cannot be read.
    """
    layout = find(root_of(data_dir))
    train, _ = parts_of(layout)
    files = train.paths[:: -(-len(train.paths) // SAMPLE)]
    with bombs_refused(), ThreadPoolExecutor() as pool:
        headers = [header for header in pool.map(_header, files) if header]
    sizes = [(h.height, h.width, h.grey) for h in headers] or [(32, 32, False)]
    heights, widths, greys = zip(*sizes)
    return {
        "classes": len(layout.class_names),
        "train": len(train.paths),
        "smallest_class": int(np.bincount(train.labels).min()),
        "height": int(np.median(heights)),
        "width": int(np.median(widths)),
        "one_size": len({*heights}) == len({*widths}) == 1,
        "channels": 1 if all(greys) else 3,
    }


def _header(path: pathlib.Path) -> Header | None:
    """Returns the header of a file; None where it cannot be read."""
    try:
        return read_header(path)
    except UnreadableImage:
        return None
