"""Starts the program `latency`: python -m train.latency --help"""

from darts_tf.cli.scripts import latency

if __name__ == "__main__":
    latency()
