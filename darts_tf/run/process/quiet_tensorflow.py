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
    with _buffer() as buffer:
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


def _buffer():
    """Opens a file without a name; in memory, since TMPDIR may be read-only."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("stderr"), "w+b")
    return tempfile.TemporaryFile()


with stderr_held_back():
    import tensorflow as tf

    tf.config.list_physical_devices()
