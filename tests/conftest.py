"""What every test runs under: a quiet TensorFlow, set up as train/ does."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest


@pytest.fixture(autouse=True, scope="session")
def no_grappler():
    """As train/setup.py: Grappler doubles the time to the first step."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": True}
    )
