"""Leaves out of tests what takes long and none of them looks at."""

from __future__ import annotations

import io
import types

from PIL import Image


def draw_dots(vectors: bool = True) -> None:
    """Writes a dot in the place of each PNG; figures are built.

    Drawing takes a fifth of the processor time of a tiny search.

    Args:
      vectors: whether SVGs are drawn; else they are empty.
    """
    from matplotlib.figure import Figure

    drawn, dot = Figure.savefig, io.BytesIO()
    Image.new("L", (1, 1)).save(dot, "PNG")

    def save(self, target, format="png", **how):
        if format == "png":
            target.write(dot.getvalue())
        elif not vectors:
            target.write(b"<svg></svg>")
        else:
            drawn(self, target, format=format, **how)

    Figure.savefig = save  # type: ignore[assignment]


def share_stack_trace() -> None:
    """Gives all operations of graphs one stack trace, that of this call.

    TensorFlow walks Python's stack at each operation, for the messages of errors in
    graphs. Without it a tiny search takes a tenth less processor time.
    """
    from tensorflow.python.framework import ops
    from tensorflow.python.util import tf_stack

    if not hasattr(ops, "tf_stack"):
        return  # another version of TensorFlow, which takes its time
    trace = tf_stack.extract_stack()
    ops.tf_stack = types.SimpleNamespace(extract_stack=lambda stacklevel: trace)
