"""Starts the program `evaluate`: python -m train.evaluate --help"""

from darts_tf.cli.scripts import evaluate

if __name__ == "__main__":
    evaluate()
