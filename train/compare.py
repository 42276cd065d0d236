"""Starts the program `compare`: python -m train.compare --help"""

from darts_tf.cli.scripts import compare

if __name__ == "__main__":
    compare()
