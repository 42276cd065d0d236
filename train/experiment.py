"""Starts the program `experiment`: python -m train.experiment --help"""

from darts_tf.cli.scripts import experiment

if __name__ == "__main__":
    experiment()
