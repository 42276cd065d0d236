"""eq. 7 of one loss by one method, run plainly or by an Execution."""

from __future__ import annotations

import contextlib

from darts_tf.strategy.darts import bilevel


class ArchitectureGradient:
    """Binds the loss, the method and the execution of the equations."""

    def __init__(
        self,
        loss,
        method,
        execution=None,
        valid_loss=None,
        exact=bilevel.reverse_over_reverse,
    ):
        self.loss, self.method, self.valid_loss = loss, method, valid_loss
        self.execution, self.exact = execution, exact

    def _active(self):
        if self.execution is None:
            return contextlib.nullcontext()
        return self.execution.active()

    def __call__(self, w, alpha, train, valid, seed, unroll):
        implicit = bilevel.implicit_term(self.method, self.exact)
        with self._active():
            return bilevel.architecture_gradient(
                self.loss,
                w,
                alpha,
                train,
                valid,
                seed,
                unroll,
                implicit,
                self.valid_loss,
            )

    def grad_w(self, *values):
        with self._active():
            return bilevel.grad_w(self.loss, *values)

    def grad_alpha(self, *values):
        with self._active():
            return bilevel.grad_alpha(self.loss, *values)
