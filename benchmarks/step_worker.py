"""One column of benchmarks/beside_pytorch.py, in a process of its own.

After its first step it says how old the process is by then; for every line
on its standard input it takes a step and says what the step took; at the
end of the input it says how much memory it has used at most. Lines of JSON,
seconds and GB.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import psutil
from absl import app, flags

COLUMNS = (
    "ours",
    "pytorch",
    "pytorch_channels_last",
    "pytorch_alpha_only",
    "pytorch_compile",
)
METHODS = ("weights", "first_order", "finite_difference", "exact")

flags.DEFINE_enum("column", "ours", COLUMNS, "what is timed")
flags.DEFINE_enum("step_method", "first_order", METHODS, "of alpha")
flags.DEFINE_integer("threads", 0, "of PyTorch (0: its own choice)", 0)
FLAGS = flags.FLAGS


def main(_) -> None:
    """Steps, one for each line."""
    # The flags of search_step, which ours is built by, come with it.
    step = ours() if FLAGS.column == "ours" else pytorch()
    step()
    say(first_step=time.time() - psutil.Process().create_time())
    for _ in sys.stdin:
        start, cpu = time.monotonic(), time.process_time()
        step()
        say(
            seconds=time.monotonic() - start,
            cpu_seconds=time.process_time() - cpu,
        )
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    say(peak_gb=kilobytes / 1e6)


def say(**values) -> None:
    """A line of JSON."""
    print(json.dumps(values), flush=True)


def ours():
    """A search step of this project."""
    from benchmarks import search_step
    from train import setup

    setup.disable_grappler()
    loop = search_step.build_loop()
    if FLAGS.step_method == "weights":
        return lambda: weight_step(loop)
    return lambda: float(loop.advance()["train/loss"])


def weight_step(loop) -> None:
    """The half of a search step that moves w."""
    import tensorflow as tf

    train, _ = loop.task.batches(loop.step)
    w, slots = loop._read_w(), loop._read_slots()
    g, loss, _ = loop._gradient.weight_gradient(
        w, loop._read_alpha(), train, tf.constant([0, 0])
    )
    loop._move_w(w, g, slots, tf.constant(0.025))
    float(loss)


def pytorch():
    """A search step of plain PyTorch."""
    import torch

    from benchmarks import torch_search, torch_supernet
    from darts_tf.space.conv import SPACE

    if FLAGS.threads:
        torch.set_num_threads(FLAGS.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    model = torch_supernet.Supernet(FLAGS.channels, FLAGS.layers, 10)
    model = model.to(device)
    images = torch.randn(FLAGS.batch_size, 3, 32, 32, device=device)
    if FLAGS.column == "pytorch_channels_last":
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    alpha = [
        (1e-3 * torch.randn(spec.alpha_shape)).to(device).requires_grad_()
        for spec in SPACE.cells
    ]
    search = torch_search.Search(
        model, alpha, FLAGS.step_method,
        alpha_only=FLAGS.column == "pytorch_alpha_only",
    )  # fmt: skip
    if FLAGS.column == "pytorch_compile":
        search.model = torch.compile(search.model)
        search.unrolled = torch.compile(search.unrolled)
    labels = torch.arange(FLAGS.batch_size, device=device) % 10
    batch = images, labels
    return lambda: search.step(batch, batch)


if __name__ == "__main__":
    from benchmarks import search_step  # noqa: F401  its flags

    app.run(main)
