"""The supernet and the evaluation network of a chain (space/chain.py).

As in MobileNetV2 (Sandler et al., CVPR 2018, table 2): a 3 x 3 convolution, an
inverted residual of expansion 1, the searched layers, a 1 x 1 convolution, global
average pooling, a linear classifier; ReLU6 throughout. There is no dropout before
the classifier and no squeeze-and-excitation.
"""

from __future__ import annotations

import dataclasses
import functools

import keras
import tensorflow as tf

from darts_tf.networks import implementation, operations
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.cell import add
from darts_tf.networks.convolutions import Conv, strided
from darts_tf.networks.derived import PACKAGE, DerivedNetwork
from darts_tf.networks.drop_path import scales
from darts_tf.networks.footprint import parts
from darts_tf.networks.footprint.part import Part
from darts_tf.networks.inverted_residual import InvertedResidual
from darts_tf.networks.precision import widened
from darts_tf.networks.stem_and_head import Classifier, as_floats, check_ends
from darts_tf.space.cell import IDENTITY
from darts_tf.space.chain import BLOCKS, ChainSpace, Layer
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name


def block(name: str, layer: Layer, norm) -> InvertedResidual:
    """Returns the block of a candidate in the place of a layer.

    Args:
      name: one of space.chain.BLOCKS.
      layer: with its channels and its stride.
      norm: called without arguments, returns a new BatchNorm.
    """
    kernel, expansion = BLOCKS[name]
    channels = layer.inputs, layer.channels
    return InvertedResidual(*channels, kernel, expansion, layer.stride, norm)


def _part(name: str, place: Layer, shape) -> parts.Made:
    """Returns a candidate in the place of a layer as a part, and its maker.

    Args:
      name: of the candidate.
      place: with its channels and its stride.
      shape: [B, H, W, ...] of the map that enters.
    """
    _, height, width, _ = shape
    part = Part(name, height, width, place.inputs, place.channels, place.stride)

    def make() -> parts.Piece:
        layer = block(name, place, functools.partial(BatchNorm, True))
        operations.build_once(layer, (None, *part.input_shape))
        return parts.Piece(lambda x, training: layer(x, training=training), [layer])

    return part, make


class MixedLayer(operations.Block):
    """One layer of the search network: the mixed operation (DARTS eq. 2).

    Args:
      names: of the candidates; the identity skips the layer.
      layer: its channels and its stride.
      norm: called without arguments, returns a new BatchNorm.
    """

    def __init__(self, names, layer: Layer, norm):
        super().__init__()
        self.names = tuple(names)
        self.blocks = {n: block(n, layer, norm) for n in names if n != IDENTITY}

    def build(self, shape) -> None:
        """Builds the blocks, by the shape of the layer's input."""
        for candidate in self.blocks.values():
            operations.build_once(candidate, shape)

    def compute_output_shape(self, shape) -> tuple:
        """Returns the shape of the output, from that of the input."""
        return next(iter(self.blocks.values())).compute_output_shape(shape)

    def call(self, x, weights, training=False):
        """Computes sum_o p_o o(x), [B, H', W', C], of [B, H, W, inputs].

        Where the input is added, it is so once, with the sum of the weights.

        Args:
          x: the input.
          weights: the mixing weights p, [candidates].
          training: whether batch norm uses (and follows) the batch.
        """
        by_name = dict(zip(self.names, tf.unstack(weights), strict=True))
        terms, inputs = [], []
        for name, p in by_name.items():
            if name == IDENTITY:
                inputs.append(p)
                continue
            candidate = self.blocks[name]
            channels = candidate.project.channels
            scale = p * tf.ones([channels], p.dtype)
            terms.append(candidate.branch(x, scale, training=training))
            inputs += [p] * candidate.residual
        if inputs:
            terms.append(tf.cast(tf.add_n(inputs) * widened(x), x.dtype))
        return add(terms)


class _Trunk(keras.Model):
    """Stem, layers and classifier; subclasses build the searched layers.

    Args:
      space: of the chain.
      width_multiplier: factor of all widths.
      image_size: pixels of the smaller side of the images; it decides the strides.
      classes: number of classes.
      norm: called without arguments, returns a new BatchNorm.

    Attributes:
      places: the searched layers that the network has.
      cells: the layers in these places.

    Raises:
      InputError: images that are too small, or fewer than two classes.
    """

    has_directional_derivatives = False
    shared_layers = ()

    def __init__(
        self,
        space: ChainSpace,
        width_multiplier: float,
        image_size: int,
        classes: int,
        norm=functools.partial(BatchNorm, True),
        **kwargs,
    ):
        stem, first, head = space.widths(width_multiplier)
        check_ends(stem, classes)
        stride, *_ = space.strides(image_size)
        super().__init__(autocast=False, **kwargs)
        self.supports_jit = False  # as networks/skeleton.py
        self.kinds = tuple(spec.name for spec in space.cells)
        self.stem = operations.Chain([Conv(stem, (3, 3), (stride, stride)), norm()])
        self.first_block = InvertedResidual(stem, first, 3, 1, 1, norm)
        every = space.layers(width_multiplier, image_size)
        self.places = tuple(filter(self._has, every))
        self.cells = [self._build_layer(place, norm) for place in self.places]
        for place, layer in zip(self.places, self.cells):
            layer.name = f"layer_{place.number}"
        self.head = operations.Chain([Conv(head), norm()])
        self.classifier = Classifier(classes)

    def build(self, shape) -> None:
        """Builds all layers, by the shape of images [B, H, W, channels]."""
        layers = [self.stem, self.first_block, *self.cells, self.head]
        shape = operations.build_in_turn(layers, shape)
        operations.build_once(self.classifier, (shape[0], shape[-1]))

    def _has(self, place: Layer) -> bool:
        """Returns whether the network has a layer in a place."""
        del place
        return True

    def _logits(self, images, training, arguments):
        """Computes logits [B, classes]; `arguments` has a mapping for each layer."""
        x = self.begin(images, training)
        x = self.first_block(x, training=training)
        for layer, others in zip(self.cells, arguments, strict=True):
            x = layer(x, training=training, **others)
        return self.classify(x, training)

    def begin(self, images, training=False):
        """Computes the stem's [B, H', W', C] of images [B, H, W, channels]."""
        return tf.nn.relu6(self.stem(images, training=training))

    def classify(self, x, training=False):
        """Computes logits [B, classes] of the last layer's output [B, H, W, C]."""
        x = tf.nn.relu6(widened(self.head(x, training=training)))
        return self.classifier(tf.reduce_mean(x, [1, 2]))


class Supernet(_Trunk):
    """The search network: every layer a mixed operation (eq. 2).

    Batch norms learn scale and shift, as in the published chains' own supernets
    (unlike in DARTS): a ReLU6 follows most of them, whose point 6 is of the
    scale's unit. As in networks/conv.py, a training pass leaves its batch's
    statistics in the batch norms, for whoever trains to average.

    Args:
      space: of chains.
      width_multiplier, image_size, classes: see EvaluationNetwork.
      compiled: False for layers without networks/compiled.
    """

    recompute = single_path = False
    partial_channels = 1

    def __init__(
        self,
        space: ChainSpace,
        width_multiplier: float,
        image_size: int,
        classes: int,
        compiled: bool = True,
    ):
        self.space, self.plain_edges = space, not compiled
        norm = functools.partial(BatchNorm, True, momentum=0.0)
        sizes = width_multiplier, image_size, classes
        with implementation.plain(not compiled):
            super().__init__(space, *sizes, norm, name="supernet")

    def _build_layer(self, place: Layer, norm) -> MixedLayer:
        names = self.space.cell(place.kind).candidates[place.row]
        return MixedLayer(names, place, norm)

    def call(self, images, mixing_weights, seed=None, training=False):
        """Computes the logits [B, classes] of images [B, H, W, channels].

        Args:
          images: normalised images.
          mixing_weights: [layers, candidates] of the first and of the later
            layers, softmaxes already.
          seed: not used: nothing is random.
          training: whether batch norm uses (and follows) the batch.
        """
        del seed
        rows = {
            kind: tf.unstack(weights)
            for kind, weights in zip(self.kinds, mixing_weights, strict=True)
        }
        places = self.places
        arguments = [{"weights": rows[place.kind][place.row]} for place in places]
        return self._logits(images, training, arguments)


@keras.saving.register_keras_serializable(f"{PACKAGE}_chain")
class EvaluationNetwork(DerivedNetwork, _Trunk):
    """The network of a derived chain; skipped layers are not there.

    Raw logits come out (networks/derived.py).

    Args:
      genotype: of a space of chains.
      width_multiplier: factor of all widths (Sandler et al. 2018: 1).
      image_size: pixels of the smaller side of the images; it decides the strides.
      classes: number of classes.
    """

    def __init__(
        self,
        genotype: Genotype,
        width_multiplier: float,
        image_size: int,
        classes: int,
    ):
        self.genotype = genotype
        space = space_by_name(genotype.space)
        assert isinstance(space, ChainSpace)
        self._space = space
        stages = space.by_stage(genotype.cells)
        self._names = tuple(name for stage in stages for name in stage)
        sizes = width_multiplier, image_size, classes
        super().__init__(space, *sizes, name="evaluation_network")
        self.arguments = {
            "width_multiplier": width_multiplier,
            "image_size": image_size,
            "classes": classes,
        }

    def parts(self) -> parts.NetworkParts:
        """Returns the parts of the networks of the genotype's space at this size."""
        stem, _ = parts.of_layer("stem", self.stem)
        head, _ = parts.of_layer("head", self.head)
        head = dataclasses.replace(head, output_channels=self.classifier.units)
        around = [
            (stem, functools.partial(parts.Piece, self.begin, [self.stem])),
            parts.of_layer("first_block", self.first_block),
            (
                head,
                functools.partial(
                    parts.Piece, self.classify, [self.head, self.classifier]
                ),
            ),
        ]
        shape = (None, *stem.input_shape)
        for layer in (self.stem, self.first_block):
            shape = layer.compute_output_shape(shape)
        choices: dict[str, list] = {kind: [] for kind in self.kinds}
        sizes = self.arguments["width_multiplier"], self.arguments["image_size"]
        for place in self._space.layers(*sizes):
            names = self._space.cell(place.kind).candidates[place.row]
            made = [None if n == IDENTITY else _part(n, place, shape) for n in names]
            choices[place.kind].append(made)
            shape = strided(shape, place.stride)
        return parts.of_chain(choices, around)

    def _has(self, place: Layer) -> bool:
        return self._names[place.number - 1] != IDENTITY

    def _build_layer(self, place: Layer, norm) -> InvertedResidual:
        return block(self._names[place.number - 1], place, norm)

    def call(self, images, drop_path=None, seed=None, training=False):
        """Computes the logits [B, classes] of images [B, H, W, channels].

        Args:
          images: normalised images.
          drop_path: probability of dropping a block beside an added input, a
            scalar tensor; None for no drop path.
          seed: int32 [2], decides what is dropped.
          training: whether batch norm uses (and follows) the batch.
        """
        images = as_floats(images)
        arguments: list[dict] = [{}] * len(self.cells)
        if training and drop_path is not None:
            drawn = scales(drop_path, seed, len(self.cells), tf.shape(images)[0])
            arguments = [{"drop_path": factors} for factors in drawn]
        return self._logits(images, training, arguments)
