"""Small prepared stand-ins of sets that TFDS knows by name.

TFDS's own builders write them, given made-up images: features, splits and
keys are the real ones, and nothing is downloaded.
"""

from __future__ import annotations

import numpy as np
import pytest

tfds = pytest.importorskip("tensorflow_datasets")


def prepare(monkeypatch, root, name, splits, names=None) -> str:
    """Lets the builder of `name` write examples by split; gives the folder.

    `names`: of classes, by key, where the builder would read them from what
    it downloads.
    """
    builder = tfds.builder(name, data_dir=root)
    for key, values in (names or {}).items():
        builder.info.features[key].names = values

    def examples(split):
        yield from enumerate(splits[split])

    monkeypatch.setattr(
        type(builder),
        "_split_generators",
        lambda self, *_: {split: examples(split) for split in splits},
    )
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(try_download_gcs=False)
    )
    return str(root)


def image(number, size=32) -> np.ndarray:
    """Returns an image whose pixels encode its number, below 65536."""
    return np.full((size, size, 3), [*divmod(number, 256), 7], np.uint8)


def numbers(part) -> list[int]:
    """Returns the numbers of a part's images."""
    pixels = part.images[:, 0, 0].astype(int)
    return list(256 * pixels[:, 0] + pixels[:, 1])
