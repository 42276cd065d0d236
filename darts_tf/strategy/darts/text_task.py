"""Language modelling by a recurrent search network, as a Task."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from darts_tf.descent import scores
from darts_tf.descent.replicas import Replicas
from darts_tf.networks.language import replica_seed, started, window_loss
from darts_tf.strategy.darts import relaxation
from darts_tf.strategy.darts.tasks import checkpoint_array


def search_loss(model, slowness: float = 0.0, relaxed: bool = False):
    """Makes loss(w, alpha, batch, seed) of a model around a MixedCell.

    If `relaxed`, it takes mixing weights in the place of alpha. Batches and aux
    are those of networks.language.window_loss. Each replica has dropout masks of
    its own, the same ones in all passes of a step.
    """

    def loss(w, alpha, batch, seed):
        weights = cell_weights(alpha, relaxed)
        own = replica_seed(seed)
        return window_loss(model, w, batch, own, slowness, weights=weights)

    return loss


def cell_weights(alpha, relaxed: bool):
    """Returns the mixing weights [edges, candidates] of the only cell."""
    return alpha[0] if relaxed else relaxation.mixing_weights(alpha)[0]


class TextTask:
    """Prediction of the next word by a language model with a mixed cell.

    The hidden state is carried from window to window, on its own for
    training and for validation, and starts from zero where the text does.

    Departures: L_val is measured without the slowness term, as in the
    authors' code; L_train has it in the unroll too, since the step that is
    about to be taken has (theirs leaves it out).

    Args:
      model: a built networks.language.LanguageModel around a MixedCell.
      train, valid: given the number of finished steps, the windows (inputs
        [B, T], targets [B, T], fresh [B]) that follow, for ever.
      measured: the whole validation text once, in such windows.
      batch_size: B of train and valid.
      measured_batch: B of measured.
      bptt: T for which the learning rate is meant.
      slowness: see networks.language.window_loss.
      replicas: where it runs.
      one_loss: whether L_val is L_train itself (strategy/darts/joint.py).
      relaxed: see tasks.Task.
    """

    units = "sequences"
    has_directional_derivatives = False

    def __init__(
        self,
        model,
        train: Callable[[int], Iterable],
        valid: Callable[[int], Iterable],
        measured: Callable[[], Iterable],
        *,
        batch_size: int,
        measured_batch: int,
        bptt: int,
        slowness: float,
        replicas: Replicas,
        one_loss: bool = False,
        relaxed: bool = False,
    ):
        self.model, self.space = model, model.cell.space
        self.w = [v.value for v in model.trainable_variables]
        self.relaxed = relaxed
        self.train_loss = search_loss(model, slowness, relaxed)
        self.valid_loss = self.relaxed_loss = self.train_loss
        if not relaxed:
            self.relaxed_loss = search_loss(model, slowness, relaxed=True)
        if not one_loss:
            self.valid_loss = search_loss(model, relaxed=relaxed)
        self.cells_loss: Callable | None = None
        self.kinds = (self.space.cells[0].name,)
        self._data, self._measured = (train, valid), measured
        self._bptt, self._replicas = bptt, replicas
        self._iterators = self._fixed = None
        size = model.cell.hidden_size
        self._shape = (batch_size, size)
        self._measured_shape = (measured_batch, size)
        self._hidden = {n: self._zeros(self._shape) for n in ("train", "valid")}
        self._sum_nats = replicas.compile(self._nats)

    def _zeros(self, shape):
        return self._replicas.divided(np.zeros(shape, np.float32))

    def batches(self, step: int):
        """See Task; a batch ends with the hidden state before it."""
        if self._iterators is None:
            self._iterators = [iter(data(step)) for data in self._data]
        train, valid = (next(iterator) for iterator in self._iterators)
        hidden = self._hidden
        return (*train, hidden["train"]), (*valid, hidden["valid"])

    def fixed_batches(self):
        """See Task; the hidden state before them is zero."""
        if self._fixed is None:
            zeros = self._zeros(self._shape)
            train, valid = (next(iter(data(0))) for data in self._data)
            self._fixed = (*train, zeros), (*valid, zeros)
        return self._fixed

    def rate_factor(self, train) -> float:
        """Scales the rate with the window's length."""
        return self._replicas.local(train[0]).shape[1] / self._bptt

    def keep(self, train_aux, valid_aux) -> None:
        """Carries both hidden states on; that of L_val if it was computed."""
        self._hidden = self._hidden | {"train": train_aux["hidden"]}
        if valid_aux is not None:
            self._hidden["valid"] = valid_aux["hidden"]

    def scalars(self, train, loss, aux):
        """Returns the loss, and the perplexity of the batch without regularisation."""
        nats = self._replicas.local(aux["cross_entropy"])
        return {
            "train/loss": self._replicas.local(loss),
            "train/perplexity": tf.exp(nats),
        }

    def measure(self, alpha) -> dict[str, float]:
        """Returns the search network's perplexity; it is not the final one."""
        hidden = self._zeros(self._measured_shape)

        def nats(batch, hidden):
            return self._sum_nats(alpha, (*batch, hidden))

        mean = scores.cross_entropy(nats, self._measured(), hidden, self._replicas)
        return {"valid/perplexity": math.exp(mean)}

    def _nats(self, alpha, batch):
        inputs, targets, fresh, hidden = batch
        weights = cell_weights(alpha, self.relaxed)
        logits, hidden, _ = self.model(inputs, started(hidden, fresh), weights=weights)
        return scores.nats(logits, tf.transpose(targets)), hidden

    def state(self) -> dict[str, np.ndarray]:
        """Returns both hidden states."""
        return {
            f"hidden/{name}": self._replicas.joined(value)
            for name, value in self._hidden.items()
        }

    def restore(self, arrays) -> None:
        """See Task."""
        self._hidden = {
            name: self._replicas.divided(
                checkpoint_array(arrays, f"hidden/{name}", self._shape)
            )
            for name in self._hidden
        }
        self._iterators = None
