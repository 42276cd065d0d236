"""Takes the steps of a PyTorch column of benchmarks/speed/beside_pytorch.py.

TensorFlow is not imported here: neither the time to the first step nor the
memory of PyTorch's columns holds anything of ours.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from absl import app, flags

from benchmarks.speed import (
    size_flags,
    step_worker,
    torch_compiled,
    torch_recurrent,
    torch_search,
    torch_supernet,
)
from darts_tf.space import conv, recurrent

flags.DEFINE_enum("column", "pytorch", step_worker.COLUMNS[1:], "what is timed")
flags.DEFINE_enum("method", "first_order", step_worker.METHODS, "of alpha")
flags.DEFINE_enum("space", "darts_conv", step_worker.SPACES, "is searched")
size_flags.define_sizes()
flags.adopt_module_key_flags(size_flags)
flags.DEFINE_integer("batch_size", 16, "images, sequences", lower_bound=1)
flags.DEFINE_integer("threads", 0, "0: PyTorch's own choice", lower_bound=0)
flags.DEFINE_enum(
    "device", "auto", ("auto", "cpu", "cuda"), "auto: CUDA where there is one"
)
FLAGS = flags.FLAGS
COMPILED = "pytorch_compile"


def main(_) -> None:
    """Takes steps by the protocol of step_worker."""
    if FLAGS.threads:
        torch.set_num_threads(FLAGS.threads)
    torch.manual_seed(0)
    device = FLAGS.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True  # as in the papers' code
    reason = why_not(device)
    if reason:
        step_worker.say(not_supported=reason)
        return
    step = text_step if FLAGS.space == recurrent.SPACE.name else image_step
    refusals = (RuntimeError,) if FLAGS.column == COMPILED else ()
    step_worker.serve(step(device), peak(device), refusals)


def why_not(device: str) -> str | None:
    """Returns in one line why this column has no such row; None if it has."""
    if FLAGS.column == COMPILED:
        return torch_compiled.unsupported(FLAGS.method, device)
    if FLAGS.column == "pytorch_alpha_only" and FLAGS.method in (
        "weights",
        "exact",
    ):
        return "no pass is for alpha alone, so it is the same as pytorch"
    return None


def peak(device: str):
    """Returns a function that reads the GPU's peak memory in bytes; None on the CPU."""
    return torch.cuda.max_memory_allocated if device == "cuda" else None


def build_search(model, loss, cells, protocol, device: str):
    """Builds the search of the column, alpha near 0 as it is at the start."""
    alpha = [
        (1e-3 * torch.randn(spec.alpha_shape)).to(device).requires_grad_()
        for spec in cells
    ]
    alone = FLAGS.column in ("pytorch_alpha_only", COMPILED)
    search = torch_search.Search(
        model.to(device), loss, alpha, FLAGS.method, alone, protocol
    )
    if FLAGS.column == COMPILED:
        torch_compiled.compile_parts(search.model)
        torch_compiled.compile_parts(search.unrolled)
    return search


def image_step(device: str) -> Callable[[], object]:
    """Returns a step on random images [B, 3, 32, 32]."""
    model = torch_supernet.Supernet(FLAGS.channels, FLAGS.layers, 10)
    images = torch.randn(FLAGS.batch_size, 3, 32, 32, device=device)
    if FLAGS.column == "pytorch_channels_last":
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    search = build_search(
        model,
        torch_supernet.image_loss,
        conv.SPACE.cells,
        torch_search.IMAGES,
        device,
    )
    batch = images, torch.arange(FLAGS.batch_size, device=device) % 10
    return lambda: search.step(batch, batch)


def text_step(device: str) -> Callable[[], object]:
    """Returns a step on random words, which draws masks for all its passes."""
    model = torch_recurrent.LanguageModel(FLAGS.words, FLAGS.hidden_size)
    search = build_search(
        model,
        torch_recurrent.window_loss,
        recurrent.SPACE.cells,
        torch_search.TEXT,
        device,
    )
    shape = (FLAGS.bptt, FLAGS.batch_size)
    ids = torch.randint(FLAGS.words, shape, device=device)
    hidden = torch.zeros(FLAGS.batch_size, FLAGS.hidden_size, device=device)

    def step() -> float:
        train = torch_recurrent.Window(
            ids,
            ids,
            hidden,
            torch_recurrent.draw_masks(hidden),
            torch_recurrent.SLOWNESS,
        )
        return search.step(train, train._replace(slowness=0.0))

    return step


if __name__ == "__main__":
    app.run(main)
