"""Compiled parts compute the same, and what cannot be is said."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="pip install torch")

from benchmarks.speed import (  # noqa: E402
    torch_compiled,
    torch_recurrent,
    torch_search,
    torch_supernet,
)
from darts_tf.space import conv, recurrent  # noqa: E402


class OneEdge(torch.nn.Module):
    """A supernet is slow to trace; this is one edge of it."""

    def __init__(self):
        super().__init__()
        names = conv.SPACE.cells[0].candidates[0]
        self.edge = torch_supernet.MixedEdge(names, 3, 1)

    def forward(self, images, alpha):
        weights = torch.softmax(alpha[0], -1)
        return self.edge(images, weights[0]).mean((2, 3))


def image_search():
    """A tiny search of images, and a batch."""
    batch = torch.randn(2, 3, 8, 8), torch.tensor([1, 2])
    return OneEdge(), torch_supernet.image_loss, conv.SPACE.cells[:1], batch


def text_search():
    """A tiny recurrent search, and a window with dropout."""
    model = torch_recurrent.LanguageModel(7, 4, nodes=1)
    ids, hidden = torch.randint(7, (3, 5)), torch.zeros(5, 4)
    masks = torch_recurrent.draw_masks(hidden)
    batch = torch_recurrent.Window(ids, ids, hidden, masks, 1e-3)
    return model, torch_recurrent.window_loss, recurrent.SPACE.cells, batch


@pytest.mark.parametrize("make", [text_search, image_search])
def test_compiled_parts_give_the_same_gradients(make):
    torch.manual_seed(0)
    model, loss, cells, batch = make()
    alpha = [torch.randn(spec.alpha_shape, requires_grad=True) for spec in cells]
    search = torch_search.Search(model, loss, alpha, "first_order", True)
    asked = [(True, False), (False, True), (True, True), (False, True)]
    plain = [search.gradients(model, batch, *by) for by in asked]
    torch_compiled.compile_parts(model, backend="aot_eager")
    for by, expected in zip(asked, plain):
        found = search.gradients(model, batch, *by)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_without_a_compiler_there_is_no_column(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setenv("PATH", "")
    reason = torch_compiled.unsupported("first_order", "cpu")
    assert "no-such-compiler" in reason
    assert torch_compiled.unsupported("first_order", "cuda") is None


def test_a_second_derivative_is_asked_for():
    """Says no, in one line, as long as PyTorch does."""
    reason = torch_compiled.unsupported("exact", "cuda")
    assert reason is None or "double backward" in reason
    assert reason is None or "\n" not in reason
