"""Flattens the weights of a network into one vector.

A supernet has some 1,400 weights, most of them small. As one vector [N] they
are one argument of each compiled function, one update, one sum over the
replicas and one array of a checkpoint, in the place of 1,400. The vector is
sliced where a weight is read, and not at all within a layer that shares its
function (networks/compiled/shared_functions.py): slices and reshapes had been
most of a supernet's graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf


class FlatWeights:
    """Packs the trainable weights of a built model into a vector, and unpacks them.

    Args:
      model: a built keras.Model. Where it has `shared_layers`, the weights
        of each of those are one piece of the vector.

    Attributes:
      shapes: the weights' shapes, in order.
    """

    def __init__(self, model):
        shared = getattr(model, "shared_layers", ())
        self._variables = model.trainable_variables
        self.shapes = [tuple(v.shape) for v in self._variables]
        self._sizes = [math.prod(shape) for shape in self.shapes]
        self.places = _places(self._variables)
        together = [layer.trainable_variables for layer in shared]
        self.pieces = pieces(self._variables, together)
        self.piece_with = {n: p for p in self.pieces for n in p}
        self.states = model.non_trainable_variables
        self.state_places = _places(self.states)
        together = [layer.non_trainable_variables for layer in shared]
        self.state_pieces = pieces(self.states, together)

    def __len__(self) -> int:
        return len(self._variables)

    def packed(self):
        """Returns the model's own present weights as a vector, [N]."""
        values = [tf.convert_to_tensor(v.value) for v in self._variables]
        return tf.concat([tf.reshape(v, [-1]) for v in values], 0)

    def values(self) -> list:
        """Returns the present weights as losses take them: a list of one vector [N]."""
        return [self.packed()]

    def unpack(self, w: list) -> list:
        """Returns the weights in [vector [N]] as `Model.stateless_call` takes them."""
        return self.cut(w[0], range(len(self)))

    def cut(self, row, places: range) -> list:
        """Returns the weights with these numbers, from the slice that holds them."""
        sizes = self._sizes[places.start : places.stop]
        parts = [row] if len(sizes) == 1 else tf.split(row, sizes)
        return [self._shaped(p, n) for p, n in zip(parts, places, strict=True)]

    def _shaped(self, part, place: int):
        shape = self.shapes[place]
        return part if len(shape) == 1 else tf.reshape(part, shape)

    def lengths(self) -> list[int]:
        """Returns the number of elements of each piece."""
        return [sum(self._sizes[p.start : p.stop]) for p in self.pieces]

    def loss(self, of_list: Callable) -> Callable:
        """Makes loss([vector], ...) of a loss of the list of weights."""

        def of_vector(w, *others):
            return of_list(SlicedWeights(self, w[0]), *others)

        return of_vector


def arrays_of(row: np.ndarray, shapes: list[tuple]) -> list[np.ndarray]:
    """Splits a numpy vector [N] into arrays of these shapes."""
    stops = np.cumsum([math.prod(shape) for shape in shapes])
    parts = np.split(row, stops[:-1])
    return [p.reshape(s) for p, s in zip(parts, shapes, strict=True)]


def row_of(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Concatenates arrays into a vector: undoes `arrays_of`."""
    return np.concatenate([a.ravel() for a in arrays])


def _places(variables) -> dict[int, int]:
    return {id(v): n for n, v in enumerate(variables)}


def piece_of(places: dict[int, int], variables: list) -> range | None:
    """Returns the numbers of variables that follow each other; None if they do not.

    Args:
      places: the numbers of all variables, by id.
      variables: some of them.
    """
    numbers = [places.get(id(v), -1) for v in variables]
    if not numbers or numbers[0] < 0:
        return None
    piece = range(numbers[0], numbers[0] + len(numbers))
    return piece if numbers == [*piece] else None


def pieces(variables, together: list[list]) -> list[range]:
    """Returns the numbers of the variables in each piece, in order.

    Those in a list of `together` are one piece, if they follow each other.
    """
    places = _places(variables)
    joined = [piece_of(places, some) for some in together]
    stops = {piece.start: piece.stop for piece in joined if piece}
    result, start = [], 0
    while start < len(variables):
        stop = stops.get(start, start + 1)
        result.append(range(start, stop))
        start = stop
    return result


class SlicedWeights(Sequence):
    """A list of the weights in a vector [N], each sliced when it is read.

    Args:
      layout: how the model's weights lie in the vector.
      vector: the weights.
    """

    def __init__(self, layout: FlatWeights, vector):
        self.layout = layout
        cuts = tf.split(vector, layout.lengths())
        self._cuts = dict(zip(layout.pieces, cuts, strict=True))
        self._known = {}

    def __len__(self) -> int:
        return len(self.layout)

    def __getitem__(self, place: int):
        if not 0 <= place < len(self):
            raise IndexError(place)
        if place not in self._known:
            piece = self.layout.piece_with[place]
            values = self.layout.cut(self._cuts[piece], piece)
            self._known |= zip(piece, values, strict=True)
        return self._known[place]

    def of(self, variable):
        """Returns a variable's weights, or None for one that is not in the vector."""
        place = self.layout.places.get(id(variable))
        return None if place is None else self[place]

    def piece(self, variables: list):
        """Returns these variables' weights [n], or None if they are no piece."""
        piece = piece_of(self.layout.places, variables)
        return None if piece is None else self._cuts.get(piece)
