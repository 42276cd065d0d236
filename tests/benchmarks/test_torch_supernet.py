"""The PyTorch supernet that is timed computes the goldens' numbers."""

from __future__ import annotations

import os
import pathlib

import numpy as np
import pytest

from tests.conformance.weights import wave

torch = pytest.importorskip("torch", reason="pip install torch")

from benchmarks.speed import torch_search, torch_supernet  # noqa: E402

HERE = pathlib.Path(__file__).parent.parent / "goldens"
FOLDER = pathlib.Path(os.environ.get("DARTS_TF_GOLDENS", HERE))
GOLDEN = dict(np.load(FOLDER / "conv.npz", allow_pickle=False))


def batch(part):
    """A batch in torch's layout."""
    images = GOLDEN[f"net/x_{part}"].transpose(0, 3, 1, 2)
    labels = GOLDEN[f"net/y_{part}"].astype(np.int64)
    return torch.tensor(images), torch.tensor(labels)


@pytest.fixture
def search():
    """The goldens' search, before its first step."""
    channels, layers, _, _, classes = map(int, GOLDEN["net/config"])
    model = torch_supernet.Supernet(channels, layers, classes).double()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.copy_(torch.tensor(wave(tuple(weight.shape))))
        model.classifier.bias.zero_()
    alpha = [
        torch.tensor(GOLDEN[f"net/alpha_{kind}"], requires_grad=True)
        for kind in ("normal", "reduce")
    ]
    return torch_search.Search(model, torch_supernet.image_loss, alpha, "first_order")


def close(value, key):
    """Asserts equality to 1e-6 of the largest element."""
    golden = GOLDEN[key]
    found = value.detach().numpy()
    assert np.abs(found - golden).max() <= 1e-6 * np.abs(golden).max(), key


def test_it_is_the_supernet_of_the_goldens(search):
    size = sum(w.numel() for w in search.w)
    assert size == GOLDEN["net/num_weights"]
    images, labels = batch("train")
    close(search.model(images, search.alpha), "net/logits")
    loss = search.loss(search.model, search.alpha, (images, labels))
    close(loss, "net/loss_train")


@pytest.mark.parametrize("alpha_only", [False, True])
def test_first_order(search, alpha_only):
    search.alpha_only = alpha_only
    found = search.first_order(batch("train"), batch("valid"))
    for kind, value in zip(("normal", "reduce"), found):
        close(value, f"net/dalpha_{kind}_first")


@pytest.mark.parametrize(
    "method, key, alpha_only",
    [
        ("finite_difference", "fd", False),
        ("finite_difference", "fd", True),
        ("exact", "exact", False),
    ],
)
def test_second_order(search, method, key, alpha_only):
    search.alpha_only = alpha_only
    found = getattr(search, method)(batch("train"), batch("valid"))
    for kind, value in zip(("normal", "reduce"), found):
        close(value, f"net/unrolled/dalpha_{kind}_{key}")
