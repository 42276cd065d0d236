"""Importing this imports TensorFlow without what it says meanwhile.

TensorFlow 2.21 logs a dozen lines while it is imported and looks for
devices, whatever TF_CPP_MIN_LOG_LEVEL says. Where the import fails they are
shown after all.
"""

from __future__ import annotations

from darts_tf.run.process import tensorflow_environment  # isort: skip  # noqa: F401

import contextlib
import os
import sys
import tempfile


@contextlib.contextmanager
def held_back():
    """Holds back what is written to stderr's descriptor; shown on errors."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as buffer:
        os.dup2(buffer.fileno(), 2)
        try:
            yield
        except BaseException:
            buffer.seek(0)
            os.write(kept, buffer.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


with held_back():
    import tensorflow as tf

    tf.config.list_physical_devices()
