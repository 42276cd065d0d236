"""Applies `torch.compile` to columns of benchmarks/speed/beside_pytorch.py.

What is compiled is what a user of PyTorch would compile: the whole supernet,
and of the recurrent network its cell, since the loop over time would be
unrolled.
"""

from __future__ import annotations

import os
import shutil

import torch

from benchmarks.speed.step_worker import one_line


def unsupported(method: str, device: str) -> str | None:
    """Returns in one line why there can be no such column; None if there can.

    Args:
      method: of alpha; "exact" differentiates twice.
      device: "cpu" needs a C++ compiler.
    """
    names = [os.environ.get("CXX", "g++"), "clang++"]
    if device == "cpu" and not any(map(shutil.which, names)):
        return f"no C++ compiler ({' or '.join(names)}) on this machine"
    return refusal_to_differentiate_twice() if method == "exact" else None


def refusal_to_differentiate_twice() -> str | None:
    """Returns the error of a small compiled function's second derivative."""
    x = torch.ones(2, requires_grad=True)
    cube = torch.compile(lambda x: (x * x * x).sum(), backend="aot_eager")
    (first,) = torch.autograd.grad(cube(x), x, create_graph=True)
    try:
        torch.autograd.grad(first.sum(), x)
    except RuntimeError as error:
        return one_line(error)
    return None


def compile_parts(model: torch.nn.Module, backend: str = "inductor") -> None:
    """Compiles a model in place: its cell where it has one, else all of it.

    Weights that need gradients in one pass and not in the next, and the first
    state of a window, give graphs of their own: more than PyTorch keeps
    unless it is told to.
    """
    torch._dynamo.config.recompile_limit = 32
    getattr(model, "cell", model).compile(backend=backend)
