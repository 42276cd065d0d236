"""Starts the program `pipeline`: python -m train.pipeline --help"""

from darts_tf.cli.scripts import pipeline

if __name__ == "__main__":
    pipeline()
