"""Imports TensorFlow without the messages that it prints meanwhile.

TensorFlow 2.21 logs a dozen lines while it is imported and looks for
devices, whatever TF_CPP_MIN_LOG_LEVEL is. If the import fails they are
printed after all.
"""

from __future__ import annotations

from darts_tf.run.process import tensorflow_environment  # isort: skip  # noqa: F401

import contextlib
import os
import sys
import tempfile


@contextlib.contextmanager
def stderr_held_back():
    """Buffers what is written to stderr's descriptor; prints it only on errors."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as buffer:
        os.dup2(buffer.fileno(), 2)
        try:
            yield
        except BaseException:
            buffer.seek(0)
            os.write(stderr, buffer.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


with stderr_held_back():
    import tensorflow as tf

    tf.config.list_physical_devices()
