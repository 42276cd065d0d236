"""Reduces the crossings of a layered drawing by sorting its columns.

The barycentre heuristic (Sugiyama, Tagawa and Toda 1981): going through the
columns, each is sorted by the mean place of its items' neighbours in the
column before. It is started from several orders, always the same ones, so
that a cell is always drawn the same.
"""

from __future__ import annotations

import random
from collections import defaultdict

STARTS, SWEEPS = 24, 6


def reduce_crossings(layers: list[list], chains: list[list]) -> list[list]:
    """Returns the columns in an order with few crossings.

    Args:
      layers: the items of each column; items have a `column`, its number.
      chains: for each edge its items, one in each column it touches.

    Returns:
      New lists; the order given is kept unless another crosses less.
    """
    links = [(a, b) for chain in chains for a, b in zip(chain, chain[1:])]
    near = defaultdict(lambda: ([], []))
    for a, b in links:
        near[id(b)][0].append(a)
        near[id(a)][1].append(b)
    generator = random.Random(0)
    best, fewest = layers, crossings(layers, links)
    for start in range(STARTS):
        trial = [list(layer) for layer in layers]
        if start:
            for layer in trial:
                generator.shuffle(layer)
        for sweep in range(SWEEPS):
            _sweep(trial, near, backwards=bool(sweep % 2))
            count = crossings(trial, links)
            if count < fewest:
                fewest, best = count, [list(layer) for layer in trial]
    return best


def crossings(layers: list[list], links: list[tuple]) -> int:
    """Counts the pairs of links between the same columns that cross."""
    place_of = _places(layers)
    between = defaultdict(list)
    for a, b in links:
        between[a.column].append((place_of[id(a)], place_of[id(b)]))
    return sum(
        (a - c) * (b - d) < 0
        for pairs in between.values()
        for index, (a, b) in enumerate(pairs)
        for c, d in pairs[:index]
    )


def _sweep(layers, near, backwards: bool) -> None:
    """Sorts each column by the mean place of its neighbours."""
    side = 1 if backwards else 0
    place_of = _places(layers)
    for layer in reversed(layers) if backwards else layers:

        def key(item):
            others = near[id(item)][side]
            if not others:
                return place_of[id(item)]
            return sum(place_of[id(o)] for o in others) / len(others)

        layer.sort(key=key)
        place_of.update((id(item), i) for i, item in enumerate(layer))


def _places(layers) -> dict[int, int]:
    return {id(item): index for layer in layers for index, item in enumerate(layer)}
