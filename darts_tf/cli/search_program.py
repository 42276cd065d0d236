"""All flags of train.search, in the groups of the other modules.

Apart from the program, so that what parses its flags needs no TensorFlow.
"""

from __future__ import annotations

from darts_tf.cli import flags as run_flags
from darts_tf.cli import recipe_flags, search_flags, strategy_flags


def define() -> None:
    """The flags; those of strategies come before what asks for them."""
    run_flags.define_workdir("search")
    run_flags.define_space()
    run_flags.define_truth()
    strategy_flags.define_strategy()
    run_flags.define_network(channels=16, layers=8)
    run_flags.define_training(0.5, "an estimator that trains to measure on")
    run_flags.define_language(words=0.0, patience=True)
    run_flags.define_descent(epochs=50, batch_size=64)
    recipe_flags.define_recipe()
    search_flags.define_search()
    search_flags.define_instruments()
    run_flags.define_data()
    run_flags.define_precision()
    run_flags.define_run()
