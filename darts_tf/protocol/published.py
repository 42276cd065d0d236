"""Numbers that others have published, to stand beside measured ones.

All of them are from Liu, Simonyan and Yang, "DARTS: Differentiable
Architecture Search" (ICLR 2019), its tables on CIFAR-10 and Penn Treebank
and sect. 3.3, as far as they were at hand when this was written; what was
not is None.
"""

from __future__ import annotations

from darts_tf.protocol.tables import DAY, Row

TABLE_1 = "DARTS (Liu et al. 2019), CIFAR-10"
TABLE_2 = "DARTS (Liu et al. 2019), Penn Treebank"
JOINT = "DARTS (Liu et al. 2019), sect. 3.3"


def _image(name, error, deviation, parameters, days, method, source=TABLE_1):
    """Percent, millions, GPU-days."""
    return Row(
        name=name,
        test=error / 100,
        deviation=None if deviation is None else deviation / 100,
        parameters=parameters * 1e6,
        cost=None if days is None else days * DAY,
        method=method,
        published=source,
    )


def _text(name, valid, test, parameters, days, method):
    """Perplexities, millions, GPU-days."""
    return Row(
        name=name,
        test=test,
        valid=valid,
        parameters=parameters * 1e6,
        cost=None if days is None else days * DAY,
        method=method,
        published=TABLE_2,
    )


CIFAR10 = (
    _image("NASNet-A", 2.65, None, 3.3, 2000, "RL"),
    _image("AmoebaNet-B", 2.55, 0.05, 2.8, 3150, "evolution"),
    _image("ENAS", 2.89, None, 4.6, 0.5, "RL"),
    _image("Random search (24 samples)", 3.29, 0.15, 3.2, 4, "random"),
    _image("DARTS (first order)", 3.00, 0.14, 3.3, 1.5, "gradient-based"),
    _image("DARTS (second order)", 2.76, 0.09, 3.3, 4, "gradient-based"),
    _image("alpha and w jointly, coordinate descent", 4.16, 0.16, 3.1, None,
           "gradient-based", JOINT),
    _image("alpha and w jointly, simultaneous SGD", 3.56, 0.10, 3.0, None,
           "gradient-based", JOINT),
)  # fmt: skip

PTB = (
    _text("LSTM", 60.7, 58.8, 24, None, "manual"),
    _text("LSTM + 15 softmax experts", 58.1, 56.0, 22, None, "manual"),
    _text("ENAS", 60.8, 58.6, 24, 0.5, "RL"),
    _text("Random search (8 samples)", 61.8, 59.4, 23, 2, "random"),
    _text("DARTS (first order)", 60.2, 57.6, 23, 0.5, "gradient-based"),
    _text("DARTS (second order)", 58.1, 55.7, 23, 1, "gradient-based"),
)  # fmt: skip

ROWS = {
    "none": (),
    "cifar10": CIFAR10,
    "ptb": PTB,
}
"""By the choice of --published."""
