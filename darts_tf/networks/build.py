"""Builds the network of a genotype as a Keras model, in one call."""

from __future__ import annotations

import os
from collections.abc import Sequence

import keras

from darts_tf.errors import InputError, require_bool
from darts_tf.networks import chain, conv, nasbench201
from darts_tf.networks.next_word import NextWordModel
from darts_tf.space import conv as conv_space
from darts_tf.space import nasbench201 as nasbench201_space
from darts_tf.space import recurrent
from darts_tf.space.genotype import Genotype
from darts_tf.space.published import any_genotype
from darts_tf.space.registry import is_chain

NETWORKS = {"cifar": conv.EvaluationNetwork, "mobile": conv.MobileNetwork}


def build_network(
    genotype: Genotype | str | os.PathLike,
    *,
    channels: int | None = None,
    layers: int | None = None,
    num_classes: int | None = None,
    image_shape: Sequence[int] | None = None,
    auxiliary: bool = False,
    network: str = "cifar",
    hidden_size: int | None = None,
    words: int | None = None,
    width_multiplier: float | None = None,
) -> keras.Model:
    """Builds the network of a derived architecture, with random weights.

    It takes normalised images [B, H, W, C] to raw logits [B, classes], so
    losses and metrics need `from_logits=True`:

        model = darts_tf.build_network("DARTS_V2", channels=16, layers=8,
                                       num_classes=10)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        model.fit(images, labels)
        model.save("x.keras")  # keras.models.load_model where darts_tf is imported

    The network of a recurrent cell takes words [B, T] to raw logits of the
    next word, [B, T, words] (networks/next_word.py).

    Args:
      genotype: a Genotype, a published name ("DARTS_V2"), the path of a
        genotype.json, or what other projects print.
      channels: of the first cell's nodes.
      layers: number of cells, at least 3; of NAS-Bench-201 a multiple of 3.
      num_classes: at least 2.
      image_shape: [H, W, C]; if given, the weights are created now and not by
        the first images.
      auxiliary: whether to add the auxiliary head of DARTS sect. A.2. In
        training a call then gives (logits, auxiliary logits), and `fit` adds
        0.4 times the head's loss.
      network: "cifar", or "mobile" for images of 224 x 224.
      hidden_size: H of a recurrent cell.
      words: V, size of the vocabulary of a recurrent cell.
      width_multiplier: factor of the widths of a chain ("MobileNetV2"; unset: 1),
        which has neither `channels` nor `layers`, and needs `image_shape`.

    Raises:
      InputError: no such genotype, an argument that is missing or of another
        type, or one that does not go with the genotype's space.
    """
    require_bool("auxiliary", auxiliary)
    of_text = hidden_size is not None or words is not None
    space = recurrent.SPACE.name if of_text else conv_space.SPACE.name
    cells = any_genotype(genotype, space)
    images = {"channels": channels, "layers": layers, "num_classes": num_classes}
    texts = {"hidden_size": hidden_size, "words": words}
    if cells.space == recurrent.SPACE.name:
        others = images | {"image_shape": image_shape, "auxiliary": auxiliary or None}
        others |= {"width_multiplier": width_multiplier}
        _check_given(cells.space, texts, others)
        assert hidden_size is not None and words is not None
        return NextWordModel(cells, hidden_size, words)
    if is_chain(cells.space):
        others = texts | {"channels": channels, "layers": layers}
        others |= {"auxiliary": auxiliary or None}
        _check_given(cells.space, {"num_classes": num_classes}, others)
        assert num_classes is not None
        return _chain_network(
            cells, num_classes, image_shape, width_multiplier or 1.0, network
        )
    texts |= {"width_multiplier": width_multiplier}
    _check_given(cells.space, images, texts)
    model = _image_network(cells, channels, layers, num_classes, auxiliary, network)
    if image_shape is not None:
        model.build((None, *_checked_shape(image_shape)))
    return model


def _image_network(cells, channels, layers, classes, auxiliary, network):
    if network not in NETWORKS:
        raise InputError(
            f"`network` must be one of {', '.join(NETWORKS)}; received {network!r}"
        )
    if cells.space != nasbench201_space.SPACE.name:
        return NETWORKS[network](cells, channels, layers, classes, auxiliary=auxiliary)
    if auxiliary or network != "cifar":
        raise InputError(
            "networks of space 'nasbench201' have no auxiliary head and no mobile "
            "form; leave out `auxiliary` and `network`"
        )
    return nasbench201.EvaluationNetwork(cells, channels, layers, classes)


def _chain_network(
    genotype: Genotype,
    classes: int,
    image_shape: Sequence[int] | None,
    width_multiplier: float,
    network: str,
) -> keras.Model:
    if image_shape is None or network != "cifar":
        raise InputError(
            f"a network of space '{genotype.space}' has strides that depend on the "
            "images, and one form: give `image_shape`, and leave out `network`"
        )
    shape = _checked_shape(image_shape)
    sizes = width_multiplier, min(shape[:2]), classes
    model = chain.EvaluationNetwork(genotype, *sizes)
    model.build((None, *shape))
    return model


def _check_given(space: str, needed: dict, others: dict) -> None:
    """Refuses missing arguments, and those of another kind of space."""
    missing = [f"`{name}`" for name, value in needed.items() if value is None]
    wrong = [f"`{name}`" for name, value in others.items() if value is not None]
    if missing:
        raise InputError(
            f"a network of space '{space}' needs {', '.join(needed)}; give "
            f"{', '.join(missing)}"
        )
    if wrong:
        raise InputError(
            f"{', '.join(wrong)} do not go with a genotype of space '{space}'; "
            f"leave them out"
        )
    for name, value in needed.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(
                f"`{name}` must be a whole number of at least 1; received {value!r}"
            )


def _checked_shape(image_shape: Sequence[int]) -> tuple[int, ...]:
    shape = tuple(image_shape)
    if len(shape) != 3 or not all(isinstance(n, int) and n > 0 for n in shape):
        raise InputError(
            f"`image_shape` must be [height, width, channels], whole numbers of at "
            f"least 1; received {image_shape!r}"
        )
    return shape
