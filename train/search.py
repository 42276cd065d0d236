"""Starts the program `search`: python -m train.search --help"""

from darts_tf.cli.scripts import search

if __name__ == "__main__":
    search()
