"""The weights of a network as one tensor.

A supernet has some 1,400 weights, most of them small. As one row [N] they
are one argument of each compiled function, one update, one sum over the
replicas and one array of a checkpoint, in the place of 1,400. The row is cut
where a weight is read, and not at all within a layer that shares its trace
(networks/compiled/shared_functions.py): most of a supernet's graph were cuts and shapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf


class FlatWeights:
    """Packs the trainable weights of a built model, and takes them apart.

    Args:
      model: a built keras.Model. Where it has `shared_layers`, the weights
        of each of those are one piece of the row.

    Attributes:
      shapes: of the weights.
    """

    def __init__(self, model):
        shared = getattr(model, "shared_layers", ())
        self._variables = model.trainable_variables
        self.shapes = [tuple(v.shape) for v in self._variables]
        self._sizes = [math.prod(shape) for shape in self.shapes]
        self.places = _places(self._variables)
        kept = [layer.trainable_variables for layer in shared]
        self.pieces = pieces(self._variables, kept)
        self.piece_with = {n: p for p in self.pieces for n in p}
        self.states = model.non_trainable_variables
        self.state_places = _places(self.states)
        kept = [layer.non_trainable_variables for layer in shared]
        self.state_pieces = pieces(self.states, kept)

    def __len__(self) -> int:
        return len(self._variables)

    def packed(self):
        """The model's own present weights in a row, [N]."""
        values = [tf.convert_to_tensor(v.value) for v in self._variables]
        return tf.concat([tf.reshape(v, [-1]) for v in values], 0)

    def values(self) -> list:
        """The weights as losses take them: a list of one row [N]."""
        return [self.packed()]

    def unpack(self, w: list) -> list:
        """The weights in [row [N]], as `Model.stateless_call` takes them."""
        return self.cut(w[0], range(len(self)))

    def cut(self, row, places: range) -> list:
        """The weights with these numbers, which follow each other in a row."""
        sizes = self._sizes[places.start : places.stop]
        parts = [row] if len(sizes) == 1 else tf.split(row, sizes)
        return [self._shaped(p, n) for p, n in zip(parts, places, strict=True)]

    def _shaped(self, part, place: int):
        shape = self.shapes[place]
        return part if len(shape) == 1 else tf.reshape(part, shape)

    def lengths(self) -> list[int]:
        """Of the pieces."""
        return [sum(self._sizes[p.start : p.stop]) for p in self.pieces]

    def loss(self, of_list: Callable) -> Callable:
        """loss([row], ...) from a loss of the list of weights."""

        def of_row(w, *others):
            return of_list(SlicedWeights(self, w[0]), *others)

        return of_row


def arrays_of(row: np.ndarray, shapes: list[tuple]) -> list[np.ndarray]:
    """A row [N] outside of graphs in arrays of these shapes."""
    stops = np.cumsum([math.prod(shape) for shape in shapes])
    parts = np.split(row, stops[:-1])
    return [p.reshape(s) for p, s in zip(parts, shapes, strict=True)]


def row_of(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Undoes `arrays_of`."""
    return np.concatenate([a.ravel() for a in arrays])


def _places(variables) -> dict[int, int]:
    return {id(v): n for n, v in enumerate(variables)}


def piece_of(places: dict[int, int], variables: list) -> range | None:
    """Where these variables follow each other; None if they do not.

    Args:
      places: of all variables, by id.
      variables: some of them.
    """
    numbers = [places.get(id(v), -1) for v in variables]
    if not numbers or numbers[0] < 0:
        return None
    piece = range(numbers[0], numbers[0] + len(numbers))
    return piece if numbers == [*piece] else None


def pieces(variables, kept: list[list]) -> list[range]:
    """The numbers of the variables in each piece, in order.

    Those in a list of `kept` are one piece, if they follow each other.
    """
    places = _places(variables)
    together = [piece_of(places, some) for some in kept]
    stops = {piece.start: piece.stop for piece in together if piece}
    found, start = [], 0
    while start < len(variables):
        stop = stops.get(start, start + 1)
        found.append(range(start, stop))
        start = stop
    return found


class SlicedWeights(Sequence):
    """The weights in a row [N] as a list, each cut when it is asked for.

    Args:
      layout: of the model.
      row: its weights.
    """

    def __init__(self, layout: FlatWeights, row):
        self.layout = layout
        cuts = tf.split(row, layout.lengths())
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
        """A variable's weights, or None for one that is not in the row."""
        place = self.layout.places.get(id(variable))
        return None if place is None else self[place]

    def piece(self, variables: list):
        """Exactly these variables' weights [n], or None if that is no piece."""
        return self._cuts.get(piece_of(self.layout.places, variables))
