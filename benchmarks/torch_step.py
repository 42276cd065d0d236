"""A PyTorch column of benchmarks/beside_pytorch.py.

TensorFlow is not imported here: neither the time to the first step nor the
memory of PyTorch's columns holds anything of ours.
"""

from __future__ import annotations

import torch
from absl import app, flags

from benchmarks import step_worker, torch_search, torch_supernet
from darts_tf.space.conv import SPACE

flags.DEFINE_enum(
    "column", "pytorch", step_worker.COLUMNS[1:], "what is timed"
)
flags.DEFINE_enum("method", "first_order", step_worker.METHODS, "of alpha")
flags.DEFINE_integer("channels", 16, "of the supernet", lower_bound=1)
flags.DEFINE_integer("layers", 8, "of the supernet", lower_bound=3)
flags.DEFINE_integer("batch_size", 16, "images", lower_bound=1)
flags.DEFINE_integer("threads", 0, "0: PyTorch's own choice", lower_bound=0)
flags.DEFINE_enum(
    "device", "auto", ("auto", "cpu", "cuda"), "auto: CUDA where there is one"
)
FLAGS = flags.FLAGS


def main(_) -> None:
    """Steps, as step_worker says."""
    if FLAGS.threads:
        torch.set_num_threads(FLAGS.threads)
    torch.manual_seed(0)
    device = FLAGS.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True  # as in the papers' code
    search, batch = build_search(device), random_batch(device)
    step_worker.serve(lambda: search.step(batch, batch), peak(device))


def peak(device: str):
    """What tells the bytes used at most on a GPU; None on the CPU."""
    return torch.cuda.max_memory_allocated if device == "cuda" else None


def build_search(device: str) -> torch_search.Search:
    """The search of the column."""
    model = torch_supernet.Supernet(FLAGS.channels, FLAGS.layers, 10)
    model = model.to(device)
    if FLAGS.column == "pytorch_channels_last":
        model = model.to(memory_format=torch.channels_last)
    alpha = [
        (1e-3 * torch.randn(spec.alpha_shape)).to(device).requires_grad_()
        for spec in SPACE.cells
    ]
    search = torch_search.Search(
        model, alpha, FLAGS.method,
        alpha_only=FLAGS.column == "pytorch_alpha_only",
    )  # fmt: skip
    if FLAGS.column == "pytorch_compile":
        search.model = torch.compile(search.model)
        search.unrolled = torch.compile(search.unrolled)
    return search


def random_batch(device: str):
    """(images [B, 3, 32, 32], labels [B])."""
    images = torch.randn(FLAGS.batch_size, 3, 32, 32, device=device)
    if FLAGS.column == "pytorch_channels_last":
        images = images.contiguous(memory_format=torch.channels_last)
    return images, torch.arange(FLAGS.batch_size, device=device) % 10


if __name__ == "__main__":
    app.run(main)
