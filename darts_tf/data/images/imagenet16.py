"""Loads ImageNet16-120, the third set of NAS-Bench-201 (Dong and Yang 2020).

ImageNet scaled to 16 x 16 pixels (Chrabaszcz et al. 2017) and of it the
first 120 classes: the benchmark keeps the labels 1 to 120 of that set's own
order. TFDS's `imagenet_resized/16x16` keeps this order and counts from 0, so
these are its labels below 120. In all 151,700 training images; the 1.28
million of the whole set are read and passed over.

Departures: the benchmark halves the 6,000 images of the original validation
part into its own validation and test; here all of them are the test part,
since no list of its halves comes with TFDS.
"""

from __future__ import annotations

import dataclasses

from darts_tf.data.images.dataset import ImageData
from darts_tf.data.images.prepared import load_prepared

NAME = "imagenet16_120"
SOURCE, CLASSES = "imagenet_resized/16x16", 120


def load_imagenet16(
    data_dir: str | None, download: bool, image_size: int | None
) -> ImageData:
    """Loads the set; arguments and errors as in `loading.load_images`."""
    data = load_prepared(SOURCE, data_dir, download, image_size, CLASSES)
    return dataclasses.replace(data, name=NAME)
