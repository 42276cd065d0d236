"""The ablations of DARTS sect. 3.3: alpha and w minimise one loss.

Nothing is held out: both learn from the union of the training and validation
data, in the words of the paper "using coordinate descent" (steps in turn) or
"simultaneously optimizing alpha with w ... using SGD". The paper says no
more, so these are choices:

- In turn, the steps are those of the bilevel search (Adam on alpha, then SGD
  on w), each on a batch of its own from the union, so that data and loss are
  all that differs from first order DARTS. On one batch alpha would be fitted
  to the very examples that w sees next.
- At once, one pass gives both gradients, and one SGD moves all numbers: one
  learning rate, one momentum, one weight decay, and one norm for clipping.

What is measured at an epoch's end has been learned from, so it is called
"union/..." and not "valid/...".
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.strategy.darts.bilevel import grad_w_alpha
from darts_tf.strategy.darts.other_relaxations import ALPHA_DRAW
from darts_tf.strategy.darts.search_loop import Search
from darts_tf.strategy.darts.search_settings import SearchSettings


class AlternatingSearch(Search):
    """Steps in turn; see the module.

    Args:
      task: its batches for L_train and for L_val are of the same data, and
        both losses are the same function.
      settings: with method "first_order", and no regularizer.
      replicas, options: see Search.

    Raises:
      InputError: other settings, or losses that differ.
    """

    def __init__(self, task, settings: SearchSettings, replicas: Replicas, **options):
        if settings.method != "first_order":
            raise InputError(
                "a joint search has no inner problem: method must be "
                f"first_order; received {settings.method!r}"
            )
        if settings.lambda_regularizer != "none":
            raise InputError(
                "a joint search takes no regularizer of Lambda-DARTS; "
                f"received {settings.lambda_regularizer!r}"
            )
        if task.valid_loss is not task.train_loss:
            raise InputError("a joint search needs a task with one loss")
        super().__init__(task, settings, replicas, **options)

    def advance(self) -> dict[str, object]:
        """Takes one step; returns scalars by name."""
        return _renamed(super().advance())

    def end_epoch(self) -> dict[str, float]:
        """Returns what Search measures, under a name of its own."""
        return _renamed(super().end_epoch())


class SimultaneousSearch(AlternatingSearch):
    """Both at once; see the module. Without warm-up of w."""

    def __init__(self, task, settings: SearchSettings, replicas: Replicas, **options):
        if settings.warmup_epochs:
            raise InputError(
                "alpha and w move at once, so that no epoch is w's alone: "
                f"warmup_epochs must be 0; received {settings.warmup_epochs}"
            )
        super().__init__(task, settings, replicas, **options)
        self._compile()

    def _alpha_optimizer(self):
        return self.weights.sgd

    def _compile(self) -> None:
        replicas, alpha = self._replicas, self.architecture
        weights = self.weights

        def move_both(w, by_w, by_alpha, rate, temperature):
            read = [tf.identity(a) for a in alpha.variables]
            variables = [*weights.variables, *alpha.variables]
            slots = [*weights.slots, *alpha.slots]
            moved, after = weights.sgd.step(
                [*w, *read],
                [*by_w, *(g / temperature for g in by_alpha)],
                [tf.identity(s) for s in slots],
                rate,
            )
            replicas.assign(variables, moved)
            replicas.assign(slots, after)

        self._move_both = replicas.compile(move_both)

    def advance(self) -> dict[str, object]:
        """Takes one step on alpha and w; returns scalars by name."""
        (batch, _), rate, seed = self._begin_step()
        w = self.weights.read()
        read = self.architecture.read()
        with self.execution.active():
            relaxation = self.algorithm.relaxation
            mixed = relaxation.weights(read, seed, self.epoch, ALPHA_DRAW)
            by_w, by_alpha, loss, aux = grad_w_alpha(
                self.task.train_loss, w, mixed, batch, seed
            )
            by_alpha = self.algorithm.alpha_gradient(by_alpha, read, seed, self.epoch)
        self.architecture.observe(by_alpha)
        self._move_both(
            w,
            by_w,
            by_alpha,
            tf.constant(rate, tf.float32),
            tf.constant(self.architecture.temperature),
        )
        self.task.keep(aux, aux)
        self._adapt_cost()
        scalars = {
            **self.task.scalars(batch, loss, aux),
            **self.alpha_scalars(),
            "learning_rate": rate,
        }
        self.step += 1
        return scalars


def _renamed(scalars: dict) -> dict:
    """Measures nothing: no part was held out."""
    held, union = "valid/", "union/"
    return {
        union + name.removeprefix(held) if name.startswith(held) else name: v
        for name, v in scalars.items()
    }


SEARCHES = {
    "bilevel": Search,
    "joint_alternating": AlternatingSearch,
    "joint_simultaneous": SimultaneousSearch,
}
"""The search loops by `optimization`."""
