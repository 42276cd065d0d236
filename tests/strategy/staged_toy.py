"""A search in three stages on the toy of toy_search.py."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.strategy.darts.cost_penalty import CostPenalty, Costs
from darts_tf.strategy.darts.search_loop import Search, SearchSettings
from darts_tf.strategy.darts.staged_search import StagedSearch
from tests.strategy import toy_search
from tests.strategy.small_space import SMALL

STEPS, EPOCHS, CANDIDATES = 2, (2, 1, 2), (5, 3, 2)


class StageToy(toy_search.Toy):
    """The toy on the candidates of a stage; its start follows from the stage."""

    def __init__(self, number, space, relaxed, beta):
        self.space, self.relaxed = space, relaxed
        if relaxed:
            self.train_loss = self.valid_loss = toy_search.relaxed_loss
        random = np.random.default_rng(number)
        shapes = [spec.alpha_shape for spec in space.cells]
        width = sum(edges * (candidates + beta) for edges, candidates in shapes)
        start = random.normal(size=(3, width)).astype(np.float32)
        self.w = [tf.Variable(start), tf.Variable([0.3])]


def staged(relaxation="softmax", costs=False, **more) -> StagedSearch:
    replicas = Replicas("one_device")

    def build(number, space):
        settings = SearchSettings(
            "first_order",
            EPOCHS[number],
            STEPS,
            4,
            0.1,
            0.01,
            alpha_learning_rate=0.3,
            relaxation=relaxation,
            seed=number,
            compiled=False,
            **more,
        )
        beta = settings.partial_channels > 1
        task = StageToy(number, space, relaxation != "softmax", beta)
        penalty = None
        if costs:
            table = {s.name: np.ones(s.alpha_shape, np.int64) for s in space.cells}
            tables = (CostTable("parameters", space, 0, table),)
            penalty = CostPenalty(Costs(tables, (3.0,)), None, 0.5, replicas)
        return Search(task, settings, replicas, cost_penalty=penalty)

    return StagedSearch(SMALL, CANDIDATES, EPOCHS, build)
