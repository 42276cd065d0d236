"""Starts the program `derive`: python -m train.derive --help"""

from darts_tf.cli.scripts import derive

if __name__ == "__main__":
    derive()
