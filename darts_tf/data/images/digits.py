"""Loads the embedded set of small handwritten digits.

1,797 handwritten digits, 8 x 8 pixels, of UCI's "Optical Recognition of
Handwritten Digits" (E. Alpaydin, C. Kaynak; doi:10.24432/C50P49; CC BY 4.0).
DIGITS_LICENSE.md, beside this file, says what was changed.

The test part is a fixed stratified fifth. Both parts hold digits by the same
13 writers, so the test error says nothing about new writers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from darts_tf.data.images.dataset import ImageData, Part

_FILE = Path(__file__).with_name("digits.npz")


def load_digits() -> ImageData:
    """Loads the digits: images uint8 [N, 8, 8, 1], classes "0" to "9"."""
    return ImageData(
        name="digits",
        class_names=tuple(str(digit) for digit in range(10)),
        train=_read("train"),
        read_test=lambda: _read("test"),
    )


def _read(part: str) -> Part:
    # An npz is read member by member: the other part stays on disk.
    with np.load(_FILE, allow_pickle=False) as arrays:
        images = arrays[f"{part}_images"][..., np.newaxis]
        return Part(images, arrays[f"{part}_labels"].astype(np.int32))
