"""Numbers published after DARTS, in its space, by the choice of `published`.

As the papers that are named print them; where that is not the method's own
paper, it quotes that one. Costs leave the selection out, as in DARTS's tables,
but for ASHA, which selects all the way.
"""

from __future__ import annotations

from darts_tf.protocol.published import (
    CIFAR10,
    GRADIENT,
    IMAGENET,
    PTB,
    WIKITEXT2,
    image,
    text,
)

PERTURBATION = "Wang et al. 2021 (DARTS+PT), table 2"
RANDOM = "Li and Talwalkar 2019"
NASI = "Shu et al. 2022 (NASI), table 1"
PARTIAL = "Xu et al. 2020 (PC-DARTS), README of its code"
HOUR = 1 / 24
"""In days."""

CIFAR10_LATER = (
    image(
        RANDOM,
        GRADIENT,
        "DARTS (second order), searched again",
        2.78,
        3.3,
        4,
        deviation=0.12,
    ),
    image(
        RANDOM,
        "random",
        "Random search with weight sharing",
        2.85,
        4.3,
        2.7,
        deviation=0.08,
    ),
    image(RANDOM, "random", "ASHA", 3.03, 2.2, 9, deviation=0.13),
    image(PERTURBATION, GRADIENT, "SNAS (moderate)", 2.85, 2.8, 1.5, deviation=0.02),
    image(PERTURBATION, GRADIENT, "GDAS", 2.93, 3.4, 0.3),
    image(PERTURBATION, GRADIENT, "P-DARTS", 2.50, 3.4, 0.3),
    image(PERTURBATION, GRADIENT, "PC-DARTS", 2.57, 3.6, 0.1, deviation=0.07),
    image(PERTURBATION, GRADIENT, "R-DARTS (L2)", 2.95, None, 1.6, deviation=0.21),
    image(PERTURBATION, GRADIENT, "SDARTS-RS", 2.67, 3.4, 0.4, deviation=0.03),
    image(NASI, GRADIENT, "SDARTS-ADV", 2.61, 3.3, 31.2 * HOUR, deviation=0.02),
    image(PERTURBATION, GRADIENT, "DARTS+PT (average)", 2.61, 3.0, 0.8, deviation=0.08),
    image(PERTURBATION, GRADIENT, "DARTS+PT (best)", 2.48, 3.3, 0.8),
    image(
        PERTURBATION, GRADIENT, "SDARTS-RS+PT (average)", 2.54, 3.3, 0.8, deviation=0.10
    ),
    image(PERTURBATION, GRADIENT, "SDARTS-RS+PT (best)", 2.44, 3.2, 0.8),
)

CIFAR100 = (
    image(NASI, GRADIENT, "DARTS (second order)", 17.54, 3.4, 24 * HOUR),
    image(NASI, GRADIENT, "GDAS", 18.38, 3.4, 7.2 * HOUR),
    image(NASI, GRADIENT, "DARTS- (average)", 17.51, 3.3, 9.6 * HOUR, deviation=0.25),
    image(NASI, GRADIENT, "R-DARTS (L2)", 18.01, None, 38.4 * HOUR, deviation=0.26),
    image(NASI, "training-free", "TE-NAS", 17.42, 4.4, 0.5 * HOUR, deviation=0.56),
)

IMAGENET_LATER = (
    image(PARTIAL, GRADIENT, "SNAS", 27.3, None, 1.5, top5=9.3, multiply_adds=522),
    image(
        PARTIAL,
        GRADIENT,
        "PC-DARTS (searched on ImageNet)",
        24.2,
        None,
        3.8,
        top5=7.3,
        multiply_adds=597,
    ),
)

PTB_LATER = (
    text(RANDOM, GRADIENT, "DARTS (second order), searched again", 58.2, 55.9, 23, 1),
    text(RANDOM, "random", "Random search with weight sharing", 57.8, 55.5, 23, 0.25),
    text(RANDOM, "random", "ASHA", 58.6, 56.4, 23, 2),
)

ROWS = {
    "none": (),
    "cifar10": CIFAR10,
    "cifar10_later": CIFAR10_LATER,
    "cifar100": CIFAR100,
    "imagenet": (*IMAGENET, *IMAGENET_LATER),
    "ptb": (*PTB, *PTB_LATER),
    "wikitext2": WIKITEXT2,
}
"""The rows of each choice of `published`."""

MEASURES = {
    "none": None,
    "cifar10": ("error", "cifar10"),
    "cifar10_later": ("error", "cifar10"),
    "cifar100": ("error", "cifar100"),
    "imagenet": ("error", "imagenet2012"),
    "ptb": ("perplexity", "text_folder"),
    "wikitext2": ("perplexity", "text_folder"),
}
"""The measure and the data set, by the choice of `published`."""
