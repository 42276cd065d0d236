"""Describes the images in a user's folder by their headers alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from darts_tf.data.images import folder

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
    names, train, _ = folder._find(folder._root(data_dir))
    files = train.paths[:: -(-len(train.paths) // SAMPLE)]
    with ThreadPoolExecutor() as pool:
        headers = [header for header in pool.map(folder._header, files) if header]
    heights, widths, greys = zip(*headers) if headers else ((32,), (32,), (False,))
    return {
        "classes": len(names),
        "train": len(train.paths),
        "smallest_class": int(np.bincount(train.labels).min()),
        "height": int(np.median(heights)),
        "width": int(np.median(widths)),
        "one_size": len({*heights}) == len({*widths}) == 1,
        "channels": 1 if all(greys) else 3,
    }
