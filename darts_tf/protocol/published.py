"""Published numbers, to compare with measured ones.

Tables 1 to 4 and sect. 3.3 of Liu, Simonyan and Yang, "DARTS: Differentiable
Architecture Search" (ICLR 2019), whole; what was published after them is in
published_later.py. Every row names its source.
"""

from __future__ import annotations

from darts_tf.protocol.tables import DAY, Row

DARTS = "DARTS (Liu et al. 2019)"
JOINT = f"{DARTS}, sect. 3.3"
GRADIENT, SMBO = "gradient-based", "SMBO"


def image(
    source: str,
    method: str,
    name: str,
    error,
    parameters=None,
    days=None,
    operations=None,
    *,
    deviation=None,
    top5=None,
    multiply_adds=None,
):
    """Returns a row from percent, millions and GPU-days."""
    return Row(
        name=name,
        test=error / 100,
        deviation=deviation and deviation / 100,
        top5=top5 and top5 / 100,
        parameters=parameters and parameters * 1e6,
        multiply_adds=multiply_adds and multiply_adds * 1e6,
        cost=days and days * DAY,
        operations=operations,
        method=method,
        published=source,
    )


def text(
    source: str,
    method: str,
    name: str,
    valid,
    test,
    parameters=None,
    days=None,
    operations=None,
):
    """Returns a row from perplexities, millions and GPU-days."""
    return Row(
        name=name,
        test=test,
        valid=valid,
        parameters=parameters and parameters * 1e6,
        cost=days and days * DAY,
        operations=operations,
        method=method,
        published=source,
    )


def _cifar10(method, *row, deviation=None):
    return image(f"{DARTS}, table 1", method, *row, deviation=deviation)


def _ptb(method, *row):
    return text(f"{DARTS}, table 2", method, *row)


def _imagenet(method, name, error, top5, parameters, multiply_adds, days=None):
    return image(
        f"{DARTS}, table 3",
        method,
        name,
        error,
        parameters,
        days,
        top5=top5,
        multiply_adds=multiply_adds,
    )


def _wikitext2(method, *row):
    return text(f"{DARTS}, table 4", method, *row)


CIFAR10 = (
    _cifar10("manual", "DenseNet-BC", 3.46, 25.6),
    _cifar10("RL", "NASNet-A + cutout", 2.65, 3.3, 2000, 13),
    _cifar10("RL", "NASNet-A + cutout, trained as DARTS", 2.83, 3.1, 2000, 13),
    _cifar10("RL", "BlockQNN", 3.54, 39.8, 96, 8),
    _cifar10("evolution", "AmoebaNet-A", 3.34, 3.2, 3150, 19, deviation=0.06),
    _cifar10(
        "evolution", "AmoebaNet-A + cutout, trained as DARTS", 3.12, 3.1, 3150, 19
    ),
    _cifar10("evolution", "AmoebaNet-B + cutout", 2.55, 2.8, 3150, 19, deviation=0.05),
    _cifar10("evolution", "Hierarchical evolution", 3.75, 15.7, 300, 6, deviation=0.12),
    _cifar10(SMBO, "PNAS", 3.41, 3.2, 225, 8, deviation=0.09),
    _cifar10("RL", "ENAS + cutout", 2.89, 4.6, 0.5, 6),
    _cifar10("RL", "ENAS + cutout, best of 8", 2.91, 4.2, 4, 6),
    _cifar10(
        "random", "Random search (24 samples) + cutout", 3.29, 3.2, 4, 7, deviation=0.15
    ),
    _cifar10(
        GRADIENT, "DARTS (first order) + cutout", 3.00, 3.3, 1.5, 7, deviation=0.14
    ),
    _cifar10(
        GRADIENT, "DARTS (second order) + cutout", 2.76, 3.3, 4, 7, deviation=0.09
    ),
    image(
        JOINT,
        GRADIENT,
        "alpha and w jointly, coordinate descent",
        4.16,
        3.1,
        deviation=0.16,
    ),
    image(
        JOINT,
        GRADIENT,
        "alpha and w jointly, simultaneous SGD",
        3.56,
        3.0,
        deviation=0.10,
    ),
)

PTB = (
    _ptb("manual", "Variational RHN", 67.9, 65.4, 23),
    _ptb("manual", "LSTM", 60.7, 58.8, 24),
    _ptb("manual", "LSTM + skip connections", 60.9, 58.3, 24),
    _ptb("manual", "LSTM + 15 softmax experts", 58.1, 56.0, 22),
    _ptb("RL", "NAS", None, 64.0, 25, None, 4),  # its days are a CPU's
    _ptb("RL", "ENAS", 68.3, 63.1, 24, 0.5, 4),
    _ptb("RL", "ENAS, trained as DARTS", 60.8, 58.6, 24, 0.5, 4),
    _ptb("random", "Random search (8 samples)", 61.8, 59.4, 23, 2, 4),
    _ptb(GRADIENT, "DARTS (first order)", 60.2, 57.6, 23, 0.5, 4),
    _ptb(GRADIENT, "DARTS (second order)", 58.1, 55.7, 23, 1, 4),
)

IMAGENET = (
    _imagenet("manual", "Inception-v1", 30.2, 10.1, 6.6, 1448),
    _imagenet("manual", "MobileNet", 29.4, 10.5, 4.2, 569),
    _imagenet("manual", "ShuffleNet 2x (g = 3)", 26.3, None, 5, 524),
    _imagenet("RL", "NASNet-A", 26.0, 8.4, 5.3, 564, 2000),
    _imagenet("RL", "NASNet-B", 27.2, 8.7, 5.3, 488, 2000),
    _imagenet("RL", "NASNet-C", 27.5, 9.0, 4.9, 558, 2000),
    _imagenet("evolution", "AmoebaNet-A", 25.5, 8.0, 5.1, 555, 3150),
    _imagenet("evolution", "AmoebaNet-B", 26.0, 8.5, 5.3, 555, 3150),
    _imagenet("evolution", "AmoebaNet-C", 24.3, 7.6, 6.4, 570, 3150),
    _imagenet(SMBO, "PNAS", 25.8, 8.1, 5.1, 588, 225),
    _imagenet(GRADIENT, "DARTS (searched on CIFAR-10)", 26.7, 8.7, 4.7, 574, 4),
)

WIKITEXT2 = (
    _wikitext2("manual", "LSTM + augmented loss", 91.5, 87.0, 28),
    _wikitext2("manual", "LSTM + continuous cache pointer", None, 68.9),
    _wikitext2("manual", "LSTM", 69.1, 66.0, 33),
    _wikitext2("manual", "LSTM + skip connections", 69.1, 65.9, 24),
    _wikitext2("manual", "LSTM + 15 softmax experts", 66.0, 63.3, 33),
    _wikitext2("RL", "ENAS (searched on PTB), trained as DARTS", 72.4, 70.4, 33, 0.5),
    _wikitext2(GRADIENT, "DARTS (searched on PTB)", 71.2, 69.6, 33, 1),
)
