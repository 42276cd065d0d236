"""A space that is quickly traced, settings for it, and a folder without files."""

from __future__ import annotations

import numpy as np
import pytest

import darts_tf as dt
from tests import registries

SIZES = {"channels": 2, "layers": 3, "epochs": 1, "batch_size": 10}
IMAGES = {"crop_padding": 0, "flip": False}


@pytest.fixture(scope="module", autouse=True)
def small_space():
    """Registers "one_node", and removes all that a module registers at its end.

    Tests of programs may have left "small", which their plugin registers.
    """
    with registries.restored():
        dt.cell_space("one_node", nodes=1, operations=["skip_connect", "avg_pool_3x3"])
        yield


@pytest.fixture(scope="session")
def search_config() -> dt.SearchConfig:
    return dt.SearchConfig(space="one_node", method="first_order", **SIZES, **IMAGES)


@pytest.fixture(scope="session")
def training_config() -> dt.TrainingConfig:
    return dt.TrainingConfig(auxiliary_weight=0.0, **SIZES, **IMAGES)


@pytest.fixture(scope="session")
def arrays() -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [60, 8, 8, 3] of three classes, told apart by their brightness."""
    labels = np.arange(60) % 3
    noise = np.random.default_rng(0).integers(0, 50, (60, 8, 8, 3), np.uint8)
    return noise + 100 * labels.astype(np.uint8)[:, None, None, None], labels


@pytest.fixture
def nothing_written(tmp_path, monkeypatch):
    """Fails a test after which a run's folder or file is left."""
    current, temporary = tmp_path / "current", tmp_path / "temporary"
    for folder in (current, temporary):
        folder.mkdir()
    monkeypatch.chdir(current)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    yield
    # AutoGraph's and TFDS's own files may be in the temporary folder.
    assert not list(current.iterdir()) and not list(temporary.glob("darts_tf*"))
