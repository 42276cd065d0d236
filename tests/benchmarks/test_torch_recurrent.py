"""The recurrent network timed beside ours: the goldens' numbers, its parts."""

from __future__ import annotations

import os
import pathlib

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install torch")

from benchmarks.speed import torch_recurrent, torch_search  # noqa: E402

HERE = pathlib.Path(__file__).parent.parent / "goldens"
FOLDER = pathlib.Path(os.environ.get("DARTS_TF_GOLDENS", HERE))
GOLDEN = dict(np.load(FOLDER / "rnn.npz", allow_pickle=False))
WORDS, SIZE, _, BATCH = (int(n) for n in GOLDEN["config"])
KEPT = torch_recurrent.Masks(*[torch.ones(BATCH, SIZE).double()] * 4)


def window(part, slowness=0.0, masks=KEPT):
    """A golden batch."""
    inputs, targets = (
        torch.tensor(GOLDEN[f"{name}_{part}"].astype(np.int64)) for name in "xy"
    )
    hidden = torch.tensor(GOLDEN["h0"][0])
    return torch_recurrent.Window(inputs, targets, hidden, masks, slowness)


def build(alpha_only=False, **protocol):
    """The goldens' search, before its first step."""
    model = torch_recurrent.LanguageModel(WORDS, SIZE).double()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim == 2:
                k = np.arange(weight.numel())
                wave = 0.5 * np.sin(0.7 * k + sum(weight.shape))
                weight.copy_(torch.tensor(wave).reshape(weight.shape))
    usual = {
        "learning_rate": float(GOLDEN["unrolled_eta"]),
        "weight_decay": float(GOLDEN["unrolled_weight_decay"]),
        "momentum": 0.0,
        "clip_norm": 1e9,
        "clip_unrolled": True,
    }
    return torch_search.Search(
        model,
        torch_recurrent.window_loss,
        [torch.tensor(GOLDEN["alpha"], requires_grad=True)],
        "first_order",
        alpha_only,
        torch_search.Protocol(**usual | protocol),
    )


@pytest.fixture
def search():
    return build()


def close(value, key):
    """Asserts equality to 1e-6 of the largest element."""
    golden = GOLDEN[key]
    found = value.detach().numpy()
    assert found.shape == golden.shape, key
    assert np.abs(found - golden).max() <= 1e-6 * np.abs(golden).max(), key


def test_it_is_the_network_of_the_goldens(search):
    batch = window("train")
    logits, last, _ = search.model(
        batch.inputs, batch.hidden, batch.masks, search.alpha
    )
    close(torch.log_softmax(logits, -1), "log_prob")
    close(last[None], "hidden")


def test_gradients(search):
    by_w, by_alpha, loss = search.gradients(search.model, window("train"))
    close(loss, "loss_train")
    close(by_alpha[0], "dalpha_train")
    norm = torch.sqrt(sum((g * g).sum() for g in by_w))
    close(norm, "grad_w_global_norm")


@pytest.mark.parametrize("alpha_only", [False, True])
def test_first_order(alpha_only):
    search = build(alpha_only)
    found = search.first_order(window("train"), window("valid"))
    close(found[0], "dalpha_first")


def test_exact(search):
    found = search.exact(window("train"), window("valid"))
    close(found[0], "dalpha_exact")
    valid = search.loss(search.unrolled, search.alpha, window("valid"))
    close(valid, "unrolled_loss_valid")


@pytest.mark.parametrize("alpha_only", [False, True])
def test_the_finite_difference_is_that_of_eq_8(alpha_only):
    """Against the two points written out: w + eps v and w - eps v."""
    search = build(alpha_only)
    train, valid = window("train"), window("valid")
    found = search.finite_difference(train, valid)[0]
    v, direct, _ = search.gradients(search.unrolled, valid)
    step = 0.01 / torch.sqrt(sum((t * t).sum() for t in v))
    sides = []
    for sign in (1, -1):
        moved = build()
        for w, t in zip(moved.w, v):
            w.data += sign * step * t
        sides.append(moved.gradients(moved.model, train)[1][0])
    rate = search.protocol.learning_rate
    expected = direct[0] - rate * (sides[0] - sides[1]) / (2 * step)
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-12)
    for w, start in zip(search.w, build().w):
        assert torch.allclose(w, start, rtol=0, atol=1e-12)


def test_the_unrolled_step_is_the_one_that_is_taken():
    search = build(clip_norm=0.1)
    train = window("train")
    g, _, _ = search.gradients(search.model, train, by_alpha=False)
    assert torch.sqrt(sum((t * t).sum() for t in g)) > 0.1
    with torch.no_grad():
        expected, _ = search._stepped(g)
    search.method = "weights"
    search.step(train, train)
    for w, stepped in zip(search.w, expected):
        assert torch.allclose(w, stepped, rtol=1e-12)


def test_slowness_and_masks_count(search):
    plain = search.loss(search.model, search.alpha, window("train"))
    slow = search.loss(search.model, search.alpha, window("train", 2.0))
    batch = window("train")
    outputs = search.model(batch.inputs, batch.hidden, batch.masks, search.alpha)[2]
    change = np.diff(outputs.detach().numpy(), axis=0)
    assert (slow - plain).item() == pytest.approx(2 * np.mean(change**2))
    for name in KEPT._fields:
        dropped = KEPT._replace(**{name: torch.zeros(BATCH, SIZE).double()})
        other = window("train", masks=dropped)
        assert search.loss(search.model, search.alpha, other) != plain, name


def test_masks_keep_the_mean():
    torch.manual_seed(0)
    masks = torch_recurrent.draw_masks(torch.zeros(400, 50))
    for name, p in torch_recurrent.DROPOUTS.items():
        mask = getattr(masks, name)
        values = {0.0, float(torch.tensor(1.0) / (1 - p))}
        assert set(mask.unique().tolist()) == values
        assert abs(float(mask.mean()) - 1) < 0.05, name
